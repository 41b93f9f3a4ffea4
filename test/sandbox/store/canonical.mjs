/*
 * canonical.mjs: the pure helpers of version 4 signatures, written for the
 * store alone (no SDK code): decoding of what arrived, the canonical request,
 * the signing key and the signature. The two flavours differ in data only.
 */
import { createHash, createHmac } from 'node:crypto';

import { refusal } from './errors.mjs';

export const EMPTY_SHA256 = createHash('sha256').digest('hex');
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/*
 * keyPrefix goes before the secret in the first HMAC; headerPrefix names the
 * headers that must all be signed; rawQueryOrder: parameters are ordered by
 * their raw bytes rather than by their encoded form.
 */
export const TOS4 = {
  algorithm: 'TOS4-HMAC-SHA256',
  keyPrefix: '',
  service: 'tos',
  terminator: 'request',
  headerPrefix: 'x-tos-',
  rawQueryOrder: true,
};

export const AWS4 = {
  algorithm: 'AWS4-HMAC-SHA256',
  keyPrefix: 'AWS4',
  service: 's3',
  terminator: 'aws4_request',
  headerPrefix: 'x-amz-',
  rawQueryOrder: false,
};

const utf8 = new TextDecoder('utf-8', { fatal: true });

/*
 * Percent-decode once. `text` holds one byte per character, as node hands out
 * request targets. Throws a refusal for a broken escape, for bytes that are
 * not UTF-8 and for a zero byte.
 */
export function percentDecode(text, plusIsSpace = false) {
  const bytes = [];

  for (let i = 0; i < text.length; i++) {
    if (text[i] === '%') {
      const digits = text.slice(i + 1, i + 3);

      if (!/^[0-9A-Fa-f]{2}$/.test(digits))
        throw refusal('InvalidArgument', 'The request target has a broken percent escape.');
      bytes.push(parseInt(digits, 16));
      i += 2;
    } else if (text[i] === '+' && plusIsSpace)
      bytes.push(0x20);
    else
      bytes.push(text.charCodeAt(i));
  }
  if (bytes.includes(0))
    throw refusal('InvalidArgument', 'The request target has a zero byte.');
  try {
    return utf8.decode(Uint8Array.from(bytes));
  } catch {
    throw refusal('InvalidArgument', 'The request target is not UTF-8.');
  }
}

/* Upper-case percent encoding of everything but A-Z a-z 0-9 - . _ ~ */
export function uriEncode(text, keepSlash = false) {
  let out = '';

  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte);

    if (/[A-Za-z0-9\-._~]/.test(character)
      || (keepSlash && character === '/'))
      out += character;
    else
      out += '%' + byte.toString(16).toUpperCase().padStart(2, '0');
  }
  return out;
}

/* The raw query string as a list of decoded [name, value] pairs. */
export function parseQuery(rawQuery) {
  return rawQuery.split('&').filter((part) => part !== '').map((part) => {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? '' : part.slice(equals + 1);

    return [percentDecode(name, true), percentDecode(value, true)];
  });
}

/* Request headers as a map of lower-case name to the list of its values. */
export function headerMap(rawHeaders) {
  const headers = new Map();

  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toLowerCase();
    const value = Buffer.from(rawHeaders[i + 1], 'latin1').toString('utf8');

    if (!headers.has(name))
      headers.set(name, []);
    headers.get(name).push(value);
  }
  return headers;
}

/* A header value as it is signed: trimmed, runs of white space collapsed. */
export function canonicalHeaderValue(values) {
  return values.map((value) => value.trim().replace(/\s+/g, ' ')).join(',');
}

function compareBytes(left, right) {
  return Buffer.compare(Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8'));
}

export function canonicalQuery(flavour, query) {
  const parts = query.map(([name, value]) => ({
    name, value, encodedName: uriEncode(name), encodedValue: uriEncode(value),
  }));

  parts.sort(flavour.rawQueryOrder
    ? (a, b) => compareBytes(a.name, b.name) || compareBytes(a.value, b.value)
    : (a, b) => compareBytes(a.encodedName, b.encodedName)
      || compareBytes(a.encodedValue, b.encodedValue));
  return parts.map((part) => `${part.encodedName}=${part.encodedValue}`).join('&');
}

/*
 * request: { method, path (decoded), query (pairs), headers (headerMap) };
 * signedHeaders: ordered lower-case names, all of them present in headers.
 */
export function canonicalRequest(flavour, request, signedHeaders, payloadHash) {
  const lines = signedHeaders.map((name) =>
    `${name}:${canonicalHeaderValue(request.headers.get(name))}\n`);

  return [
    request.method,
    uriEncode(request.path, true),
    canonicalQuery(flavour, request.query),
    lines.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

function hmac(key, text) {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

export function sha256Hex(text) {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/* date: YYYYMMDDTHHMMSSZ; gives { scope, stringToSign, signature } */
export function signCanonical(flavour, secretKey, region, date, canonical) {
  const day = date.slice(0, 8);
  const scope = [day, region, flavour.service, flavour.terminator].join('/');
  const stringToSign = [
    flavour.algorithm, date, scope, sha256Hex(canonical),
  ].join('\n');
  let key = hmac(flavour.keyPrefix + secretKey, day);

  for (const part of [region, flavour.service, flavour.terminator])
    key = hmac(key, part);
  return {
    scope,
    stringToSign,
    signature: createHmac('sha256', key).update(stringToSign, 'utf8').digest('hex'),
  };
}
