/*
 * front_load.test.mjs: INSERT and INSERT OVERWRITE as transactions, and the
 * whole way through the object store.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';

import { EVENTS_DDL, USERS_DDL, World } from './lib/world.mjs';

const { TosClient } = createRequire(import.meta.url)('@volcengine/tos-sdk');
const world = new World();
const clients = [];
let client;

async function connect() {
  const made = await world.connect();
  clients.push(made);
  return made;
}

before(async () => {
  world.start();
  client = await connect();
  await client.query(EVENTS_DDL);
  await client.query(USERS_DDL);
});
after(() => {
  clients.forEach((made) => made.close());
  world.destroy();
});
beforeEach(async () => {
  await client.query('TRUNCATE TABLE events');
  await client.query('TRUNCATE TABLE users');
});

/* n events, spread over the days from 2021-07-21 on. */
function rows(n, days = 1, options = {}) {
  const { tag = 'e', delay = 0 } = options;
  return `(time, distinct_id, event, properties)
    SELECT toDateTime64('2021-07-21 12:00:00', 3, 'Asia/Shanghai')
      + toIntervalDay(number % ${days}), toString(number), '${tag}',
      concat('{"n":', toString(number), '}')::JSONB
    FROM numbers(${n})${delay > 0 ? ` WHERE sleepEachRow(${delay}) = 0` : ''}`;
}

async function perDay() {
  const result = await client.query(`SELECT toString(toDate(time)) AS day,
    count() FROM events GROUP BY day ORDER BY day`);
  return Object.fromEntries(result.rows);
}

function stages() {
  return Number(world.query(`SELECT count() FROM system.tables
    WHERE database = '_front' AND startsWith(name, 'stage_')`));
}

test('INSERT INTO appends and reports written rows', async () => {
  const first = await client.query(`INSERT INTO events ${rows(300, 3)}`);
  assert.equal(first.progress[3], 300);
  await client.query(`INSERT INTO sensorswave.events ${rows(30, 3)}`);
  assert.deepEqual(await perDay(),
    { '2021-07-21': 110, '2021-07-22': 110, '2021-07-23': 110 });
  const { rows: [[n]] } = await client.query(
    "SELECT sum(jsonb_extract_int64(properties, '$.n')) FROM events");
  assert.equal(n, 299 * 300 / 2 + 29 * 30 / 2);
  assert.equal(stages(), 0);
});

test('INSERT OVERWRITE replaces the named partition and drops foreign rows',
  async () => {
    await client.query(`INSERT INTO events ${rows(300, 3)}`);
    const result = await client.query(
      `INSERT OVERWRITE events PARTITION ('2021-07-22') ${rows(40, 4)}`);
    assert.deepEqual(await perDay(),
      { '2021-07-21': 100, '2021-07-22': 10, '2021-07-23': 100 });
    assert.equal(result.progress[3], 10);
    assert.equal(world.frontLog().at(-2).written_rows, 10);
    await client.query(`INSERT OVERWRITE TABLE sensorswave.events
      PARTITION ('2021-07-21', '2021-07-24') ${rows(8, 4)}`);
    assert.deepEqual(await perDay(), { '2021-07-21': 2, '2021-07-22': 10,
      '2021-07-23': 100, '2021-07-24': 2 });
  });

test('INSERT OVERWRITE twice is the same as once', async () => {
  for (let i = 0; i < 2; i++) {
    await client.query(
      `INSERT OVERWRITE events PARTITION ('2021-07-21') ${rows(800)}`);
    assert.deepEqual(await perDay(), { '2021-07-21': 800 });
  }
});

test('INSERT OVERWRITE with no rows empties the partition', async () => {
  await client.query(`INSERT INTO events ${rows(20, 2)}`);
  const result = await client.query(
    `INSERT OVERWRITE events PARTITION ('2021-07-21') ${rows(0)}`);
  assert.equal(result.progress[3], 0);
  assert.deepEqual(await perDay(), { '2021-07-22': 10 });
  await client.query("ALTER TABLE events DROP PARTITION '2021-07-22'");
  assert.deepEqual(await perDay(), {});
});

