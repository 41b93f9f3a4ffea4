/*
 * front_dialect.test.mjs: what ByteHouse's SQL becomes, and what is refused.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { translate } from '../front/dialect.mjs';
import { EVENTS_DDL, USERS_DDL, World } from './lib/world.mjs';

const world = new World();
let client;

before(async () => {
  world.start('clickhouse', 'front');
  client = await world.connect();
});
after(() => {
  client?.close();
  world.destroy();
});

const CONTEXT = {
  store: { region: 'cn-beijing', host: '127.0.0.1', port: 9 },
  keySettings: () => ({ accessKey: '', secretKey: '' }),
};

function rewritten(sql) {
  return translate(sql, CONTEXT).sql;
}

async function refusedWith(code, sql, pattern = /./) {
  await assert.rejects(client.query(sql), (error) => {
    assert.equal(error.code, code, `${sql}\n${error.message}`);
    assert.match(error.message, pattern);
    return true;
  });
}

test('casts to JSONB are found by their operand', () => {
  const cases = [
    ['SELECT a::JSONB FROM t', 'SELECT _front_jsonb(a) FROM t'],
    ['SELECT t.a::jsonb', 'SELECT _front_jsonb(t.a)'],
    ["SELECT '{}'::JSONB AS x", "SELECT _front_jsonb('{}') AS x"],
    ['SELECT f(a, b)::JSONB', 'SELECT _front_jsonb(f(a, b))'],
    ['SELECT (a || b)::JSONB', 'SELECT _front_jsonb((a || b))'],
    ['SELECT a[1]::JSONB', 'SELECT _front_jsonb(a[1])'],
    ['SELECT `a::JSONB`::JSONB', 'SELECT _front_jsonb(`a::JSONB`)'],
    ['SELECT a::String::JSONB', 'SELECT _front_jsonb(a::String)'],
    ["SELECT ifNull(s, '{}')::JSONB, b::JSONB",
      "SELECT _front_jsonb(ifNull(s, '{}')), _front_jsonb(b)"],
    ['SELECT f(a::JSONB)::JSONB', 'SELECT _front_jsonb(f(_front_jsonb(a)))'],
    ["SELECT 'x::JSONB' -- y::JSONB\n", "SELECT 'x::JSONB'"],
    ['SELECT /* a::JSONB */ 1', 'SELECT /* a::JSONB */ 1'],
  ];
  for (const [sql, expected] of cases) {
    assert.equal(rewritten(sql), expected);
  }
  assert.equal(rewritten('SELECT CAST(a AS JSONB)').replace(/\s+/g, ''),
    'SELECT_front_jsonb(a)');
  assert.equal(rewritten("SELECT CAST(f(a), 'JSONB')").replace(/\s+/g, ''),
    'SELECT_front_jsonb(f(a))');
});

test('CnchS3 becomes s3 with all arguments escaped', () => {
  const plan = translate("INSERT INTO t SELECT a FROM CnchS3(" +
    "'https://b-1.tos-s3-cn-beijing.volces.com/p/x.parquet', 'a String'," +
    " 'Parquet', 'none', 'ak', 's\\'k\\\\')", CONTEXT);
  assert.equal(plan.sql, "SELECT a FROM s3('http://127.0.0.1:9/b-1/p/x.parquet'" +
    ", 'ak', 's\\'k\\\\', 'Parquet', 'a String', 'none')");
  assert.deepEqual(plan.calls.map((call) => [call.arguments, call.structure]),
    [[6, 'a String']]);
});

test('the settings of ByteHouse are taken out of the text', () => {
  const plan = translate("SELECT a FROM t SETTINGS virtual_warehouse = 'v', " +
    "max_threads = 2, s3_access_key_id = 'k'", CONTEXT);
  assert.equal(plan.sql, 'SELECT a FROM t SETTINGS max_threads = 2');
  assert.deepEqual(plan.own,
    { virtual_warehouse: 'v', s3_access_key_id: 'k' });
});

