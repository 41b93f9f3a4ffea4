/*
 * The AWS SDK for JavaScript as a foreign client of the S3 side: by address,
 * where it uses path style, and with the bucket in front of the host, through
 * the proxy; then what it would never send.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { createRequire } from 'node:module';
import { after, afterEach, before, test } from 'node:test';

import { OFFICIAL_AWS_SIGNER } from '../store/official_aws_signer.mjs';
import {
  ACCESS_KEY, BUCKET, REGION, S3_HOST, SECRET_KEY, md5, signed, startStore,
} from './lib/store_world.mjs';

const require = createRequire(import.meta.url);
const {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand,
  DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadBucketCommand, HeadObjectCommand,
  ListMultipartUploadsCommand, ListPartsCommand, PutObjectCommand, S3Client, UploadPartCommand,
  paginateListObjectsV2,
} = require('@aws-sdk/client-s3');
const { Upload } = require('@aws-sdk/lib-storage');

const MIB = 1024 * 1024;
const Bucket = BUCKET;
const Key = "stage/a b+c~!*'()=&%25<>/导出.parquet";

let store;

before(async () => {
  store = await startStore();
});
after(() => store.stop());
afterEach(() => store.admin('DELETE', '/objects'));

/* Sends what is for a host by name to the store, as to a proxy. */
class ProxyAgent extends http.Agent {
  addRequest(request, options) {
    request.path = `http://${request.getHeader('host')}${request.path}`;
    super.addRequest(request, { ...options, host: '127.0.0.1', port: store.port });
  }
}

function byAddress(more = {}) {
  return new S3Client({
    endpoint: store.base, region: REGION, forcePathStyle: true, maxAttempts: 1,
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY }, ...more,
  });
}

function byName() {
  return byAddress({
    endpoint: `http://${S3_HOST}`, forcePathStyle: false,
    requestHandler: { httpAgent: new ProxyAgent() },
  });
}

const WAYS = [
  ['path style by address', byAddress, () => `127.0.0.1:${store.port}`],
  ['bucket in the host, as to a proxy', byName, () => `${BUCKET}.${S3_HOST}`],
  ['with a digest only where needed', () => byAddress({ requestChecksumCalculation: 'WHEN_REQUIRED' }),
    () => `127.0.0.1:${store.port}`],
];

async function read(reply) {
  return Buffer.from(await (await reply).Body.transformToByteArray());
}

for (const [title, makeClient, host] of WAYS)
  test(`put, head, get, range, list, delete, delete many: ${title}`, async () => {
    const client = makeClient();
    const Body = randomBytes(300_001);
    const n_before = store.logLines().length;
    const ETag = `"${md5(Body).toString('hex')}"`;

    assert.equal((await client.send(new PutObjectCommand({
      Bucket, Key, Body, ContentType: 'application/x-parquet', Metadata: { run: '7' },
    }))).ETag, ETag);

    const head = await client.send(new HeadObjectCommand({ Bucket, Key }));

    assert.equal(head.ETag, ETag);
    assert.equal(head.ContentLength, Body.length);
    assert.equal(head.ContentType, 'application/x-parquet');
    assert.deepEqual(head.Metadata, { run: '7' });
    assert.deepEqual(await read(client.send(new GetObjectCommand({ Bucket, Key }))), Body);
    assert.deepEqual(await read(client.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=10-19' }))),
      Body.subarray(10, 20));
    await client.send(new HeadBucketCommand({ Bucket }));
    for (const key of ['list/1', 'list/2', 'list/ü&<', 'list/4', 'list/5'])
      await client.send(new PutObjectCommand({ Bucket, Key: key, Body: key }));

    const pages = [];

    for await (const { Contents } of paginateListObjectsV2({ client, pageSize: 2 }, { Bucket, Prefix: 'list/' }))
      pages.push(Contents.map((one) => one.Key));
    assert.deepEqual(pages, [['list/1', 'list/2'], ['list/4', 'list/5'], ['list/ü&<']]);

    const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({
      Bucket, Delete: { Objects: [...pages.flat(), 'absent'].map((key) => ({ Key: key })) },
    }));

    assert.deepEqual(Deleted.map((one) => one.Key), [...pages.flat(), 'absent']);
    assert.equal(Errors, undefined);
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
    await assert.rejects(client.send(new HeadObjectCommand({ Bucket, Key })), { name: 'NotFound' });
    await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key })), { name: 'NoSuchKey' });
    assert.deepEqual(await store.keys(), []);
    for (const line of store.logLines().slice(n_before)) {
      assert.equal(line.accepted, true);
      assert.equal(line.judge, OFFICIAL_AWS_SIGNER);
      assert.equal(line.signing, 'AWS4');
      assert.equal(line.host, host());
      assert.equal(line.api, 's3');
    }
  });

