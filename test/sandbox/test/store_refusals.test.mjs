/*
 * What the store refuses, and how: signatures of every wrong kind, hosts,
 * styles, names, and the order of things under Expect: 100-continue. Made
 * with an own signer, so that each request is wrong in one respect only.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { OFFICIAL_SIGNER } from '../store/official_signer.mjs';
import {
  BUCKET, S3_HOST, TOS_HOST, isoDate, md5, request, sha256, signed, startStore, tunnelAgent,
} from './lib/store_world.mjs';

const VIRTUAL = `${BUCKET}.${TOS_HOST}`;
const MINUTE_MS = 60_000;

let store;

before(async () => {
  store = await startStore();
});
after(() => store.stop());

/* Send a TOS4 request by plain HTTP with the given Host; path style by address if none. */
async function send(options) {
  const host = options.host ?? `127.0.0.1:${store.port}`;
  const path = options.path ?? (options.host ? '/some/key' : `/${BUCKET}/some/key`);
  const reply = await store.request(signed({ ...options, host, path }));

  return { ...reply, error: reply.body.length > 0 ? JSON.parse(reply.body) : null };
}

function check(reply, status, code, accepted = false) {
  const line = store.lastLog();

  assert.equal(reply.status, status);
  assert.equal(reply.error.Code, code);
  assert.equal(reply.error.RequestId, reply.headers['x-tos-request-id']);
  assert.equal(reply.error.EC, reply.headers['x-tos-ec']);
  assert.ok(reply.error.Message && reply.error.HostId && reply.error.Resource);
  assert.equal(line.request_id, reply.error.RequestId);
  assert.equal(line.status, status);
  assert.equal(line.code, code);
  assert.equal(line.accepted, accepted);
}

test('a proper request of the own signer is accepted, also with content-type signed', async () => {
  for (const more of [{}, { host: VIRTUAL }, { contentHash: null }]) {
    check(await send(more), 404, 'NoSuchKey', true);
    assert.equal(store.lastLog().judge, OFFICIAL_SIGNER);
  }

  const body = 'x';
  const headers = { 'content-type': 'text/plain' };

  for (const more of [{}, { contentHash: null }, { contentHash: sha256(body) }]) {
    const reply = await send({ method: 'PUT', body, headers, alsoSign: ['content-type'], ...more });

    assert.equal(reply.status, 200);
    assert.equal(reply.continued, false);
  }
  assert.equal((await send({ method: 'DELETE' })).status, 204);
});

test('wrong signatures', async () => {
  check(await send({ secret: 'not-the-secret' }), 403, 'SignatureDoesNotMatch');
  assert.equal(store.lastLog().judge, OFFICIAL_SIGNER);
  check(await send({ accessKey: 'AKLTunknown' }), 403, 'InvalidAccessKeyId');
  assert.equal(store.lastLog().access_key, 'AKLTunknown');
  check(await send({ region: 'cn-shanghai' }), 400, 'AuthorizationHeaderMalformed');
  check(await send({ service: 's3' }), 400, 'AuthorizationHeaderMalformed');
  check(await send({ end: 'tos4_request' }), 400, 'AuthorizationHeaderMalformed');
  check(await send({ unsigned: ['host'] }), 403, 'AccessDenied');
  check(await send({ unsigned: ['x-tos-date'] }), 403, 'AccessDenied');
  check(await send({ headers: { 'x-tos-meta-a': '1' }, unsigned: ['x-tos-meta-a'] }), 403, 'AccessDenied');
  check(await send({ headers: { range: 'bytes=0-1' }, alsoSign: ['range'] }), 400, 'AuthorizationHeaderMalformed');
  check(await send({ headers: { 'x-tos-security-token': 'token' } }), 403, 'InvalidSecurityToken');
  check(await send({ contentHash: 'nonsense' }), 400, 'InvalidArgument');
});

