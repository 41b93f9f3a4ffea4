/*
 * upload_listing.mjs: one page of a list of unfinished uploads, ordered by key
 * and, within a key, by id.
 */
import { parseCount, parseEncoding } from './listing.mjs';

const MAX_UPLOADS = 1000;

export function parseUploadsQuery(query) {
  return {
    prefix: query.get('prefix') ?? '',
    keyMarker: query.get('key-marker') ?? '',
    uploadIdMarker: query.get('upload-id-marker') ?? '',
    maxUploads: Math.min(parseCount(query, 'max-uploads', MAX_UPLOADS), MAX_UPLOADS),
    ...parseEncoding(query),
  };
}

function compareUploads(left, right) {
  return Buffer.compare(Buffer.from(left.key), Buffer.from(right.key))
    || Buffer.compare(Buffer.from(left.uploadId), Buffer.from(right.uploadId));
}

/* uploads: all of the bucket. Returns { uploads, isTruncated }. */
export function uploadsPage(uploads, wish) {
  /* without an id, the marker is behind all uploads of its key */
  const marker = { key: wish.keyMarker, uploadId: wish.uploadIdMarker || '\u{10ffff}' };
  const rest = uploads.filter(({ key }) => key.startsWith(wish.prefix))
    .filter((upload) => wish.keyMarker === '' || compareUploads(upload, marker) > 0)
    .sort(compareUploads);
  const page = rest.slice(0, wish.maxUploads);

  return { uploads: page, isTruncated: page.length > 0 && rest.length > page.length };
}
