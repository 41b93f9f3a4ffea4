/*
 * front_grants.test.mjs: users, their grants and warehouses, and the edition.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { EVENTS_DDL, World } from './lib/world.mjs';

const world = new World();
const clients = [];
const LEAST = ['CREATE TABLE', 'DROP TABLE', 'INSERT', 'ALTER', 'S3',
  'CREATE TEMPORARY TABLE'];
const OBJECT = `CnchS3('https://sensorswave.tos-s3-cn-beijing.volces.com/none',
  'a String', 'CSV', 'none', 'ak', 'sk')`;
let owner;

before(async () => {
  world.start('clickhouse', 'front');
  owner = await connect();
  await owner.query(EVENTS_DDL);
  await owner.query(`CREATE TABLE sensorswave.t (a String, b String)
    ENGINE = CnchMergeTree PARTITION BY b ORDER BY a`);
});
after(() => {
  clients.forEach((client) => client.close());
  world.destroy();
});
afterEach(async () => {
  for (const path of ['/users', '/warehouses', '/behaviour']) {
    await world.admin('DELETE', path);
  }
});

async function connect(options) {
  const client = await world.connect(options);
  clients.push(client);
  return client;
}

/* A user of the given rights, logged in. */
async function member(grants, more = {}) {
  const { login } = await world.admin('POST', '/users',
    { name: 'somebody', password: 'p', grants, ...more });
  return connect({ user: login, password: 'p' });
}

async function refused(client, sql, code, text, options) {
  await assert.rejects(client.query(sql, options), (error) => {
    assert.equal(error.code, code, `${sql}\n${error.message}`);
    assert.ok(error.message.includes(text), error.message);
    return true;
  });
}

const denied = (client, sql, grant) => refused(client, sql, 497,
  `2100000000::somebody: Not enough privileges. To execute this query it's ` +
  `necessary to have grant ${grant}`);

/* What each right is needed for, and how its refusal names it. */
const USES = {
  'CREATE TABLE': [['CREATE TABLE IF NOT EXISTS sensorswave.probe (c String) ' +
    'ENGINE = CnchMergeTree ORDER BY tuple()',
  'CREATE TABLE ON sensorswave.probe']],
  INSERT: [
    ["INSERT INTO t (b, a) SELECT 'x', 'y'", 'INSERT(a, b) ON sensorswave.t'],
    ["INSERT OVERWRITE sensorswave.t PARTITION ('x') SELECT 'y', 'x'",
      'INSERT(a, b) ON sensorswave.t']],
  ALTER: [["ALTER TABLE t DROP PARTITION 'x'",
    'ALTER DELETE ON sensorswave.t'],
  ["ALTER TABLE t MODIFY COMMENT 'mine'",
    'ALTER MODIFY COMMENT ON sensorswave.t']],
  'CREATE TEMPORARY TABLE': [['SELECT count() FROM numbers(1)',
    'CREATE TEMPORARY TABLE ON *.*']],
  'DROP TABLE': [['DROP TABLE IF EXISTS `sensorswave`.`probe`',
    'DROP TABLE ON sensorswave.probe']],
};

for (const missing of [null, ...LEAST]) {
  test(`without ${missing ?? 'none'} of the rights exactly its uses fail`,
    async () => {
      const client = await member(LEAST.filter((one) => one !== missing));
      for (const [right, uses] of Object.entries(USES)) {
        for (const [sql, grant] of uses) {
          if (right === missing) {
            await denied(client, sql, grant);
          } else {
            await client.query(sql);
          }
        }
      }
      if (['S3', 'CREATE TEMPORARY TABLE'].includes(missing)) {
        await denied(client, `SELECT count() FROM ${OBJECT}`,
          'CREATE TEMPORARY TABLE, S3 ON *.*');
        await denied(client, `INSERT INTO t (a, b) SELECT a, a FROM ${OBJECT}`,
          'CREATE TEMPORARY TABLE, S3 ON *.*');
      }
      await denied(client, 'SELECT a FROM t', 'SELECT(a) ON sensorswave.t');
    });
}

test('the least user of the environment has exactly these rights', async () => {
  const { users } = await world.admin('GET', '/users');
  assert.deepEqual(users.find(({ name }) =>
    name === world.env.SW_BYTEHOUSE_LEAST_USER).grants,
  ['CREATE TABLE, DROP TABLE, INSERT, ALTER ON sensorswave.*',
    'S3, CREATE TEMPORARY TABLE ON *.*']);
  const client = await connect({
    user: `${world.env.SW_BYTEHOUSE_ACCOUNT}::${
      world.env.SW_BYTEHOUSE_LEAST_USER}`,
    password: world.env.SW_BYTEHOUSE_LEAST_PASSWORD,
  });
  await client.query("INSERT INTO t SELECT 'a', 'b'");
  await refused(client, 'SELECT count() FROM t', 497,
    'grant SELECT for at least one column on sensorswave.t');
  await refused(client, 'TRUNCATE TABLE t', 497, 'TRUNCATE ON sensorswave.t');
  await refused(client, 'OPTIMIZE TABLE t', 497, 'OPTIMIZE ON sensorswave.t');
});

