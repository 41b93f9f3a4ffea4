/*
 * multipart_operations.mjs: the steps of a multipart upload.
 */
import { refusal } from './errors.mjs';
import { parseCount } from './listing.mjs';
import { checkNoBody, keptHeaders, readDocument, receiveBody } from './receiving.mjs';
import { MAX_PARTS } from './uploads.mjs';

const MAX_COMPLETE_BYTES = 4 * 1024 * 1024;
const MAX_PARTS_LISTED = 1000;

function uploadOf({ exchange, objects, bucket, key, query }) {
  exchange.record.upload_id = query.get('uploadId');
  return objects.uploads(bucket).find(key, query.get('uploadId'));
}

export async function createUpload(context) {
  const { exchange, objects, api, bucket, key } = context;

  await readDocument(context, { limit: 0 });

  const upload = objects.uploads(bucket).create(key, keptHeaders(exchange, api));

  exchange.record.upload_id = upload.uploadId;
  await context.reply(api.renderUpload(bucket, upload));
}

export async function uploadPart(context) {
  const { exchange, objects, bucket, query } = context;
  const text = query.get('partNumber');
  const number = Number(text);

  if (!/^[1-9]\d{0,4}$/.test(text) || number > MAX_PARTS)
    throw refusal('InvalidArgument', `A part number is a number from 1 to ${MAX_PARTS}.`);
  exchange.record.part_number = number;
  uploadOf(context);

  /* the upload may have ended while its part was under way */
  const headers = await receiveBody(context, (received) =>
    objects.uploads(bucket).addPart(uploadOf(context), number, received));

  await exchange.reply(200, headers);
}

/* The parts to put together: those named in the body, or all. */
async function readWish(context, upload) {
  const { exchange, api } = context;
  const body = await readDocument(context, { limit: MAX_COMPLETE_BYTES });

  if (exchange.header(`${api.headerPrefix}complete-all`) !== 'yes')
    return api.parseComplete(body);
  if (body.length > 0)
    throw refusal('InvalidRequest', 'All parts are asked for, and some are named.');
  return [...upload.parts.values()].sort((a, b) => a.number - b.number);
}

export async function completeUpload(context) {
  const { exchange, objects, api, bucket, key } = context;
  const wish = await readWish(context, uploadOf(context));
  const upload = uploadOf(context);
  const uploads = objects.uploads(bucket);
  const content = uploads.assemble(upload, wish);
  const meta = objects.commit(bucket, key, content);

  uploads.finish(upload, content);

  const { headers, body } = api.renderComplete({
    bucket, key, meta, host: exchange.header('host'), path: exchange.record.path,
    parts: exchange.header(`${api.headerPrefix}complete-all`) === 'yes' ? wish : null,
  });

  await context.reply({ headers: { ...headers, ...api.objectHeaders(meta) }, body });
}

export async function abortUpload(context) {
  const { exchange, objects, api, bucket, bodyHash } = context;

  checkNoBody(bodyHash, api);
  objects.uploads(bucket).abort(uploadOf(context));
  await exchange.reply(204, api.commonHeaders(exchange.record));
}

export async function listParts(context) {
  const { api, bucket, key, query, bodyHash } = context;

  checkNoBody(bodyHash, api);

  const upload = uploadOf(context);
  const marker = parseCount(query, 'part-number-marker', 0);
  const maxParts = Math.min(parseCount(query, 'max-parts', MAX_PARTS_LISTED), MAX_PARTS_LISTED);
  const rest = [...upload.parts.values()].filter(({ number }) => number > marker)
    .sort((a, b) => a.number - b.number);
  const parts = rest.slice(0, maxParts);

  await context.reply(api.renderParts({
    bucket, key, upload, marker, maxParts, parts,
    isTruncated: parts.length > 0 && rest.length > parts.length,
  }));
}
