/*
 * cnchs3.mjs: the table function CnchS3, translated to s3() on the local
 * object store.
 *
 * CnchS3(url, structure[, format[, compression[, access key, secret key]]]).
 * The rules on arguments and addresses are those of bytehouse facts 3.1, 3.2
 * and 3.6: what the real one or the real object store refuses is refused with
 * the same code.
 */
import { CODE, notPlayed, Refusal } from './errors.mjs';
import {
  closing, Edits, isSymbol, isWord, quoteString, splitAtCommas, tokenize,
} from './tokens.mjs';

const COMPRESSIONS = ['auto', 'none', 'gzip', 'gz', 'deflate', 'br', 'brotli',
  'xz', 'lzma', 'zstd', 'zst', 'snappy'];
/* ClickHouse has fewer names for them. */
const COMPRESSION_ALIASES = { brotli: 'br' };

const DOMAIN = '(?:volces|ivolces)\\.com';

/*
 * Judges the address as the real parties would, and returns its bucket and
 * key; the region is this store's.
 */
function splitUrl(url, region) {
  const match = /^(https?):\/\/([^/?#]+)\/(.*)$/s.exec(url);
  if (match === null) {
    throw new Refusal(CODE.BAD_ARGUMENTS,
      'Bad URI of an object: expected https://<bucket>.<endpoint>/<key>');
  }
  const [, scheme, host, key] = match;
  if (new RegExp(`^tos-s3-[a-z0-9-]+\\.${DOMAIN}$`).test(host)) {
    throw new Refusal(CODE.S3_ERROR,
      'S3 exception: `InvalidPathAccess`, message: ' +
      "'Forbidden path to access server.'");
  }
  if (new RegExp(`^(?:[^.]+\\.)?tos-(?!s3-)[a-z0-9-]+\\.${DOMAIN}$`)
    .test(host)) {
    throw new Refusal(CODE.S3_ERROR,
      'S3 exception: `SignatureDoesNotMatch`, message: \'The request ' +
      'signature we calculated does not match the signature you provided.\'');
  }
  const endpoint = new RegExp(
    `^([a-z0-9][a-z0-9-]{1,61}[a-z0-9])\\.tos-s3-([a-z0-9-]+)\\.${DOMAIN}$`)
    .exec(host);
  if (endpoint === null || endpoint[2] !== region || scheme !== 'https') {
    throw new Refusal(CODE.UNACCEPTABLE_URL,
      `URL "${url}" is not allowed in configuration file`);
  }
  if (key === '') {
    throw new Refusal(CODE.BAD_ARGUMENTS, 'the URL names no object');
  }
  return { bucket: endpoint[1], key };
}

function literals(sql, tokens, open, close) {
  return splitAtCommas(tokens, open + 1, close - 1).map(([first, last]) => {
    const token = tokens[first];
    if (first !== last || token?.kind !== 'string') {
      throw new Refusal(CODE.BAD_ARGUMENTS,
        'the arguments of CnchS3 must be string literals');
    }
    return token.value;
  });
}

/* The keys of the session or the query win over the arguments. */
function chooseKeys(values, keySettings) {
  if (keySettings.accessKey !== '' && keySettings.secretKey !== '') {
    return [keySettings.accessKey, keySettings.secretKey];
  }
  return values.length === 6 ? values.slice(4) : null;
}

function translateCall(values, options) {
  const { store, keySettings } = options;
  if (![2, 3, 4, 6].includes(values.length)) {
    throw new Refusal(CODE.NUMBER_OF_ARGUMENTS,
      'Table function CnchS3 requires 2, 3, 4 or 6 arguments: url, ' +
      'structure, [format, [compression, [access key id, secret key]]]; ' +
      `${values.length} given`);
  }
  const [url, structure, format = 'auto', compression = 'auto'] = values;
  if (structure.trim() === '') {
    throw new Refusal(CODE.BAD_ARGUMENTS,
      'the structure of CnchS3 must not be empty');
  }
  if (tokenize(structure).some((token) => isWord(token, 'JSONB'))) {
    throw notPlayed('JSONB in the structure of CnchS3; read String and cast');
  }
  if (!COMPRESSIONS.includes(compression.toLowerCase())) {
    throw new Refusal(CODE.NOT_IMPLEMENTED,
      `Unknown compression method ${compression}`);
  }
  const { bucket, key } = splitUrl(url, store.region);
  const mapped = `http://${store.host}:${store.port}/${bucket}/${key}`;
  const keys = chooseKeys(values, keySettings);
  const name = compression.toLowerCase();
  const credentials = keys === null ? 'NOSIGN'
    : `${quoteString(keys[0])}, ${quoteString(keys[1])}`;
  return {
    sql: `s3(${quoteString(mapped)}, ${credentials}, ${quoteString(format)}, ` +
      `${quoteString(structure)}, ` +
      `${quoteString(COMPRESSION_ALIASES[name] ?? name)})`,
    call: {
      url, mapped, arguments: values.length, structure, format, compression,
      isGlob: /[*?{]/.test(key),
    },
  };
}

/*
 * Replaces every CnchS3 call in a statement; returns { sql, calls }.  options
 * has the store and the keys that settings give (empty strings if none).
 */
export function translateCnchS3(sql, options) {
  const tokens = tokenize(sql);
  const edits = new Edits(sql);
  const calls = [];
  for (let i = 0; i < tokens.length; i++) {
    if (isWord(tokens[i], 'CNCHS3') && isSymbol(tokens[i + 1], '(')) {
      const close = closing(tokens, i + 1);
      const { sql: text, call } =
        translateCall(literals(sql, tokens, i + 1, close), options);
      edits.replaceTokens(tokens, i, close, text);
      calls.push(call);
      i = close;
    }
  }
  return { sql: edits.apply(), calls };
}
