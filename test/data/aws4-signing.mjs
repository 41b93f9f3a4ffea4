/*
 * aws4-signing.mjs: makes aws4-signing.json, requests to S3 as the signer of
 * the AWS SDK for JavaScript signs them. It comes with test/sandbox:
 *
 *   node test/data/aws4-signing.mjs >test/data/aws4-signing.json
 */
import { createRequire } from 'node:module';

const require = createRequire(new URL('../sandbox/package.json', import.meta.url));
const { SignatureV4 } = require('@smithy/signature-v4');
const { Sha256 } = require('@aws-crypto/sha256-js');
const { version } = require('@smithy/signature-v4/package.json');

const virtual = 'staging.s3.eu-central-1.amazonaws.com';
const list = { 'list-type': '2', 'max-keys': '50', prefix: 'sw/1/' };
const upload = 'VXBsb2FkIElEIGZvciA2aWWpbmcncyBteS1tb3ZpZS5tMnRzIHVwbG9hZA';
const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const requests = [
  { name: 'put', method: 'PUT', key: 'sw/1/42-a1/part-00000.native.zst' },
  { name: 'put with a token', method: 'PUT', key: 'sw/a', token: 'FwoGZXIvYXdzEXAMPLE+token/with==signs' },
  { name: 'get', key: 'sw/a' },
  { name: 'get, body hashed', key: 'sw/a', hash: empty },
  { name: 'head', method: 'HEAD', key: 'sw/a' },
  { name: 'delete', method: 'DELETE', key: 'sw/a' },
  { name: 'create an upload', method: 'POST', key: 'sw/a', query: { uploads: '' } },
  { name: 'put a part', method: 'PUT', key: 'sw/a', query: { partNumber: '10', uploadId: upload } },
  { name: 'complete', method: 'POST', key: 'sw/a', query: { uploadId: `${upload}/+=&?` }, headers: { 'content-type': 'application/xml' } },
  { name: 'abort', method: 'DELETE', key: 'sw/a', query: { uploadId: upload } },
  { name: 'list uploads', key: '', query: { uploads: '', 'max-uploads': '50', prefix: 'sw/a', 'key-marker': 'sw/a', 'upload-id-marker': upload } },
  { name: 'delete many', method: 'POST', key: '', query: { delete: '' }, headers: { 'content-type': 'application/xml' } },
  { name: 'list', key: '', query: list },
  { name: 'list on', key: '', query: { ...list, 'continuation-token': '1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=' } },
  { name: 'path style with a port', method: 'PUT', host: '127.0.0.1:9000', key: 'sw/a', bucket: 'staging' },
  { name: 'path style, list', host: '127.0.0.1:9000', key: '', bucket: 'staging', query: list },
  { name: 'another region', host: 'staging.tos-s3-cn-beijing.volces.com', region: 'cn-beijing', key: 'sw/a' },
  { name: 'odd key', key: "a b+c=d&e?f#g%h~i!j'k(l)m*n,o;p:q@r$s[t]u" },
  { name: 'UTF-8 key', key: '\u4f60\u597d/\u00e9\u{1f600}' },
  { name: 'slashes and dots', key: 'a//b/./c/../d' },
  { name: 'odd query', key: '', query: { prefix: "a b+c=d&e?f#g%h~i!j'k(l)m*n/\u00e9", delimiter: '/' } },
  { name: 'headers in disorder', method: 'PUT', key: 'a', headers: { 'x-amz-storage-class': 'STANDARD', 'x-amz-acl': 'private', 'content-type': 'text/plain' } },
];

/* As S3 wants paths: every byte that is not unreserved. */
function encode(path) {
  return encodeURIComponent(path)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/');
}

async function sign(request, number) {
  const access_key = `AKIAEXAMPLE${number}`;
  const secret_key = `wJalrXUtnFEMI/K7MDENG+bPxRfiCY=EXAMPLE${number}`;
  const region = request.region ?? 'eu-central-1';
  const date = new Date(Date.UTC(2026, 1, 28, 23, 59, number));
  const host = request.host ?? virtual;
  const path = `/${request.bucket ? `${request.bucket}/` : ''}${request.key}`;
  const payload_hash = request.hash ?? 'UNSIGNED-PAYLOAD';
  const signer = new SignatureV4({
    credentials: { accessKeyId: access_key, secretAccessKey: secret_key, sessionToken: request.token },
    region,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const headers = { host, 'x-amz-content-sha256': payload_hash, ...request.headers };
  const signed = await signer.sign({
    method: request.method ?? 'GET',
    protocol: 'https:',
    hostname: host,
    path: encode(path),
    query: request.query ?? {},
    headers,
  }, { signingDate: date, signableHeaders: new Set(['content-type']) });

  return {
    name: request.name,
    date: signed.headers['x-amz-date'],
    access_key,
    secret_key,
    security_token: request.token ?? null,
    region,
    method: request.method ?? 'GET',
    host,
    path,
    query: request.query ?? {},
    headers: request.headers ?? {},
    payload_hash,
    authorization: signed.headers.authorization,
  };
}

const cases = await Promise.all(requests.map(sign));
const about = `AWS4-HMAC-SHA256 header-signing cases made by the signer of the AWS SDK for JavaScript (@smithy/signature-v4 ${version}); keys are example values`;
process.stdout.write(`${JSON.stringify({ about, cases }, null, 1)}\n`);
