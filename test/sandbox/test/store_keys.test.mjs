/*
 * Access keys: the policy of exactly four actions, bounds by bucket and
 * prefix, temporary keys; and that the administration port gives no secret
 * away.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, afterEach, before, test } from 'node:test';

import { BUCKET, REGION, SECRET_KEY, TOS_HOST, isoDate, md5, signed, startStore } from './lib/store_world.mjs';

const { PutObjectCommand, S3Client } = createRequire(import.meta.url)('@aws-sdk/client-s3');

const FOUR = ['PutObject', 'GetObject', 'DeleteObject', 'ListBucket'];
const LEAST = { accessKey: 'AKLTleast', secretKey: 'not-a-secret/least' };
const BODY = Buffer.from('body');
const KEY = 'stage/p/part-00001';

let store;

before(async () => {
  store = await startStore();
});
after(() => store.stop());
afterEach(async () => {
  await store.admin('DELETE', '/keys');
  await store.admin('DELETE', '/objects');
});

async function allow(more) {
  const { status, error } = await store.admin('POST', '/keys', { ...LEAST, ...more });

  assert.equal(status, 200, error);
}

function ask(side, method, key, { query, body, headers, ...more } = {}) {
  return store.request(signed({
    side, host: `127.0.0.1:${store.port}`, path: `/${BUCKET}/${key}`, method, query, headers, body,
    accessKey: LEAST.accessKey, secret: LEAST.secretKey, ...more,
  }));
}

function codeOf(reply) {
  return /"Code":"(.*?)"|<Code>(.*?)<\/Code>/.exec(String(reply.body))?.slice(1).find(Boolean) ?? null;
}

function uploadIdIn(reply) {
  return /UploadId>?"?:?"?([0-9a-f]{32})/.exec(String(reply.body))[1];
}

const DELETE_BODY = {
  tos: JSON.stringify({ Objects: [{ Key: KEY }] }),
  s3: `<Delete><Object><Key>${KEY}</Key></Object></Delete>`,
};

function deleteMany(side, body = DELETE_BODY[side]) {
  return ask(side, 'POST', '', {
    query: { delete: '' }, body, headers: { 'content-md5': md5(body).toString('base64') },
  });
}

/* Every operation with the action that a policy must have for it. */
async function tryAll(side) {
  const upload = uploadIdIn(await ask(side, 'POST', KEY, { query: { uploads: '' }, ...full }));
  const put = { query: { uploadId: upload, partNumber: '1' }, body: BODY };
  const { headers: { etag } } = await ask(side, 'PUT', KEY, { ...put, ...full });
  const list = side === 's3'
    ? `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`
    : JSON.stringify({ Parts: [{ PartNumber: 1, ETag: etag }] });

  return [
    ['PutObject', await ask(side, 'PUT', KEY, { body: BODY })],
    ['PutObject', await ask(side, 'POST', KEY, { query: { uploads: '' } })],
    ['PutObject', await ask(side, 'PUT', KEY, put)],
    ['ListMultipartUploadParts', await ask(side, 'GET', KEY, { query: { uploadId: upload } })],
    ['ListBucketMultipartUploads', await ask(side, 'GET', '', { query: { uploads: '', prefix: 'stage/' } })],
    ['PutObject', await ask(side, 'POST', KEY, { query: { uploadId: upload }, body: list })],
    ['AbortMultipartUpload', await ask(side, 'DELETE', KEY, {
      query: { uploadId: uploadIdIn(await ask(side, 'POST', KEY, { query: { uploads: '' }, ...full })) },
    })],
    ['GetObject', await ask(side, 'GET', KEY)],
    ['GetObject', await ask(side, 'HEAD', KEY)],
    ['ListBucket', await ask(side, 'GET', '', { query: { 'list-type': '2', prefix: 'stage/' } })],
    ['ListBucket', await ask(side, 'HEAD', '')],
    ['DeleteObject', await deleteMany(side)],
    ['DeleteObject', await ask(side, 'DELETE', KEY)],
  ];
}

const full = { accessKey: undefined, secret: undefined };

