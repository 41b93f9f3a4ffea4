/*
 * listing.mjs: one page of a list of objects (version 2), the same for both
 * API sides: keys in byte order, prefixes grouped by a delimiter, an opaque
 * token to go on.
 */
import { refusal } from './errors.mjs';
import { uriEncode } from './canonical.mjs';

const MAX_KEYS = 1000;

/* Parameters of a list; those mapped to false are taken and have no effect. */
const PARAMETERS = {
  'list-type': true,
  'prefix': true,
  'delimiter': true,
  'start-after': true,
  'continuation-token': true,
  'max-keys': true,
  'encoding-type': true,
  'fetch-owner': false,
  'fetch-meta': false,
  'list-only-once': false,
  'x-id': false,
};

function encodeToken(entry) {
  return Buffer.from(JSON.stringify(entry)).toString('base64url');
}

function decodeToken(token) {
  try {
    const { after, group } = JSON.parse(Buffer.from(token, 'base64url').toString());

    if (typeof after === 'string' && typeof group === 'boolean')
      return { after, group };
  } catch {
    /* falls through to the refusal */
  }
  throw refusal('InvalidArgument', 'The continuation token is not one of ours.');
}

/* A parameter that is a number. */
export function parseCount(query, name, byDefault) {
  const text = query.get(name) ?? String(byDefault);

  if (!/^\d{1,9}$/.test(text))
    throw refusal('InvalidArgument', `${name} is not a number.`);
  return Number(text);
}

/* How names are written in a list: { encodingType, encode(name) } */
export function parseEncoding(query) {
  const encodingType = query.get('encoding-type') ?? '';

  if (encodingType !== '' && encodingType !== 'url')
    throw refusal('InvalidArgument', 'encoding-type is not url.');
  return {
    encodingType,
    encode: encodingType === 'url' ? (text) => uriEncode(text, true) : (text) => text,
  };
}

/* query: Map of parameters; gives a checked list request. */
export function parseListQuery(query) {
  for (const name of query.keys())
    if (!Object.hasOwn(PARAMETERS, name))
      throw refusal('NotImplemented', `A list with parameter '${name}' is not served here.`);
  if (query.get('list-type') !== '2')
    throw refusal('NotImplemented', 'Only list-type=2 is served here.');
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    startAfter: query.get('start-after') ?? '',
    continuationToken: query.get('continuation-token') ?? '',
    maxKeys: Math.min(parseCount(query, 'max-keys', MAX_KEYS), MAX_KEYS),
    ...parseEncoding(query),
  };
}

/*
 * objects: all object descriptions of the bucket. Returns { contents,
 * commonPrefixes, isTruncated, nextToken }.
 */
export function listPage(objects, wish) {
  const start = wish.continuationToken !== ''
    ? decodeToken(wish.continuationToken) : { after: wish.startAfter, group: false };
  const after = Buffer.from(start.after);
  const entries = objects
    .filter((meta) => meta.key.startsWith(wish.prefix))
    .map((meta) => ({ meta, bytes: Buffer.from(meta.key) }))
    .filter(({ meta, bytes }) => start.after === ''
      || (Buffer.compare(bytes, after) > 0
        && !(start.group && meta.key.startsWith(start.after))))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const page = { contents: [], commonPrefixes: [], isTruncated: false, nextToken: null };
  let last = null;

  for (const { meta } of entries) {
    const end = wish.delimiter === ''
      ? -1 : meta.key.indexOf(wish.delimiter, wish.prefix.length);
    const group = end < 0 ? null : meta.key.slice(0, end + wish.delimiter.length);

    if (group !== null && group === page.commonPrefixes.at(-1))
      continue;
    if (page.contents.length + page.commonPrefixes.length >= wish.maxKeys) {
      page.isTruncated = last !== null;
      page.nextToken = last && encodeToken(last);
      break;
    }
    if (group !== null)
      page.commonPrefixes.push(group);
    else
      page.contents.push(meta);
    last = { after: group ?? meta.key, group: group !== null };
  }
  return page;
}
