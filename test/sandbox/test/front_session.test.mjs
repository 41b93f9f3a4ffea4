/*
 * front_session.test.mjs: logins, revisions, packet order, warehouses, cancel.
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import fs from 'node:fs';

import { queryBytes } from './lib/native_client.mjs';
import { World } from './lib/world.mjs';

const world = new World();
const clients = [];

before(() => world.start('clickhouse', 'front'));
after(() => {
  clients.forEach((client) => client.close());
  world.destroy();
});

async function connect(options) {
  const client = await world.connect(options);
  clients.push(client);
  return client;
}

function refused(code, pattern = /^DB::Exception: /) {
  return (error) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    return true;
  };
}

for (const revision of [54406, 54412, 54420, 54429, 54448, 54449, 54451]) {
  test(`a client of revision ${revision} logs in and asks`, async () => {
    const client = await connect({ revision });
    assert.equal(client.server.name, 'ByteHouse');
    assert.equal(client.server.revision, 54451);
    const result = await client.query(
      'SELECT toString(number) AS n, number AS m FROM numbers(3)',
      { settings: { max_threads: 1 } });
    assert.deepEqual(result.rows, [['0', 0], ['1', 1], ['2', 2]]);
    assert.deepEqual(result.names, ['n', 'm']);
    assert.equal(result.progress[0], 3);
    assert.ok(await client.ping());
    assert.equal((await client.query('SELECT 1')).rows[0][0], 1);
    const logged = world.frontLog().filter(({ event }) => event === 'query')
      .at(-2);
    assert.equal(logged.revision, revision);
    assert.equal(logged.settings.max_threads, '1');
  });
}

test('a newer client is brought down to the server\'s revision', async () => {
  const client = await connect({ revision: 54460 });
  assert.equal(client.revision, 54451);
  await client.query('SELECT 1');
});

test('an API key is a login, too', async () => {
  const client = await connect(
    { user: 'bytehouse', password: world.env.SW_BYTEHOUSE_API_KEY });
  await client.query('SELECT 1');
});

test('bad logins are answered with an exception and the end', async () => {
  const { env } = world;
  const account = env.SW_BYTEHOUSE_ACCOUNT;
  for (const options of [
    { password: 'wrong' }, { password: '' }, { user: env.SW_BYTEHOUSE_USER },
    { user: `1${account}::${env.SW_BYTEHOUSE_USER}` },
    { user: 'bytehouse' }, { user: 'default', password: '' },
    { user: `${account}::bytehouse`, password: env.SW_BYTEHOUSE_API_KEY },
  ]) {
    await assert.rejects(connect(options), refused(516, /Authentication failed/));
  }
  await assert.rejects(connect({ database: 'nope' }), refused(81, /nope/));
  await assert.rejects(connect({ database: '_front' }), refused(81));
  await assert.rejects(connect({ user: '' }), refused(101));
  await assert.rejects(connect({ revision: 54000 }), refused(101));
  const logged = world.frontLog().filter(({ event }) => event === 'login');
  assert.deepEqual(logged.slice(-4).map(({ code }) => code),
    [81, 81, 101, 101]);
});

test('the login log has no password', () => {
  const logins = world.frontLog().filter(({ event }) => event === 'login');
  assert.ok(logins.length > 10);
  assert.ok(!JSON.stringify(logins).includes('not-a-secret'));
});

test('plain TCP and foreign protocols get nothing out of it', async () => {
  const plain = net.connect(Number(world.env.SW_BYTEHOUSE_PORT), '127.0.0.1');
  plain.write('GET / HTTP/1.0\r\n\r\n');
  let got = '';
  plain.on('data', (chunk) => { got += chunk.toString('latin1'); });
  await new Promise((resolve) => { plain.on('close', resolve); });
  assert.ok(!got.includes('HTTP'));

  const socket = tls.connect({
    host: '127.0.0.1', port: Number(world.env.SW_BYTEHOUSE_PORT),
    ca: fs.readFileSync(world.env.SW_CA_FILE),
  });
  socket.write('GET / HTTP/1.0\r\n\r\n');
  const answer = [];
  socket.on('data', (chunk) => answer.push(chunk));
  await new Promise((resolve) => { socket.on('close', resolve); });
  const bytes = Buffer.concat(answer);
  assert.equal(bytes[0], 2);
  assert.equal(bytes.readInt32LE(1), 101);
});

/* Sends bytes after a login; expects an exception and a closed connection. */
async function breaksOff(code, bytes, revision = 54448) {
  const client = await connect({ revision });
  client.sendBytes(bytes(client));
  const packet = await client.packet();
  assert.equal(packet.type, 2);
  assert.equal(packet.error.code, code, packet.error.message);
  await client.untilClosed();
}

test('packets out of order end the connection', async () => {
  const query = queryBytes(54448, 'SELECT 1');
  await breaksOff(101, () => Buffer.concat([query, query]));
  await breaksOff(101, () => Buffer.concat([query, Buffer.from([4])]));
  await breaksOff(101, () => Buffer.from([2, 0, 0, 0, 0]));
  await breaksOff(101, () => Buffer.from([0]));
  await breaksOff(99, () => Buffer.from([42]));
});

test('a malformed query packet ends the connection', async () => {
  await breaksOff(101, () => queryBytes(54449, 'SELECT 1'));
  await breaksOff(101, () => queryBytes(54412, 'SELECT 1'));
  await breaksOff(101, () => queryBytes(54448, 'SELECT 1', { stage: 1 }));
  await breaksOff(1000, () => queryBytes(54448, 'SELECT 1',
    { initialAddress: '' }));
});

