/*
 * Multipart uploads on the native side: the official SDK's client, then what
 * no proper client would send.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { combineCrc64 } from '../store/crc64_combine.mjs';
import { Crc64 } from '../store/crc64.mjs';
import { BUCKET, SECRET_KEY, md5, signed, startStore } from './lib/store_world.mjs';

const MIB = 1024 * 1024;
const KEY = 'stage/p1/run-1/part-00001.parquet';
const PARTS = [randomBytes(5 * MIB), randomBytes(5 * MIB + 1), randomBytes(10)];

let store;

before(async () => {
  store = await startStore();
});
after(() => store.stop());
afterEach(async () => {
  await store.admin('DELETE', '/objects');
  await store.admin('DELETE', '/behaviour');
});

function crc64(bytes) {
  return new Crc64().update(bytes).decimal();
}

function etagOf(parts) {
  return `"${md5(Buffer.concat(parts.map(md5))).toString('hex')}-${parts.length}"`;
}

/* A signed native request, path style; the answer with its JSON. */
async function ask(method, query, { key = KEY, body, ...more } = {}) {
  const reply = await store.request(signed({
    host: `127.0.0.1:${store.port}`, path: `/${BUCKET}/${key}`, method, query, body, ...more,
  }));

  return { ...reply, json: reply.body.length > 0 ? JSON.parse(reply.body) : null };
}

async function create(key = KEY) {
  return (await ask('POST', { uploads: '' }, { key })).json.UploadId;
}

function put(uploadId, number, body, more = {}) {
  return ask('PUT', { uploadId, partNumber: String(number) }, { body, ...more });
}

function complete(uploadId, list) {
  return ask('POST', { uploadId }, {
    body: JSON.stringify({ Parts: list.map(([PartNumber, ETag]) => ({ PartNumber, ETag })) }),
  });
}

function refused(reply, status, code) {
  assert.equal(reply.status, status);
  assert.equal(reply.json.Code, code);
  assert.equal(store.lastLog().code, code);
}

/* The whole object, by a plain request: the client is slow at large ones. */
async function read(key = KEY) {
  return (await store.request(signed({ host: `127.0.0.1:${store.port}`, path: `/${BUCKET}/${key}` }))).body;
}

test('crc64 of parts combines to that of the whole', () => {
  for (const [m, n] of [[0, 0], [0, 5], [5, 0], [1, 1], [9, 1000], [70_000, 3], [3, 70_000]]) {
    const [a, b] = [randomBytes(m), randomBytes(n)];

    assert.equal(combineCrc64(crc64(a), crc64(b), n), crc64(Buffer.concat([a, b])), `${m} ${n}`);
  }
  /* 5 GiB of zeros, by doubling and piece by piece */
  const piece = crc64(Buffer.alloc(5 * MIB));
  let whole = { crc64: piece, size: 5 * MIB };

  for (let i = 0; i < 10; i++)
    whole = { crc64: combineCrc64(whole.crc64, whole.crc64, whole.size), size: 2 * whole.size };
  assert.equal(combineCrc64(crc64(Buffer.from('a')), whole.crc64, whole.size), [...Array(1024)].reduce(
    (sum) => combineCrc64(sum, piece, 5 * MIB), crc64(Buffer.from('a'))));
});

