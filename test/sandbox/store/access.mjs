/*
 * access.mjs: access keys and what each may do.  An action of a policy may
 * stand for several operations (routing.mjs); what no policy names is
 * forbidden, aborting an upload as much as anything else.
 */
import { refusal } from './errors.mjs';

export const ACTIONS = [
  'PutObject', 'GetObject', 'DeleteObject', 'ListBucket',
  'AbortMultipartUpload', 'ListMultipartUploadParts', 'ListBucketMultipartUploads',
];

const FIELDS = {
  accessKey: undefined,
  secretKey: undefined,
  /* temporary keys: what x-...-security-token must say */
  securityToken: null,
  expired: false,
  actions: ACTIONS,
  /* null: all buckets */
  buckets: null,
  prefix: '',
};

function isList(value, allowed) {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && (!allowed || allowed.includes(one)));
}

/* Checks what a test or the configuration wants; throws an Error. */
function parseKey(wish) {
  for (const name of Object.keys(wish ?? {}))
    if (!Object.hasOwn(FIELDS, name))
      throw new Error(`"${name}" has no meaning for an access key`);

  const key = { ...FIELDS, ...wish };

  if (!/^[A-Za-z0-9]+$/.test(key.accessKey ?? '') || typeof key.secretKey !== 'string')
    throw new Error('an access key has "accessKey", of letters and digits, and "secretKey"');
  if (key.securityToken !== null && typeof key.securityToken !== 'string')
    throw new Error('"securityToken" is a text or null');
  if (typeof key.expired !== 'boolean' || typeof key.prefix !== 'string')
    throw new Error('"expired" is true or false, "prefix" a text');
  if (!isList(key.actions, ACTIONS))
    throw new Error(`"actions" is a list out of ${ACTIONS.join(', ')}`);
  if (key.buckets !== null && !isList(key.buckets))
    throw new Error('"buckets" is a list of names or null');
  return key;
}

/* initial: the keys there are at the start and after reset. */
export function createAccess(initial) {
  let keys;

  function reset() {
    keys = new Map(initial.map(parseKey).map((key) => [key.accessKey, key]));
  }
  reset();

  return {
    reset,
    find: (accessKey) => keys.get(accessKey),
    list: () => [...keys.values()],
    put(wish) {
      const key = parseKey(wish);

      keys.set(key.accessKey, key);
    },
    remove: (accessKey) => keys.delete(accessKey),
  };
}

/* subject: the key of the object, or the prefix of the list */
export function checkAllowed(accessKey, action, bucket, subject) {
  if (!accessKey.actions.includes(action)
    || !(accessKey.buckets?.includes(bucket) ?? true)
    || !subject.startsWith(accessKey.prefix))
    throw refusal('AccessDenied', `The policy of this access key does not allow ${action} here.`);
}
