/*
 * tunnel.test.mjs: faults and the log on the way to ClickHouse itself.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { World } from './lib/world.mjs';

const world = new World();
const clients = [];
const INSERT = "INSERT INTO sensorswave.t SELECT 'x'";

before(() => {
  world.start('clickhouse', 'front');
  world.query('CREATE TABLE sensorswave.t (a String) ENGINE = MergeTree ORDER BY a');
});
after(() => {
  clients.forEach((client) => client.close());
  world.destroy();
});
beforeEach(() => { world.query('TRUNCATE TABLE sensorswave.t'); });
afterEach(() => world.admin('DELETE', '/faults'));

async function connect(options) {
  const client = await world.connect({
    port: Number(world.env.SW_CLICKHOUSE_TLS_PORT),
    user: world.env.SW_CLICKHOUSE_USER, revision: 54448,
    password: world.env.SW_CLICKHOUSE_PASSWORD, ...options,
  });
  clients.push(client);
  return client;
}

function fault(wish) {
  return world.admin('POST', '/faults', wish);
}

function rows() {
  return Number(world.query('SELECT count() FROM sensorswave.t'));
}

test('statements are logged as sent, with their settings', async () => {
  const client = await connect();
  await client.query('SELECT 1', { queryId: 'my-id', settings: { max_threads: 1 } });
  const logged = world.frontLog().at(-1);
  assert.equal(logged.listener, 'clickhouseTls');
  assert.equal(logged.user, world.env.SW_CLICKHOUSE_USER);
  assert.equal(logged.query, 'SELECT 1');
  assert.equal(logged.query_id, 'my-id');
  assert.equal(logged.outcome, 'ok');
  assert.deepEqual(logged.settings, { max_threads: '1' });
  await assert.rejects(client.query('SELECT nothing'), (error) => error.code === 47);
  assert.equal(world.frontLog().at(-1).code, 47);
  assert.equal((await client.query('SELECT 2')).rows[0][0], 2);
});

test('a client of another revision passes unread', async () => {
  const n = world.frontLog().length;
  const client = await connect({ revision: 54406 });
  assert.equal((await client.query('SELECT 3')).rows[0][0], 3);
  assert.equal(world.frontLog().length, n);
});

test('an exception before and after execution', async () => {
  const client = await connect();
  await fault({ match: '^INSERT', fault: 'exception', code: 241, message: 'm', times: 1 });
  await assert.rejects(client.query(INSERT), (error) => error.code === 241);
  assert.equal(rows(), 0);
  await fault({ match: '^INSERT', fault: 'exception', when: 'after', code: 241, times: 1 });
  await assert.rejects(client.query(INSERT), (error) => error.code === 241);
  assert.equal(rows(), 1);
  await client.query(INSERT);
  assert.equal(rows(), 2);
});

test('a connection dropped before and after execution', async () => {
  for (const [name, expected] of [['drop_before', 0], ['drop_after', 1]]) {
    await fault({ match: '^INSERT', fault: name, times: 1 });
    await assert.rejects((await connect()).query(INSERT));
    assert.equal(rows(), expected);
    assert.equal(world.frontLog().at(-1).fault, name);
  }
});

test('a statement that hangs goes on when faults are cleared', async () => {
  const client = await connect();
  await fault({ match: '^INSERT', fault: 'hang' });
  const running = client.query(INSERT);
  await new Promise((resolve) => { setTimeout(resolve, 200); });
  assert.equal(rows(), 0);
  await world.admin('DELETE', '/faults');
  await running;
  assert.equal(rows(), 1);
});

test('a client that leaves a hanging statement takes it along', async () => {
  const client = await connect();
  await fault({ match: '^INSERT', fault: 'hang' });
  const running = client.query(INSERT);
  await new Promise((resolve) => { setTimeout(resolve, 200); });
  client.close();
  await assert.rejects(running);
  await world.admin('DELETE', '/faults');
  await new Promise((resolve) => { setTimeout(resolve, 200); });
  assert.equal(rows(), 0);
});