test('the official client: create, parts, list, complete, read', async () => {
  const client = store.tunnelClient({ enableCRC: true });
  const { data: { UploadId } } = await client.createMultipartUpload({
    key: KEY, headers: { 'content-type': 'application/x-parquet' },
  });
  const etags = [];

  for (const [i, body] of PARTS.entries()) {
    const { headers } = await client.uploadPart({ key: KEY, uploadId: UploadId, partNumber: i + 1, body });

    assert.equal(headers.etag, `"${md5(body).toString('hex')}"`);
    assert.equal(headers['x-tos-hash-crc64ecma'], crc64(body));
    etags.push(headers.etag);
    assert.equal(store.lastLog().part_number, i + 1);
    assert.equal(store.lastLog().upload_id, UploadId);
    assert.equal(store.lastLog().signing, 'TOS4');
  }

  const { data: listed } = await client.listParts({ key: KEY, uploadId: UploadId, maxParts: 2 });

  assert.deepEqual(listed.Parts.map(({ PartNumber, Size }) => [PartNumber, Size]),
    [[1, PARTS[0].length], [2, PARTS[1].length]]);
  assert.equal(listed.IsTruncated, true);
  assert.equal(listed.NextPartNumberMarker, 2);

  const { data: uploads } = await client.listMultipartUploads({ prefix: 'stage/' });

  assert.deepEqual(uploads.Uploads.map(({ Key, UploadId: id }) => [Key, id]), [[KEY, UploadId]]);

  const { objects, uploads: [unfinished] } = await store.admin('GET', '/objects');

  assert.deepEqual(objects, []);
  assert.deepEqual(unfinished.parts.map(({ part_number: n, size, crc64: crc }) => [n, size, crc]),
    PARTS.map((body, i) => [i + 1, body.length, crc64(body)]));

  const { data, headers } = await client.completeMultipartUpload({
    key: KEY, uploadId: UploadId, parts: etags.map((eTag, i) => ({ eTag, partNumber: i + 1 })),
  });
  const whole = Buffer.concat(PARTS);

  assert.equal(data.ETag, etagOf(PARTS));
  assert.equal(headers['x-tos-hash-crc64ecma'], crc64(whole));

  const head = await client.headObject({ key: KEY });

  assert.equal(head.data['content-length'], String(whole.length));
  assert.equal(head.data['content-type'], 'application/x-parquet');
  assert.equal(head.data['x-tos-hash-crc64ecma'], crc64(whole));
  assert.deepEqual(await read(), whole);

  const range = `bytes=${5 * MIB - 3}-${5 * MIB + 1000}`;

  assert.deepEqual((await client.getObjectV2({ key: KEY, dataType: 'buffer', headers: { range } })).data.content,
    whole.subarray(5 * MIB - 3, 5 * MIB + 1001));
  const three = await store.request(signed({
    host: `127.0.0.1:${store.port}`, path: `/${BUCKET}/${KEY}`,
    headers: { range: `bytes=${5 * MIB - 1}-${10 * MIB + 5}` },
  }));

  assert.equal(three.status, 206);
  assert.deepEqual(three.body, whole.subarray(5 * MIB - 1, 10 * MIB + 6));
  await client.deleteObject({ key: KEY });
  assert.deepEqual(readdirSync(join(store.dir, 'data', BUCKET, 'data')), []);
});

