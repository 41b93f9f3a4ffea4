/*
 * addressing.mjs: which host means what.
 *
 *   tos-<region>.volces.com        native API; the bucket is in front of it
 *   tos-s3-<region>.volces.com     S3 API; the bucket is in front of it
 *                                  (either also with the domain ivolces.com)
 *   s3.<region>.sandbox.test       S3 API; the same, by plain HTTP only, for
 *                                  clients that know S3 by its host's name
 *   127.0.0.1:<port>, localhost    either API; the bucket is in the path
 */
import { percentDecode } from './canonical.mjs';
import { refusal } from './errors.mjs';

const MAX_KEY_BYTES = 696;

function splitPort(host) {
  const [, name, port] = /^([^:]*)(?::(\d+))?$/.exec(host.toLowerCase()) ?? [];

  return { name, port };
}

export function createAddressing({ region, port }) {
  const endpoints = ['volces.com', 'ivolces.com'].flatMap((domain) => [
    { side: 'tos', suffix: `tos-${region}.${domain}` },
    { side: 's3', suffix: `tos-s3-${region}.${domain}` },
  ]).concat({ side: 's3', suffix: `s3.${region}.sandbox.test` });

  /*
   * What a Host value stands for: { side, style, bucket }, or null for a
   * host that is not played here. style 'bare' is a service host without a
   * bucket in front; side null means that the request itself decides.
   */
  function resolveHost(host) {
    const { name, port: hostPort } = splitPort(host);

    if (name === undefined)
      return null;
    if (name === '127.0.0.1' || name === 'localhost')
      return hostPort === String(port)
        ? { side: null, style: 'path', bucket: null } : null;
    for (const { side, suffix } of endpoints) {
      if (name === suffix)
        return { side, style: 'bare', bucket: null };
      if (name.endsWith('.' + suffix)) {
        const bucket = name.slice(0, -suffix.length - 1);

        return bucket.includes('.') ? null : { side, style: 'virtual', bucket };
      }
    }
    return null;
  }

  /* May a tunnel to `authority` ("host:port") be opened? */
  function playsTunnel(authority) {
    const { name, port: hostPort } = splitPort(authority);
    const resolved = hostPort === '443' ? resolveHost(name) : null;

    return resolved !== null && resolved.style !== 'path';
  }

  return { resolveHost, playsTunnel };
}

/*
 * Bucket and key of a request; key '' addresses the bucket itself.
 * pathStyle: whether the service's hosts take the bucket in the path.
 */
export function splitTarget(resolved, path, pathStyle) {
  if (resolved.style === 'virtual')
    return { bucket: resolved.bucket, key: path.slice(1) };
  if (resolved.style === 'bare' && !(pathStyle && path !== '/')) {
    if (path === '/')
      throw refusal('AccessDenied', 'Buckets cannot be listed with this access key.');
    throw refusal('InvalidPathAccess',
      'The bucket belongs in front of the host name, not in the path.');
  }

  const slash = path.indexOf('/', 1);

  return slash < 0
    ? { bucket: path.slice(1), key: '' }
    : { bucket: path.slice(1, slash), key: path.slice(slash + 1) };
}

/* The request target of any form to its raw and decoded parts. */
export function parseTarget(url) {
  const absolute = /^http:\/\/([^/?]*)([^]*)$/i.exec(url);
  const target = absolute ? absolute[2] : url;
  const question = target.indexOf('?');
  const rawPath = question < 0 ? target : target.slice(0, question);

  return {
    authority: absolute ? absolute[1] : null,
    rawPath: rawPath === '' ? '/' : rawPath,
    rawQuery: question < 0 ? '' : target.slice(question + 1),
  };
}

export function decodePath(rawPath) {
  if (!rawPath.startsWith('/'))
    throw refusal('InvalidArgument', 'The request target is not a path.');
  return percentDecode(rawPath);
}

export function checkBucketName(bucket) {
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket))
    throw refusal('InvalidBucketName',
      'A bucket name has 3 to 63 of a-z, 0-9 and -, with no - at either end.');
}

export function checkKey(key) {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw refusal('KeyTooLong', `An object key has at most ${MAX_KEY_BYTES} bytes.`);
  if (key.startsWith('\\'))
    throw refusal('InvalidKey', 'An object key does not start with a backslash.');
}
