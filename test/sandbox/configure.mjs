/*
 * configure.mjs: writes what the sandbox's servers and its users need to know.
 *
 * usage: node configure.mjs DIR
 *
 * Chooses free loopback ports once and keeps them in DIR/ports.json, so that
 * a restarted server is found where it was; then writes DIR/env (for shells),
 * DIR/guard.json, DIR/store.json and DIR/front.json (for the servers).  The secrets are fixed
 * test values, recognisable in any log, with characters that careless quoting
 * gets wrong.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const REGION = 'cn-beijing';
const BUCKET = 'sensorswave';
const DATABASE = 'sensorswave';
const ACCOUNT = '2100000000';
const USER = 'sensorswave_user';
const PASSWORD = "not-a-secret'pass\\word";
const LEAST_USER = 'sensorswave_least';
const LEAST_PASSWORD = "not-a-secret'least\\word";
/* What the extension asks for at a ByteHouse, and no more. */
const LEAST_GRANTS = [`CREATE TABLE, DROP TABLE, INSERT, ALTER ON ${DATABASE}.*`,
  'S3, CREATE TEMPORARY TABLE ON *.*'];
const API_KEY = 'not-a-secret-api-key:with"quotes';
const WAREHOUSE = 'vw-2100000000-sensorswave-vw';
const ACCESS_KEY = 'AKLTnotasecretaccesskey';
const SECRET_KEY = "not+a/secret'store\\key==";
/* May do what the extension asks for at a store, and no more. */
const LEAST_ACCESS_KEY = 'AKLTnotasecretleastkey';
const LEAST_SECRET_KEY = "not+a/secret'least\\key==";
const LEAST_ACTIONS = ['PutObject', 'GetObject', 'DeleteObject', 'ListBucket'];
/* A temporary key. */
const STS_ACCESS_KEY = 'AKTPnotasecretstskey';
const STS_SECRET_KEY = 'not+a/secret+sts/key==';
const STS_TOKEN = 'not-a-secret-sts-token+/==';
const CLICKHOUSE_USER = 'sandbox';
const CLICKHOUSE_PASSWORD = 'not-a-secret-clickhouse';

const PORT_NAMES = ['clickhouseTcp', 'clickhouseHttp', 'clickhouseServer',
  'clickhouseServerHttp', 'clickhouseTls', 'store', 'storeAdmin', 'front',
  'frontAdmin', 'plain', 'expired', 'wrongHost', 'selfSigned', 'tls12', 'tls13',
  'rev54406', 'rev54412', 'rev54448', 'rev54451'];
/* The listeners of the front beside its own port. */
const LISTENERS = {
  plain: { tls: null },
  expired: { certificate: 'expired' },
  wrongHost: { certificate: 'wrong_host' },
  selfSigned: { certificate: 'self_signed' },
  tls12: { maxVersion: 'TLSv1.2' },
  tls13: { minVersion: 'TLSv1.3' },
  rev54406: { revision: 54406 },
  rev54412: { revision: 54412 },
  rev54448: { revision: 54448 },
  rev54451: { revision: 54451 },
};
/* Below the range that outgoing connections take their ports from. */
const FIRST_PORT = 20000;
const LAST_PORT = 32000;

function portIsFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/* Ports for the names that have none yet. */
async function choosePorts(known) {
  const ports = { ...known };
  const taken = new Set(Object.values(ports));
  for (const name of PORT_NAMES.filter((one) => ports[one] === undefined)) {
    let port;
    do {
      port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    } while (taken.has(port) || !await portIsFree(port));
    taken.add(port);
    ports[name] = port;
  }
  return ports;
}

/* A reader never sees half a file. */
function writeFile(file, text) {
  fs.writeFileSync(`${file}.new`, text);
  fs.renameSync(`${file}.new`, file);
}