test('every part of the request is covered by the signature', async () => {
  const base = () => signed({
    host: VIRTUAL, path: '/some/key', query: { 'list-type': '2' }, headers: { 'x-tos-meta-a': '1' },
  });
  const forged = [
    { ...base(), method: 'DELETE' },
    { ...base(), path: '/other/key?list-type=2' },
    { ...base(), path: '/some/key?list-type=1' },
    { ...base(), path: '/some/key?list-type=2&more=' },
    { ...base(), path: '/some/key' },
    { ...base(), headers: { ...base().headers, 'x-tos-meta-a': '2' } },
    { ...base(), headers: { ...base().headers, host: `second-bucket.${TOS_HOST}` } },
    { ...base(), headers: { ...base().headers, 'x-tos-date': isoDate(-1000) } },
  ];

  for (const one of forged) {
    const reply = await store.request(one);

    check({ ...reply, error: reply.body.length ? JSON.parse(reply.body) : {} }, 403, 'SignatureDoesNotMatch');
  }
});

test('clock skew: 14 minutes pass, 16 do not, and both times are named', async () => {
  for (const minutes of [-14, 14])
    check(await send({ date: isoDate(minutes * MINUTE_MS) }), 404, 'NoSuchKey', true);
  for (const minutes of [-16, 16]) {
    const date = isoDate(minutes * MINUTE_MS);
    const reply = await send({ date });

    check(reply, 403, 'RequestTimeTooSkewed');
    assert.ok(reply.error.Message.includes(date));
    assert.match(reply.error.Message, /server time \d{4}-/);
  }
  check(await send({ date: '20261399T000000Z' }), 403, 'AccessDenied');
});

test('authorization headers that cannot be read', async () => {
  const good = signed({ host: VIRTUAL, path: '/k' });
  const authorization = good.headers.authorization;

  for (const [text, status, code] of [
    [undefined, 403, 'AccessDenied'],
    ['Basic dXNlcjpwYXNz', 400, 'AuthorizationHeaderMalformed'],
    ['TOS4-HMAC-SHA256', 400, 'AuthorizationHeaderMalformed'],
    ['TOS4-HMAC-SHA256 ', 400, 'AuthorizationHeaderMalformed'],
    [authorization.replace(/Signature=.*/, 'Signature=00'), 400, 'AuthorizationHeaderMalformed'],
    [authorization.replace(/, Signature=.*/, ''), 400, 'AuthorizationHeaderMalformed'],
    [authorization.replace('/tos/request', '/tos'), 400, 'AuthorizationHeaderMalformed'],
    [authorization.replace('host;', 'Host;'), 400, 'AuthorizationHeaderMalformed'],
    [authorization.replace('host;', 'host;host;'), 400, 'AuthorizationHeaderMalformed'],
    [authorization.replace('host;', 'x-tos-date;host;').replace(/;x-tos-date,/, ','), 400,
      'AuthorizationHeaderMalformed'],
    [authorization.replace(';x-tos-date', ';x-tos-date;x-tos-zzz'), 403, 'SignatureDoesNotMatch'],
    [authorization.replaceAll(', ', ','), 404, 'NoSuchKey'],
  ]) {
    const headers = { ...good.headers, authorization: text };

    if (text === undefined)
      delete headers.authorization;

    const reply = await store.request({ ...good, headers });

    check({ ...reply, error: JSON.parse(reply.body) }, status, code, status === 404);
  }
});

