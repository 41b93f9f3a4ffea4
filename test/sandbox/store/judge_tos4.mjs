/*
 * judge_tos4.mjs: judges TOS4-HMAC-SHA256 signatures in the Authorization
 * header. The verdict is that of the official SDK's signer; the store's own
 * implementation runs beside it, and if the two differ nobody gets in and the
 * log says so.
 */
import { compareVerdicts, examine, parseAuthorization } from './authorization.mjs';
import { TOS4 } from './canonical.mjs';
import { refusal } from './errors.mjs';
import { OFFICIAL_SIGNER, createOfficialSigner } from './official_signer.mjs';

/*
 * config: { region, findKey } as in examine. Returns judge(request, record,
 * nowMs), which fills access_key, judge and accepted of the log record and
 * returns { bodyHash, accessKey }; it throws a StoreError for a refusal.
 * createSigner({ accessKey, secretKey, region }) gives the official signer.
 */
export function createTos4Judge({ region, findKey }, createSigner = createOfficialSigner) {
  const signers = new WeakMap();

  function signerOf(accessKey) {
    if (!signers.has(accessKey))
      signers.set(accessKey, createSigner({ ...accessKey, region }));
    return signers.get(accessKey);
  }

  return async function judgeTos4(request, record, nowMs) {
    record.judge = OFFICIAL_SIGNER;

    const { parsed, accessKey, date, payloadHash, bodyHash, expected }
      = examine(TOS4, { region, findKey }, request, nowMs, (name) => {
        record.access_key = name;
      });
    const names = request.query.map(([name]) => name);

    if (new Set(names).size !== names.length)
      throw refusal('InvalidArgument', 'A query parameter is given twice.');

    const { authorization } = await signerOf(accessKey)(request, {
      date, payloadHash, signedHeaders: parsed.signedHeaders,
    });
    const official = parseAuthorization(TOS4, authorization);

    compareVerdicts(record, request, parsed, official, expected);
    return { bodyHash, accessKey };
  };
}
