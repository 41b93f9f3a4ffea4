/*
 * official_signer.mjs: runs the signer of the official @volcengine/tos-sdk
 * over a request that has arrived.
 *
 * The package does not export its signer, but its client prepares every
 * request in `fetch` and hands the signer (`sigInst`) and its input
 * (`signOpt`) to the HTTP layer for re-signing on retries. An adapter in the
 * place of the HTTP layer takes both; no byte leaves. So path encoding, query
 * order, canonical form, key derivation and signature are all the package's
 * own code. Four things are set from outside, because the client chooses them
 * itself while here they are given by the request:
 *
 * - the time (`datetime`, an input of the signer's `signature`),
 * - the headers (`headers`, likewise),
 * - the payload hash, when it is not UNSIGNED-PAYLOAD
 *   (`hexEncodedBodyHash`, which in the package is a constant),
 * - whether content-type is signed, as the SDKs of other languages do
 *   (`canonicalHeaders`, `signedHeaders`).
 */
import { createRequire } from 'node:module';

import { UNSIGNED_PAYLOAD } from './canonical.mjs';

const require = createRequire(import.meta.url);
const { TosClient } = require('@volcengine/tos-sdk');
const { version } = require('@volcengine/tos-sdk/package.json');

export const OFFICIAL_SIGNER = `@volcengine/tos-sdk ${version}`;

const RETRY_SIGNATURE = '__retrySignature__';

/* Let the package prepare the request; take its signer and signer's input. */
async function prepare(client, request) {
  let prepared;

  client.opts.endpoint = request.headers.get('host')[0];
  await client.fetch(
    request.method,
    '/' + encodeURIComponent(request.path.slice(1)),
    Object.fromEntries(request.query),
    {},
    undefined,
    {
      axiosOpts: {
        adapter: async (config) => {
          prepared = config[RETRY_SIGNATURE];
          return { status: 200, statusText: '', headers: {}, data: '', config };
        },
      },
    });
  if (prepared === undefined)
    throw new Error('the official client did not hand out its signer');
  return prepared;
}

/* Make the signer cover content-type too, with its own rule for values. */
function coverContentType(signer) {
  const names = (opt) => Object.keys(opt.headers).sort();

  signer.signedHeaders = (opt) => names(opt).join(';');
  signer.canonicalHeaders = (opt) => names(opt)
    .map((name) => `${name}:${signer.canonicalHeaderValues(opt.headers[name])}`)
    .join('\n');
}

/*
 * Returns sign(request, { date, payloadHash, signedHeaders }), which gives
 * { authorization, canonical, stringToSign } as the package makes them.
 */
export function createOfficialSigner({ accessKey, secretKey, region }) {
  const client = new TosClient({
    accessKeyId: accessKey,
    accessKeySecret: secretKey,
    region,
    endpoint: 'unused.invalid',
    maxRetryCount: 0,
  });

  return async function sign(request, { date, payloadHash, signedHeaders }) {
    const { signOpt, sigInst } = await prepare(client, request);
    const input = { ...signOpt, datetime: date, headers: {} };

    for (const name of signedHeaders)
      input.headers[name] = request.headers.get(name).join(',');
    if (payloadHash !== UNSIGNED_PAYLOAD)
      sigInst.hexEncodedBodyHash = () => payloadHash;
    if (signedHeaders.includes('content-type'))
      coverContentType(sigInst);
    return {
      authorization: sigInst.signature(input, 0),
      canonical: sigInst.canonicalString(input),
      stringToSign: sigInst.stringToSign(date, input),
    };
  };
}