test('the tables of the specification are made and shown as ByteHouse does',
  async () => {
    await client.query(EVENTS_DDL);
    await client.query(EVENTS_DDL);
    await client.query(USERS_DDL);
    const { rows } = await client.query(`SELECT name, type, default_kind
      FROM system.columns WHERE database = 'sensorswave'
      AND table = 'events' ORDER BY position`);
    assert.deepEqual(rows.map(([name, type]) => `${name} ${type}`), [
      "time DateTime64(3, 'Asia/Shanghai')", 'distinct_id String',
      'trace_id String', 'ssid Int64', 'anon_id String', 'login_id String',
      'event String', 'properties JSONB', 'user_properties JSONB',
      "received_at DateTime64(3, 'Asia/Shanghai')"]);
    assert.ok(rows.every(([, , kind]) => kind === ''));
    const tables = await client.query(`SELECT name, engine, engine_full,
      partition_key, sorting_key FROM system.tables
      WHERE database = 'sensorswave' ORDER BY name`);
    assert.deepEqual(tables.rows.map((row) => [row[0], row[1], row[3], row[4]]), [
      ['events', 'CnchMergeTree', 'toDate(time)', 'event, time, distinct_id'],
      ['users', 'CnchMergeTree', '', 'ssid']]);
    const described = await client.query('DESCRIBE TABLE users');
    assert.deepEqual(described.rows.map(([name, type]) => [name, type])[3],
      ['properties', 'JSONB']);
    assert.equal((await client.query('SHOW CREATE TABLE events')).rows[0][0],
      EVENTS_DDL);
    assert.deepEqual((await client.query('SHOW TABLES')).rows,
      [['events'], ['users']]);
    assert.equal((await client.query('EXISTS TABLE events')).rows[0][0], 1);
  });

test('the front\'s own database is not to be seen', async () => {
  const names = async (sql) =>
    (await client.query(sql)).rows.map(([name]) => name);
  assert.ok(!(await names('SHOW DATABASES')).includes('_front'));
  assert.ok(!(await names('SELECT name FROM system.databases'))
    .includes('_front'));
  assert.ok(!(await names('SELECT database FROM system.tables'))
    .includes('_front'));
  assert.ok(!(await names('SELECT database FROM system.columns'))
    .includes('_front'));
  await refusedWith(81, 'SELECT * FROM _front.registry');
  await refusedWith(81, 'USE _front');
});

test('JSONB takes String only, and makes {} of what is no JSON', async () => {
  const { rows } = await client.query(`SELECT x, x::JSONB FROM (SELECT
    arrayJoin(['{"a": 1}', '{bad', '', '[1]', 'null']) AS x)`);
  assert.deepEqual(rows.map(([, value]) => value),
    ['{"a": 1}', '{}', '{}', '[1]', 'null']);
  const message = /can be performed only from String/;
  await refusedWith(53, "SELECT toNullable('{}')::JSONB", message);
  await refusedWith(53, "SELECT toNullable('no json')::JSONB", message);
  await refusedWith(53, 'SELECT 12::JSONB', message);
  await refusedWith(53, 'SELECT CAST(now() AS JSONB)', message);
});

test('the typed extractors of JSONB', async () => {
  const { rows } = await client.query(`WITH
    '{"a": {"b": "x", "n": 5, "t": true}}'::JSONB AS j
    SELECT jsonb_extract_string(j, '$.a.b'), jsonb_extract_string(j, '$.a.n'),
      jsonb_extract_string(j, '$.z'), jsonb_extract_int64(j, '$.a.n'),
      jsonb_extract(j, '$.a.b')`);
  assert.deepEqual(rows, [['x', '', '', 5, '"x"']]);
});

test('CnchS3 takes 2, 3, 4 or 6 arguments, structure second', async () => {
  const url = "'https://sensorswave.tos-s3-cn-beijing.volces.com/k'";
  for (const list of ['', url, `${url}, 'a String', 'CSV', 'none', 'ak'`,
    `${url}, 'a String', 'CSV', 'none', 'ak', 'sk', 'x'`]) {
    await refusedWith(42, `SELECT count() FROM CnchS3(${list})`);
  }
  await refusedWith(36, `SELECT count() FROM CnchS3(${url}, '')`);
  await refusedWith(36, `SELECT count() FROM CnchS3(${url}, 1)`);
  await refusedWith(36, `SELECT count() FROM CnchS3(${url}, f('a'))`);
  await refusedWith(48,
    `SELECT count() FROM CnchS3(${url}, 'a String', 'CSV', 'lz4')`);
  await refusedWith(48,
    `SELECT count() FROM CnchS3(${url}, 'a JSONB', 'CSV', 'none')`);
  const logged = world.frontLog().filter(({ code }) => code === 42);
  assert.equal(logged.length, 4);
});

