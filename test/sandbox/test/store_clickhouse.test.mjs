/*
 * ClickHouse's s3() reads what the official TOS client put: path style by
 * address, the bucket in front of a host by name, patterns, and what it has
 * written in parts of its own.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { World } from './lib/world.mjs';

const { TosClient } = createRequire(import.meta.url)('@volcengine/tos-sdk');
const world = new World();

let client;

before(() => {
  world.start('store');
  /* names lead to the store, which is a proxy; addresses are asked directly */
  process.env.http_proxy = world.env.SW_STORE_PROXY;
  process.env.no_proxy = '127.0.0.1';
  world.start('clickhouse');
  delete process.env.http_proxy;
  delete process.env.no_proxy;
  client = new TosClient({
    accessKeyId: world.env.SW_STORE_ACCESS_KEY,
    accessKeySecret: world.env.SW_STORE_SECRET_KEY,
    region: world.env.SW_STORE_REGION,
    bucket: world.env.SW_STORE_BUCKET,
    endpoint: `127.0.0.1:${world.env.SW_STORE_PORT}`,
    secure: false,
  });
});
after(() => world.destroy());

function put(key, text) {
  return client.putObject({ key, body: Buffer.from(text), contentLength: text.length });
}

/* ClickHouse's s3() at a URL; backslash and quote are escaped for it. */
function s3(url, more = '') {
  const quote = (text) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const { SW_STORE_ACCESS_KEY: key, SW_STORE_SECRET_KEY: secret } = world.env;

  return `s3(${quote(url)}, ${quote(key)}, ${quote(secret)}, 'CSV', 'a Int64, b String'${more})`;
}

async function lines() {
  return (await (await fetch(`${world.env.SW_STORE_ADMIN}/log`)).json()).log
    .filter(({ signing }) => signing === 'AWS4');
}

test('path style by address, one key and a pattern', async () => {
  const base = `http://127.0.0.1:${world.env.SW_STORE_PORT}/${world.env.SW_STORE_BUCKET}`;

  for (let i = 1; i <= 3; i++)
    await put(`stage/run/part-0000${i}.csv`, `${i},x\n${i + 10},y\n`);
  assert.equal(world.query(`SELECT sum(a), count() FROM ${s3(`${base}/stage/run/part-00002.csv`)}`), '14\t2');
  assert.equal(world.query(`SELECT sum(a), count() FROM ${s3(`${base}/stage/run/part-*.csv`)}`), '42\t6');
  assert.equal(world.query(`SELECT sum(a) FROM ${s3(`${base}/stage/run/part-0000{1..3}.csv`)}`), '42');
  assert.throws(() => world.query(`SELECT * FROM ${s3(`${base}/stage/run/absent.csv`)}`), /404|does not exist|NO_SUCH/i);
  assert.ok((await lines()).every(({ accepted, host }) => accepted && host === `127.0.0.1:${world.env.SW_STORE_PORT}`));
});

test('the bucket in front of the host, one key and a pattern', async () => {
  const host = `${world.env.SW_STORE_BUCKET}.s3.${world.env.SW_STORE_REGION}.sandbox.test`;
  const n_before = (await lines()).length;

  await put('virtual/part-1.csv', '5,x\n');
  await put('virtual/part-2.csv', '6,x\n');
  assert.equal(world.query(`SELECT sum(a) FROM ${s3(`http://${host}/virtual/part-1.csv`)}`), '5');
  assert.equal(world.query(`SELECT sum(a) FROM ${s3(`http://${host}/virtual/part-*.csv`)}`), '11');

  const seen = (await lines()).slice(n_before);

  assert.ok(seen.length > 0);
  for (const line of seen) {
    assert.equal(line.host, host);
    assert.equal(line.bucket, world.env.SW_STORE_BUCKET);
    assert.equal(line.via, 'proxy');
    assert.equal(line.accepted, true);
  }
});

test('a name that ClickHouse does not take for S3: one key only', async () => {
  /* it takes the first part of the path for the bucket; the request is the same */
  const host = `${world.env.SW_STORE_BUCKET}.${world.env.SW_STORE_S3_ENDPOINT}`;

  assert.equal(world.query(`SELECT sum(a) FROM ${s3(`http://${host}/virtual/part-1.csv`)}`), '5');
  assert.throws(() => world.query(`SELECT sum(a) FROM ${s3(`http://${host}/virtual/part-*.csv`)}`), /501|NotImpl/);
});

test('ClickHouse writes in parts', async () => {
  const base = `http://127.0.0.1:${world.env.SW_STORE_PORT}/${world.env.SW_STORE_BUCKET}`;

  world.query(`INSERT INTO FUNCTION ${s3(`${base}/written.csv`)}
    SELECT number, repeat('x', 100) FROM numbers(60000)
    SETTINGS s3_min_upload_part_size = 5242880, s3_max_single_part_upload_size = 1000000`);

  assert.equal(world.query(`SELECT count(), sum(a), min(length(b)) FROM ${s3(`${base}/written.csv`)}`),
    '60000\t1799970000\t100');

  const { objects, uploads } = await (await fetch(`${world.env.SW_STORE_ADMIN}/objects`)).json();

  assert.ok(objects.find(({ key }) => key === 'written.csv').n_segments > 1);
  assert.deepEqual(uploads, []);
});

test('a key that may not read', () => {
  const base = `http://127.0.0.1:${world.env.SW_STORE_PORT}/${world.env.SW_STORE_BUCKET}`;
  const wrong = s3(`${base}/written.csv`).replace('notasecretaccesskey', 'unknown');

  assert.throws(() => world.query(`SELECT count() FROM ${wrong}`), /403|AccessKey/i);
});
