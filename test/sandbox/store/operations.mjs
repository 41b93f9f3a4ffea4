/*
 * operations.mjs: what can be done with buckets and objects, in the terms of
 * neither API side; `api` (tos_api.mjs, s3_api.mjs) gives names and outer
 * form. Each operation has the name of the permission-bearing action it is,
 * and the class (`op`) by which faults address it.
 */
import { EMPTY_SHA256 } from './canonical.mjs';
import { refusal } from './errors.mjs';
import { listPage, parseListQuery } from './listing.mjs';

const MAX_PUT_BYTES = 5 * 1024 * 1024 * 1024;

/* Request headers that are kept with an object and given back with it. */
const KEPT_HEADERS = new Set([
  'cache-control', 'content-disposition', 'content-encoding',
  'content-language', 'content-type', 'expires',
]);

const BUCKET_OPERATIONS = {
  HEAD: { name: 'HeadBucket', op: 'HEAD', run: headBucket },
  GET: { name: 'ListObjectsV2', op: 'LIST', run: listObjects },
};

const OBJECT_OPERATIONS = {
  PUT: { name: 'PutObject', op: 'PUT', run: putObject },
  GET: { name: 'GetObject', op: 'GET', run: getObject },
  HEAD: { name: 'HeadObject', op: 'HEAD', run: getObject },
  DELETE: { name: 'DeleteObject', op: 'DELETE', run: deleteObject },
};

/* Which operation a request is; query: Map of parameters. */
export function routeOperation(method, key, query) {
  const table = key === '' ? BUCKET_OPERATIONS : OBJECT_OPERATIONS;

  if (!Object.hasOwn(table, method))
    throw refusal('NotImplemented', `${method} on ${key === '' ? 'a bucket' : 'an object'} is not served here.`);

  const operation = table[method];

  if (operation.op !== 'LIST')
    for (const name of query.keys())
      if (name !== 'x-id')
        throw refusal('NotImplemented', `${operation.name} with parameter '${name}' is not served here.`);
  return operation;
}

function contentLength(exchange) {
  const value = exchange.header('content-length');

  if (value === undefined)
    throw refusal('MissingContentLength', 'The header Content-Length is missing.');
  if (Number(value) > MAX_PUT_BYTES)
    throw refusal('EntityTooLarge', 'An object put at once has at most 5 GiB.');
  return Number(value);
}

function contentMd5(exchange) {
  const value = exchange.header('content-md5');

  if (value === undefined)
    return null;
  if (!/^[A-Za-z0-9+/]{22}==$/.test(value))
    throw refusal('InvalidDigest', 'The header Content-MD5 is not 16 bytes in base64.');
  return Buffer.from(value, 'base64');
}

function keptHeaders(exchange, api) {
  const kept = {};

  for (const [name, values] of exchange.headers)
    if (KEPT_HEADERS.has(name) || name.startsWith(api.headerPrefix + 'meta-'))
      kept[name] = values.join(',');
  kept['content-type'] ??= 'application/octet-stream';
  return kept;
}

async function putObject({ exchange, objects, api, bucket, key, bodyHash }) {
  const md5 = contentMd5(exchange);
  const forbidden = () => exchange.header(api.headerPrefix + 'forbid-overwrite') === 'true'
    && objects.find(bucket, key) !== undefined;
  const checkOverwrite = () => {
    if (forbidden())
      throw refusal('DuplicateObject', 'The object exists and must not be overwritten.');
  };

  contentLength(exchange);
  if (exchange.header(api.headerPrefix + 'copy-source') !== undefined)
    throw refusal('NotImplemented', 'Copying is not served here.');
  checkOverwrite();

  const received = await objects.receive(exchange.body(), { wantSha256: bodyHash !== null });
  let meta;

  try {
    if (md5 !== null && !md5.equals(received.md5))
      throw refusal('BadDigest', 'The body does not match Content-MD5.');
    if (bodyHash !== null && bodyHash !== received.sha256)
      throw refusal('ContentSHA256Mismatch', `The body does not match ${api.headerPrefix}content-sha256.`);
    checkOverwrite();
    meta = objects.commit(bucket, key, received, keptHeaders(exchange, api));
  } catch (error) {
    objects.discard(received);
    throw error;
  }
  await exchange.reply(200, {
    ...api.commonHeaders(exchange.record),
    ...api.objectHeaders(meta),
    'etag': meta.etag,
  });
}

/* The hash of a body that is never read must be that of nothing. */
function checkNoBody(bodyHash, api) {
  if (bodyHash !== null && bodyHash !== EMPTY_SHA256)
    throw refusal('ContentSHA256Mismatch', `The body does not match ${api.headerPrefix}content-sha256.`);
}

/* { first, length } of a Range header; null if it asks for the whole. */
function parseRange(header, size) {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];

  if (from === undefined || (from === '' && to === ''))
    return null;

  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);

  if (from !== '' && to !== '' && Number(to) < Number(from))
    return null;
  if (first >= size || (from === '' && Number(to) === 0))
    throw refusal('InvalidRange', `The range ${header} is outside of the object's ${size} bytes.`);
  return { first, length: last - first + 1 };
}

function checkConditions(exchange, meta) {
  const match = exchange.header('if-match');

  if (match !== undefined && match !== '*' && match !== meta.etag)
    throw refusal('PreconditionFailed', 'The ETag of the object is another one.');
}

/* GetObject and HeadObject; the exchange leaves out the body of a HEAD. */
async function getObject({ exchange, objects, api, bucket, key, bodyHash }) {
  const meta = objects.find(bucket, key);

  checkNoBody(bodyHash, api);
  if (meta === undefined)
    throw refusal('NoSuchKey', 'The object does not exist.');
  checkConditions(exchange, meta);

  const range = parseRange(exchange.header('range'), meta.size);
  const { first, length } = range ?? { first: 0, length: meta.size };
  const file = objects.open(bucket, meta);

  try {
    await exchange.stream(range === null ? 200 : 206, {
      ...api.commonHeaders(exchange.record),
      ...api.objectHeaders(meta),
      ...meta.headers,
      'accept-ranges': 'bytes',
      'etag': meta.etag,
      'last-modified': new Date(meta.modified).toUTCString(),
      ...(range !== null && {
        'content-range': `bytes ${first}-${first + length - 1}/${meta.size}`,
      }),
    }, length, file.read(first, length));
  } finally {
    file.close();
  }
}

async function deleteObject({ exchange, objects, api, bucket, key, bodyHash }) {
  checkNoBody(bodyHash, api);
  objects.remove(bucket, key);
  await exchange.reply(204, api.commonHeaders(exchange.record));
}

async function headBucket({ exchange, api, config }) {
  await exchange.reply(200, {
    ...api.commonHeaders(exchange.record),
    ...api.bucketHeaders(config),
  });
}

async function listObjects({ exchange, objects, api, bucket, query, bodyHash }) {
  checkNoBody(bodyHash, api);

  const wish = parseListQuery(query);
  const page = listPage(objects.all(bucket), wish);
  const { headers, body } = api.renderList(bucket, wish, page);

  await exchange.reply(200, { ...api.commonHeaders(exchange.record), ...headers }, body);
}
