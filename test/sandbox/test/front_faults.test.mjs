/*
 * front_faults.test.mjs: faults as a client meets them.
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { World } from './lib/world.mjs';

const world = new World();
const clients = [];
let owner;

before(async () => {
  world.start('clickhouse', 'front');
  owner = await connect();
  await owner.query(`CREATE TABLE sensorswave.t (a String)
    ENGINE = CnchMergeTree ORDER BY a`);
});
after(() => {
  clients.forEach((client) => client.close());
  world.destroy();
});
beforeEach(() => owner.query('TRUNCATE TABLE t'));
afterEach(() => world.admin('DELETE', '/faults'));

async function connect(options) {
  const client = await world.connect(options);
  clients.push(client);
  return client;
}

function fault(wish) {
  return world.admin('POST', '/faults', wish);
}

const INSERT = "INSERT INTO t SELECT 'x'";
const SLOW = `SELECT sleepEachRow(0.1) FROM numbers(50)
  SETTINGS max_block_size = 1`;

async function rows() {
  return (await owner.query('SELECT count() FROM t')).rows[0][0];
}

/* Everything that a client receives from now on until its end. */
async function untilEnd(client) {
  await client.untilClosed();
  return client.received;
}

test('an exception instead of execution, as often as asked for', async () => {
  await fault({ match: '^INSERT', fault: 'exception', code: 241,
    message: 'Memory limit exceeded', times: 2 });
  const client = await connect();
  for (let i = 0; i < 2; i++) {
    await assert.rejects(client.query(INSERT), (error) =>
      error.code === 241 &&
      error.message === 'DB::Exception: Memory limit exceeded');
  }
  assert.equal(await rows(), 0);
  await client.query(INSERT);
  assert.equal(await rows(), 1);
  const { faults } = await world.admin('GET', '/faults');
  assert.equal(faults[0].hits, 2);
  assert.ok(world.frontLog().some((record) => record.fault === 'exception' &&
    record.was_run === false && record.code === 241));
});

test('an exception after execution: all is done', async () => {
  await fault({ match: '^INSERT', fault: 'exception', when: 'after',
    code: 11003, times: 1 });
  await assert.rejects(owner.query(INSERT), { code: 11003 });
  assert.equal(await rows(), 1);
});

test('an exception in the middle of an answer stops the statement', async () => {
  await fault({ match: 'sleepEachRow', fault: 'exception', afterPackets: 3,
    code: 159, times: 1 });
  const start = Date.now();
  owner.sendQuery(SLOW);
  for (let i = 0; i < 3; i++) {
    assert.ok([1, 3].includes((await owner.packet()).type));
  }
  await assert.rejects(owner.answer(), { code: 159 });
  assert.ok(Date.now() - start < 3000);
  await owner.query('SELECT 1');
});

test('drop_before: nothing is done; drop_after: all is done', async () => {
  for (const [name, expected] of [['drop_before', 0], ['drop_after', 1]]) {
    await fault({ match: '^INSERT', fault: name, times: 1 });
    const client = await connect();
    await assert.rejects(client.query(INSERT), /connection closed/);
    assert.equal(await rows(), expected, name);
  }
});

test('drop_after with afterPackets: a part of the answer came', async () => {
  await fault({ match: '^SELECT', fault: 'drop_after', afterPackets: 2,
    times: 1 });
  const client = await connect();
  client.sendQuery('SELECT number FROM numbers(3)');
  await client.packet();
  await client.packet();
  await assert.rejects(client.packet(), /connection closed/);
});

test('reset: the connection is reset, over TLS and without', async () => {
  await fault({ match: '^INSERT', fault: 'reset', times: 2 });
  for (const options of [{},
    { plain: true, port: Number(world.env.SW_BYTEHOUSE_PLAIN_PORT) }]) {
    const client = await connect(options);
    await assert.rejects(client.query(INSERT), { code: 'ECONNRESET' });
  }
  assert.equal(await rows(), 0);
});

test('truncate: half a packet, then the end', async () => {
  await fault({ match: 'repeat', fault: 'truncate', afterPackets: 0,
    times: 1 });
  const client = await connect();
  client.sendQuery("SELECT repeat('x', 1000) AS a_long_name_for_a_column");
  const bytes = await untilEnd(client);
  assert.ok(bytes.length > 0 && bytes.length < 60, `${bytes.length} bytes`);
});

