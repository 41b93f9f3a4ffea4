/*
 * receiving.mjs: what comes with a request that has a body: its length, the
 * headers kept with an object, and the digests that the client wants it
 * compared with (Content-MD5, content-sha256, x-amz-checksum-*).
 */
import { EMPTY_SHA256 } from './canonical.mjs';
import { createDigest } from './bodies.mjs';
import { refusal } from './errors.mjs';

const MAX_PUT_BYTES = 5 * 1024 * 1024 * 1024;

/* Request headers that are kept with an object and given back with it. */
const KEPT_HEADERS = new Set([
  'cache-control', 'content-disposition', 'content-encoding',
  'content-language', 'content-type', 'expires',
]);

/* x-amz-checksum-NAME that are understood, with their number of bytes. */
const CHECKSUM_HEADER = /^x-amz-checksum-(?!algorithm$|type$|mode$)(.*)$/;
const CHECKSUM_BYTES = { crc32: 4, sha1: 20, sha256: 32 };

export function keptHeaders(exchange, api) {
  const kept = {};

  for (const [name, values] of exchange.headers)
    if (KEPT_HEADERS.has(name) || name.startsWith(api.headerPrefix + 'meta-'))
      kept[name] = values.join(',');
  kept['content-type'] ??= 'application/octet-stream';
  return kept;
}

/* The hash of a body that is never read must be that of nothing. */
export function checkNoBody(bodyHash, api) {
  if (bodyHash !== null && bodyHash !== EMPTY_SHA256)
    throw refusal('ContentSHA256Mismatch', `The body does not match ${api.headerPrefix}content-sha256.`);
}

function checkLength(exchange) {
  const value = exchange.header('content-length');

  if (value === undefined)
    throw refusal('MissingContentLength', 'The header Content-Length is missing.');
  if (Number(value) > MAX_PUT_BYTES)
    throw refusal('EntityTooLarge', 'What is put at once has at most 5 GiB.');
}

function decodeDigest(header, value, n_bytes) {
  const bytes = Buffer.from(value, 'base64');

  if (bytes.length !== n_bytes || bytes.toString('base64') !== value)
    throw refusal('InvalidDigest', `The header ${header} is not ${n_bytes} bytes in base64.`);
  return bytes;
}

/* What the body is to be compared with: [{ digest, expected, header, code }] */
function demands({ exchange, api, bodyHash }) {
  const list = [];

  for (const [header, [value]] of exchange.headers) {
    const [, name] = CHECKSUM_HEADER.exec(header) ?? [];

    if (header === 'content-md5')
      list.push({ header, digest: 'md5', expected: decodeDigest(header, value, 16), code: 'BadDigest' });
    else if (name !== undefined) {
      if (!Object.hasOwn(CHECKSUM_BYTES, name))
        throw refusal('NotImplemented', `${header} is not served here.`);
      list.push({
        header, digest: name, expected: decodeDigest(header, value, CHECKSUM_BYTES[name]), code: 'BadDigest',
      });
    }
  }
  if (bodyHash !== null)
    list.push({
      header: `${api.headerPrefix}content-sha256`, digest: 'sha256',
      expected: Buffer.from(bodyHash, 'hex'), code: 'ContentSHA256Mismatch',
    });
  if (/\baws-chunked\b/.test(exchange.header('content-encoding') ?? ''))
    throw refusal('NotImplemented', 'A body in chunks of its own (aws-chunked) is not served here.');
  return list;
}

function compare(list, digests) {
  for (const { header, digest, expected, code } of list)
    if (!expected.equals(digests.get(digest)))
      throw refusal(code, `The body does not match ${header}.`);
}

/*
 * Take in the body of an object or part and compare it; `store` makes of the
 * received body (bodies.mjs) what it is for.  Returns the headers to answer.
 */
export async function receiveBody(context, store) {
  const { exchange, objects, api, storage } = context;
  const list = demands(context);

  checkLength(exchange);
  if (exchange.header(api.headerPrefix + 'copy-source') !== undefined)
    throw refusal('NotImplemented', 'Copying is not served here.');

  const received = await objects.bodies.receive(exchange.body(), {
    digests: list.map(({ digest }) => digest), ...storage,
  });
  const echoed = list.filter(({ header }) => CHECKSUM_HEADER.test(header))
    .map(({ header }) => [header, exchange.header(header)]);

  try {
    compare(list, received.digests);
    store(received);
  } catch (error) {
    objects.bodies.discard(received);
    throw error;
  }
  return {
    ...api.commonHeaders(exchange.record),
    ...api.objectHeaders(received),
    ...Object.fromEntries(echoed),
    'etag': received.etag,
  };
}

/* The whole body of a request for something other than bytes to keep. */
export async function readDocument(context, { limit, mustBeCovered = false }) {
  const { exchange } = context;
  const list = demands(context);
  const chunks = [];
  let size = 0;

  if (mustBeCovered && !list.some(({ header }) => header === 'content-md5' || CHECKSUM_HEADER.test(header)))
    throw refusal('InvalidRequest', 'The header Content-MD5 is missing.');
  for await (const chunk of exchange.body()) {
    size += chunk.length;
    if (size > limit)
      throw refusal('MalformedBody', `The body has more than ${limit} bytes.`);
    chunks.push(chunk);
  }

  const body = Buffer.concat(chunks);

  compare(list, new Map(list.map(({ digest }) => [digest, createDigest(digest).update(body).digest()])));
  return body;
}