test('tables read are found wherever they stand', async () => {
  const client = await member(LEAST);
  const all = 'SELECT(a, b) ON sensorswave.t';
  await denied(client, 'SELECT * FROM t AS x', all);
  await denied(client, 'SELECT 1 FROM (SELECT * FROM `t`)', all);
  await denied(client, 'SELECT a FROM numbers(1) AS n, t', 'SELECT(a) ON');
  await denied(client, 'SELECT b FROM numbers(1) JOIN t ON 1', 'SELECT(b) ON');
  await denied(client, 'WITH x AS (SELECT a FROM t) SELECT a FROM x',
    'SELECT(a) ON sensorswave.t');
  await denied(client, 'INSERT INTO events (event) SELECT a FROM t',
    'SELECT(a) ON sensorswave.t');
  await denied(client, 'EXPLAIN SELECT a FROM t', 'SELECT(a) ON');
  await denied(client, 'CREATE VIEW v AS SELECT a FROM t', 'SELECT(a) ON');
  assert.equal((await client.query(
    'WITH x AS (SELECT 5 AS a) SELECT a FROM x')).rows[0][0], 5);
  assert.deepEqual((await client.query(
    "SELECT 'FROM t' AS a -- FROM t")).rows, [['FROM t']]);
  await refused(client, 'SELECT a FROM nowhere', 60, 'nowhere');
});

test('any right on a table shows it, none hides it', async () => {
  const looks = ['DESCRIBE TABLE t', 'SHOW CREATE TABLE sensorswave.t',
    'EXISTS TABLE t'];
  const names = "SELECT name FROM system.columns WHERE table = 't'";
  const client = await member(['INSERT ON sensorswave.t']);
  for (const sql of looks) {
    await client.query(sql);
  }
  assert.deepEqual((await client.query(names)).rows, [['a'], ['b']]);
  assert.deepEqual((await client.query(
    "SELECT name FROM system.tables WHERE database = 'sensorswave'")).rows,
  [['t']]);
  await denied(client, 'DESCRIBE events', 'SHOW COLUMNS ON sensorswave.events');

  const nobody = await member(['S3']);
  await denied(nobody, 'DESCRIBE TABLE t', 'SHOW COLUMNS ON sensorswave.t');
  await denied(nobody, 'USE sensorswave', 'SHOW DATABASES ON sensorswave.*');
  assert.deepEqual((await nobody.query(names)).rows, []);
  assert.ok(!(await nobody.query('SHOW DATABASES')).rows.flat()
    .includes('sensorswave'));
});

test('a grant holds from the next statement on', async () => {
  const client = await member(LEAST);
  await denied(client, 'SELECT a FROM t', 'SELECT(a) ON');
  await member([...LEAST, 'SELECT']);
  await client.query('SELECT a FROM t');
  await member([...LEAST, 'SELECT ON other.*']);
  await denied(client, 'SELECT a FROM t', 'SELECT(a) ON');
});

test('a user kills its own queries only', async () => {
  const client = await member(LEAST);
  owner.sendQuery('SELECT sleepEachRow(1) FROM numbers(30)', {
    queryId: 'owned', settings: { max_block_size: 1,
      function_sleep_max_microseconds_per_block: 100000000 } });
  await owner.packet();
  await refused(client, "KILL QUERY WHERE query_id = 'owned' SYNC", 497,
    'attempts to kill query created by');
  owner.sendCancel();
  await owner.answer().catch(() => {});
});

test('logins: plain names, keys, expired keys, users that are gone', async () => {
  await world.admin('POST', '/users', { name: 'bare', account: '',
    password: 'p', grants: ['ALL'] });
  await connect({ user: 'bare', password: 'p' });
  const key = { name: 'k', apiKey: 'other-key', grants: ['ALL'] };
  await world.admin('POST', '/users', key);
  await connect({ user: 'bytehouse', password: 'other-key' });
  await assert.rejects(connect({ user: '2100000000::k', password: '' }),
    { code: 516 });
  await world.admin('POST', '/users', { ...key, expired: true });
  await assert.rejects(connect({ user: 'bytehouse', password: 'other-key' }),
    (error) => error.code === 516 && /API key has expired/.test(error.message));
  await world.admin('DELETE', '/users/bare');
  await assert.rejects(connect({ user: 'bare', password: 'p' }), { code: 516 });
});

