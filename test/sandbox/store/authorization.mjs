/*
 * authorization.mjs: what both judges ask of an Authorization header before
 * the signature itself is computed: form, scope, access key, date and the
 * set of signed headers. All refusals are StoreErrors.
 */
import {
  EMPTY_SHA256, UNSIGNED_PAYLOAD, canonicalRequest, signCanonical,
} from './canonical.mjs';
import { refusal } from './errors.mjs';

const MAX_SKEW_MS = 15 * 60 * 1000;

/* Headers outside the mandatory set that a client may sign. */
const ALSO_SIGNABLE = {
  'TOS4-HMAC-SHA256': new Set(['content-type']),
  'AWS4-HMAC-SHA256': null,
};

function malformed(message) {
  return refusal('AuthorizationHeaderMalformed', message);
}

/* "ALGORITHM Credential=..., SignedHeaders=..., Signature=..." to its parts. */
export function parseAuthorization(flavour, text) {
  const fields = new Map();

  if (!text.startsWith(flavour.algorithm + ' '))
    throw malformed(`The authorization algorithm is not ${flavour.algorithm}.`);
  for (const part of text.slice(flavour.algorithm.length + 1).split(',')) {
    const [, name, value] = /^\s*([A-Za-z]+)=(\S*)\s*$/.exec(part) ?? [];

    if (name === undefined || fields.has(name))
      throw malformed('The authorization header cannot be read.');
    fields.set(name, value);
  }
  for (const name of ['Credential', 'SignedHeaders', 'Signature'])
    if (!fields.has(name))
      throw malformed(`The authorization header has no ${name}.`);

  const scope = fields.get('Credential').split('/');

  if (scope.length !== 5)
    throw malformed('The credential does not have five parts.');
  if (!/^[0-9a-f]{64}$/.test(fields.get('Signature')))
    throw malformed('The signature is not 64 lower-case hexadecimal digits.');
  return {
    accessKey: scope[0],
    day: scope[1],
    region: scope[2],
    service: scope[3],
    terminator: scope[4],
    signedHeaders: fields.get('SignedHeaders').split(';'),
    signature: fields.get('Signature'),
  };
}

function checkScope(flavour, config, parsed) {
  if (parsed.region !== config.region)
    throw malformed(`The region '${parsed.region}' is wrong; expecting '${config.region}'.`);
  if (parsed.service !== flavour.service)
    throw malformed(`The service '${parsed.service}' is wrong; expecting '${flavour.service}'.`);
  if (parsed.terminator !== flavour.terminator)
    throw malformed(`The credential ends with '${parsed.terminator}'; expecting '${flavour.terminator}'.`);
}

/* The access key that asks (access.mjs), with the token that belongs to it. */
function findAccessKey(flavour, config, parsed, headers) {
  const accessKey = config.findKey(parsed.accessKey);
  const token = headers.get(flavour.headerPrefix + 'security-token')?.[0] ?? null;

  if (accessKey === undefined || (token === null && accessKey.securityToken !== null))
    throw refusal('InvalidAccessKeyId', 'The access key does not exist.');
  if (token !== accessKey.securityToken)
    throw refusal('InvalidSecurityToken', 'The security token is not that of the access key.');
  if (accessKey.expired)
    throw refusal('ExpiredToken', 'The access key has expired.');
  return accessKey;
}