for (const [title, makeClient] of WAYS)
  test(`a multipart upload by lib-storage, four parts at a time: ${title}`, async () => {
    const client = makeClient();
    const Body = randomBytes(23 * MIB);
    const { ETag } = await new Upload({
      client, params: { Bucket, Key, Body }, partSize: 5 * MIB, queueSize: 4,
    }).done();

    assert.match(ETag, /-5"$/);
    assert.deepEqual(await read(client.send(new GetObjectCommand({ Bucket, Key }))), Body);

    const { objects: [object], uploads } = await store.admin('GET', '/objects');

    assert.equal(object.etag, ETag);
    assert.equal(object.n_segments, 5);
    assert.deepEqual(uploads, []);
  });

test('the steps of a multipart upload one by one, and what is refused', async () => {
  const client = byAddress();
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const part = (PartNumber, Body) => client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
  const complete = (...Parts) => client.send(new CompleteMultipartUploadCommand({
    Bucket, Key, UploadId, MultipartUpload: { Parts },
  }));
  const one = { PartNumber: 1, ETag: (await part(1, Buffer.alloc(5 * MIB, 1))).ETag };
  const two = { PartNumber: 2, ETag: (await part(2, Buffer.from('small'))).ETag };
  const three = { PartNumber: 3, ETag: (await part(3, Buffer.from('small'))).ETag };
  const listed = await client.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2 }));

  assert.deepEqual(listed.Parts.map(({ PartNumber, ETag, Size }) => ({ PartNumber, ETag, Size })),
    [{ ...one, Size: 5 * MIB }, { ...two, Size: 5 }]);
  assert.equal(listed.IsTruncated, true);
  assert.equal(listed.NextPartNumberMarker, '2');
  assert.deepEqual((await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'stage/' })))
    .Uploads.map((upload) => [upload.Key, upload.UploadId]), [[Key, UploadId]]);
  await assert.rejects(complete(two, one), { name: 'InvalidPartOrder' });
  await assert.rejects(complete(one, { ...two, ETag: one.ETag }), { name: 'InvalidPart' });
  await assert.rejects(complete(one, two, three), { name: 'EntityTooSmall' });
  await assert.rejects(complete(), { name: 'MalformedXML' });
  await assert.rejects(part(10001, 'x'), { name: 'InvalidArgument' });
  await complete(one, three);
  await assert.rejects(complete(one, three), { name: 'NoSuchUpload' });
  await assert.rejects(part(1, 'x'), { name: 'NoSuchUpload' });

  const second = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));

  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: second.UploadId }));
  await assert.rejects(client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: second.UploadId })),
    { name: 'NoSuchUpload' });
  assert.deepEqual((await store.admin('GET', '/objects')).uploads, []);
});

test('a wrong secret, another region, a key that is not there', async () => {
  const head = (client) => client.send(new GetObjectCommand({ Bucket, Key: 'absent' }));

  await assert.rejects(head(byAddress({ credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: 'wrong' } })),
    { name: 'SignatureDoesNotMatch' });
  await assert.rejects(head(byAddress({ region: 'us-east-1' })), { name: 'AuthorizationHeaderMalformed' });
  await assert.rejects(head(byAddress()), { name: 'NoSuchKey' });
});

/* A signed request by address; its status, code and text. */
async function ask(options) {
  const reply = await store.request(signed({ side: 's3', host: `127.0.0.1:${store.port}`, ...options }));
  const text = String(reply.body);

  return { status: reply.status, code: /<Code>(.*?)<\/Code>/.exec(text)?.[1], text };
}

test('delete many needs a digest of its body, and proper XML', async () => {
  const send = (body, headers) => ask({ method: 'POST', path: `/${BUCKET}/`, query: { delete: '' }, body, headers });
  const digested = (body) => send(body, { 'content-md5': md5(body).toString('base64') });
  const good = '<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    + '<Object><Key>a &amp;&#x62;</Key></Object><Quiet>false</Quiet></Delete>';

  assert.deepEqual((({ status, code }) => [status, code])(await send(good)), [400, 'InvalidRequest']);
  assert.equal((await send(good, { 'content-md5': md5('x').toString('base64') })).code, 'BadDigest');
  assert.equal((await send(good, { 'content-md5': 'x' })).code, 'InvalidDigest');
  assert.match((await digested(good)).text, /<Deleted><Key>a &amp;b<\/Key><\/Deleted>/);
  assert.doesNotMatch((await digested(good.replace('false', 'true'))).text, /Deleted/);
  for (const body of [
    '', '<Delete/>', '<Delete>', '<Delete></Delet>', '<Delete><Object/></Delete>', '{"Objects":[{"Key":"a"}]}',
    good.replaceAll('Delete', 'Remove'), good + 'x', good + '<x/>', good.replace('&amp;', '&'),
    good.replace('&amp;', '&no;'), good.replace('&#x62;', '&#0;'), good.replace('</Object>', 'x</Object>'),
    good.replace('<Key>', '<Key>a</Key><Key>'), good.replace('<Object>', '<!DOCTYPE a><Object>'),
    '<a>'.repeat(50) + '</a>'.repeat(50),
    `<Delete>${'<Object><Key>k</Key></Object>'.repeat(1001)}</Delete>`,
  ])
    assert.equal((await digested(body)).code, 'MalformedXML', body);
});

test('checksums that do not fit, or are not played', async () => {
  const put = (headers) => ask({ method: 'PUT', path: `/${BUCKET}/k`, body: '123456789', headers });

  assert.equal((await put({ 'x-amz-checksum-crc32': 'y/Q5Jg==' })).status, 200);
  assert.equal((await put({ 'x-amz-checksum-crc32': 'y/Q5Jw==' })).code, 'BadDigest');
  assert.equal((await put({ 'x-amz-checksum-crc32': 'y/Q5' })).code, 'InvalidDigest');
  assert.equal((await put({ 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' })).code, 'NotImplemented');
  assert.equal((await put({ 'content-encoding': 'aws-chunked' })).code, 'NotImplemented');
});
