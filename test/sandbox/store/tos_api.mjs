/*
 * tos_api.mjs: the outer form of the native TOS API: header names, and
 * everything in JSON.
 */
import { refusal } from './errors.mjs';

/* Codes that the native API spells in another way. */
const CODE_NAMES = {
  InvalidRange: 'Requested Range Not Satisfiable',
  MissingContentLength: 'NoContentLength',
  NotImplemented: 'UnImplemented',
};

/*
 * EC numbers: the documented one for an object that exists; all others are
 * the sandbox's own, 0000- and the status.
 */
const KNOWN_EC = { DuplicateObject: '0017-00000004' };

function jsonAnswer(value) {
  return {
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  };
}

function malformed() {
  return refusal('MalformedBody', 'The JSON of the body cannot be read or does not fit the operation.');
}

/* The object in a body whose member `name` is a list of objects. */
function parseList(body, name) {
  let value;

  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw malformed();
  }
  if (!Array.isArray(value?.[name]) || value[name].some((one) => one === null || typeof one !== 'object'))
    throw malformed();
  return value;
}

/* Empty lists, empty texts and false are left out of lists. */
function withoutEmpty(value) {
  return Object.fromEntries(Object.entries(value)
    .filter(([, one]) => one !== '' && one !== null && !(Array.isArray(one) && one.length === 0)));
}

function crc64Member(crc64) {
  return crc64 === null ? {} : { HashCrc64Ecma: crc64 };
}

export const tosApi = {
  name: 'tos',
  headerPrefix: 'x-tos-',
  /* DeleteObjects does not need Content-MD5: the official JS client sends none. */
  digestOfDeleteMany: false,

  commonHeaders(record) {
    return {
      'server': 'TosServer',
      'x-tos-request-id': record.request_id,
      'x-tos-id-2': `${record.request_id}-sandbox`,
    };
  },

  codeName(code) {
    return CODE_NAMES[code] ?? code;
  },

  statusOf(error) {
    return error.status;
  },

  renderError(error, record) {
    const code = this.codeName(error.code);
    const ec = KNOWN_EC[error.code] ?? `0000-${String(error.status).padStart(8, '0')}`;
    const { headers, body } = jsonAnswer({
      Code: code,
      Message: error.message,
      RequestId: record.request_id,
      HostId: `${record.request_id}-sandbox`,
      Resource: record.path,
      EC: ec,
    });

    return { headers: { ...headers, 'x-tos-ec': ec, ...error.headers }, body };
  },

  objectHeaders({ crc64 }) {
    return {
      ...(crc64 !== null && { 'x-tos-hash-crc64ecma': crc64 }),
      'x-tos-storage-class': 'STANDARD',
    };
  },

  bucketHeaders(config) {
    return { 'x-tos-bucket-region': config.region, 'x-tos-storage-class': 'STANDARD' };
  },

  renderList(bucket, wish, page) {
    return jsonAnswer({
      Name: bucket,
      Prefix: wish.encode(wish.prefix),
      MaxKeys: wish.maxKeys,
      KeyCount: page.contents.length + page.commonPrefixes.length,
      IsTruncated: page.isTruncated,
      ...withoutEmpty({
        Delimiter: wish.encode(wish.delimiter),
        StartAfter: wish.encode(wish.startAfter),
        EncodingType: wish.encodingType,
        ContinuationToken: wish.continuationToken,
        NextContinuationToken: page.nextToken,
        Contents: page.contents.map((meta) => ({
          Key: wish.encode(meta.key),
          LastModified: meta.modified,
          ETag: meta.etag,
          Size: meta.size,
          StorageClass: 'STANDARD',
          ...crc64Member(meta.crc64),
        })),
        CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: wish.encode(prefix) })),
      }),
    });
  },

  /* { keys, quiet } */
  parseDelete(body) {
    const value = parseList(body, 'Objects');
    const keys = value.Objects.map(({ Key }) => Key);

    if (keys.some((key) => typeof key !== 'string'))
      throw malformed();
    return { keys, quiet: value.Quiet === true };
  },

  renderDelete({ deleted, failed }) {
    return jsonAnswer(withoutEmpty({
      Deleted: deleted.map((key) => ({ Key: key })),
      Error: failed.map(({ key, code, message }) => ({ Key: key, Code: code, Message: message })),
    }));
  },

  renderUpload(bucket, { key, uploadId }) {
    return jsonAnswer({ Bucket: bucket, Key: key, UploadId: uploadId });
  },

  /* [{ number, etag }] */
  parseComplete(body) {
    return parseList(body, 'Parts').Parts.map(({ PartNumber, ETag }) => {
      if (!Number.isSafeInteger(PartNumber) || typeof ETag !== 'string')
        throw malformed();
      return { number: PartNumber, etag: ETag };
    });
  },

  /* parts: the list to answer, or null */
  renderComplete({ bucket, key, meta, host, path, parts }) {
    return jsonAnswer({
      Bucket: bucket,
      Key: key,
      ETag: meta.etag,
      Location: `${host}${path}`,
      ...(parts !== null && {
        CompletedParts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })),
      }),
    });
  },

  renderParts({ bucket, key, upload, marker, maxParts, parts, isTruncated }) {
    return jsonAnswer({
      Bucket: bucket,
      Key: key,
      UploadId: upload.uploadId,
      PartNumberMarker: marker,
      MaxParts: maxParts,
      IsTruncated: isTruncated,
      StorageClass: 'STANDARD',
      ...(isTruncated && { NextPartNumberMarker: parts.at(-1).number }),
      ...withoutEmpty({
        Parts: parts.map(({ number, modified, etag, segment, crc64 }) => ({
          PartNumber: number, LastModified: modified, ETag: etag, Size: segment.size, ...crc64Member(crc64),
        })),
      }),
    });
  },

  renderUploads(bucket, wish, { uploads, isTruncated }) {
    return jsonAnswer({
      Bucket: bucket,
      MaxUploads: wish.maxUploads,
      IsTruncated: isTruncated,
      ...(isTruncated && {
        NextKeyMarker: wish.encode(uploads.at(-1).key), NextUploadIdMarker: uploads.at(-1).uploadId,
      }),
      ...withoutEmpty({
        Prefix: wish.encode(wish.prefix),
        KeyMarker: wish.encode(wish.keyMarker),
        UploadIdMarker: wish.uploadIdMarker,
        EncodingType: wish.encodingType,
        Uploads: uploads.map(({ key, uploadId, initiated }) => ({
          Key: wish.encode(key), UploadId: uploadId, Initiated: initiated, StorageClass: 'STANDARD',
        })),
      }),
    });
  },
};
