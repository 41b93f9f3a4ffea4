/*
 * The S3 side, as a warehouse reads it: an own AWS4 signer, and curl's as a
 * foreign one.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { OFFICIAL_AWS_SIGNER } from '../store/official_aws_signer.mjs';
import {
  ACCESS_KEY, BUCKET, EMPTY_SHA256, S3_HOST, SECRET_KEY, TOS_HOST, isoDate, md5, sha256,
  signed, startStore,
} from './lib/store_world.mjs';

const VIRTUAL = `${BUCKET}.${S3_HOST}`;
const BODY = randomBytes(500_000);
const ETAG = `"${md5(BODY).toString('hex')}"`;
const KEY = 'stage/a b+c&<">/导出.parquet';

let store;

before(async () => {
  store = await startStore();
  await store.client().putObject({ key: KEY, body: BODY, contentLength: BODY.length });
  for (const key of ['list/1', 'list/2', 'list/sub/3'])
    await store.client().putObject({ key, body: Buffer.from(key), contentLength: key.length });
});
after(() => store.stop());

function ask(options) {
  const host = options.host ?? `127.0.0.1:${store.port}`;
  const path = options.path ?? (options.host ? `/${KEY}` : `/${BUCKET}/${KEY}`);

  return store.request(signed({ side: 's3', ...options, host, path }));
}

function check(reply, status, code, accepted = false) {
  assert.equal(reply.status, status);
  assert.match(String(reply.body), /^<\?xml/);
  assert.equal(/<Code>(.*?)<\/Code>/.exec(reply.body)[1], code);
  assert.equal(/<RequestId>(.*?)<\/RequestId>/.exec(reply.body)[1], reply.headers['x-amz-request-id']);
  assert.equal(store.lastLog().code, code);
  assert.equal(store.lastLog().accepted, accepted);
}

function texts(name, reply) {
  return [...String(reply.body).matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'g'))].map(([, text]) => text);
}

test('GET, ranges and HEAD, path style and virtual host, agree with the native side', async () => {
  for (const host of [undefined, VIRTUAL])
    for (const contentHash of ['UNSIGNED-PAYLOAD', EMPTY_SHA256]) {
      const whole = await ask({ host, contentHash });

      assert.equal(whole.status, 200);
      assert.deepEqual(whole.body, BODY);
      assert.equal(whole.headers.etag, ETAG);
      assert.equal(store.lastLog().api, 's3');
      assert.equal(store.lastLog().accepted, true);
      assert.equal(store.lastLog().judge, OFFICIAL_AWS_SIGNER);

      const part = await ask({ host, contentHash, headers: { range: 'bytes=100-199' }, alsoSign: ['range'] });

      assert.equal(part.status, 206);
      assert.deepEqual(part.body, BODY.subarray(100, 200));
      assert.equal(part.headers.etag, ETAG);
      assert.equal(part.headers['content-range'], `bytes 100-199/${BODY.length}`);

      const head = await ask({ host, contentHash, method: 'HEAD' });

      assert.equal(head.status, 200);
      assert.equal(head.headers.etag, ETAG);
      assert.equal(head.headers['content-length'], String(BODY.length));
      assert.equal(head.body.length, 0);
    }
  assert.equal((await store.client().headObject(KEY)).data.etag, ETAG);
  assert.equal((await ask({ method: 'HEAD', path: `/${BUCKET}` })).headers['x-amz-bucket-region'], 'cn-beijing');
});

test('lists in XML, escaped or encoded, in pages', async () => {
  const list = (query) => ask({ path: `/${BUCKET}/`, query: { 'list-type': '2', ...query } });
  const all = await list({ prefix: 'stage/' });

  assert.equal(all.status, 200);
  assert.deepEqual(texts('Key', all), ['stage/a b+c&amp;&lt;&quot;&gt;/导出.parquet']);
  assert.deepEqual(texts('ETag', all), [ETAG.replaceAll('"', '&quot;')]);
  assert.deepEqual(texts('Size', all), [String(BODY.length)]);
  assert.deepEqual(texts('Key', await list({ prefix: 'stage/', 'encoding-type': 'url' })),
    [KEY.split('/').map(encodeURIComponent).join('/')]);

  const groups = await list({ prefix: 'list/', delimiter: '/' });

  assert.deepEqual(texts('Key', groups), ['list/1', 'list/2']);
  assert.deepEqual(texts('Prefix', groups), ['list/', 'list/sub/']);

  const first = await list({ prefix: 'list/', 'max-keys': '2' });

  assert.deepEqual(texts('IsTruncated', first), ['true']);

  const second = await list({
    prefix: 'list/', 'max-keys': '2', 'continuation-token': texts('NextContinuationToken', first)[0],
  });

  assert.deepEqual([...texts('Key', first), ...texts('Key', second)], ['list/1', 'list/2', 'list/sub/3']);
  assert.deepEqual(texts('IsTruncated', second), ['false']);
});

test('refusals', async () => {
  check(await ask({ secret: 'not-the-secret' }), 403, 'SignatureDoesNotMatch');
  check(await ask({ accessKey: 'AKIAunknown' }), 403, 'InvalidAccessKeyId');
  check(await ask({ region: 'us-east-1' }), 400, 'AuthorizationHeaderMalformed');
  check(await ask({ service: 'tos' }), 400, 'AuthorizationHeaderMalformed');
  check(await ask({ end: 'request' }), 400, 'AuthorizationHeaderMalformed');
  check(await ask({ date: isoDate(-16 * 60_000) }), 403, 'RequestTimeTooSkewed');
  check(await ask({ unsigned: ['host'] }), 403, 'AccessDenied');
  check(await ask({ headers: { 'x-amz-meta-a': '1' }, unsigned: ['x-amz-meta-a'] }), 403, 'AccessDenied');
  check(await ask({ contentHash: null }), 400, 'InvalidRequest');
  check(await ask({ contentHash: sha256('not this body') }), 400, 'XAmzContentSHA256Mismatch', true);
  check(await ask({ contentHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }), 501, 'NotImplemented');
  check(await ask({ headers: { 'x-amz-security-token': 't' } }), 400, 'InvalidToken');
  check(await ask({ path: `/${BUCKET}/absent` }), 404, 'NoSuchKey', true);
  check(await ask({ path: '/missing-bucket/k' }), 404, 'NoSuchBucket', true);
  check(await ask({ host: `missing-bucket.${S3_HOST}` }), 404, 'NoSuchBucket', true);
  check(await ask({ host: S3_HOST, path: `/${BUCKET}/${KEY}` }), 403, 'InvalidPathAccess', true);
  check(await ask({ headers: { range: `bytes=${BODY.length}-` } }), 416, 'InvalidRange', true);
  check(await ask({ headers: { 'if-match': '"another"' } }), 412, 'PreconditionFailed', true);
  check(await ask({ path: `/${BUCKET}/`, query: { location: '' } }), 501, 'NotImplemented', true);

  const bare = await store.request({
    method: 'GET', path: `/${KEY}`.split('/').map(encodeURIComponent).join('/'), headers: { host: VIRTUAL },
  });

  check(bare, 403, 'AccessDenied');
});

test('a tampered path, query or header is refused', async () => {
  const base = signed({ side: 's3', host: VIRTUAL, path: '/', query: { 'list-type': '2', prefix: 'a' } });

  for (const forged of [
    { ...base, path: '/?list-type=2&prefix=b' },
    { ...base, path: '/x?list-type=2&prefix=a' },
    { ...base, method: 'PUT' },
    { ...base, headers: { ...base.headers, 'x-amz-date': isoDate(-1000) } },
  ])
    check(await store.request(forged), 403, 'SignatureDoesNotMatch');
  assert.equal((await store.request({ ...base, path: '/?prefix=a&list-type=2' })).status, 200);
});

/* curl with its own signer; gives the status and what it wrote. */
async function curl(url, ...options) {
  const { stdout } = await promisify(execFile)('curl', [
    '-s', '--max-time', '20', '--aws-sigv4', 'aws:amz:cn-beijing:s3', '--user', `${ACCESS_KEY}:${SECRET_KEY}`,
    '-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD', '-w', '%{stderr}%{http_code}', ...options, url,
  ], { encoding: 'buffer', maxBuffer: 10_000_000 }).then(
    (result) => ({ stdout: { body: result.stdout, status: Number(result.stderr) } }));

  return stdout;
}

