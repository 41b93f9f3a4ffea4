/*
 * tos_api.mjs: the outer form of the native TOS API: header names, JSON
 * errors, JSON lists.
 */

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

export const tosApi = {
  name: 'tos',
  headerPrefix: 'x-tos-',

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

  renderError(error, record) {
    const code = this.codeName(error.code);
    const ec = KNOWN_EC[error.code] ?? `0000-${String(error.status).padStart(8, '0')}`;
    const body = {
      Code: code,
      Message: error.message,
      RequestId: record.request_id,
      HostId: `${record.request_id}-sandbox`,
      Resource: record.path,
      EC: ec,
    };

    return {
      headers: { 'content-type': 'application/json', 'x-tos-ec': ec, ...error.headers },
      body: Buffer.from(JSON.stringify(body)),
    };
  },

  objectHeaders(meta) {
    return { 'x-tos-hash-crc64ecma': meta.crc64, 'x-tos-storage-class': 'STANDARD' };
  },

  bucketHeaders(config) {
    return { 'x-tos-bucket-region': config.region, 'x-tos-storage-class': 'STANDARD' };
  },

  renderList(bucket, wish, page) {
    const body = {
      Name: bucket,
      Prefix: wish.encode(wish.prefix),
      MaxKeys: wish.maxKeys,
      KeyCount: page.contents.length + page.commonPrefixes.length,
      IsTruncated: page.isTruncated,
      ...(wish.delimiter && { Delimiter: wish.encode(wish.delimiter) }),
      ...(wish.startAfter && { StartAfter: wish.encode(wish.startAfter) }),
      ...(wish.encodingType && { EncodingType: wish.encodingType }),
      ...(wish.continuationToken && { ContinuationToken: wish.continuationToken }),
      ...(page.nextToken && { NextContinuationToken: page.nextToken }),
      ...(page.contents.length > 0 && {
        Contents: page.contents.map((meta) => ({
          Key: wish.encode(meta.key),
          LastModified: meta.modified,
          ETag: meta.etag,
          Size: meta.size,
          StorageClass: 'STANDARD',
          HashCrc64Ecma: meta.crc64,
        })),
      }),
      ...(page.commonPrefixes.length > 0 && {
        CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: wish.encode(prefix) })),
      }),
    };

    return {
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
    };
  },
};