/* YYYYMMDDTHHMMSSZ to milliseconds; NaN if it is no date. */
function parseDate(text) {
  return Date.parse(text.replace(
    /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function checkDate(flavour, parsed, headers, nowMs) {
  const name = flavour.headerPrefix + 'date';
  const date = headers.get(name)?.[0];

  if (date === undefined)
    throw refusal('AccessDenied', `The header ${name} is missing.`);
  if (!/^\d{8}T\d{6}Z$/.test(date) || Number.isNaN(parseDate(date)))
    throw refusal('AccessDenied', `The header ${name} is no date of the form YYYYMMDDTHHMMSSZ.`);
  if (Math.abs(parseDate(date) - nowMs) > MAX_SKEW_MS)
    throw refusal('RequestTimeTooSkewed',
      `The request time ${date} differs too much from the server time ${new Date(nowMs).toISOString()}.`,
      { details: { RequestTime: date, ServerTime: new Date(nowMs).toISOString(), MaxAllowedSkewMilliseconds: MAX_SKEW_MS } });
  if (parsed.day !== date.slice(0, 8))
    throw malformed(`The credential's day '${parsed.day}' is not that of ${name}.`);
  return date;
}

function checkSignedHeaders(flavour, parsed, headers) {
  const signed = new Set(parsed.signedHeaders);
  const extra = ALSO_SIGNABLE[flavour.algorithm];

  if (signed.size !== parsed.signedHeaders.length
    || parsed.signedHeaders.join() !== [...signed].sort().join()
    || parsed.signedHeaders.some((name) => name !== name.toLowerCase()))
    throw malformed('SignedHeaders is not an ordered list of distinct lower-case names.');
  if (!signed.has('host'))
    throw refusal('AccessDenied', 'The header host is not signed.');
  for (const name of headers.keys())
    if (name.startsWith(flavour.headerPrefix) && !signed.has(name))
      throw refusal('AccessDenied', `The header ${name} is not signed.`);
  for (const name of signed) {
    if (!headers.has(name))
      throw refusal('SignatureDoesNotMatch', `The signed header ${name} was not sent.`);
    if (extra && name !== 'host' && !name.startsWith(flavour.headerPrefix)
      && !extra.has(name))
      throw malformed(`The header ${name} is not one that is signed.`);
  }
}

/* The payload hash that takes part in the signature. */
function payloadHashOf(flavour, headers) {
  const name = flavour.headerPrefix + 'content-sha256';
  const value = headers.get(name)?.[0];

  if (value === undefined) {
    if (flavour.service === 's3')
      throw refusal('InvalidRequest', `The header ${name} is missing.`);
    return EMPTY_SHA256;
  }
  if (value.startsWith('STREAMING-'))
    throw refusal('NotImplemented', `A body of kind ${value} is not served here.`);
  if (value !== UNSIGNED_PAYLOAD && !/^[0-9a-f]{64}$/.test(value))
    throw refusal('InvalidArgument', `The header ${name} is neither ${UNSIGNED_PAYLOAD} nor a hash.`);
  return value;
}

/*
 * Check everything but the signature and compute our own idea of it.
 * config: { region, findKey }, findKey(name) gives the access key of that
 * name; request as in canonicalRequest; identify(name) is told who claims to
 * ask as soon as that is known.  Returns { parsed, accessKey, date,
 * payloadHash, bodyHash, canonical, expected }; a bodyHash of null means that
 * the body is not covered.
 */
export function examine(flavour, config, request, nowMs, identify = () => {}) {
  const headers = request.headers;
  const parsed = parseAuthorization(flavour, headers.get('authorization')[0]);

  identify(parsed.accessKey);
  checkScope(flavour, config, parsed);

  const accessKey = findAccessKey(flavour, config, parsed, headers);
  const date = checkDate(flavour, parsed, headers, nowMs);

  checkSignedHeaders(flavour, parsed, headers);

  const payloadHash = payloadHashOf(flavour, headers);
  const sent = headers.has(flavour.headerPrefix + 'content-sha256');
  const canonical = canonicalRequest(flavour, request, parsed.signedHeaders, payloadHash);

  return {
    parsed,
    accessKey,
    date,
    payloadHash,
    bodyHash: sent && payloadHash !== UNSIGNED_PAYLOAD ? payloadHash : null,
    canonical,
    expected: signCanonical(flavour, accessKey.secretKey, config.region, date, canonical),
  };
}

/*
 * Let a request in if its signature is that of the official signer, and that
 * one is also ours; parsed and official as of parseAuthorization, expected as
 * of examine.
 */
export function compareVerdicts(record, request, parsed, official, expected) {
  if (official.signature !== expected.signature
    || official.signedHeaders.join() !== parsed.signedHeaders.join()) {
    record.judge_disagrees = true;
    console.error('store: judge_disagrees: the official signer and our own'
      + ` differ on ${request.method} ${request.path}`);
    throw refusal('InternalError', 'The two judges of the signature disagree.');
  }
  if (parsed.signature !== official.signature)
    throw refusal('SignatureDoesNotMatch',
      'The request signature does not match the signature that the server calculated.');
  record.accepted = true;
}