function shellQuote(value) {
  return `'${String(value).replaceAll("'", `'\\''`)}'`;
}

function environment(directory, ports) {
  return {
    SW_CLICKHOUSE_TCP_PORT: ports.clickhouseTcp,
    SW_CLICKHOUSE_HTTP_PORT: ports.clickhouseHttp,
    SW_CLICKHOUSE_USER: CLICKHOUSE_USER,
    SW_CLICKHOUSE_PASSWORD: CLICKHOUSE_PASSWORD,
    SW_CLICKHOUSE_SERVER_PORT: ports.clickhouseServer,
    SW_CLICKHOUSE_SERVER_HTTP_PORT: ports.clickhouseServerHttp,
    SW_CLICKHOUSE_TLS_PORT: ports.clickhouseTls,
    SW_BYTEHOUSE_HOST: '127.0.0.1',
    SW_BYTEHOUSE_PORT: ports.front,
    SW_BYTEHOUSE_ACCOUNT: ACCOUNT,
    SW_BYTEHOUSE_USER: USER,
    SW_BYTEHOUSE_PASSWORD: PASSWORD,
    SW_BYTEHOUSE_API_KEY: API_KEY,
    SW_BYTEHOUSE_LEAST_USER: LEAST_USER,
    SW_BYTEHOUSE_LEAST_PASSWORD: LEAST_PASSWORD,
    SW_BYTEHOUSE_PLAIN_PORT: ports.plain,
    SW_BYTEHOUSE_EXPIRED_PORT: ports.expired,
    SW_BYTEHOUSE_WRONG_HOST_PORT: ports.wrongHost,
    SW_BYTEHOUSE_SELF_SIGNED_PORT: ports.selfSigned,
    SW_BYTEHOUSE_TLS12_PORT: ports.tls12,
    SW_BYTEHOUSE_TLS13_PORT: ports.tls13,
    SW_BYTEHOUSE_REV54406_PORT: ports.rev54406,
    SW_BYTEHOUSE_REV54412_PORT: ports.rev54412,
    SW_BYTEHOUSE_REV54448_PORT: ports.rev54448,
    SW_BYTEHOUSE_REV54451_PORT: ports.rev54451,
    SW_BYTEHOUSE_WAREHOUSE: WAREHOUSE,
    SW_BYTEHOUSE_DATABASE: DATABASE,
    SW_CA_FILE: path.join(directory, 'tls/ca.pem'),
    SW_STORE_PROXY: `http://127.0.0.1:${ports.store}`,
    SW_STORE_ENDPOINT: `tos-${REGION}.volces.com`,
    SW_STORE_REGION: REGION,
    SW_STORE_BUCKET: BUCKET,
    SW_STORE_ACCESS_KEY: ACCESS_KEY,
    SW_STORE_SECRET_KEY: SECRET_KEY,
    SW_STORE_LEAST_ACCESS_KEY: LEAST_ACCESS_KEY,
    SW_STORE_LEAST_SECRET_KEY: LEAST_SECRET_KEY,
    SW_STORE_STS_ACCESS_KEY: STS_ACCESS_KEY,
    SW_STORE_STS_SECRET_KEY: STS_SECRET_KEY,
    SW_STORE_STS_TOKEN: STS_TOKEN,
    SW_STORE_S3_ENDPOINT: `tos-s3-${REGION}.volces.com`,
    SW_STORE_PORT: ports.store,
    SW_STORE_ADMIN: `http://127.0.0.1:${ports.storeAdmin}`,
    SW_FRONT_ADMIN: `http://127.0.0.1:${ports.frontAdmin}`,
    SW_STORE_LOG: path.join(directory, 'store.requests.jsonl'),
    SW_FRONT_LOG: path.join(directory, 'front.queries.jsonl'),
  };
}

function storeConfiguration(directory, ports, env) {
  return {
    port: ports.store,
    tlsKey: path.join(directory, 'tls/store.key'),
    tlsCert: path.join(directory, 'tls/store.pem'),
    adminPort: ports.storeAdmin,
    dataDir: path.join(directory, 'store'),
    logFile: env.SW_STORE_LOG,
    region: REGION,
    buckets: [BUCKET],
    keys: [
      { accessKey: ACCESS_KEY, secretKey: SECRET_KEY },
      { accessKey: LEAST_ACCESS_KEY, secretKey: LEAST_SECRET_KEY, actions: LEAST_ACTIONS, buckets: [BUCKET] },
      { accessKey: STS_ACCESS_KEY, secretKey: STS_SECRET_KEY, securityToken: STS_TOKEN },
    ],
  };
}

function certificate(directory, name) {
  return {
    key: path.join(directory, 'tls', `${name}.key`),
    cert: path.join(directory, 'tls', `${name}.pem`),
  };
}

function listeners(directory, ports) {
  const own = certificate(directory, 'front');
  return [
    { name: 'main', port: ports.front, tls: own, revision: null },
    ...Object.entries(LISTENERS).map(([name, variant]) => ({
      name,
      port: ports[name],
      tls: variant.tls === null ? null : {
        ...certificate(directory, variant.certificate ?? 'front'),
        minVersion: variant.minVersion,
        maxVersion: variant.maxVersion,
      },
      revision: variant.revision ?? null,
    })),
  ];
}

function guardConfiguration(ports) {
  return {
    port: ports.clickhouseTcp,
    httpPort: ports.clickhouseHttp,
    serverPort: ports.clickhouseServer,
    serverHttpPort: ports.clickhouseServerHttp,
  };
}

function frontConfiguration(directory, ports, env) {
  return {
    listeners: listeners(directory, ports),
    tunnels: [{
      name: 'clickhouseTls', port: ports.clickhouseTls,
      tls: certificate(directory, 'front'), target: ports.clickhouseTcp,
    }],
    adminPort: ports.frontAdmin,
    logFile: env.SW_FRONT_LOG,
    timezone: 'Asia/Shanghai',
    account: ACCOUNT,
    database: DATABASE,
    users: [
      { name: USER, password: PASSWORD, apiKey: API_KEY, grants: ['ALL'] },
      { name: LEAST_USER, password: LEAST_PASSWORD, grants: LEAST_GRANTS },
    ],
    warehouses: [WAREHOUSE],
    upstream: {
      host: '127.0.0.1',
      port: ports.clickhouseTcp,
      httpPort: ports.clickhouseHttp,
      user: CLICKHOUSE_USER,
      password: CLICKHOUSE_PASSWORD,
    },
    store: { region: REGION, host: '127.0.0.1', port: ports.store },
  };
}

const directory = path.resolve(process.argv[2]);
const portsFile = path.join(directory, 'ports.json');
const ports = await choosePorts(fs.existsSync(portsFile)
  ? JSON.parse(fs.readFileSync(portsFile, 'utf8')) : {});
const env = environment(directory, ports);

function writeJson(file, value) {
  writeFile(path.join(directory, file), `${JSON.stringify(value, null, 2)}\n`);
}

writeJson('ports.json', ports);
writeJson('guard.json', guardConfiguration(ports));
writeJson('store.json', storeConfiguration(directory, ports, env));
writeJson('front.json', frontConfiguration(directory, ports, env));
writeFile(path.join(directory, 'env'), Object.entries(env)
  .map(([name, value]) => `${name}=${shellQuote(value)}\n`).join(''));