test('INSERT OVERWRITE without PARTITION replaces the table', async () => {
  await client.query(`INSERT INTO events ${rows(20, 2)}`);
  await client.query(`INSERT OVERWRITE events ${rows(9, 3)}`);
  assert.deepEqual(await perDay(),
    { '2021-07-21': 3, '2021-07-22': 3, '2021-07-23': 3 });
});

test('a partition that can not be, or is an expression, is refused', async () => {
  await assert.rejects(client.query(
    `INSERT OVERWRITE events PARTITION ('no day') ${rows(1)}`));
  await assert.rejects(client.query(
    `INSERT OVERWRITE events PARTITION (today()) ${rows(1)}`),
  ({ code }) => code === 36);
  await assert.rejects(client.query(
    `INSERT OVERWRITE events PARTITION (*) ${rows(1)}`));
  assert.equal(stages(), 0);
});

test('a reader sees all of a load or nothing', async () => {
  await client.query(`INSERT INTO events ${rows(500, 1, { tag: 'old' })}`);
  const reader = await connect();
  const seen = new Set();
  let reading = true;
  const poll = (async () => {
    let polls = 0;
    while (reading) {
      const result = await reader.query(
        'SELECT event, count() FROM events GROUP BY event ORDER BY event');
      seen.add(JSON.stringify(result.rows));
      polls++;
    }
    return polls;
  })();
  const small = { settings: { max_block_size: 10, min_insert_block_size_rows: 1,
    min_insert_block_size_bytes: 1 } };
  for (let i = 0; i < 5; i++) {
    await client.query(`INSERT OVERWRITE events PARTITION ('2021-07-21') ${
      rows(700, 1, { tag: 'new' })}`, small);
    await client.query(`INSERT OVERWRITE events PARTITION ('2021-07-21') ${
      rows(500, 1, { tag: 'old' })}`, small);
  }
  await client.query(`INSERT INTO events ${rows(300, 3, { tag: 'app' })}`, small);
  reading = false;
  assert.ok(await poll > 20);
  const allowed = ['[["new",700]]', '[["old",500]]',
    '[["app",300],["old",500]]'];
  assert.deepEqual([...seen].filter((state) => !allowed.includes(state)), []);
  assert.ok(seen.size >= 2, 'the readers saw no change');
});

test('a failed load leaves nothing behind', async () => {
  await client.query(`INSERT INTO events ${rows(10)}`);
  for (const into of ['INTO events',
    "OVERWRITE events PARTITION ('2021-07-21')"]) {
    await assert.rejects(client.query(`INSERT ${into} (event, distinct_id)
      SELECT 'x', toString(throwIf(number = 5000)) FROM numbers(10000)`,
    { settings: { max_block_size: 100, min_insert_block_size_rows: 1 } }),
    (error) => {
      assert.ok(!error.message.includes('stage_'), error.message);
      return error.code === 395;
    });
  }
  assert.deepEqual(await perDay(), { '2021-07-21': 10 });
  assert.equal(stages(), 0);
});

const SLOW = { settings: { max_block_size: 1, min_insert_block_size_rows: 1,
  min_insert_block_size_bytes: 1, max_execution_time: 60 } };

test('Cancel rolls a load back', async () => {
  await client.query(`INSERT INTO events ${rows(10)}`);
  const other = await connect();
  for (const into of ['INTO events',
    "OVERWRITE events PARTITION ('2021-07-21')"]) {
    const start = Date.now();
    other.sendQuery(`INSERT ${into} ${rows(1000, 1, { delay: 0.1 })}`, SLOW);
    setTimeout(() => other.sendCancel(), 700);
    await assert.rejects(other.answer(), ({ code }) => code === 394);
    assert.ok(Date.now() - start < 5000);
    assert.deepEqual(await perDay(), { '2021-07-21': 10 });
  }
  assert.equal((await other.query('SELECT 1')).rows[0][0], 1);
  assert.equal(stages(), 0);
});

