/*
 * s3_api.mjs: the outer form of the S3 API: header names, XML errors, XML
 * lists.
 */
const CODE_NAMES = {
  ContentSHA256Mismatch: 'XAmzContentSHA256Mismatch',
  InvalidKey: 'InvalidRequest',
  InvalidSecurityToken: 'InvalidToken',
  KeyTooLong: 'KeyTooLongError',
};

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' };

function element(name, content) {
  return `<${name}>${content}</${name}>`;
}

function text(name, value) {
  return element(name, String(value).replace(/[&<>"\r]/g, (character) => ENTITIES[character]));
}

function xml(root) {
  return {
    headers: { 'content-type': 'application/xml' },
    body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${root}`),
  };
}

export const s3Api = {
  name: 's3',
  headerPrefix: 'x-amz-',

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

  renderError(error, record) {
    const { headers, body } = xml(element('Error',
      text('Code', this.codeName(error.code))
      + text('Message', error.message)
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

    return xml(`<ListBucketResult xmlns="${NAMESPACE}">`
      + text('Name', bucket)
      + text('Prefix', wish.encode(wish.prefix))
      + text('KeyCount', contents.length + groups.length)
      + text('MaxKeys', wish.maxKeys)
      + (wish.delimiter && text('Delimiter', wish.encode(wish.delimiter)))
      + (wish.startAfter && text('StartAfter', wish.encode(wish.startAfter)))
      + (wish.encodingType && text('EncodingType', wish.encodingType))
      + text('IsTruncated', page.isTruncated)
      + (wish.continuationToken && text('ContinuationToken', wish.continuationToken))
      + (page.nextToken ? text('NextContinuationToken', page.nextToken) : '')
      + contents.join('') + groups.join('')
      + '</ListBucketResult>');
  },
};
