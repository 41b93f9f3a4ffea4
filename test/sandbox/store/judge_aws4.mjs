/*
 * judge_aws4.mjs: judges AWS4-HMAC-SHA256 signatures in the Authorization
 * header, service s3, with the store's own code.
 */
import { examine } from './authorization.mjs';
import { AWS4 } from './canonical.mjs';
import { refusal } from './errors.mjs';

const JUDGE = 'store aws4';

/* The contract is that of createTos4Judge. */
export function createAws4Judge(config) {
  return async function judgeAws4(request, record, nowMs) {
    record.judge = JUDGE;

    const { parsed, bodyHash, expected }
      = examine(AWS4, config, request, nowMs, (accessKey) => {
        record.access_key = accessKey;
      });

    if (parsed.signature !== expected.signature)
      throw refusal('SignatureDoesNotMatch',
        'The request signature does not match the signature that the server calculated.');
    record.accepted = true;
    return { bodyHash };
  };
}