test('CnchS3 takes virtual-host addresses of the S3 endpoint only', async () => {
  const read = (url) => `SELECT count() FROM CnchS3('${url}', 'a String')`;
  await refusedWith(499,
    read('https://tos-s3-cn-beijing.volces.com/sensorswave/k'),
    /InvalidPathAccess/);
  await refusedWith(499,
    read('https://sensorswave.tos-cn-beijing.volces.com/k'),
    /SignatureDoesNotMatch/);
  for (const url of ['https://example.com/k', 'http://127.0.0.1:80/b/k',
    'https://sensorswave.tos-s3-cn-shanghai.volces.com/k',
    'http://sensorswave.tos-s3-cn-beijing.volces.com/k',
    'https://sensorswave.tos-s3-cn-beijing.volces.com.evil.com/k']) {
    await refusedWith(491, read(url), /not allowed/);
  }
  await refusedWith(36, read('sensorswave/k'));
});

test('what ByteHouse does not have is refused', async () => {
  const table = (rest) => `CREATE TABLE r (a String, j JSONB) ${rest}`;
  await refusedWith(56, table('ENGINE = MergeTree ORDER BY a'));
  await refusedWith(56, table('ENGINE = Memory'));
  await refusedWith(119, table('ORDER BY a'));
  await refusedWith(36, table('ENGINE = CnchMergeTree'));
  await refusedWith(549, table('ENGINE = CnchMergeTree ORDER BY j'));
  await refusedWith(48,
    table('ENGINE = CnchMergeTree ORDER BY a UNIQUE KEY (a, b)'));
  await refusedWith(36, table('ENGINE = CnchMergeTree(f(a)) ORDER BY a'));
  await refusedWith(16,
    table('ENGINE = CnchMergeTree(nope) ORDER BY a UNIQUE KEY a'));
  await refusedWith(50,
    'CREATE TABLE r (j Nullable(JSONB)) ENGINE = CnchMergeTree ORDER BY a');
  await refusedWith(62, table('ENGINE = CnchMergeTree ORDER BY a ENGINE = x'));
  await refusedWith(48, 'BEGIN');
  await refusedWith(48, 'COMMIT');
  await refusedWith(48, 'SELECT * FROM information_schema.tables');
  await refusedWith(48, 'CREATE MATERIALIZED VIEW v AS SELECT 1');
  await refusedWith(48, 'ALTER TABLE events ADD COLUMN z String');
  await refusedWith(48, 'ALTER TABLE events DROP PARTITION WHERE 1');
  await refusedWith(48, 'RENAME TABLE events TO gone');
  await refusedWith(48, 'SYSTEM STOP MERGES');
  await refusedWith(48, 'INSERT IGNORE INTO events SELECT 1');
  await refusedWith(48, 'SELECT CnchHash(1)');
  await refusedWith(50, 'SELECT CAST(a AS Nullable(JSONB)) FROM events');
  await refusedWith(46, "SELECT * FROM s3('http://127.0.0.1/b/k', 'CSV')");
  await refusedWith(46, "SELECT * FROM url('http://127.0.0.1/', 'CSV')");
  await refusedWith(62, 'SELECT 1; SELECT 2');
  await refusedWith(62, "SELECT 'unfinished");
  await refusedWith(62, '');
  assert.equal(world.query("SELECT count() FROM system.tables WHERE name = 'r'"),
    '0');
});

test('a table made behind the front\'s back is not loaded into', async () => {
  world.query(`CREATE TABLE sensorswave.foreigner (a String)
               ENGINE = MergeTree ORDER BY a`);
  await refusedWith(48, "INSERT INTO foreigner SELECT 'x'");
  await refusedWith(60, "INSERT INTO nowhere SELECT 'x'");
  await client.query('DROP TABLE foreigner');
});

test('clauses of ByteHouse that have no effect here are accepted', async () => {
  await client.query(`CREATE TABLE c (a UInt64, \`b c\` String DEFAULT 'x',
    j JSONB NOT NULL COMMENT 'json, really')
    ENGINE = CnchMergeTree() PARTITION BY tuple() ORDER BY (a)
    CLUSTER BY (a) INTO 4 BUCKETS UNIQUE KEY a COMMENT 'it''s'`);
  const { rows } = await client.query(`SELECT comment FROM system.tables
    WHERE name = 'c' AND database = 'sensorswave'`);
  assert.deepEqual(rows, [["it's"]]);
  await client.query("ALTER TABLE c MODIFY COMMENT 'other'");
  await client.query('DROP TABLE c');
});

test('views are made over the tables', async () => {
  await client.query('CREATE VIEW v AS SELECT event, count() AS n ' +
    'FROM events GROUP BY event');
  assert.deepEqual((await client.query('SELECT * FROM v')).rows, []);
  await client.query('DROP VIEW v');
});

test('DateTime without a zone is in the server\'s zone', async () => {
  assert.equal((await client.query(
    "SELECT toString(toDateTime('1970-01-01 08:00:00')::Int64)")).rows[0][0],
  '0');
});
