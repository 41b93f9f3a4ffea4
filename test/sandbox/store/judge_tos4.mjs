/*
 * judge_tos4.mjs: judges TOS4-HMAC-SHA256 signatures in the Authorization
 * header. The verdict is that of the official SDK's signer; the store's own
 * implementation runs beside it, and if the two differ nobody gets in and the
 * log says so.
 */
import { examine, parseAuthorization } from './authorization.mjs';
import { TOS4 } from './canonical.mjs';
import { refusal } from './errors.mjs';
import { OFFICIAL_SIGNER, createOfficialSigner } from './official_signer.mjs';

/*
 * config: { accessKey, secretKey, region }. Returns judge(request, record,
 * nowMs), which fills accessKey, judge and accepted of the log record and
 * returns { bodyHash }; it throws a StoreError for a refusal. `sign` is the
 * official signer.
 */
export function createTos4Judge(config, sign = createOfficialSigner(config)) {
  return async function judgeTos4(request, record, nowMs) {
    record.judge = OFFICIAL_SIGNER;

    const { parsed, date, payloadHash, bodyHash, expected }
      = examine(TOS4, config, request, nowMs, (accessKey) => {
        record.access_key = accessKey;
      });
    const names = request.query.map(([name]) => name);

    if (new Set(names).size !== names.length)
      throw refusal('InvalidArgument', 'A query parameter is given twice.');

    const { authorization } = await sign(request, {
      date, payloadHash, signedHeaders: parsed.signedHeaders,
    });
    const official = parseAuthorization(TOS4, authorization);

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
    return { bodyHash };
  };
}
