/*
 * store_world.mjs: what the tests of the store share: a really started store
 * process in a folder of its own, the official client against it in three
 * ways, raw requests, and a small signer for requests that no proper client
 * would send.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import {
  existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const { TosClient } = createRequire(import.meta.url)('@volcengine/tos-sdk');
const SANDBOX = fileURLToPath(new URL('../..', import.meta.url));

export const REGION = 'cn-beijing';
export const BUCKET = 'sensorswave';
export const TOS_HOST = `tos-${REGION}.volces.com`;
export const S3_HOST = `tos-s3-${REGION}.volces.com`;
export const ACCESS_KEY = 'AKLTnotasecretaccesskey';
export const SECRET_KEY = "not+a/secret'store\\key==";
export const EMPTY_SHA256 = createHash('sha256').digest('hex');

export function md5(data) {
  return createHash('md5').update(data).digest();
}

export function sha256(data) {
  return createHash('sha256').update(data).digest('hex');
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');

  await once(server, 'listening');

  const { port } = server.address();

  server.close();
  await once(server, 'close');
  return port;
}

process.once('SIGTERM', () => process.exit(1));

/* A running store: { port, ca, logLines(), admin(), tos(), ..., stop() } */
export async function startStore() {
  const dir = mkdtempSync(join(tmpdir(), 'sw-store-'));
  const tls = join(dir, 'tls');
  const config = {
    port: await freePort(),
    adminPort: await freePort(),
    tlsKey: join(tls, 'store.key'),
    tlsCert: join(tls, 'store.pem'),
    dataDir: join(dir, 'data'),
    logFile: join(dir, 'requests.jsonl'),
    region: REGION,
    buckets: [BUCKET, 'second-bucket'],
    keys: [{ accessKey: ACCESS_KEY, secretKey: SECRET_KEY }],
  };

  execFileSync(join(SANDBOX, 'tls/make-certificates'), [tls, REGION]);
  writeFileSync(join(dir, 'store.json'), JSON.stringify(config));

  const world = {
    dir,
    port: config.port,
    ca: readFileSync(join(tls, 'ca.pem')),
    caFile: join(tls, 'ca.pem'),
    base: `http://127.0.0.1:${config.port}`,
    stderr: '',
    child: null,
  };

  /* a test that is stopped from outside takes its store with it */
  process.once('exit', () => {
    world.child?.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  world.launch = async () => {
    const child = spawn(process.execPath,
      [join(SANDBOX, 'store/main.mjs'), '--config', join(dir, 'store.json')],
      { stdio: ['ignore', 'pipe', 'pipe'] });

    child.stderr.on('data', (text) => {
      world.stderr += text;
    });
    world.child = child;

    const [first] = await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => {
        throw new Error(`the store did not start: ${world.stderr}`);
      }),
    ]);

    if (String(first) !== 'ready\n')
      throw new Error(`the store said ${first}`);
  };
  /* Ends the process; gives its exit code and how long it took. */
  world.terminate = async (signal = 'SIGTERM') => {
    const started = Date.now();
    const gone = once(world.child, 'exit');

    world.child.kill(signal);

    const [code] = await gone;

    return { code, ms: Date.now() - started };
  };
  world.stop = async () => {
    await world.terminate();
    rmSync(dir, { recursive: true });
  };
  world.admin = async (method, path, body) => {
    const reply = await request({
      port: config.adminPort, method, path,
      body: body === undefined ? undefined : JSON.stringify(body),
    });

    return { status: reply.status, ...JSON.parse(reply.body) };
  };
  world.fault = async (fault) => {
    const { status, error } = await world.admin('POST', '/faults', fault);

    if (status !== 200)
      throw new Error(error);
  };
  world.keys = async () => (await world.admin('GET', '/objects')).objects.map(({ key }) => key).sort();
  world.logLines = () => (existsSync(config.logFile)
    ? readFileSync(config.logFile, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line)) : []);
  world.lastLog = () => world.logLines().at(-1);
  world.request = (options) => request({ port: config.port, ...options });
  world.client = (options = {}) => new TosClient({
    accessKeyId: ACCESS_KEY,
    accessKeySecret: SECRET_KEY,
    region: REGION,
    bucket: BUCKET,
    endpoint: `127.0.0.1:${config.port}`,
    secure: false,
    maxRetryCount: 0,
    ...options,
  });
  world.proxyClient = () => world.client({
    endpoint: TOS_HOST, proxyHost: '127.0.0.1', proxyPort: config.port,
  });
  world.tunnelClient = (options = {}) => {
    const client = world.client({ endpoint: TOS_HOST, secure: true, ...options });

    client.httpsAgent = tunnelAgent(config.port, world.ca);
    return client;
  };
  await world.launch();
  return world;
}

