/*
 * official_aws_signer.mjs: runs the signer of the AWS SDK for JavaScript over
 * a request that has arrived. It is given the headers that the request says it
 * signed, and the path as that SDK would write it.
 */
import { createRequire } from 'node:module';

import { uriEncode } from './canonical.mjs';

const require = createRequire(import.meta.url);
const { SignatureV4 } = require('@smithy/signature-v4');
const { Sha256 } = require('@aws-crypto/sha256-js');
const { version } = require('@smithy/signature-v4/package.json');

export const OFFICIAL_AWS_SIGNER = `@smithy/signature-v4 ${version}`;

/* The pairs as the signer wants them: a list where a name comes twice. */
function queryObject(query) {
  const object = Object.create(null);

  for (const [name, value] of query)
    object[name] = [...(object[name] ?? []), value];
  return Object.assign({}, object);
}

/* Returns sign(request, { date, signedHeaders }), which gives { authorization }. */
export function createOfficialAwsSigner({ accessKey, secretKey, securityToken, region }) {
  const signer = new SignatureV4({
    credentials: {
      accessKeyId: accessKey, secretAccessKey: secretKey, sessionToken: securityToken ?? undefined,
    },
    region,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });

  return async function sign(request, { date, signedHeaders }) {
    const headers = Object.fromEntries(
      signedHeaders.map((name) => [name, request.headers.get(name).join(',')]));

    /* what takes part in the signature, though it need not be signed itself */
    headers['x-amz-content-sha256'] ??= request.headers.get('x-amz-content-sha256')[0];

    const signed = await signer.sign({
      method: request.method,
      protocol: 'http:',
      hostname: request.headers.get('host')[0],
      path: uriEncode(request.path, true),
      query: queryObject(request.query),
      headers,
    }, {
      signingDate: new Date(Date.parse(
        date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))),
      signableHeaders: new Set(signedHeaders),
    });

    return { authorization: signed.headers.authorization };
  };
}