test('wishes that make no sense are refused', async () => {
  for (const [path, wish] of [
    ['/users', { password: 'x' }], ['/users', { name: 'x', grants: ['FLY'] }],
    ['/users', { name: 'x', grants: ['S3 ON db.*'] }],
    ['/users', { name: 'x', admin: true }], ['/warehouses', {}],
    ['/warehouses', { id: 'x', state: 'asleep' }],
    ['/warehouses', { id: 'x', mode: 'loud' }],
    ['/behaviour', { edition: 'home' }], ['/behaviour', { revision: 54452 }],
    ['/faults', { fault: 'rain' }],
    ['/faults', { match: 'connect', fault: 'truncate' }],
    ['/faults', { match: '(', fault: 'hang' }], ['/nothing', {}],
  ]) {
    await assert.rejects(world.admin('POST', path, wish), JSON.stringify(wish));
  }
});

test('a warehouse may be forbidden, and a blank one means the own one',
  async () => {
    await world.admin('POST', '/warehouses', { id: 'vw-other' });
    const client = await member(['ALL'], { warehouses: ['vw-other'] });
    const sql = 'SELECT count() FROM t';
    await client.query(sql);
    await client.query("SET virtual_warehouse = 'vw-2100000000-sensorswave-vw'");
    await refused(client, sql, 497, 'virtual warehouse vw-2100000000');
    await refused(client, `${sql} SETTINGS virtual_warehouse = 'vw-x'`, 5025,
      'Virtual warehouse vw-x not found');
    await client.query('SELECT 1');
    await client.query(sql, { settings: { virtual_warehouse: 'vw-other' } });
    const none = await member(['ALL'], { warehouses: [] });
    await refused(none, sql, 36, 'nonempty vw name');
  });

for (const mode of ['progress', 'silent']) {
  test(`a suspended warehouse wakes: ${mode}`, async () => {
    const id = world.env.SW_BYTEHOUSE_WAREHOUSE;
    await world.admin('POST', '/warehouses',
      { id, state: 'suspended', wakeAfterMs: 800, mode });
    await owner.query('SELECT 1');
    const start = Date.now();
    const { progressPackets } = await owner.query('SELECT count() FROM t');
    assert.ok(Date.now() - start >= 780);
    assert.ok(mode === 'silent' ? progressPackets <= 3 : progressPackets >= 6,
      `${progressPackets} packets`);
    await owner.query('SELECT count() FROM t');
    assert.ok(Date.now() - start < 2000);
  });
}

test('a suspended warehouse that refuses until it is awake', async () => {
  const id = world.env.SW_BYTEHOUSE_WAREHOUSE;
  for (const code of [7107, 5025]) {
    await world.admin('POST', '/warehouses',
      { id, state: 'suspended', wakeAfterMs: 300, mode: 'refuse', code });
    const start = Date.now();
    await refused(owner, 'SELECT count() FROM t', code, 'No worker available');
    while (await owner.query('SELECT count() FROM t').then(() => false,
      (error) => error.code === code)) {
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    assert.ok(Date.now() - start >= 290);
  }
});

test('Cancel ends the wait for a warehouse', async () => {
  await world.admin('POST', '/warehouses', { state: 'suspended',
    id: world.env.SW_BYTEHOUSE_WAREHOUSE, wakeAfterMs: 60000 });
  owner.sendQuery('SELECT count() FROM t');
  await owner.packet();
  owner.sendCancel();
  await assert.rejects(owner.answer(), { code: 394 });
});

test('the enterprise edition knows nothing of the cloud', async () => {
  await world.admin('POST', '/behaviour', { edition: 'enterprise' });
  const probe = `CREATE TABLE sensorswave.p (c String) ENGINE = CnchMergeTree
    ORDER BY tuple()`;
  await refused(owner, probe, 56, 'Unknown table engine CnchMergeTree');
  await refused(owner, EVENTS_DDL, 50, 'Unknown data type family: JSONB');
  await refused(owner, `SELECT count() FROM ${OBJECT}`, 46, 'CnchS3');
  const unknown = 'Unknown setting virtual_warehouse';
  await refused(owner, "SET virtual_warehouse = 'x'", 115, unknown);
  await refused(owner, "SET max_threads = 1, virtual_warehouse = 'x'", 115,
    unknown);
  await refused(owner, "SELECT 1 SETTINGS virtual_warehouse = 'x'", 115,
    unknown);
  await refused(owner, "INSERT OVERWRITE t PARTITION ('x') SELECT 'a', 'x'", 62,
    'OVERWRITE');
  assert.deepEqual((await owner.query(
    "SELECT 'CnchS3(', 'JSONB', 'virtual_warehouse ='")).rows.length, 1);
  await owner.query('SELECT count() FROM t',
    { settings: { virtual_warehouse: 'skipped, as it is not important' } });
  await world.admin('DELETE', '/behaviour');
  await owner.query(probe);
  await owner.query('DROP TABLE sensorswave.p');
});