for (const side of ['tos', 's3'])
  test(`a policy lets pass what it names, on the ${side} side`, async () => {
    await allow({});
    await ask(side, 'PUT', KEY, { body: BODY, ...full });
    for (const [action, reply] of await tryAll(side))
      assert.ok(reply.status < 300, `${action} ${reply.status} ${reply.body}`);
    for (const actions of [FOUR, ...FOUR.map((one) => FOUR.filter((other) => other !== one)), []]) {
      await allow({ actions });
      await ask(side, 'PUT', KEY, { body: BODY, ...full });
      for (const [action, reply] of await tryAll(side)) {
        const passes = actions.includes(action);

        if (passes || !String(reply.body).includes('<DeleteResult') && !String(reply.body).includes('"Error":'))
          assert.equal(reply.status < 300, passes, `${actions}: ${action} ${reply.status} ${reply.body}`);
        if (!passes && reply.body.length > 0)
          assert.equal(codeOf(reply), 'AccessDenied');
      }
      assert.equal(store.lastLog().accepted, true);
      assert.equal(store.lastLog().access_key, LEAST.accessKey);
    }
  });

test('aborting is 403 under the four actions, and the upload stays', async () => {
  await allow({ actions: FOUR });

  const uploadId = uploadIdIn(await ask('tos', 'POST', KEY, { query: { uploads: '' } }));
  const reply = await ask('tos', 'DELETE', KEY, { query: { uploadId } });

  assert.equal(reply.status, 403);
  assert.equal(codeOf(reply), 'AccessDenied');
  assert.equal((await store.admin('GET', '/objects')).uploads.length, 1);
});

test('a policy ends at its prefix and its buckets', async () => {
  await allow({ actions: FOUR, prefix: 'stage/', buckets: [BUCKET] });
  for (const key of ['stage/a', 'other/a'])
    await store.client().putObject({ key, body: BODY, contentLength: BODY.length });
  assert.equal((await ask('tos', 'GET', 'stage/a')).status, 200);
  assert.equal((await ask('tos', 'GET', 'other/a')).status, 403);
  assert.equal((await ask('tos', 'PUT', 'other/a', { body: BODY })).status, 403);
  assert.equal((await ask('tos', 'HEAD', '')).status, 200);
  assert.equal((await ask('tos', 'GET', '', { query: { 'list-type': '2' } })).status, 403);
  assert.equal((await ask('tos', 'GET', '', { query: { 'list-type': '2', prefix: 'stage/a' } })).status, 200);

  const body = JSON.stringify({ Objects: [{ Key: 'stage/a' }, { Key: 'other/a' }] });
  const reply = JSON.parse((await deleteMany('tos', body)).body);

  assert.deepEqual(reply.Deleted, [{ Key: 'stage/a' }]);
  assert.deepEqual(reply.Error.map(({ Key, Code }) => [Key, Code]), [['other/a', 'AccessDenied']]);
  assert.deepEqual(await store.keys(), ['other/a']);
  assert.equal((await store.request(signed({
    host: `second-bucket.${TOS_HOST}`, path: '/stage/a', accessKey: LEAST.accessKey, secret: LEAST.secretKey,
  }))).status, 403);
});

test('temporary keys need their token, on both sides and by both official clients', async () => {
  const securityToken = 'not+a/secret==token';

  await allow({ securityToken });
  for (const [side, header] of [['tos', 'x-tos-security-token'], ['s3', 'x-amz-security-token']]) {
    assert.equal(codeOf(await ask(side, 'GET', 'absent', { headers: { [header]: securityToken } })), 'NoSuchKey');
    assert.equal(codeOf(await ask(side, 'GET', 'absent')), 'InvalidAccessKeyId');

    const wrong = await ask(side, 'GET', 'absent', { headers: { [header]: 'another' } });

    assert.deepEqual([wrong.status, codeOf(wrong)], side === 's3' ? [400, 'InvalidToken'] : [403, 'InvalidSecurityToken']);
    assert.equal(codeOf(await ask(side, 'GET', 'absent', { headers: { [header]: securityToken }, unsigned: [header] })),
      'AccessDenied');
  }
  await store.client({
    accessKeyId: LEAST.accessKey, accessKeySecret: LEAST.secretKey, stsToken: securityToken,
  }).putObject({ key: 'a', body: BODY, contentLength: BODY.length });
  await new S3Client({
    endpoint: store.base, region: REGION, forcePathStyle: true, maxAttempts: 1,
    credentials: { accessKeyId: LEAST.accessKey, secretAccessKey: LEAST.secretKey, sessionToken: securityToken },
  }).send(new PutObjectCommand({ Bucket: BUCKET, Key: 'b', Body: BODY }));
  assert.deepEqual(await store.keys(), ['a', 'b']);
  await allow({ securityToken, expired: true });
  assert.equal((await ask('tos', 'GET', 'a', { headers: { 'x-tos-security-token': securityToken } })).status, 403);
  assert.equal(store.lastLog().code, 'ExpiredToken');
  assert.equal((await ask('s3', 'GET', 'a', { headers: { 'x-amz-security-token': securityToken } })).status, 400);
  assert.equal(store.lastLog().code, 'ExpiredToken');
});

