/*
 * configure.mjs: writes what the sandbox's servers and its users need to know.
 *
 * usage: node configure.mjs DIR
 *
 * Chooses free loopback ports once and keeps them in DIR/ports.json, so that
 * a restarted server is found where it was; then writes DIR/env (for shells),
 * DIR/store.json and DIR/front.json (for the servers).  The secrets are fixed
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
const API_KEY = 'not-a-secret-api-key:with"quotes';
const WAREHOUSE = 'vw-2100000000-sensorswave-vw';
const ACCESS_KEY = 'AKLTnotasecretaccesskey';
const SECRET_KEY = "not+a/secret'store\\key==";
const CLICKHOUSE_USER = 'sandbox';
const CLICKHOUSE_PASSWORD = 'not-a-secret-clickhouse';

const PORT_NAMES = ['clickhouseTcp', 'clickhouseHttp', 'store', 'storeAdmin',
  'front', 'frontAdmin'];
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

async function choosePorts() {
  const ports = {};
  const taken = new Set();
  for (const name of PORT_NAMES) {
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
    SW_BYTEHOUSE_HOST: '127.0.0.1',
    SW_BYTEHOUSE_PORT: ports.front,
    SW_BYTEHOUSE_ACCOUNT: ACCOUNT,
    SW_BYTEHOUSE_USER: USER,
    SW_BYTEHOUSE_PASSWORD: PASSWORD,
    SW_BYTEHOUSE_API_KEY: API_KEY,
    SW_BYTEHOUSE_WAREHOUSE: WAREHOUSE,
    SW_BYTEHOUSE_DATABASE: DATABASE,
    SW_CA_FILE: path.join(directory, 'tls/ca.pem'),
    SW_STORE_PROXY: `http://127.0.0.1:${ports.store}`,
    SW_STORE_ENDPOINT: `tos-${REGION}.volces.com`,
    SW_STORE_REGION: REGION,
    SW_STORE_BUCKET: BUCKET,
    SW_STORE_ACCESS_KEY: ACCESS_KEY,
    SW_STORE_SECRET_KEY: SECRET_KEY,
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
    accessKey: ACCESS_KEY,
    secretKey: SECRET_KEY,
  };
}

function frontConfiguration(directory, ports, env) {
  return {
    port: ports.front,
    tlsKey: path.join(directory, 'tls/front.key'),
    tlsCert: path.join(directory, 'tls/front.pem'),
    adminPort: ports.frontAdmin,
    logFile: env.SW_FRONT_LOG,
    timezone: 'Asia/Shanghai',
    account: ACCOUNT,
    user: USER,
    password: PASSWORD,
    apiKey: API_KEY,
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
if (!fs.existsSync(portsFile)) {
  writeFile(portsFile, `${JSON.stringify(await choosePorts(), null, 2)}\n`);
}
const ports = JSON.parse(fs.readFileSync(portsFile, 'utf8'));
const env = environment(directory, ports);

writeFile(path.join(directory, 'store.json'),
  `${JSON.stringify(storeConfiguration(directory, ports, env), null, 2)}\n`);
writeFile(path.join(directory, 'front.json'),
  `${JSON.stringify(frontConfiguration(directory, ports, env), null, 2)}\n`);
writeFile(path.join(directory, 'env'), Object.entries(env)
  .map(([name, value]) => `${name}=${shellQuote(value)}\n`).join(''));