test('hang: silence until the faults are cleared, then as if nothing was',
  async () => {
    await fault({ match: '^INSERT', fault: 'hang', times: 1 });
    const client = await connect();
    client.sendQuery(INSERT);
    await new Promise((resolve) => { setTimeout(resolve, 400); });
    assert.equal(client.received.length, 0);
    assert.equal(await rows(), 0);
    await world.admin('DELETE', '/faults');
    await client.answer();
    assert.equal(await rows(), 1);

    await fault({ match: '^INSERT', fault: 'hang', when: 'after', times: 1 });
    client.sendQuery(INSERT);
    await new Promise((resolve) => { setTimeout(resolve, 600); });
    assert.equal(await rows(), 2);
    client.close();
  });

test('hang in the middle: the packets behind it come in order', async () => {
  await fault({ match: 'numbers', fault: 'hang', afterPackets: 1, times: 1 });
  const client = await connect();
  client.sendQuery('SELECT number FROM numbers(5)');
  await client.packet();
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  assert.equal(client.received.length, 0);
  await world.admin('DELETE', '/faults');
  const { rows: got } = await client.answer();
  assert.deepEqual(got.flat(), [0, 1, 2, 3, 4]);
});

test('a client that leaves a hang leaves nothing running', async () => {
  await fault({ match: '^INSERT', fault: 'hang', times: 1 });
  const client = await connect();
  client.sendQuery(INSERT);
  await new Promise((resolve) => { setTimeout(resolve, 100); });
  client.close();
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  await world.admin('DELETE', '/faults');
  assert.equal(await rows(), 0);
});

test('delay: later, but whole', async () => {
  await fault({ match: '^INSERT', fault: 'delay', ms: 400, times: 1 });
  const start = Date.now();
  await owner.query(INSERT);
  assert.ok(Date.now() - start >= 390);
  assert.equal(await rows(), 1);
});

test('faults of a login', async () => {
  await fault({ match: 'hello', fault: 'exception', code: 195,
    message: 'IP address not allowed', times: 1 });
  await assert.rejects(connect(), { code: 195 });
  for (const name of ['drop_before', 'drop_after', 'truncate']) {
    await fault({ match: 'hello', fault: name, times: 1 });
    await assert.rejects(connect(), /connection closed/, name);
  }
  await fault({ match: 'hello', fault: 'reset', times: 1 });
  await assert.rejects(connect(), { code: 'ECONNRESET' });
  await fault({ match: 'hello', fault: 'delay', ms: 300, times: 1 });
  const start = Date.now();
  await connect();
  assert.ok(Date.now() - start >= 290);
  await fault({ match: 'hello', fault: 'hang', times: 1 });
  const waiting = connect();
  await new Promise((resolve) => { setTimeout(resolve, 200); });
  await world.admin('DELETE', '/faults');
  await (await waiting).query('SELECT 1');
});

test('faults of a connection strike before TLS', async () => {
  await fault({ match: 'connect', fault: 'reset', times: 1 });
  await assert.rejects(connect(), { code: 'ECONNRESET' });
  await fault({ match: 'connect', fault: 'hang', times: 1 });
  const silent = net.connect(Number(world.env.SW_BYTEHOUSE_PORT), '127.0.0.1');
  let got = 0;
  silent.on('data', (chunk) => { got += chunk.length; });
  silent.write(Buffer.from([22, 3, 1, 0, 5]));
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  assert.equal(got, 0);
  silent.destroy();
  await (await connect()).query('SELECT 1');
});

test('the oldest fault that matches is taken; others are not touched',
  async () => {
    await fault({ match: 'needle', fault: 'exception', code: 1 });
    await fault({ match: '', fault: 'exception', code: 2, times: 1 });
    await assert.rejects(owner.query("SELECT 'NEEDLE'"), { code: 1 });
    await assert.rejects(owner.query('SELECT 1'), { code: 2 });
    await owner.query('SELECT 1');
    await assert.rejects(owner.query("SELECT 'needle'"), { code: 1 });
  });
