/*
 * capture.mjs: makes seeds for fuzz_reply of what real servers say.
 *
 *   test/sandbox/sandbox start DIR
 *   set -a; . DIR/env; node test/fuzz/capture.mjs
 *
 * Each conversation is a login, pings and queries; all that the server sent
 * goes to corpus/reply/, behind the two bytes that fuzz_reply.c wants first.
 */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';

import { queryBytes } from '../sandbox/test/lib/native_client.mjs';

const CORPUS = fileURLToPath(new URL('corpus/reply/', import.meta.url));
const MAX_BYTES = 12000;
const SILENCE_MS = 400;
const { env } = process;

/* As numbered in fuzz_reply.c. */
const REVISION_INDEX = { 54406: 1, 54412: 2, 54448: 4, 54451: 5 };

function varuint(n) {
  const bytes = [];
  let rest = n;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | 0x80);
  }
  return Buffer.from([...bytes, rest]);
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([varuint(bytes.length), bytes]);
}

const PING = Buffer.from([4]);
const EMPTY_DATA = Buffer.from([2, 0, 1, 0, 2, 255, 255, 255, 255, 0, 0, 0]);

function query(revision, sql, settings) {
  return Buffer.concat([queryBytes(revision, sql, { settings }), EMPTY_DATA]);
}

/* Says one thing after the other; a server that is silent has answered. */
async function converse(socket, requests) {
  const answers = [];
  let wake = () => {};
  let received = [];
  socket.on('data', (chunk) => { received.push(chunk); wake(); });
  socket.on('error', () => wake());
  for (const bytes of requests) {
    received = [];
    socket.write(bytes);
    for (let before = -1; before < received.length || before === 0;) {
      before = received.length;
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, SILENCE_MS);
        wake = () => { clearTimeout(timer); resolve(); };
      });
      if (socket.destroyed) {
        break;
      }
    }
    answers.push(Buffer.concat(received));
  }
  socket.destroy();
  return answers;
}

/* Seeds are published: the name of this machine becomes as many x. */
function withoutHostName(bytes) {
  const host = os.hostname();
  const found = text(host);
  const blank = text('x'.repeat(Buffer.byteLength(host)));
  const out = Buffer.from(bytes);
  for (let i = out.indexOf(found); i >= 0; i = out.indexOf(found, i + 1)) {
    blank.copy(out, i);
  }
  return out;
}

function save(name, flags, bytes) {
  if (bytes.length > MAX_BYTES) {
    throw new Error(`${name} has ${bytes.length} bytes`);
  }
  fs.writeFileSync(path.join(CORPUS, name),
    Buffer.concat([Buffer.from([flags, 7]), withoutHostName(bytes)]));
}

async function capture(name, server, revision, statements, flags = 0) {
  const login = server === 'clickhouse' ?
    [env.SW_CLICKHOUSE_USER, env.SW_CLICKHOUSE_PASSWORD, ''] :
    [`${env.SW_BYTEHOUSE_ACCOUNT}::${env.SW_BYTEHOUSE_USER}`,
      env.SW_BYTEHOUSE_PASSWORD, env.SW_BYTEHOUSE_DATABASE];
  const hello = Buffer.concat([varuint(0), text('capture'), varuint(1),
    varuint(0), varuint(revision), text(login[2]), text(login[0]),
    text(flags & 0x40 ? 'wrong' : login[1])]);
  const socket = server === 'clickhouse' ?
    net.connect(Number(env.SW_CLICKHOUSE_TCP_PORT), '127.0.0.1') :
    tls.connect({ host: '127.0.0.1', port: Number(env.SW_BYTEHOUSE_PORT),
      ca: fs.readFileSync(env.SW_CA_FILE) });
  const answers = await converse(socket, [hello, ...statements.map((one) =>
    (Buffer.isBuffer(one) ? one : query(revision, one[0], one[1])))]);
  const index = REVISION_INDEX[revision];
  const whole = Buffer.concat(answers);
  if (whole.length === 0) {
    throw new Error(`${name}: the server said nothing`);
  }
  /* Below what the machine announces, the server's Hello would mislead it. */
  if (revision < 54448) {
    save(name, index | flags & 0x78, Buffer.concat(answers.slice(1)));
  } else {
    save(name, flags & 0x38, whole);
  }
  process.stdout.write(`${name}: ${whole.length} bytes\n`);
}

const LOGS = { send_logs_level: 'trace' };
const STATEMENTS = {
  select: [['SELECT 1'], ['SELECT number, toString(number) AS s, ' +
    'if(number = 1, NULL, toInt64(-number)) AS n, toDate(number) AS d, ' +
    "toDateTime64(number, 3, 'Asia/Shanghai') AS t, " +
    "toFixedString('abc', 3) AS f FROM numbers(4)"], ['SELECT 1 WHERE 0']],
  exception: [['SELECT throwIf(number = 3) FROM numbers(10)'], ['SELECT'],
    ['SELECT * FROM no_such.table'], ['SELECT 2']],
  totals: [['SELECT number % 2 AS k, count() AS n FROM numbers(10) ' +
    'GROUP BY k WITH TOTALS ORDER BY k LIMIT 1', { extremes: 1 }]],
  logs: [['SELECT count() FROM numbers(1000)', LOGS]],
  progress: [['SELECT sleepEachRow(0.1), number FROM numbers(5)',
    { max_block_size: 1, interactive_delay: 50000 }]],
};

fs.mkdirSync(CORPUS, { recursive: true });
for (const [name, statements] of Object.entries(STATEMENTS)) {
  await capture(`clickhouse-${name}`, 'clickhouse', 54448, statements);
  if (name !== 'logs') {
    await capture(`front-${name}`, 'front', 54451, statements.map(([sql]) => [sql]));
    await capture(`front-${name}-54406`, 'front', 54406,
      statements.map(([sql]) => [sql]));
  }
}
await capture('clickhouse-old-54412', 'clickhouse', 54412,
  [...STATEMENTS.totals.map(([sql]) => [sql]), ...STATEMENTS.exception]);
await capture('clickhouse-ping', 'clickhouse', 54448,
  [PING, ['SELECT 1'], ['SELECT 1'], ['SELECT 1'], PING], 0x08);
await capture('clickhouse-insert', 'clickhouse', 54448,
  [['CREATE OR REPLACE TABLE default.fuzz_capture (a Int64, s String DEFAULT \'x\') ENGINE = Memory'],
    ['INSERT INTO default.fuzz_capture SELECT number, \'a\' FROM numbers(5)'],
    ['INSERT INTO default.fuzz_capture FORMAT Native'], EMPTY_DATA,
    ['DROP TABLE default.fuzz_capture']]);
await capture('front-refused', 'front', 54448, [], 0x40);
