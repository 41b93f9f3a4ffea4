/*
 * faults.mjs: the list of faults that tests ask for, and which one a request
 * gets. The oldest fault that fits is taken. A fault fits by operation (op),
 * by a regular expression on the key (for lists: on the prefix, for
 * DELETE_MANY: on nothing) and, if given, by part number. It lets `skip`
 * fitting requests pass and strikes `times` after that.
 *
 * before the operation, nothing is done:
 *   error             answer `status`, `code`, `message`, perhaps Retry-After;
 *                     `body` is normal, html, big (1 MB) or empty; `read_body`
 *                     takes in the request's body first
 *   drop              cut the connection
 *   truncate_request  cut it after `after_bytes` of the request's body
 *   hang              take `after_bytes`, then neither read nor answer
 * around it:
 *   delay             wait `ms`, then go on
 *   slow              after `after_bytes`, pass `bytes_per_second`
 * after it, everything is done:
 *   drop_after        cut the connection instead of answering
 *   hang_after        never answer
 *   truncate_reply    cut the connection after `after_bytes` of the answer's
 *                     body (null: half of it; if it has none, within its head)
 *   corrupt_crc       tell another CRC64
 *   corrupt_etag      tell another ETag, in the head and in the body
 *   corrupt_body      change the first byte of the answer's body
 *
 * For hang and slow the bytes are those of the request body of PUT and PART,
 * and those of the reply body of GET and lists; others hang at once.
 */
const BODY_IN = ['PUT', 'PART'];
const BODY_OUT = ['GET', 'LIST', 'LIST_PARTS', 'LIST_UPLOADS'];
const OPS = [
  ...BODY_IN, ...BODY_OUT, 'HEAD', 'DELETE', 'DELETE_MANY', 'CREATE', 'COMPLETE', 'ABORT', '*',
];
const ERROR_BODIES = ['normal', 'html', 'big', 'empty'];

const FIELDS = {
  hang: { after_bytes: 0 },
  slow: { after_bytes: 0, bytes_per_second: undefined },
  error: {
    status: 503, code: 'InternalError', message: 'A fault was asked for.', retry_after: null,
    body: null, read_body: false,
  },
  delay: { ms: undefined },
  drop: {},
  drop_after: {},
  hang_after: {},
  truncate_request: { after_bytes: 0 },
  truncate_reply: { after_bytes: null },
  corrupt_crc: {},
  corrupt_etag: {},
  corrupt_body: {},
};

function isCount(value, least) {
  return Number.isSafeInteger(value) && value >= least;
}

/* Where the body of an operation goes: 'in', 'out' or null. */
export function bodyDirection(op) {
  return BODY_IN.includes(op) ? 'in' : BODY_OUT.includes(op) ? 'out' : null;
}

function checkError(fault) {
  if (fault.body !== null && !ERROR_BODIES.includes(fault.body))
    throw new Error(`"body" is one of ${ERROR_BODIES.join(', ')}`);
  /* an error with status 200 is rare enough to be asked for twice */
  if (!isCount(fault.status, fault.body === null ? 300 : 200) || fault.status > 599)
    throw new Error('"status" is between 300 and 599, from 200 on where "body" is given');
  if (fault.retry_after !== null && !isCount(fault.retry_after, 0))
    throw new Error('"retry_after" is a number of seconds or null');
  if (typeof fault.read_body !== 'boolean')
    throw new Error('"read_body" is true or false');
}

/* Checks the wish of a test; throws an Error with a sentence. */
function parseFault(wish) {
  if (wish === null || typeof wish !== 'object' || !Object.hasOwn(FIELDS, wish.fault))
    throw new Error(`"fault" is one of ${Object.keys(FIELDS).join(', ')}`);

  const known = { op: '*', match: '', part: null, skip: 0, times: null, ...FIELDS[wish.fault] };

  for (const name of Object.keys(wish))
    if (name !== 'fault' && !Object.hasOwn(known, name))
      throw new Error(`"${name}" has no meaning for fault ${wish.fault}`);

  const fault = { fault: wish.fault, ...known, ...wish };

  if (!OPS.includes(fault.op))
    throw new Error(`"op" is one of ${OPS.join(', ')}`);
  if (fault.times !== null && !isCount(fault.times, 1))
    throw new Error('"times" is a positive number or null');
  if (!isCount(fault.skip, 0) || (fault.part !== null && !isCount(fault.part, 1)))
    throw new Error('"skip" is a number, "part" the number of a part or null');
  if ('after_bytes' in fault && !isCount(fault.after_bytes, 0)
    && !(fault.fault === 'truncate_reply' && fault.after_bytes === null))
    throw new Error('"after_bytes" is a number of bytes');
  if (fault.fault === 'delay' && !isCount(fault.ms, 1))
    throw new Error('"ms" is a positive number');
  if (fault.fault === 'slow') {
    if (!isCount(fault.bytes_per_second, 1))
      throw new Error('"bytes_per_second" is a positive number');
    if (fault.op !== '*' && bodyDirection(fault.op) === null)
      throw new Error(`${fault.op} has no body to slow down`);
  }
  if (fault.fault === 'error')
    checkError(fault);
  return { ...fault, expression: new RegExp(fault.match, 'u') };
}

export function createFaults() {
  let faults = [];
  let lastId = 0;

  function fits(one, op, subject, part) {
    return (one.op === '*' || one.op === op)
      && !(one.fault === 'slow' && bodyDirection(op) === null)
      && (one.part === null || one.part === part)
      && (one.times === null || one.hits < one.times)
      && one.expression.test(subject);
  }

  return {
    add(wish) {
      const fault = { id: ++lastId, ...parseFault(wish), passed: 0, hits: 0 };

      faults.push(fault);
      return fault.id;
    },
    clear() {
      faults = [];
    },
    remove(id) {
      faults = faults.filter((one) => one.id !== id);
    },
    list() {
      return faults.map(({ expression: _, ...fault }) => fault);
    },
    /* The fault for this request, counted as used, or null. */
    take(op, subject, part) {
      for (const fault of faults.filter((one) => fits(one, op, subject, part))) {
        if (fault.passed === fault.skip) {
          fault.hits++;
          return fault;
        }
        fault.passed++;
      }
      return null;
    },
  };
}
