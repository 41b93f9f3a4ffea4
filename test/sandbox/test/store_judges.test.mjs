/*
 * The judges without a server: every case of the signing vectors through the
 * official signer, through our own code, and through the judge itself; what
 * happens when the two disagree; the CRC.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { TOS4, canonicalRequest, headerMap, signCanonical } from '../store/canonical.mjs';
import { Crc64 } from '../store/crc64.mjs';
import { createTos4Judge } from '../store/judge_tos4.mjs';
import { OFFICIAL_SIGNER, createOfficialSigner } from '../store/official_signer.mjs';

const VECTORS = new URL('../../data/tos4-signing.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(VECTORS, 'utf8'));

/* The request of a vector as the store would see it. */
function requestOf(vector) {
  const bucketOnly = vector.canonical_request.split('\n')[1] === `/${vector.bucket}`;
  const path = vector.style === 'virtual' ? `/${vector.key}`
    : bucketOnly ? `/${vector.bucket}` : `/${vector.bucket}/${vector.key}`;

  return {
    method: vector.method,
    path,
    query: Object.entries(vector.query),
    headers: headerMap(Object.entries({
      ...vector.request_headers, authorization: vector.authorization,
    }).flat()),
  };
}

function keyOf(vector) {
  return {
    accessKey: vector.access_key, secretKey: vector.secret_key, securityToken: vector.security_token,
    region: vector.region, expired: false,
  };
}

function configOf(vector) {
  return {
    region: vector.region,
    findKey: (name) => (name === vector.access_key ? keyOf(vector) : undefined),
  };
}

function timeOf(vector) {
  return Date.parse(vector.date.replace(
    /(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
}

test('the vectors are all there', () => {
  assert.equal(cases.length, 31);
  assert.ok(cases.every(({ kind }) => kind === 'header'));
});

for (const vector of cases) {
  const signedHeaders = Object.keys(vector.signed_headers).sort();

  test(`vector ${vector.name}: the official signer as we call it`, async () => {
    const sign = createOfficialSigner(keyOf(vector));
    const result = await sign(requestOf(vector), {
      date: vector.date, payloadHash: vector.payload_hash, signedHeaders,
    });

    assert.equal(result.canonical, vector.canonical_request);
    assert.equal(result.stringToSign, vector.string_to_sign);
    assert.equal(result.authorization, vector.authorization);
  });

  test(`vector ${vector.name}: our own implementation`, () => {
    const canonical = canonicalRequest(TOS4, requestOf(vector), signedHeaders, vector.payload_hash);
    const result = signCanonical(TOS4, vector.secret_key, vector.region, vector.date, canonical);

    assert.equal(canonical, vector.canonical_request);
    assert.equal(result.stringToSign, vector.string_to_sign);
    assert.equal(result.signature, vector.signature);
  });

  test(`vector ${vector.name}: the judge`, async () => {
    const judge = createTos4Judge(configOf(vector));
    const record = { accepted: false };
    const verdict = judge(requestOf(vector), record, timeOf(vector));

    assert.deepEqual(await verdict, { bodyHash: null, accessKey: keyOf(vector) });
    assert.deepEqual(record, {
      accepted: true, judge: OFFICIAL_SIGNER, access_key: vector.access_key,
    });

    const forged = requestOf(vector);

    forged.method = vector.method === 'GET' ? 'DELETE' : 'GET';
    record.accepted = false;
    await assert.rejects(judge(forged, record, timeOf(vector)), { code: 'SignatureDoesNotMatch' });
    assert.equal(record.accepted, false);
  });
}

test('a disagreement between the judges is refused and shown', async (t) => {
  const vector = cases[0];
  const judge = createTos4Judge(configOf(vector), (key) => async (...input) => {
    const result = await createOfficialSigner(key)(...input);

    return { ...result, authorization: result.authorization.replace(/.{8}$/, '00000000') };
  });
  const record = { accepted: false };
  const shown = t.mock.method(console, 'error', () => {});

  await assert.rejects(judge(requestOf(vector), record, timeOf(vector)), { code: 'InternalError' });
  assert.equal(record.accepted, false);
  assert.equal(record.judge_disagrees, true);
  assert.match(shown.mock.calls[0].arguments[0], /judge_disagrees/);
});

test('crc64 has the check value, whole and in pieces of any size', () => {
  const digits = Buffer.from('123456789');

  assert.equal(new Crc64().update(digits).decimal(), '11051210869376104954');
  for (let cut = 0; cut <= digits.length; cut++)
    assert.equal(
      new Crc64().update(digits.subarray(0, cut)).update(digits.subarray(cut)).decimal(),
      '11051210869376104954');
  assert.equal(new Crc64().decimal(), '0');
});

test('crc64 equals a bit by bit computation', () => {
  const mask = (1n << 64n) - 1n;
  const slow = (bytes) => {
    let crc = mask;

    for (const byte of bytes) {
      crc ^= BigInt(byte);
      for (let bit = 0; bit < 8; bit++)
        crc = (crc >> 1n) ^ (crc & 1n ? 0xc96c5795d7870f42n : 0n);
    }
    return (crc ^ mask).toString();
  };

  for (let n = 0; n < 70; n++) {
    const bytes = Buffer.from(Array.from({ length: n }, (_, i) => (i * 151 + n * 7 + 200) & 0xff));

    assert.equal(new Crc64().update(bytes).decimal(), slow(bytes), `${n} bytes`);
  }
});