test('buckets, keys, styles and sides', async () => {
  check(await send({ path: '/missing-bucket/k' }), 404, 'NoSuchBucket', true);
  check(await send({ host: `missing-bucket.${TOS_HOST}`, path: '/k' }), 404, 'NoSuchBucket', true);
  check(await send({ path: '/Bad_Bucket/k' }), 400, 'InvalidBucketName', true);
  check(await send({ path: '/ab/k' }), 400, 'InvalidBucketName', true);
  check(await send({ path: `/${BUCKET}/${'k'.repeat(697)}` }), 400, 'KeyTooLong', true);
  check(await send({ path: `/${BUCKET}/${'k'.repeat(696)}` }), 404, 'NoSuchKey', true);
  check(await send({ path: `/${BUCKET}/\\k` }), 400, 'InvalidKey', true);
  check(await send({ host: TOS_HOST, path: `/${BUCKET}/k` }), 403, 'InvalidPathAccess', true);
  check(await send({ host: TOS_HOST, path: '/' }), 403, 'AccessDenied', true);
  check(await send({ method: 'POST' }), 501, 'UnImplemented', true);
  check(await send({ query: { acl: '' } }), 501, 'UnImplemented', true);

  const wrongSide = await store.request(signed({ host: `${BUCKET}.${S3_HOST}`, path: '/k' }));

  assert.equal(wrongSide.status, 403);
  assert.match(String(wrongSide.body), /<Code>SignatureDoesNotMatch<\/Code>/);

  const otherSide = await store.request(signed({ side: 's3', host: VIRTUAL, path: '/k' }));

  check({ ...otherSide, error: JSON.parse(otherSide.body) }, 403, 'SignatureDoesNotMatch');
});

test('HEAD errors have no body, but the headers', async () => {
  const missing = await send({ method: 'HEAD' });

  assert.equal(missing.status, 404);
  assert.equal(missing.body.length, 0);
  assert.ok(missing.headers['x-tos-request-id'] && missing.headers['x-tos-ec']);
  assert.equal((await send({ method: 'HEAD', host: `missing-bucket.${TOS_HOST}`, path: '/' })).status, 404);
});

test('targets that are no UTF-8, no escapes, no paths', async () => {
  for (const path of ['/%ff', '/%4', '/%zz', '/a%00b', '/k?a=%ff']) {
    const { headers } = signed({ host: VIRTUAL, path: '/k' });
    const reply = await store.request({ method: 'GET', path, headers });

    check({ ...reply, error: JSON.parse(reply.body) }, 400, 'InvalidArgument');
  }
});

test('a real content hash is compared with the body', async () => {
  check(await send({ method: 'PUT', body: 'body', contentHash: sha256('other') }),
    400, 'ContentSHA256Mismatch', true);
  check(await send({ contentHash: sha256('a body that GET does not have') }), 400, 'ContentSHA256Mismatch', true);
  check(await send({ contentHash: sha256('') }), 404, 'NoSuchKey', true);
  assert.deepEqual(await store.keys(), []);
});

test('Expect: 100-continue: the body is asked for after the signature, not before', async () => {
  const body = randomBytes(100_000);
  const put = (more) => store.request((() => {
    const one = signed({ method: 'PUT', host: VIRTUAL, path: '/expected', body, ...more });

    return { ...one, headers: { ...one.headers, expect: '100-continue' } };
  })());
  const refused = await put({ secret: 'not-the-secret' });

  assert.equal(refused.status, 403);
  assert.equal(refused.continued, false);
  assert.equal(store.lastLog().bytes_in, 0);

  const badDigest = await put({ headers: { 'content-md5': 'short' } });

  assert.equal(badDigest.status, 400);
  assert.equal(badDigest.continued, false);

  const accepted = await put({});

  assert.equal(accepted.status, 200);
  assert.equal(accepted.continued, true);
  assert.equal(accepted.headers.etag, `"${md5(body).toString('hex')}"`);
  await send({ method: 'DELETE', host: VIRTUAL, path: '/expected' });
});

