/*
 * s3_api.mjs: the outer form of the S3 API: header names, and everything in
 * XML.
 */
import { refusal } from './errors.mjs';
import { checkRoot, childText, element, parseXml, textElement as text, xmlAnswer } from './xml.mjs';

const CODE_NAMES = {
  ContentSHA256Mismatch: 'XAmzContentSHA256Mismatch',
  InvalidKey: 'InvalidRequest',
  InvalidSecurityToken: 'InvalidToken',
  KeyTooLong: 'KeyTooLongError',
  MalformedBody: 'MalformedXML',
};

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

function answer(root, ...content) {
  return xmlAnswer(`<${root} xmlns="${NAMESPACE}">${content.flat().join('')}</${root}>`);
}

/* Nothing for what is empty. */
function optional(name, value) {
  return value === '' || value === null ? '' : text(name, value);
}

export const s3Api = {
  name: 's3',
  headerPrefix: 'x-amz-',
  digestOfDeleteMany: true,

  commonHeaders(record) {
    return {
      'server': 'TosServer',
      'x-amz-request-id': record.request_id,
      'x-amz-id-2': `${record.request_id}-sandbox`,
    };
  },

  codeName(code) {
    return CODE_NAMES[code] ?? code;
  },

  statusOf(error) {
    return error.s3Status;
  },

  renderError(error, record) {
    const { headers, body } = xmlAnswer(element('Error',
      text('Code', this.codeName(error.code))
      + text('Message', error.message)
      + Object.entries(error.details).map(([name, value]) => text(name, value)).join('')
      + text('Resource', record.path)
      + text('RequestId', record.request_id)
      + text('HostId', `${record.request_id}-sandbox`)));

    return { headers: { ...headers, ...error.headers }, body };
  },

  objectHeaders() {
    return {};
  },

  bucketHeaders(config) {
    return { 'x-amz-bucket-region': config.region };
  },

  renderList(bucket, wish, page) {
    const contents = page.contents.map((meta) => element('Contents',
      text('Key', wish.encode(meta.key))
      + text('LastModified', meta.modified)
      + text('ETag', meta.etag)
      + text('Size', meta.size)
      + text('StorageClass', 'STANDARD')));
    const groups = page.commonPrefixes.map((prefix) =>
      element('CommonPrefixes', text('Prefix', wish.encode(prefix))));

    return answer('ListBucketResult',
      text('Name', bucket),
      text('Prefix', wish.encode(wish.prefix)),
      text('KeyCount', contents.length + groups.length),
      text('MaxKeys', wish.maxKeys),
      optional('Delimiter', wish.encode(wish.delimiter)),
      optional('StartAfter', wish.encode(wish.startAfter)),
      optional('EncodingType', wish.encodingType),
      text('IsTruncated', page.isTruncated),
      optional('ContinuationToken', wish.continuationToken),
      optional('NextContinuationToken', page.nextToken),
      contents, groups);
  },

  /* { keys, quiet } */
  parseDelete(body) {
    const root = checkRoot(parseXml(body), 'Delete', ['Object', 'Quiet']);
    const keys = root.children.filter(({ name }) => name === 'Object').map((one) => childText(one, 'Key') ?? '');

    return { keys, quiet: childText(root, 'Quiet') === 'true' };
  },

  renderDelete({ deleted, failed }) {
    return answer('DeleteResult',
      deleted.map((key) => element('Deleted', text('Key', key))),
      failed.map(({ key, code, message }) =>
        element('Error', text('Key', key) + text('Code', code) + text('Message', message))));
  },

  renderUpload(bucket, { key, uploadId }) {
    return answer('InitiateMultipartUploadResult',
      text('Bucket', bucket), text('Key', key), text('UploadId', uploadId));
  },

  /* [{ number, etag }] */
  parseComplete(body) {
    const root = checkRoot(parseXml(body), 'CompleteMultipartUpload', ['Part']);

    return root.children.map((part) => {
      const number = childText(part, 'PartNumber');
      const etag = childText(part, 'ETag');

      if (!/^\d{1,5}$/.test(number ?? '') || etag === undefined)
        throw refusal('MalformedBody', 'A part has no PartNumber or no ETag.');
      return { number: Number(number), etag };
    });
  },

  renderComplete({ bucket, key, meta, host, path }) {
    return answer('CompleteMultipartUploadResult',
      text('Location', `http://${host}${path}`),
      text('Bucket', bucket), text('Key', key), text('ETag', meta.etag));
  },

  renderParts({ bucket, key, upload, marker, maxParts, parts, isTruncated }) {
    return answer('ListPartsResult',
      text('Bucket', bucket), text('Key', key), text('UploadId', upload.uploadId),
      text('PartNumberMarker', marker),
      isTruncated ? text('NextPartNumberMarker', parts.at(-1).number) : '',
      text('MaxParts', maxParts), text('IsTruncated', isTruncated),
      text('StorageClass', 'STANDARD'),
      parts.map(({ number, modified, etag, segment }) => element('Part',
        text('PartNumber', number) + text('LastModified', modified)
        + text('ETag', etag) + text('Size', segment.size))));
  },

  renderUploads(bucket, wish, { uploads, isTruncated }) {
    return answer('ListMultipartUploadsResult',
      text('Bucket', bucket),
      text('KeyMarker', wish.encode(wish.keyMarker)), text('UploadIdMarker', wish.uploadIdMarker),
      isTruncated ? text('NextKeyMarker', wish.encode(uploads.at(-1).key)) : '',
      isTruncated ? text('NextUploadIdMarker', uploads.at(-1).uploadId) : '',
      optional('EncodingType', wish.encodingType), optional('Prefix', wish.encode(wish.prefix)),
      text('MaxUploads', wish.maxUploads), text('IsTruncated', isTruncated),
      uploads.map(({ key, uploadId, initiated }) => element('Upload',
        text('Key', wish.encode(key)) + text('UploadId', uploadId)
        + text('StorageClass', 'STANDARD') + text('Initiated', initiated))));
  },
};
