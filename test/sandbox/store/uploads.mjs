/*
 * uploads.mjs: the unfinished multipart uploads of one bucket.
 *
 *   <dir>/<uploadId>/upload        JSON: uploadId, key, headers, initiated
 *   <dir>/<uploadId>/<number>      JSON per part: number, segment, etag, ...
 *
 * A finished upload is no upload any more; the object remembers its id, so
 * that a crash between the two steps leaves no half.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { combineCrc64 } from './crc64_combine.mjs';
import { refusal } from './errors.mjs';

const MIN_PART_BYTES = 5 * 1024 * 1024;
export const MAX_PARTS = 10_000;

function loadUpload(dir) {
  const read = (name) => JSON.parse(readFileSync(join(dir, name), 'utf8'));
  const parts = readdirSync(dir).filter((name) => name !== 'upload').map(read);

  return { ...read('upload'), parts: new Map(parts.map((part) => [part.number, part])) };
}

function etagOfParts(parts) {
  const hash = createHash('md5');

  for (const { etag } of parts)
    hash.update(Buffer.from(etag.slice(1, -1), 'hex'));
  return `"${hash.digest('hex')}-${parts.length}"`;
}

function crc64OfParts(parts) {
  return parts.some(({ crc64 }) => crc64 === null) ? null
    : parts.map(({ crc64, segment }) => ({ crc64, size: segment.size }))
      .reduce((whole, part) => ({ crc64: combineCrc64(whole.crc64, part.crc64, part.size) })).crc64;
}

/* The parts of a wish to complete, [{ number, etag }], if all is well. */
function checkWish(upload, wish) {
  if (wish.length === 0 || wish.length > MAX_PARTS)
    throw refusal('MalformedBody', `An upload is completed with 1 to ${MAX_PARTS} parts.`);
  if (wish.some(({ number }, i) => i > 0 && number <= wish[i - 1].number))
    throw refusal('InvalidPartOrder', 'The parts are not in ascending order.');

  const parts = wish.map(({ number, etag }) => {
    const part = upload.parts.get(number);

    if (part === undefined || part.etag.slice(1, -1) !== etag.replace(/^"(.*)"$/, '$1'))
      throw refusal('InvalidPart', `There is no part ${number} with that ETag.`);
    return part;
  });
  const small = parts.slice(0, -1).find(({ segment }) => segment.size < MIN_PART_BYTES);

  if (small !== undefined)
    throw refusal('EntityTooSmall',
      `Part ${small.number} has ${small.segment.size} bytes; all but the last have at least ${MIN_PART_BYTES}.`);
  return parts;
}

/*
 * files: of the bucket (bucket_files.mjs); writeJson(path, value); finished:
 * Set of the upload ids that became objects.
 */
export function openUploads({ dir, files, writeJson, finished }) {
  const uploads = new Map();

  mkdirSync(dir, { recursive: true });
  for (const id of readdirSync(dir))
    if (finished.has(id) || !existsSync(join(dir, id, 'upload')))
      rmSync(join(dir, id), { recursive: true });
    else
      uploads.set(id, loadUpload(join(dir, id)));

  function segmentsOf({ parts }) {
    return [...parts.values()].map(({ segment }) => segment);
  }

  function forget({ uploadId }) {
    uploads.delete(uploadId);
    rmSync(join(dir, uploadId), { recursive: true });
  }

  return {
    create(key, headers) {
      const upload = {
        uploadId: randomBytes(16).toString('hex'), key, headers, initiated: new Date().toISOString(),
      };

      mkdirSync(join(dir, upload.uploadId));
      writeJson(join(dir, upload.uploadId, 'upload'), upload);
      uploads.set(upload.uploadId, { ...upload, parts: new Map() });
      return upload;
    },

    find(key, uploadId) {
      const upload = uploads.get(uploadId);

      if (upload === undefined || upload.key !== key)
        throw refusal('NoSuchUpload', 'The upload does not exist; it may have been completed or aborted.');
      return upload;
    },

    /* Make a received body part `number` of the upload. */
    addPart(upload, number, received) {
      const old = upload.parts.get(number);
      const { etag, crc64 } = received;
      const part = { number, segment: files.adopt(received), etag, crc64, modified: new Date().toISOString() };

      writeJson(join(dir, upload.uploadId, String(number)), part);
      upload.parts.set(number, part);
      if (old !== undefined)
        files.remove([old.segment]);
      return part;
    },

    /* The content of the object (objects.commit) that the wish asks for. */
    assemble(upload, wish) {
      const parts = checkWish(upload, wish);

      return {
        segments: parts.map(({ segment }) => segment),
        etag: etagOfParts(parts),
        crc64: crc64OfParts(parts),
        uploadId: upload.uploadId,
        headers: upload.headers,
      };
    },

    /* The object is there: forget the upload and the parts it left out. */
    finish(upload, content) {
      const used = new Set(content.segments);

      forget(upload);
      files.remove(segmentsOf(upload).filter((segment) => !used.has(segment)));
    },

    abort(upload) {
      forget(upload);
      files.remove(segmentsOf(upload));
    },

    clear() {
      [...uploads.values()].forEach((upload) => this.abort(upload));
    },

    all() {
      return [...uploads.values()];
    },

    segments() {
      return [...uploads.values()].flatMap(segmentsOf);
    },

    everything() {
      return [...uploads.values()].map(({ uploadId, key, initiated, parts }) => ({
        key,
        upload_id: uploadId,
        initiated,
        parts: [...parts.values()].sort((a, b) => a.number - b.number)
          .map(({ number, segment, etag, crc64 }) => ({
            part_number: number, size: segment.size, etag, crc64,
          })),
      }));
    },
  };
}