test('an upload that breaks off stores nothing', async () => {
  const one = signed({ method: 'PUT', host: VIRTUAL, path: '/broken', body: 'x'.repeat(1000) });
  const socket = net.connect(store.port, '127.0.0.1');
  const head = [`PUT ${one.path} HTTP/1.1`,
    ...Object.entries(one.headers).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');

  socket.resume();
  await once(socket, 'connect');
  socket.end(head + 'x'.repeat(500));
  await once(socket, 'close');
  while (store.lastLog()?.key !== 'broken')
    await sleep(10);
  assert.equal(store.lastLog().code, 'ClientGone');
  assert.deepEqual(await store.keys(), []);
});

test('the proxy plays its own hosts only', async () => {
  const connect = (authority) => new Promise((resolve, reject) => {
    const socket = net.connect(store.port, '127.0.0.1', () => {
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    });

    socket.once('data', (data) => {
      resolve(Number(String(data).split(' ')[1]));
      socket.destroy();
    });
    socket.on('error', reject);
  });

  for (const authority of [
    'example.com:443', `${TOS_HOST}:80`, `a.b.${TOS_HOST}:443`, '127.0.0.1:443', `127.0.0.1:${store.port}`,
    'localhost:443', `x${TOS_HOST}:443`, 'tos-cn-shanghai.volces.com:443',
  ]) {
    assert.equal(await connect(authority), 403, authority);
    assert.equal(store.lastLog().host, authority);
    assert.equal(store.lastLog().status, 403);
  }
  for (const authority of [
    `${TOS_HOST}:443`, `${VIRTUAL}:443`, `${S3_HOST}:443`, `${BUCKET}.${S3_HOST}:443`,
    `${BUCKET}.tos-cn-beijing.ivolces.com:443`,
  ])
    assert.equal(await connect(authority), 200, authority);

  for (const [path, host] of [
    ['http://example.com/k', 'example.com'],
    ['http://example.com/k', VIRTUAL],
    [`http://${VIRTUAL}/k`, 'example.com'],
    ['/k', 'example.com'],
    ['/k', '127.0.0.1:1'],
  ]) {
    const reply = await store.request({ method: 'GET', path, headers: { host } });

    assert.equal(reply.status, 403, `${path} ${host}`);
    assert.match(String(reply.body), /not played/);
    assert.equal(store.lastLog().code, 'HostNotPlayed');
  }
});

test('inside a tunnel the Host header counts, path style too', async () => {
  const agent = tunnelAgent(store.port, store.ca);
  const ask = (host, path) => request({
    ...signed({ host, path }), host, port: 443, transport: https, agent, servername: host,
  });

  for (const [host, path, status, code] of [
    [VIRTUAL, '/k', 404, 'NoSuchKey'],
    [TOS_HOST, `/${BUCKET}/k`, 403, 'InvalidPathAccess'],
    [`missing-bucket.${TOS_HOST}`, '/k', 404, 'NoSuchBucket'],
  ]) {
    const reply = await ask(host, path);

    check({ ...reply, error: JSON.parse(reply.body) }, status, code, true);
    assert.equal(store.lastLog().via, 'connect');
  }
  agent.destroy();
});

test('curl: 3 MB by PUT through CONNECT with a checked certificate', async () => {
  const body = randomBytes(3_000_000);
  const file = join(store.dir, 'upload');
  const curl = async (secret) => {
    const one = signed({ method: 'PUT', host: VIRTUAL, path: '/by curl', body, secret });
    const { host: _h, 'content-length': _l, ...headers } = one.headers;
    const { stdout, stderr } = await promisify(execFile)('curl', [
      '-sv', '--max-time', '20', '--proxy', store.base, '--cacert', store.caFile,
      '-T', file, '-w', '%{http_code} %{size_upload}',
      ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
      `https://${VIRTUAL}${one.path}`,
    ]);

    return { stdout, stderr };
  };

  writeFileSync(file, body);

  const good = await curl();

  assert.match(good.stdout, /200 3000000$/);
  assert.match(good.stderr, /HTTP\/1.1 100 Continue/);
  assert.equal(store.lastLog().bytes_in, body.length);

  const { objects } = await store.admin('GET', '/objects');

  assert.equal(objects[0].etag, `"${md5(body).toString('hex')}"`);

  const bad = await curl('not-the-secret');

  assert.match(bad.stdout, /SignatureDoesNotMatch.*403 0$/s);
  assert.equal((await send({ method: 'DELETE', host: VIRTUAL, path: '/by curl' })).status, 204);
});