test('curl as a foreign signer: path style, virtual host over TLS, ranges, lists, a wrong key', async () => {
  const path = KEY.split('/').map(encodeURIComponent).join('/');
  const proxied = ['--proxy', store.base, '--cacert', store.caFile];
  const plain = await curl(`${store.base}/${BUCKET}/${path}`);

  assert.equal(plain.status, 200);
  assert.deepEqual(plain.body, BODY);

  const tunnelled = await curl(`https://${VIRTUAL}/${path}`, ...proxied);

  assert.equal(tunnelled.status, 200);
  assert.deepEqual(tunnelled.body, BODY);
  assert.equal(store.lastLog().via, 'connect');
  assert.equal(store.lastLog().accepted, true);
  assert.equal((await curl(`http://${VIRTUAL}/${path}`, '--proxy', store.base)).status, 200);
  assert.equal(store.lastLog().via, 'proxy');

  const part = await curl(`${store.base}/${BUCKET}/${path}`, '-r', '5-9');

  assert.equal(part.status, 206);
  assert.deepEqual(part.body, BODY.subarray(5, 10));
  assert.equal((await curl(`${store.base}/${BUCKET}/${path}`, '-I')).status, 200);

  const list = await curl(`${store.base}/${BUCKET}/?list-type=2&prefix=list%2F`);

  assert.equal(list.status, 200);
  assert.equal(texts('Key', list).length, 3);
  assert.equal((await curl(`${store.base}/${BUCKET}/${path}`, '--user', `${ACCESS_KEY}:wrong`)).status, 403);
  assert.equal(store.lastLog().code, 'SignatureDoesNotMatch');
  assert.equal((await curl(`https://${S3_HOST}/${BUCKET}/${path}`, ...proxied)).status, 403);
  assert.equal(store.lastLog().code, 'InvalidPathAccess');
  assert.equal((await curl(`https://${BUCKET}.${TOS_HOST}/${path}`, ...proxied)).status, 403);
  assert.equal(store.lastLog().code, 'SignatureDoesNotMatch');
});

test('curl cannot sign for the native side, and the store says what is wrong', async () => {
  const reply = await curl(`${store.base}/${BUCKET}/list/1`, '--aws-sigv4', 'tos:tos:cn-beijing:tos');

  assert.equal(reply.status, 400);
  assert.equal(JSON.parse(reply.body).Code, 'AuthorizationHeaderMalformed');
});
