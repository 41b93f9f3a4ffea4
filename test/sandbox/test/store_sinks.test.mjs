/*
 * Sinks: bodies that are counted and dropped, at speed and without memory.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { BUCKET, md5, signed, startStore } from './lib/store_world.mjs';

const BODY = randomBytes(300_000);
const MIB = 1024 * 1024;

let store;

before(async () => {
  store = await startStore();
});
after(() => store.stop());
afterEach(async () => {
  await store.admin('DELETE', '/sinks');
  await store.admin('DELETE', '/objects');
});

async function put(key, more = {}) {
  return store.request(signed({
    host: `127.0.0.1:${store.port}`, path: `/${BUCKET}/${key}`, method: 'PUT', body: BODY, ...more,
  }));
}

test('a sink takes what is under its prefix; the rest is kept', async () => {
  const kept = await put('kept/a');

  await store.admin('POST', '/sinks', { prefix: 'bench/' });

  const dropped = await put('bench/a');

  for (const name of ['etag', 'x-tos-hash-crc64ecma'])
    assert.equal(dropped.headers[name], kept.headers[name]);
  assert.equal(readdirSync(join(store.dir, 'data', BUCKET, 'data')).length, 1);
  assert.equal((await store.client().headObject('bench/a')).data['content-length'], String(BODY.length));
  await assert.rejects(store.client().getObjectV2({ key: 'bench/a' }), { statusCode: 501 });
  assert.deepEqual((await store.admin('GET', '/objects')).objects.map((one) => [one.key, one.kept]),
    [['kept/a', true], ['bench/a', false]]);
  await put('bench/a', { headers: { 'x-tos-meta-a': '1' } });
  await put('bench/../a');
  await store.terminate('SIGKILL');
  await store.launch();
  assert.equal((await store.client().headObject('bench/a')).data['x-tos-meta-a'], '1');
  await store.client().deleteObject('bench/a');
});

test('what is not computed is not told; what is sent is compared all the same', async () => {
  const crc64 = (await put('k')).headers['x-tos-hash-crc64ecma'];
  const etag = `"${md5(BODY).toString('hex')}"`;

  for (const [checksums, told] of [
    ['all', [etag, crc64]], ['md5', [etag, undefined]],
    ['crc64', [`"${BigInt(crc64).toString(16).padStart(32, '0')}"`, crc64]],
  ]) {
    await store.admin('DELETE', '/sinks');
    await store.admin('POST', '/sinks', { bucket: BUCKET, checksums });

    const { headers } = await put('k');

    assert.deepEqual([headers.etag, headers['x-tos-hash-crc64ecma']], told, checksums);
    assert.equal((await put('k', { headers: { 'content-md5': md5('x').toString('base64') } })).status, 400);
    assert.equal((await put('k', { headers: { 'content-md5': md5(BODY).toString('base64') } })).status, 200);
  }
  await store.admin('DELETE', '/sinks');
  await store.admin('POST', '/sinks', { checksums: 'none' });

  const [first, second] = [await put('k'), await put('k')];

  assert.match(first.headers.etag, /^"[0-9a-f]{32}"$/);
  assert.notEqual(first.headers.etag, second.headers.etag);
  assert.equal(first.headers['x-tos-hash-crc64ecma'], undefined);
  for (const wish of [{ checksums: 'sha1' }, { prefix: 1 }, { bucket: 1 }, { more: 1 }])
    assert.equal((await store.admin('POST', '/sinks', wish)).status, 400);
});

test('a multipart upload into a sink', async () => {
  await store.admin('POST', '/sinks', { prefix: 'bench/', checksums: 'crc64' });

  const client = store.client();
  const key = 'bench/parts';
  const { data: { UploadId: uploadId } } = await client.createMultipartUpload({ key });
  const parts = [];

  for (const [i, body] of [Buffer.alloc(5 * MIB), BODY].entries()) {
    const { headers } = await client.uploadPart({ key, uploadId, partNumber: i + 1, body });

    parts.push({ partNumber: i + 1, eTag: headers.etag });
  }

  const { headers } = await client.completeMultipartUpload({ key, uploadId, parts });

  await store.admin('DELETE', '/sinks');

  const whole = await put('whole', { body: Buffer.concat([Buffer.alloc(5 * MIB), BODY]) });

  assert.equal(headers['x-tos-hash-crc64ecma'], whole.headers['x-tos-hash-crc64ecma']);
  assert.equal((await client.headObject(key)).data['content-length'], String(5 * MIB + BODY.length));
});

test('256 MiB pass without being held', async () => {
  await store.admin('POST', '/sinks', { checksums: 'crc64' });

  const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${store.child.pid}/status`, 'utf8'))[1]);
  const before = peak();
  const chunk = Buffer.alloc(MIB);
  const one = signed({ host: `127.0.0.1:${store.port}`, path: `/${BUCKET}/big`, method: 'PUT' });
  const status = await new Promise((resolve, reject) => {
    const outgoing = http.request({
      host: '127.0.0.1', port: store.port, agent: false, method: 'PUT', path: one.path,
      headers: { ...one.headers, 'content-length': 256 * MIB },
    }, (reply) => reply.resume().on('end', () => resolve(reply.statusCode)));
    let n_sent = 0;
    const more = () => {
      while (n_sent < 256) {
        n_sent++;
        if (!outgoing.write(chunk))
          return;
      }
      outgoing.end();
    };

    outgoing.on('drain', more).on('error', reject);
    more();
  });

  assert.equal(status, 200);
  assert.equal(store.lastLog().bytes_in, 256 * MIB);
  assert.ok(peak() - before < 128 * 1024, `${peak() - before} kB more`);
});
