/*
 * guard.test.mjs: ClickHouse outlives its clients.
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { queryBytes } from './lib/native_client.mjs';
import { World } from './lib/world.mjs';

const world = new World();
const clients = [];
let pid;

before(() => {
  world.start('clickhouse');
  pid = world.pid('clickhouse');
});
after(() => {
  clients.forEach((client) => client.close());
  world.destroy();
});

async function connect(options) {
  const client = await world.connect({
    port: Number(world.env.SW_CLICKHOUSE_TCP_PORT), plain: true,
    user: world.env.SW_CLICKHOUSE_USER, database: '',
    password: world.env.SW_CLICKHOUSE_PASSWORD, ...options,
  });
  clients.push(client);
  return client;
}

function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

/* The server is the one that was started, and answers. */
async function isWell() {
  await pause(100);
  process.kill(pid, 0);
  assert.equal(world.query('SELECT 41 + 1'), '42');
  assert.equal(world.pid('clickhouse'), pid);
}

test('a query, an exception, a ping: as from the server', async () => {
  const client = await connect({ database: 'sensorswave' });
  assert.equal(client.server.name, 'ClickHouse');
  assert.equal(client.server.revision > 54451, true);
  assert.equal((await client.query('SELECT currentDatabase()')).rows[0][0],
    'sensorswave');
  await assert.rejects(client.query('SELECT nonsense'), { code: 47 });
  assert.ok(await client.ping());
});

test('a failed login is refused with the server\'s words', async () => {
  await assert.rejects(connect({ password: 'wrong' }), (error) => {
    assert.equal(error.code, 516);
    assert.equal(error.message, 'DB::Exception: sandbox: Authentication ' +
      'failed: password is incorrect, or there is no user with such name');
    return true;
  });
  await assert.rejects(connect({ user: 'nobody' }), { code: 516 });
  await assert.rejects(connect({ user: '' }), { code: 101 });
  await assert.rejects(connect({ database: 'nope' }),
    (error) => error.code === 81 && /nope/.test(error.message));
  await isWell();
});

test('the server outlives a foreign protocol at either port', async () => {
  const { env } = world;
  const hello = Buffer.from([22, 3, 1, 2, 0, 1, ...Array(500).fill(7)]);
  for (const port of [env.SW_CLICKHOUSE_TCP_PORT, env.SW_CLICKHOUSE_HTTP_PORT]) {
    for (const bytes of [hello, Buffer.from('FOO\r\n\r\n'), Buffer.from([0, 255]),
      Buffer.from([0, 255, 255, 255, 255, 255, 255, 255, 127, 1]),
      Buffer.from('GET / HTTP/1.0\r\n\r\n')]) {
      const socket = net.connect(Number(port), '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.write(bytes);
      await pause(50);
      socket.destroy();
    }
  }
  await isWell();
});

test('the server outlives a reset connection, idle or at work', async () => {
  const half = queryBytes(54448, 'SELECT 1').subarray(0, 20);
  for (const act of [
    () => {}, (client) => client.sendBytes(half),
    (client) => client.sendQuery(
      "SELECT repeat('x', 1000) FROM numbers(1000000)"),
  ]) {
    const client = await connect();
    act(client);
    await pause(50);
    client.socket.resetAndDestroy();
  }
  await isWell();
});

test('a client that leaves cancels its query', async () => {
  const client = await connect();
  client.sendQuery('SELECT sleepEachRow(1) FROM numbers(100)', {
    queryId: 'left', settings: { max_block_size: 1,
      function_sleep_max_microseconds_per_block: 100000000 } });
  await client.packet();
  const running = () => Number(world.query(
    "SELECT count() FROM system.processes WHERE query_id = 'left'"));
  assert.equal(running(), 1);
  client.close();
  for (let i = 0; i < 50 && running() > 0; i++) {
    await pause(100);
  }
  assert.equal(running(), 0);
});

test('a guard that was killed comes back with start', async () => {
  process.kill(world.pid('guard'), 'SIGKILL');
  await pause(100);
  await assert.rejects(connect());
  world.sandbox('start', 'clickhouse');
  await (await connect()).query('SELECT 1');
  await isWell();
});
