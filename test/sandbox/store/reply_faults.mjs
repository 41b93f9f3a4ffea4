/*
 * reply_faults.mjs: the changes that a fault makes to a whole answer.
 */

/* Another hexadecimal digit. */
function otherDigit(digit) {
  return ((parseInt(digit, 16) + 1) % 16).toString(16);
}

/* The first digit of each ETag in a text, quoted plainly, in JSON or in XML. */
const ETAG_START = /((?:"|&quot;))([0-9a-f])(?=[0-9a-f]{31}(?:-\d+)?(?:\\?"|&quot;))/g;

function corruptEtags(text) {
  return text.replace(ETAG_START, (_, quote, digit) => quote + otherDigit(digit));
}

function corruptCrc(headers) {
  const { 'x-tos-hash-crc64ecma': crc64 } = headers;

  return crc64 === undefined ? headers
    : { ...headers, 'x-tos-hash-crc64ecma': (BigInt(crc64) ^ 1n).toString() };
}

/* The headers of an answer as the fault has them. */
export function corruptHeaders(fault, headers) {
  if (fault?.fault === 'corrupt_crc')
    return corruptCrc(headers);
  if (fault?.fault === 'corrupt_etag' && headers.etag !== undefined)
    return { ...headers, etag: corruptEtags(headers.etag) };
  return headers;
}

/* The same for a body that is at hand; its length stays. */
export function corruptDocument(fault, body) {
  return fault?.fault === 'corrupt_etag' ? Buffer.from(corruptEtags(body.toString('utf8'))) : body;
}