test('a lost client and KILL QUERY roll a load back', async () => {
  await client.query(`INSERT INTO events ${rows(10)}`);
  const lost = await connect();
  lost.sendQuery(`INSERT INTO events ${rows(1000, 1, { delay: 0.1 })}`, SLOW);
  await lost.packet();
  lost.close();

  const killed = await connect();
  killed.sendQuery(`INSERT INTO events ${rows(1000, 1, { delay: 0.1 })}`,
    { ...SLOW, queryId: 'kill-me' });
  await killed.packet();
  await client.query("KILL QUERY WHERE query_id = 'kill-me' SYNC");
  await assert.rejects(killed.answer(), ({ code }) => code === 394);
  for (let i = 0; i < 50 && stages() > 0; i++) {
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  assert.equal(stages(), 0);
  assert.equal((await client.query(`SELECT count() FROM system.processes
    WHERE query_id = 'kill-me'`)).rows[0][0], 0);
  assert.deepEqual(await perDay(), { '2021-07-21': 10 });
});

test('loads into one table from many connections are all kept', async () => {
  const many = await Promise.all(Array.from({ length: 6 }, connect));
  await Promise.all(many.map(async (one, i) => {
    for (let n = 0; n < 3; n++) {
      await one.query(`INSERT INTO events ${rows(10, 2, { tag: `t${i}` })}`);
    }
  }));
  assert.deepEqual(await perDay(), { '2021-07-21': 90, '2021-07-22': 90 });
});

test('a unique key keeps the row of the highest version', async () => {
  const put = (id, login, day) => client.query(`INSERT INTO users
    SELECT ${id}, '${login}', '', '{}'::JSONB, now64(3),
    toDateTime64('2021-01-${day} 00:00:00', 3, 'Asia/Shanghai')`);
  await put(1, 'second', '02');
  await put(1, 'older', '01');
  await put(2, 'a', '01');
  await put(2, 'same version, later', '01');
  const { rows: found } = await client.query(
    'SELECT ssid, login_id FROM users ORDER BY ssid');
  assert.deepEqual(found, [[1, 'second'], [2, 'same version, later']]);
  assert.equal((await client.query('SELECT count() FROM users')).rows[0][0], 2);
});

test('INSERT with rows from the client', async () => {
  await client.query(`CREATE TABLE plain (a String) ENGINE = CnchMergeTree
                      ORDER BY a`);
  client.onHeader = () => client.sendStrings('a', ['x', 'y']);
  await client.query('INSERT INTO plain (a) VALUES');
  client.onHeader = undefined;
  assert.deepEqual((await client.query('SELECT a FROM plain ORDER BY a')).rows,
    [['x'], ['y']]);
  await client.query('DROP TABLE plain');
});

test('the front forgets the stages of a crash', async () => {
  await client.query(`INSERT INTO events ${rows(10)}`);
  const victim = await connect();
  victim.sendQuery(`INSERT INTO events ${rows(1000, 1, { delay: 0.1 })}`, SLOW);
  await victim.packet();
  assert.equal(stages(), 1);
  process.kill(world.pid('front'), 'SIGKILL');
  await victim.untilClosed();
  world.sandbox('start', 'front');
  assert.equal(stages(), 0);
  client = await connect();
  assert.deepEqual(await perDay(), { '2021-07-21': 10 });
});

function sqlString(value) {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/* 800 rows as Parquet, made by ClickHouse itself. */
async function parquet() {
  const { env } = world;
  const response = await fetch(
    `http://127.0.0.1:${env.SW_CLICKHOUSE_HTTP_PORT}/`, {
      method: 'POST',
      headers: { 'X-ClickHouse-User': env.SW_CLICKHOUSE_USER,
        'X-ClickHouse-Key': env.SW_CLICKHOUSE_PASSWORD },
      body: `SELECT 1626840000000 + number * 1000 AS time,
        toString(number) AS distinct_id, concat('{"n":', toString(number), '}')
        AS properties FROM numbers(800) FORMAT Parquet`,
    });
  return Buffer.from(await response.arrayBuffer());
}

test('the whole way: object store, CnchS3, overwrite, count', async () => {
  const { env } = world;
  const store = new TosClient({
    accessKeyId: env.SW_STORE_ACCESS_KEY,
    accessKeySecret: env.SW_STORE_SECRET_KEY, region: env.SW_STORE_REGION,
    bucket: env.SW_STORE_BUCKET, endpoint: `127.0.0.1:${env.SW_STORE_PORT}`,
    secure: false, maxRetryCount: 0,
  });
  const key = 'sw/run=1/day=2021-07-21/part-0.parquet';
  const body = await parquet();
  await store.putObject({ key, body, contentLength: body.length });

  const host = `${env.SW_STORE_BUCKET}.tos-s3-${env.SW_STORE_REGION}.volces.com`;
  const source = (name, secret = env.SW_STORE_SECRET_KEY) =>
    `CnchS3('https://${host}/${name}',
     'time Int64, distinct_id String, properties String', 'Parquet', 'none',
     ${sqlString(env.SW_STORE_ACCESS_KEY)}, ${sqlString(secret)})`;
  const load = (from) => `INSERT OVERWRITE sensorswave.events
    PARTITION ('2021-07-21') (time, distinct_id, event, properties)
    SELECT fromUnixTimestamp64Milli(time, 'Asia/Shanghai'), distinct_id, 'e',
      properties::JSONB FROM ${from}`;

  const warehouse = { settings: {
    virtual_warehouse: env.SW_BYTEHOUSE_WAREHOUSE } };
  for (let i = 0; i < 2; i++) {
    const result = await client.query(load(source(key)), warehouse);
    assert.equal(result.progress[3], 800);
    assert.deepEqual(await perDay(), { '2021-07-21': 800 });
  }
  const record = world.frontLog().filter(({ url }) => url !== undefined).at(-1);
  assert.equal(record.cnchs3_args, 6);
  assert.equal(record.structure,
    'time Int64, distinct_id String, properties String');
  assert.equal(record.url, `https://${host}/${key}`);
  assert.equal(record.mapped_url,
    `http://127.0.0.1:${env.SW_STORE_PORT}/${env.SW_STORE_BUCKET}/${key}`);
  assert.equal(record.warehouse, env.SW_BYTEHOUSE_WAREHOUSE);
  assert.equal(record.revision, 54448);
  assert.equal(record.outcome, 'ok');
  assert.equal(record.written_rows, 800);

  const globbed = await client.query(
    `SELECT count() FROM ${source('sw/run=1/*/part-*.parquet')}`);
  assert.equal(globbed.rows[0][0], 800);
  const nothing = await client.query(
    `SELECT count() FROM ${source('sw/run=2/*.parquet')}`);
  assert.equal(nothing.rows[0][0], 0);

  const notFound = (error) => {
    assert.equal(error.code, 882, error.message);
    assert.ok(error.message.includes(`https://${host}/`));
    return true;
  };
  await assert.rejects(client.query(load(source('sw/missing'))), notFound);
  await assert.rejects(client.query(load(source(key, 'wrong'))), notFound);
  await assert.rejects(client.query(
    `SELECT count() FROM ${source('sw/*', 'wrong')}`),
  ({ code, message }) => code === 49 && /SignatureDoesNotMatch/.test(message));

  const settings = {
    s3_access_key_id: env.SW_STORE_ACCESS_KEY,
    s3_access_key_secret: env.SW_STORE_SECRET_KEY,
  };
  assert.equal((await client.query(`SELECT count() FROM ${source(key, 'wrong')}`,
    { settings })).rows[0][0], 800);
  assert.deepEqual(await perDay(), { '2021-07-21': 800 });
});
