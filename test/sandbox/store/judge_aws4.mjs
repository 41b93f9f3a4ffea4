/*
 * judge_aws4.mjs: judges AWS4-HMAC-SHA256 signatures in the Authorization
 * header, service s3. The verdict is that of the AWS SDK's signer; the store's
 * own implementation runs beside it, and if the two differ nobody gets in.
 */
import { compareVerdicts, examine, parseAuthorization } from './authorization.mjs';
import { AWS4 } from './canonical.mjs';
import { OFFICIAL_AWS_SIGNER, createOfficialAwsSigner } from './official_aws_signer.mjs';

/* The contract is that of createTos4Judge. */
export function createAws4Judge({ region, findKey }, createSigner = createOfficialAwsSigner) {
  return async function judgeAws4(request, record, nowMs) {
    record.judge = OFFICIAL_AWS_SIGNER;

    const { parsed, accessKey, date, bodyHash, expected }
      = examine(AWS4, { region, findKey }, request, nowMs, (name) => {
        record.access_key = name;
      });
    const sign = createSigner({ ...accessKey, region });
    const { authorization } = await sign(request, { date, signedHeaders: parsed.signedHeaders });

    compareVerdicts(record, request, parsed, parseAuthorization(AWS4, authorization), expected);
    return { bodyHash, accessKey };
  };
}