test('a key is taken away and comes back; secrets are not shown', async () => {
  const { keys: before } = await store.admin('GET', '/keys');

  await allow({});
  assert.equal(codeOf(await ask('tos', 'GET', 'absent')), 'NoSuchKey');
  await store.admin('DELETE', `/keys/${LEAST.accessKey}`);
  assert.equal(codeOf(await ask('tos', 'GET', 'absent')), 'InvalidAccessKeyId');
  await store.admin('DELETE', `/keys/${before[0].accessKey}`);
  await assert.rejects(store.client().headBucket(BUCKET), { statusCode: 403 });

  const { keys } = await store.admin('DELETE', '/keys');

  assert.deepEqual(keys, before);
  await store.client().headBucket(BUCKET);
  assert.ok(!JSON.stringify(keys).includes(JSON.stringify(SECRET_KEY).slice(1, -1)));
  for (const wish of [
    null, {}, { accessKey: 'a' }, { accessKey: 'a b', secretKey: '' }, { ...LEAST, actions: ['Everything'] },
    { ...LEAST, actions: 'PutObject' }, { ...LEAST, buckets: 'all' }, { ...LEAST, prefix: null }, { ...LEAST, more: 1 },
  ])
    assert.equal((await store.admin('POST', '/keys', wish)).status, 400, JSON.stringify(wish));
});

test('the clock of the store can be wrong, and it says which time it has', async () => {
  await store.admin('POST', '/behaviour', { clockOffsetMs: 16 * 60_000 });
  for (const side of ['tos', 's3']) {
    const reply = await ask(side, 'GET', 'absent', full);

    assert.equal(reply.status, 403);
    assert.equal(codeOf(reply), 'RequestTimeTooSkewed');
    assert.ok(Math.abs(Date.parse(reply.headers.date) - Date.now() - 16 * 60_000) < 5000);
    if (side === 's3')
      assert.match(String(reply.body), /<RequestTime>\d{8}T\d{6}Z<\/RequestTime><ServerTime>\d{4}-/);
  }
  assert.equal(codeOf(await ask('tos', 'GET', 'absent', { ...full, date: isoDate(15 * 60_000) })), 'NoSuchKey');
  assert.deepEqual((await store.admin('DELETE', '/behaviour')).clockOffsetMs, 0);
  assert.equal(codeOf(await ask('tos', 'GET', 'absent', full)), 'NoSuchKey');
  for (const wish of [null, { clockOffsetMs: '1' }, { pathStyle: 1 }, { unknown: true }])
    assert.equal((await store.admin('POST', '/behaviour', wish)).status, 400, JSON.stringify(wish));
});

test('path style at the hosts by name, where it is allowed', async () => {
  await store.client().putObject({ key: 'k', body: BODY, contentLength: BODY.length });

  const get = () => store.request(signed({ host: TOS_HOST, path: `/${BUCKET}/k` }));

  assert.equal(codeOf(await get()), 'InvalidPathAccess');
  await store.admin('POST', '/behaviour', { pathStyle: true });
  assert.equal((await get()).status, 200);
  assert.equal((await store.request(signed({ host: TOS_HOST, path: '/' }))).status, 403);
  assert.equal((await store.request(signed({ host: `${BUCKET}.${TOS_HOST}`, path: '/k' }))).status, 200);
  await store.admin('DELETE', '/behaviour');
});
