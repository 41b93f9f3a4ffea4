/*
 * The official SDK's client against a started store: plain by address,
 * through the proxy in absolute form, and inside TLS through CONNECT.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { OFFICIAL_SIGNER } from '../store/official_signer.mjs';
import {
  BUCKET, SECRET_KEY, TOS_HOST, md5, startStore, tunnelAgent,
} from './lib/store_world.mjs';

const KEY = "dir/a b+c~!*'()=&%25/导出.parquet";

let store;

before(async () => {
  store = await startStore();
});
after(() => store.stop());

async function put(client, key, body, more = {}) {
  return client.putObject({ key, body, contentLength: body.length, ...more });
}

async function get(client, key, more = {}) {
  const { data } = await client.getObjectV2({ key, dataType: 'buffer', ...more });

  return data.content;
}

const WAYS = [
  ['plain', 'path style by address', () => store.client(), () => `127.0.0.1:${store.port}`],
  ['proxy', 'a proxy request in absolute form', () => store.proxyClient(), () => `${BUCKET}.${TOS_HOST}`],
  ['connect', 'TLS inside CONNECT', () => store.tunnelClient({ enableCRC: true }), () => `${BUCKET}.${TOS_HOST}`],
];

for (const [via, title, makeClient, host] of WAYS)
  test(`put, head, get, list, delete: ${title}`, async () => {
    const client = makeClient();
    const body = randomBytes(300_001);
    const n_before = store.logLines().length;
    const etag = `"${md5(body).toString('hex')}"`;

    const stored = await put(client, KEY, body, { contentType: 'application/x-parquet', meta: { run: '7' } });

    assert.equal(stored.statusCode, 200);
    assert.equal(stored.headers.etag, etag);
    assert.match(stored.headers['x-tos-hash-crc64ecma'], /^\d{1,20}$/);
    assert.ok(stored.requestId && stored.id2);

    const head = await client.headObject({ key: KEY });

    assert.equal(head.data.etag, etag);
    assert.equal(head.data['content-length'], String(body.length));
    assert.equal(head.data['content-type'], 'application/x-parquet');
    assert.equal(head.data['x-tos-meta-run'], '7');
    assert.equal(head.data['x-tos-hash-crc64ecma'], stored.headers['x-tos-hash-crc64ecma']);
    assert.deepEqual(await get(client, KEY), body);

    const { data: list } = await client.listObjectsType2({ prefix: 'dir/' });

    assert.deepEqual(list.Contents.map(({ Key, ETag, Size, HashCrc64Ecma }) => ({ Key, ETag, Size, HashCrc64Ecma })), [
      { Key: KEY, ETag: etag, Size: body.length, HashCrc64Ecma: stored.headers['x-tos-hash-crc64ecma'] },
    ]);

    const bucket = await client.headBucket(BUCKET);

    assert.equal(bucket.headers['x-tos-bucket-region'], 'cn-beijing');
    assert.equal((await client.deleteObject({ key: KEY })).statusCode, 204);
    assert.equal((await client.deleteObject({ key: KEY })).statusCode, 204);
    await assert.rejects(client.headObject({ key: KEY }), { statusCode: 404 });
    await assert.rejects(client.getObjectV2({ key: KEY }), { statusCode: 404 });
    assert.deepEqual(await store.keys(), []);

    const lines = store.logLines().slice(n_before);

    assert.deepEqual(lines.map(({ operation, status }) => `${operation} ${status}`), [
      'PutObject 200', 'HeadObject 200', 'GetObject 200', 'ListObjectsV2 200', 'HeadBucket 200',
      'DeleteObject 204', 'DeleteObject 204', 'HeadObject 404', 'GetObject 404',
    ]);
    for (const line of lines) {
      assert.equal(line.accepted, true);
      assert.equal(line.judge, OFFICIAL_SIGNER);
      assert.equal(line.via, via);
      assert.equal(line.host, host());
      assert.equal(line.api, 'tos');
    }
    assert.equal(lines[0].bytes_in, body.length);
    assert.equal(lines[0].key, KEY);
    assert.equal(lines[2].bytes_out, body.length);
    assert.equal(lines[0].request_id, stored.requestId);
  });

test('a certificate of another authority does not pass for ours', async () => {
  const stranger = store.client({ endpoint: TOS_HOST, secure: true });

  stranger.httpsAgent = tunnelAgent(store.port, []);
  await assert.rejects(stranger.headBucket(BUCKET), /certificate/);
});

test('ranges', async () => {
  const client = store.client();
  const body = randomBytes(1000);

  await put(client, 'ranges', body);
  for (const [range, first, end] of [
    ['bytes=0-0', 0, 1], ['bytes=10-19', 10, 20], ['bytes=990-', 990, 1000],
    ['bytes=-5', 995, 1000], ['bytes=900-5000', 900, 1000], ['bytes=-2000', 0, 1000],
  ]) {
    const { data, statusCode, headers } = await client.getObjectV2({
      key: 'ranges', dataType: 'buffer', headers: { range },
    });

    assert.equal(statusCode, 206, range);
    assert.deepEqual(data.content, body.subarray(first, end), range);
    assert.equal(headers['content-range'], `bytes ${first}-${end - 1}/1000`);
  }
  for (const range of ['bytes=5-1', 'bytes=', 'lines=1-2', 'bytes=0-1,5-6'])
    assert.deepEqual(await get(client, 'ranges', { headers: { range } }), body, range);
  for (const range of ['bytes=1000-', 'bytes=2000-3000', 'bytes=-0'])
    await assert.rejects(client.getObjectV2({ key: 'ranges', headers: { range } }), { statusCode: 416 });
  await client.deleteObject('ranges');
});

test('empty objects, overwriting, forbidden overwriting', async () => {
  const client = store.client();

  await client.putObject({ key: 'once', body: '', contentLength: 0 });
  assert.equal((await get(client, 'once')).length, 0);
  await assert.rejects(client.getObjectV2({ key: 'once', headers: { range: 'bytes=0-0' } }), { statusCode: 416 });
  await put(client, 'once', Buffer.from('second'));
  assert.equal(String(await get(client, 'once')), 'second');
  await assert.rejects(put(client, 'once', Buffer.from('third'), { forbidOverwrite: true }),
    { statusCode: 409, ec: '0017-00000004' });
  assert.equal(String(await get(client, 'once')), 'second');
  await client.deleteObject('once');
  assert.equal((await put(client, 'once', Buffer.from('third'), { forbidOverwrite: true })).statusCode, 200);
  await client.deleteObject('once');
});

test('a body is checked against Content-MD5', async () => {
  const client = store.client();
  const body = Buffer.from('the body');
  const right = md5(body).toString('base64');

  assert.equal((await put(client, 'sum', body, { contentMD5: right })).statusCode, 200);
  await client.deleteObject('sum');
  await assert.rejects(put(client, 'sum', body, { contentMD5: md5('another').toString('base64') }),
    { statusCode: 400, code: 'BadDigest' });
  await assert.rejects(put(client, 'sum', body, { contentMD5: 'short' }),
    { statusCode: 400, code: 'InvalidDigest' });
  assert.deepEqual(await store.keys(), []);
  assert.deepEqual(readdirSync(join(store.dir, 'data/incoming')), []);
});

test('a body of unknown length is refused', async () => {
  await assert.rejects(store.client().putObject({ key: 'chunked', body: Buffer.from('x') }),
    { statusCode: 411, code: 'NoContentLength' });
  assert.deepEqual(await store.keys(), []);
});

test('lists: order, pages, delimiter, start, encoding', async () => {
  const client = store.client();
  const keys = ['a/1', 'a/2', 'a/b/3', 'b', 'c/4', 'c/5', 'c0', '导出', '\u{10000}', '\uffee'];
  const sorted = [...keys].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));

  for (const key of keys)
    await put(client, key, Buffer.from(key));
  assert.deepEqual((await client.listObjectsType2({})).data.Contents.map(({ Key }) => Key), sorted);

  for (const maxKeys of [1, 2, 3, 7])
    for (const delimiter of ['', '/']) {
      const seen = [];
      let continuationToken;

      do {
        const { data } = await client.listObjectsType2({
          maxKeys, listOnlyOnce: true, ...(delimiter && { delimiter }),
          ...(continuationToken && { continuationToken }),
        });
        const items = [...data.Contents.map(({ Key }) => Key), ...data.CommonPrefixes.map(({ Prefix }) => Prefix)];

        assert.equal(items.length, data.KeyCount);
        assert.ok(items.length <= maxKeys);
        seen.push(...items);
        assert.equal(data.IsTruncated, data.NextContinuationToken !== undefined);
        continuationToken = data.NextContinuationToken;
      } while (continuationToken);
      assert.deepEqual(seen.sort(), (delimiter
        ? ['a/', 'b', 'c/', 'c0', '导出', '\u{10000}', '\uffee'] : [...keys]).sort());
    }

  const under = await client.listObjectsType2({ prefix: 'a/', delimiter: '/' });

  assert.deepEqual(under.data.Contents.map(({ Key }) => Key), ['a/1', 'a/2']);
  assert.deepEqual(under.data.CommonPrefixes, [{ Prefix: 'a/b/' }]);

  const late = await client.listObjectsType2({ startAfter: 'c/5', encodingType: 'url' });

  assert.deepEqual(late.data.Contents.map(({ Key }) => Key),
    sorted.slice(sorted.indexOf('c/5') + 1).map((key) => encodeURIComponent(key)));
  assert.equal((await client.listObjectsType2({ prefix: 'none' })).data.KeyCount, 0);
  await assert.rejects(client.listObjectsType2({ continuationToken: 'rubbish' }), { code: 'InvalidArgument' });
  await assert.rejects(client.listObjects({}), { statusCode: 501 });
  for (const key of keys)
    await client.deleteObject(key);
});

test('a reader of an object keeps it while it is overwritten and deleted', async () => {
  const client = store.client();
  const old = randomBytes(3_000_000);

  await put(client, 'changing', old);
  await store.fault({ op: 'GET', fault: 'slow', after_bytes: 100_000, bytes_per_second: 10_000_000, times: 1 });

  const reading = get(client, 'changing');

  while ((await store.admin('GET', '/faults')).faults[0].hits === 0)
    await sleep(10);
  await put(client, 'changing', randomBytes(1000));
  await client.deleteObject('changing');
  assert.deepEqual(await reading, old);
  await store.admin('DELETE', '/faults');
  await Promise.all(Array.from({ length: 60 }, async (_, i) => {
    await (i % 3 === 0 ? put(client, 'changing', randomBytes(50_000))
      : i % 3 === 1 ? client.deleteObject('changing')
        : get(client, 'changing').catch((error) => assert.equal(error.statusCode, 404)));
  }));
  await client.deleteObject('changing');
  assert.deepEqual(await store.keys(), []);
  assert.deepEqual(readdirSync(join(store.dir, 'data', BUCKET, 'data')), []);
});

test('two buckets are two', async () => {
  const first = store.client();
  const second = store.client({ bucket: 'second-bucket' });

  await put(first, 'k', Buffer.from('1'));
  await put(second, 'k', Buffer.from('2'));
  assert.equal(String(await get(first, 'k')), '1');
  assert.equal(String(await get(second, 'k')), '2');
  await first.deleteObject('k');
  assert.equal((await store.admin('GET', '/objects')).objects[0].bucket, 'second-bucket');
  await second.deleteObject('k');
});

test('operations that are not played are refused, not guessed', async () => {
  const client = store.client();

  await put(client, 'source', Buffer.from('x'));
  await assert.rejects(client.copyObject({ key: 'copy', srcBucket: BUCKET, srcKey: 'source' }));
  await assert.rejects(client.putObjectAcl({ key: 'source', acl: 'private' }));
  await assert.rejects(client.getObjectAcl({ key: 'source' }), { statusCode: 501, code: 'UnImplemented' });
  assert.deepEqual(await store.keys(), ['source']);
  assert.equal(String(await get(client, 'source')), 'x');
  await client.deleteObject('source');
});

test('objects survive SIGTERM and kill -9; the process ends at once', async () => {
  const body = randomBytes(100_000);

  await put(store.client(), 'kept', body);

  const { code, ms } = await store.terminate('SIGTERM');

  assert.equal(code, 0);
  assert.ok(ms < 2000, `${ms} ms`);
  await store.launch();
  assert.deepEqual(await get(store.client(), 'kept'), body);
  await store.terminate('SIGKILL');
  writeFileSync(join(store.dir, 'data', BUCKET, 'data/left-by-a-crash'), 'x');
  await store.launch();
  assert.equal(readdirSync(join(store.dir, 'data', BUCKET, 'data')).length, 1);
  assert.deepEqual(await get(store.client(), 'kept'), body);
  assert.equal((await store.client().headObject('kept')).data.etag, `"${md5(body).toString('hex')}"`);
  await store.client().deleteObject('kept');
});

test('SIGTERM in the middle of an upload: nothing is there afterwards', async () => {
  await store.fault({ op: 'PUT', fault: 'hang', after_bytes: 1000 });

  const upload = put(store.client(), 'half', Buffer.alloc(100_000));
  const broken = assert.rejects(upload);

  while (store.lastLog()?.code !== 'FaultHang')
    await sleep(10);

  const { ms } = await store.terminate();

  assert.ok(ms < 2000, `${ms} ms`);
  await broken;
  await store.launch();
  assert.deepEqual(await store.keys(), []);
  assert.deepEqual(readdirSync(join(store.dir, 'data/incoming')), []);
  assert.deepEqual(readdirSync(join(store.dir, 'data', BUCKET, 'data')), []);
});

test('no log line and nothing on stderr has the secret', async () => {
  const text = JSON.stringify(store.logLines());

  assert.ok(store.logLines().length > 50);
  assert.ok(!text.includes(JSON.stringify(SECRET_KEY).slice(1, -1)));
  assert.ok(!/Signature=/.test(text));
  assert.equal(store.stderr, '');
});