test('the official client uploads a file in parts of its own', async () => {
  const file = join(store.dir, 'file');
  const body = randomBytes(11 * MIB);

  writeFileSync(file, body);

  /* with several tasks it names the parts in the order they were done, which is refused */
  const { data } = await store.client().uploadFile({ key: KEY, file, partSize: 5 * MIB, taskNum: 1 });

  assert.match(data.ETag, /-3"$/);
  assert.deepEqual(await read(), body);
  assert.deepEqual((await store.admin('GET', '/objects')).uploads, []);
});

test('the official client aborts; what was there is gone', async () => {
  const client = store.client();
  const { data: { UploadId } } = await client.createMultipartUpload({ key: KEY });

  await client.uploadPart({ key: KEY, uploadId: UploadId, partNumber: 1, body: PARTS[2] });
  assert.equal((await client.abortMultipartUpload({ key: KEY, uploadId: UploadId })).statusCode, 204);
  await assert.rejects(client.abortMultipartUpload({ key: KEY, uploadId: UploadId }),
    { statusCode: 404, code: 'NoSuchUpload' });
  await assert.rejects(client.uploadPart({ key: KEY, uploadId: UploadId, partNumber: 1, body: PARTS[2] }),
    { statusCode: 404, code: 'NoSuchUpload' });
  assert.deepEqual((await store.admin('GET', '/objects')).uploads, []);
  assert.deepEqual(readdirSync(join(store.dir, 'data', BUCKET, 'data')), []);
});

test('the official client deletes many; with Content-MD5 where it is demanded', async () => {
  const client = store.client();

  for (const key of ['a', 'b&<>', 'c'])
    await client.putObject({ key, body: Buffer.from(key), contentLength: key.length });

  const { data } = await client.deleteMultiObjects({ objects: [{ key: 'a' }, { key: 'b&<>' }, { key: 'absent' }] });

  assert.deepEqual(data.Deleted.map(({ Key }) => Key), ['a', 'b&<>', 'absent']);
  assert.equal(store.lastLog().n_keys, 3);
  assert.deepEqual(await store.keys(), ['c']);

  const quiet = JSON.stringify({ Objects: [{ Key: 'c' }], Quiet: true });
  const send = (headers, body = quiet) => ask('POST', { delete: '' }, { key: '', body, headers });

  await store.admin('POST', '/behaviour', { demandContentMd5: true });
  refused(await send({}), 400, 'InvalidRequest');
  refused(await send({ 'content-md5': md5('other').toString('base64') }), 400, 'BadDigest');
  assert.deepEqual(await store.keys(), ['c']);

  const reply = await send({ 'content-md5': md5(quiet).toString('base64') });

  assert.equal(reply.status, 200);
  assert.deepEqual(reply.json, {});
  assert.deepEqual(await store.keys(), []);
  await store.admin('DELETE', '/behaviour');
  for (const body of ['', '{', '[]', '{"Objects":[]}', '{"Objects":[{}]}', '{"Objects":[null]}', '{"Objects":[{"Key":""}]}',
    JSON.stringify({ Objects: Array(1001).fill({ Key: 'k' }) })])
    refused(await send({}, body), 400, 'MalformedBody');

  const partly = await send({}, JSON.stringify({ Objects: [{ Key: 'k' }, { Key: '\\k' }] }));

  assert.equal(partly.status, 200);
  assert.deepEqual(partly.json.Deleted, [{ Key: 'k' }]);
  assert.deepEqual(partly.json.Error.map(({ Key, Code }) => [Key, Code]), [['\\k', 'InvalidKey']]);
});

test('part numbers, digests and uploads that are not there', async () => {
  const id = await create();

  for (const number of ['0', '10001', '-1', '1.5', 'x', '01', ''])
    refused(await put(id, number, 'x'), 400, 'InvalidArgument');
  refused(await put('0123', 1, 'x'), 404, 'NoSuchUpload');
  refused(await put(id, 1, 'x', { key: 'another' }), 404, 'NoSuchUpload');
  refused(await put(id, 1, 'x', { headers: { 'content-md5': md5('y').toString('base64') } }), 400, 'BadDigest');
  refused(await put(id, 1, 'x', { contentHash: '0'.repeat(64) }), 400, 'ContentSHA256Mismatch');
  refused(await complete('0123', [[1, 'x']]), 404, 'NoSuchUpload');
  refused(await ask('GET', { uploadId: '0123' }), 404, 'NoSuchUpload');
  assert.equal((await put(id, 10000, 'x')).status, 200);
  assert.deepEqual((await store.admin('GET', '/objects')).uploads[0].parts.map(({ part_number: n }) => n), [10000]);
});

test('what is wrong with a completion, one thing at a time', async () => {
  const id = await create();
  const tags = [];

  for (const [number, body] of [[1, PARTS[0]], [2, PARTS[2]], [3, PARTS[2]]])
    tags[number] = (await put(id, number, body)).headers.etag;
  for (const body of ['', '{', '{}', '{"Parts":[{"PartNumber":"1","ETag":"x"}]}', '{"Parts":[{"PartNumber":1}]}'])
    refused(await ask('POST', { uploadId: id }, { body }), 400, 'MalformedBody');
  refused(await complete(id, []), 400, 'MalformedBody');
  refused(await complete(id, [[2, tags[2]], [1, tags[1]]]), 400, 'InvalidPartOrder');
  refused(await complete(id, [[1, tags[1]], [1, tags[1]]]), 400, 'InvalidPartOrder');
  refused(await complete(id, [[1, tags[2]]]), 400, 'InvalidPart');
  refused(await complete(id, [[1, tags[1]], [4, tags[1]]]), 400, 'InvalidPart');
  refused(await complete(id, [[1, tags[1]], [2, tags[2]], [3, tags[3]]]), 400, 'EntityTooSmall');
  refused(await ask('POST', { uploadId: id }, { body: '{}', headers: { 'x-tos-complete-all': 'yes' } }),
    400, 'InvalidRequest');
  assert.deepEqual(await store.keys(), []);
  /* parts may be left out, and ETags come without quotes */
  assert.equal((await complete(id, [[1, tags[1].slice(1, -1)], [3, tags[3]]])).status, 200);
  refused(await complete(id, [[1, tags[1]], [3, tags[3]]]), 404, 'NoSuchUpload');

  const { objects: [object], uploads } = await store.admin('GET', '/objects');

  assert.deepEqual(uploads, []);
  assert.equal(object.n_segments, 2);
  assert.equal(object.etag, etagOf([PARTS[0], PARTS[2]]));
  assert.equal(readdirSync(join(store.dir, 'data', BUCKET, 'data')).length, 2);
});

test('complete-all takes every part; a part sent again replaces the first', async () => {
  const id = await create();

  await put(id, 7, PARTS[2]);
  await put(id, 3, PARTS[0]);
  await put(id, 7, 'last');

  const reply = await ask('POST', { uploadId: id }, { headers: { 'x-tos-complete-all': 'yes' } });

  assert.equal(reply.status, 200);
  assert.deepEqual(reply.json.CompletedParts.map(({ PartNumber }) => PartNumber), [3, 7]);
  assert.equal(reply.json.ETag, etagOf([PARTS[0], Buffer.from('last')]));
});

test('uploads and their objects survive kill -9', async () => {
  const [kept, done] = [await create(), await create('done')];

  await put(kept, 1, PARTS[0]);
  await put(done, 1, 'all of it', { key: 'done' });

  const before = await store.admin('GET', '/objects');
  const byKey = ({ uploads }) => Object.fromEntries(uploads.map((upload) => [upload.key, upload]));

  await store.terminate('SIGKILL');
  await store.launch();
  assert.deepEqual(byKey(await store.admin('GET', '/objects')), byKey(before));

  const { parts: [{ etag }] } = byKey(before)[KEY];

  assert.equal((await complete(kept, [[1, etag]])).status, 200);
  await store.terminate('SIGKILL');
  await store.launch();
  assert.deepEqual(await read(), PARTS[0]);
  assert.deepEqual((await store.admin('GET', '/objects')).uploads.map(({ key }) => key), ['done']);
  assert.equal((await ask('DELETE', { uploadId: done }, { key: 'done' })).status, 204);
});

test('ten thousand parts', async () => {
  await store.admin('POST', '/sinks', { prefix: 'many/' });

  const key = 'many/parts';
  const id = await create(key);
  const body = Buffer.alloc(1);
  const tag = `"${md5(body).toString('hex')}"`;

  assert.equal((await put(id, 10000, body, { key })).headers.etag, tag);

  const list = Array.from({ length: 10001 }, (_, i) => ({ PartNumber: i + 1, ETag: tag }));
  const send = (parts) => ask('POST', { uploadId: id }, { key, body: JSON.stringify({ Parts: parts }) });

  refused(await send(list), 400, 'MalformedBody');
  refused(await send(list.slice(0, 10000)), 400, 'InvalidPart');
  assert.equal((await send(list.slice(9999, 10000))).status, 200);
  await store.admin('DELETE', '/sinks');
});

test('no secret in the log', () => {
  assert.ok(!JSON.stringify(store.logLines()).includes(JSON.stringify(SECRET_KEY).slice(1, -1)));
  assert.equal(store.stderr, '');
});
