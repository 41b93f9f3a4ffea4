/*
 * object_operations.mjs: what is done with one object, in the terms of neither
 * API side; `api` (tos_api.mjs, s3_api.mjs) gives names and outer form.
 */
import { refusal } from './errors.mjs';
import { checkNoBody, keptHeaders, receiveBody } from './receiving.mjs';

export async function putObject(context) {
  const { exchange, objects, api, bucket, key } = context;
  const checkOverwrite = () => {
    if (exchange.header(api.headerPrefix + 'forbid-overwrite') === 'true'
      && objects.find(bucket, key) !== undefined)
      throw refusal('DuplicateObject', 'The object exists and must not be overwritten.');
  };

  checkOverwrite();

  const headers = await receiveBody(context, (received) => {
    checkOverwrite();
    objects.put(bucket, key, received, keptHeaders(exchange, api));
  });

  await exchange.reply(200, headers);
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
export async function getObject({ exchange, objects, api, bucket, key, bodyHash }) {
  const meta = objects.find(bucket, key);

  checkNoBody(bodyHash, api);
  if (meta === undefined)
    throw refusal('NoSuchKey', 'The object does not exist.');
  checkConditions(exchange, meta);
  if (exchange.method === 'GET' && meta.segments.some(({ file }) => file === null))
    throw refusal('NotImplemented', 'The bytes of this object went into a sink.');

  const range = parseRange(exchange.header('range'), meta.size);
  const { first, length } = range ?? { first: 0, length: meta.size };
  const body = objects.open(bucket, meta);

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
    }, length, body.read(first, length));
  } finally {
    body.close();
  }
}

export async function deleteObject({ exchange, objects, api, bucket, key, bodyHash }) {
  checkNoBody(bodyHash, api);
  objects.remove(bucket, key);
  await exchange.reply(204, api.commonHeaders(exchange.record));
}
