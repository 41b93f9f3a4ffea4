/*
 * bucket_operations.mjs: what is done with a bucket: lists of objects and of
 * unfinished uploads, and deleting many objects at once.
 */
import { checkKey } from './addressing.mjs';
import { refusal } from './errors.mjs';
import { listPage, parseListQuery } from './listing.mjs';
import { checkNoBody, readDocument } from './receiving.mjs';
import { parseUploadsQuery, uploadsPage } from './upload_listing.mjs';

const MAX_DELETED = 1000;
const MAX_DELETE_BYTES = 2 * 1024 * 1024;

export async function headBucket({ exchange, api, config }) {
  await exchange.reply(200, {
    ...api.commonHeaders(exchange.record),
    ...api.bucketHeaders(config),
  });
}

export async function listObjects(context) {
  const { objects, api, bucket, query, bodyHash } = context;

  checkNoBody(bodyHash, api);

  const wish = parseListQuery(query);

  await context.reply(api.renderList(bucket, wish, listPage(objects.all(bucket), wish)));
}

export async function listUploads(context) {
  const { objects, api, bucket, query, bodyHash } = context;

  checkNoBody(bodyHash, api);

  const wish = parseUploadsQuery(query);

  await context.reply(api.renderUploads(bucket, wish, uploadsPage(objects.uploads(bucket).all(), wish)));
}

/* Delete one of many; gives null, or why it was not. */
function deleteOne({ objects, bucket, allow }, key) {
  try {
    checkKey(key);
    allow('DeleteObject', key);
    objects.remove(bucket, key);
    return null;
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}

/* Answers 200 also if some could not be deleted. */
export async function deleteObjects(context) {
  const { exchange, api, behaviour } = context;
  const mustBeCovered = api.digestOfDeleteMany || behaviour.demandContentMd5;
  const body = await readDocument(context, { limit: MAX_DELETE_BYTES, mustBeCovered });
  const { keys, quiet } = api.parseDelete(body);

  if (keys.length === 0 || keys.length > MAX_DELETED || keys.includes(''))
    throw refusal('MalformedBody', `A request deletes 1 to ${MAX_DELETED} objects.`);
  exchange.record.n_keys = keys.length;

  const results = keys.map((key) => ({ key, error: deleteOne(context, key) }));

  await context.reply(api.renderDelete({
    deleted: quiet ? [] : results.filter(({ error }) => error === null).map(({ key }) => key),
    failed: results.filter(({ error }) => error !== null)
      .map(({ key, error }) => ({ key, code: api.codeName(error.code), message: error.message })),
  }));
}
