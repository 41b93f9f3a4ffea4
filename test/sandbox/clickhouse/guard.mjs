/*
 * guard.mjs: stands before the ports of the sandbox's ClickHouse.
 *
 * usage: node guard.mjs FILE.json
 *
 * The file has { port, httpPort }, where clients come, and { serverPort,
 * serverHttpPort }, where the server listens.
 *
 * The library that ClickHouse comes from is made for one process without
 * strangers: a login that fails at the native port, a first packet that is no
 * Hello, a client that resets its idle connection, or a request that is no
 * HTTP ends the whole server.  So the guard reads the Hello itself, asks the
 * server over HTTP, where it survives that, what it thinks of the login, and
 * passes on only what will succeed; refusals are answered here with the
 * server's own code and text.  After that bytes pass unread, and the server
 * sees an orderly end whatever the client did.
 */
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';

import { writeException } from '../front/server_packets.mjs';
import { Reader, WireError } from '../front/wire.mjs';

const UNEXPECTED_PACKET = 101;
/* Plain HTTP at this port is answered by the server, without harm. */
const FIRST_LETTERS_OF_HTTP = ['G', 'P'];
const MAX_HELLO_BYTES = 64 * 1024;
const DRAIN_MS = 60 * 1000;

const REQUEST_LINE = /^[A-Z]{3,7} [^ \r\n]+ HTTP\/1\.[01]\r\n/;
const REQUEST_BEGIN = /^[A-Z]{1,7}( [^ \r\n]*( [HTP/1.0]{0,8}\r?)?)?$/;

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

class LoginRefused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/* The Hello at the start of the bytes, or null if they do not hold it all. */
function parseHello(bytes) {
  const reader = new Reader(bytes);
  try {
    const type = reader.varuint();
    if (type !== 0) {
      throw new LoginRefused(UNEXPECTED_PACKET,
        `Unexpected packet from client (expected Hello, got ${type})`);
    }
    reader.skipString();
    reader.varuint();
    reader.varuint();
    reader.varuint();
    return {
      database: reader.string(), user: reader.string(),
      password: reader.string(),
    };
  } catch (error) {
    if (error instanceof LoginRefused) {
      throw error;
    }
    if (error instanceof WireError || bytes.length > MAX_HELLO_BYTES ||
        error.atLeast > MAX_HELLO_BYTES) {
      throw new LoginRefused(UNEXPECTED_PACKET,
        'Unexpected packet from client: malformed Hello');
    }
    return null;
  }
}

async function askServer(hello) {
  if (hello.user === '') {
    throw new LoginRefused(UNEXPECTED_PACKET,
      'Unexpected packet from client (no user in Hello package)');
  }
  const parameters = new URLSearchParams(
    { user: hello.user, password: hello.password, log_queries: '0' });
  if (hello.database !== '') {
    parameters.set('database', hello.database);
  }
  const response = await fetch(
    `http://127.0.0.1:${config.serverHttpPort}/?${parameters}`,
    { method: 'POST', body: 'SELECT 1' });
  const text = await response.text();
  if (!response.ok) {
    const match = /^Code: (\d+)\. DB::Exception: ([\s\S]*?)\s*$/.exec(text);
    throw new LoginRefused(match === null ? 0 : Number(match[1]),
      (match?.[2] ?? text).replace(/\.? \([A-Z_]+\)( \(version .*\))?$/, ''));
  }
}

/* Passes bytes both ways; the server is read to its end, then left. */
function connectThrough(client, first, port) {
  const server = net.connect(port, '127.0.0.1');
  server.setNoDelay(true);
  server.on('error', () => client.destroy());
  server.write(first);
  client.pipe(server, { end: false });
  server.pipe(client);
  client.on('end', () => server.end());
  client.on('close', () => {
    client.unpipe(server);
    server.unpipe(client);
    server.resume();
    server.end();
    server.setTimeout(DRAIN_MS, () => server.destroy());
  });
}

/*
 * Reads until isEnough(bytes); pauses the client and returns the bytes.
 * Throws what isEnough throws.
 */
function takeBytes(client, isEnough) {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    client.on('data', function onData(chunk) {
      bytes = Buffer.concat([bytes, chunk]);
      try {
        if (isEnough(bytes)) {
          client.pause();
          client.off('data', onData);
          resolve(bytes);
        }
      } catch (error) {
        client.off('data', onData);
        reject(error);
      }
    });
  });
}

async function serveNative(client) {
  let hello = null;
  const first = await takeBytes(client, (bytes) => {
    if (FIRST_LETTERS_OF_HTTP.includes(String.fromCharCode(bytes[0]))) {
      return true;
    }
    hello = parseHello(bytes);
    return hello !== null;
  });
  if (hello !== null) {
    await askServer(hello);
  }
  if (!client.destroyed) {
    connectThrough(client, first, config.serverPort);
  }
}

async function serveHttp(client) {
  const first = await takeBytes(client, (bytes) => {
    const text = bytes.toString('latin1');
    if (!REQUEST_LINE.test(text) && (!REQUEST_BEGIN.test(text) ||
        bytes.length > MAX_HELLO_BYTES)) {
      throw new Error('not HTTP');
    }
    return REQUEST_LINE.test(text);
  });
  connectThrough(client, first, config.serverHttpPort);
}

async function handle(client, serve) {
  client.setNoDelay(true);
  client.on('error', () => {});
  try {
    await serve(client);
  } catch (error) {
    if (error instanceof LoginRefused) {
      client.end(writeException(error.code, error.message));
      client.resume();
    } else {
      client.destroy();
    }
  }
}

async function open(port, serve) {
  const server = net.createServer((client) => handle(client, serve));
  server.listen({ host: '127.0.0.1', port });
  await once(server, 'listening');
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => process.exit(0));
}
await open(config.port, serveNative);
await open(config.httpPort, serveHttp);
process.stdout.write('ready\n');