/* Opens CONNECT tunnels and TLS inside, with the certificate checked. */
export function tunnelAgent(port, ca) {
  const agent = new https.Agent({ keepAlive: true, ca });
  const secure = agent.createConnection;

  agent.createConnection = (options, done) => {
    http.request({
      host: '127.0.0.1', port, method: 'CONNECT', path: `${options.host}:443`, agent: false,
    }).on('connect', (reply, socket) => {
      if (reply.statusCode === 200)
        done(null, secure.call(agent, { ...options, ca, socket, servername: options.host }));
      else
        done(new Error(`CONNECT was answered ${reply.statusCode}`));
    }).on('error', done).end();
  };
  return agent;
}

/* One raw request; gives { status, headers, body, continued }. */
export function request({ port, method, path, headers = {}, body, agent = false, transport = http, ...more }) {
  return new Promise((resolve, reject) => {
    let continued = false;
    const outgoing = transport.request({
      host: '127.0.0.1', port, method, path, headers, agent, ...more,
    }, async (incoming) => {
      const chunks = [];

      try {
        for await (const chunk of incoming)
          chunks.push(chunk);
        resolve({
          status: incoming.statusCode,
          headers: incoming.headers,
          body: Buffer.concat(chunks),
          continued,
        });
      } catch (error) {
        reject(error);
      }
    });

    outgoing.on('error', reject);
    outgoing.on('continue', () => {
      continued = true;
      if (headers.expect)
        outgoing.end(body);
    });
    if (headers.expect)
      outgoing.flushHeaders();
    else
      outgoing.end(body);
  });
}

export function isoDate(offsetMs = 0) {
  return new Date(Date.now() + offsetMs).toISOString().replace(/[-:]|\.\d+/g, '');
}

const FLAVOURS = {
  tos: { prefix: 'x-tos-', algorithm: 'TOS4-HMAC-SHA256', keyPrefix: '', service: 'tos', end: 'request' },
  s3: { prefix: 'x-amz-', algorithm: 'AWS4-HMAC-SHA256', keyPrefix: 'AWS4', service: 's3', end: 'aws4_request' },
};

function encode(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g,
    (character) => '%' + character.charCodeAt(0).toString(16).toUpperCase());
}

/*
 * A signed request, ready for `request`. Everything can be bent: date,
 * region, service, secret, the headers left unsigned, the payload hash.
 */
export function signed({
  side = 'tos', method = 'GET', host, path, query = {}, headers = {}, body,
  date = isoDate(), region = REGION, accessKey = ACCESS_KEY, secret = SECRET_KEY,
  contentHash = 'UNSIGNED-PAYLOAD', unsigned = [], service = FLAVOURS[side].service,
  end = FLAVOURS[side].end, alsoSign = [],
}) {
  const { prefix, algorithm, keyPrefix } = FLAVOURS[side];
  const all = { host, ...headers, [prefix + 'date']: date };

  if (contentHash !== null)
    all[prefix + 'content-sha256'] = contentHash;

  const names = Object.keys(all)
    .filter((name) => !unsigned.includes(name)
      && (name === 'host' || name.startsWith(prefix) || alsoSign.includes(name)))
    .sort();
  const queryText = Object.keys(query).sort()
    .map((name) => `${encode(name)}=${encode(query[name])}`).join('&');
  const pathText = path.split('/').map(encode).join('/');
  const canonical = [
    method, pathText, queryText,
    ...names.map((name) => `${name}:${all[name]}`), '',
    names.join(';'), contentHash ?? EMPTY_SHA256,
  ].join('\n');
  const scope = [date.slice(0, 8), region, service, end];
  const key = scope.reduce(
    (previous, part) => createHmac('sha256', previous).update(part).digest(),
    keyPrefix + secret);
  const signature = createHmac('sha256', key)
    .update([algorithm, date, scope.join('/'), sha256(canonical)].join('\n')).digest('hex');

  return {
    method,
    path: pathText + (queryText && '?' + queryText),
    body,
    headers: {
      ...all,
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      authorization: `${algorithm} Credential=${accessKey}/${scope.join('/')}, `
        + `SignedHeaders=${names.join(';')}, Signature=${signature}`,
    },
  };
}