test('settings in the wrong framing end the connection', async () => {
  const strings = queryBytes(54448, 'SELECT 1',
    { settings: { max_threads: '1' } });
  /* The string "1" with flags, cut to what old clients send: a number. */
  const at = strings.indexOf('max_threads') + 'max_threads'.length;
  const cut = Buffer.concat([strings.subarray(0, at), Buffer.from([1]),
    strings.subarray(at + 3)]);
  await breaksOff(101, () => cut);
  await breaksOff(115, () => queryBytes(54406, 'SELECT 1',
    { settings: { no_such_setting: 1 } }), 54406);
});

test('no compression is played', async () => {
  await breaksOff(48, () => queryBytes(54448, 'SELECT 1', { compression: 1 }));
});

test('while a query runs only Cancel is allowed', async () => {
  const client = await connect();
  client.sendQuery('SELECT sleepEachRow(1) FROM numbers(100)',
    { settings: { max_block_size: 1, function_sleep_max_microseconds_per_block: 100000000 } });
  await client.packet();
  client.sendBytes(Buffer.from([4]));
  let packet;
  do {
    packet = await client.packet();
  } while (packet.type === 3 || packet.type === 1);
  assert.equal(packet.type, 2);
  assert.equal(packet.error.code, 99);
  await client.untilClosed();
});

test('Cancel ends a query and leaves the session usable', async () => {
  const client = await connect();
  const start = Date.now();
  client.sendQuery('SELECT sleepEachRow(1) FROM numbers(100)',
    { queryId: 'to-be-cancelled', settings: { max_block_size: 1,
      function_sleep_max_microseconds_per_block: 100000000 } });
  await client.packet();
  client.sendCancel();
  await client.answer().catch((error) => assert.equal(error.code, 394));
  assert.ok(Date.now() - start < 5000);
  assert.equal((await client.query('SELECT 2')).rows[0][0], 2);
  client.sendCancel();
  assert.equal((await client.query('SELECT 3')).rows[0][0], 3);
});

test('a lost client cancels its query at the server', async () => {
  const client = await connect();
  client.sendQuery('SELECT sleepEachRow(1) FROM numbers(100)',
    { queryId: 'to-be-lost', settings: { max_block_size: 1,
      function_sleep_max_microseconds_per_block: 100000000 } });
  await client.packet();
  const running = () => Number(world.query(
    "SELECT count() FROM system.processes WHERE query_id = 'to-be-lost'"));
  assert.equal(running(), 1);
  client.close();
  for (let i = 0; i < 50 && running() > 0; i++) {
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  assert.equal(running(), 0);
});

test('Progress comes every 100 ms, also when there is none', async () => {
  const client = await connect();
  const result = await client.query('SELECT sleep(1)');
  assert.ok(result.progressPackets >= 7, `${result.progressPackets} packets`);
});

test('an unknown warehouse is noticed by the first statement for workers', async () => {
  const client = await connect();
  await client.query("SET virtual_warehouse = 'vw-none'");
  await client.query('SELECT 1');
  await client.query('SELECT name FROM system.databases');
  await client.query(`CREATE TABLE IF NOT EXISTS w (a String)
    ENGINE = CnchMergeTree ORDER BY tuple()`);
  const notFound = refused(5025, /Virtual warehouse vw-none not found/);
  await assert.rejects(client.query('SELECT count() FROM w'), notFound);
  await assert.rejects(client.query('SELECT a FROM (SELECT a FROM w)'), notFound);
  await assert.rejects(client.query("INSERT INTO w SELECT 'x'"), notFound);
  const known = world.env.SW_BYTEHOUSE_WAREHOUSE;
  await client.query(
    `SELECT count() FROM w SETTINGS virtual_warehouse = '${known}'`);
  await client.query('SELECT count() FROM w',
    { settings: { virtual_warehouse: known } });
  await client.query(`SET virtual_warehouse = '${known}', max_threads = 1`);
  assert.equal((await client.query(
    "SELECT getSetting('max_threads'), count() FROM w")).rows[0][0], 1);
  await assert.rejects(client.query('SELECT count() FROM w',
    { settings: { virtual_warehouse: 'vw-none' } }), notFound);
  await client.query("SET virtual_warehouse = ''");
  await client.query('SELECT count() FROM w');
  await client.query('DROP TABLE w');
  const logged = world.frontLog().filter(({ code }) => code === 5025);
  assert.equal(logged.length, 4);
  assert.ok(logged.every(({ warehouse }) => warehouse === 'vw-none'));
});

test('a query exception leaves the session usable', async () => {
  const client = await connect();
  await assert.rejects(client.query('SELECT x'), refused(47));
  await assert.rejects(client.query('SELECT FROM WHERE'), refused(62));
  await assert.rejects(client.query('SELECT * FROM nope'), refused(60));
  assert.equal((await client.query('SELECT 1')).rows[0][0], 1);
});

test('USE and SET hold for the connection', async () => {
  const client = await connect({ database: '' });
  await assert.rejects(client.query('USE nope'), refused(81));
  await client.query('USE sensorswave');
  assert.equal((await client.query('SELECT currentDatabase()')).rows[0][0],
    'sensorswave');
});

test('a server that goes away ends the connection; it comes back', async () => {
  const client = await connect();
  await client.query('SELECT 1');
  world.sandbox('stop', 'clickhouse');
  await assert.rejects(client.query('SELECT 1'), refused(210));
  await client.untilClosed();
  await assert.rejects(connect(), refused(210));
  world.sandbox('start', 'clickhouse');
  const again = await connect();
  assert.equal((await again.query('SELECT 1')).rows[0][0], 1);
});

test('the log is served over HTTP', async () => {
  const response = await fetch(`${world.env.SW_FRONT_ADMIN}/log`);
  const log = await response.json();
  assert.ok(log.some(({ event }) => event === 'login'));
  assert.ok(log.some(({ query }) => query === 'SELECT 1'));
});
