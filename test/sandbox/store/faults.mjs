/*
 * faults.mjs: the list of faults that tests ask for, and which one a request
 * gets. The oldest fault that fits is taken. A fault fits by operation (op)
 * and by a regular expression on the key (for LIST: on the prefix).
 *
 *   hang   read `after_bytes` of the body, then neither read nor answer
 *   slow   after `after_bytes`, pass `bytes_per_second`
 *   error  answer `status`, `code`, `message` without reading the body
 *
 * For hang and slow the bytes are those of the request body of a PUT, and
 * those of the reply body of a GET or LIST.
 */
const OPS = ['PUT', 'GET', 'HEAD', 'DELETE', 'LIST', '*'];

const FIELDS = {
  hang: { after_bytes: 0 },
  slow: { after_bytes: 0, bytes_per_second: undefined },
  error: { status: 503, code: 'InternalError', message: 'A fault was asked for.', retry_after: null },
};

function isCount(value, least) {
  return Number.isSafeInteger(value) && value >= least;
}

/* Checks the wish of a test; throws an Error with a sentence. */
function parseFault(wish) {
  if (wish === null || typeof wish !== 'object' || !Object.hasOwn(FIELDS, wish.fault))
    throw new Error(`"fault" is one of ${Object.keys(FIELDS).join(', ')}`);

  const known = { op: '*', match: '', times: null, ...FIELDS[wish.fault] };

  for (const name of Object.keys(wish))
    if (name !== 'fault' && !Object.hasOwn(known, name))
      throw new Error(`"${name}" has no meaning for fault ${wish.fault}`);

  const fault = { fault: wish.fault, ...known, ...wish };

  if (!OPS.includes(fault.op))
    throw new Error(`"op" is one of ${OPS.join(', ')}`);
  if (fault.times !== null && !isCount(fault.times, 1))
    throw new Error('"times" is a positive number or null');
  if ('after_bytes' in fault && !isCount(fault.after_bytes, 0))
    throw new Error('"after_bytes" is a number of bytes');
  if (fault.fault === 'slow') {
    if (!isCount(fault.bytes_per_second, 1))
      throw new Error('"bytes_per_second" is a positive number');
    if (fault.op === 'HEAD' || fault.op === 'DELETE')
      throw new Error(`${fault.op} has no body to slow down`);
  }
  if (fault.fault === 'error') {
    if (!isCount(fault.status, 300) || fault.status > 599)
      throw new Error('"status" is between 300 and 599');
    if (fault.retry_after !== null && !isCount(fault.retry_after, 0))
      throw new Error('"retry_after" is a number of seconds or null');
  }
  return { ...fault, expression: new RegExp(fault.match, 'u') };
}

export function createFaults() {
  let faults = [];
  let lastId = 0;

  return {
    add(wish) {
      const fault = { id: ++lastId, ...parseFault(wish), hits: 0 };

      faults.push(fault);
      return fault.id;
    },
    clear() {
      faults = [];
    },
    list() {
      return faults.map(({ expression: _, ...fault }) => fault);
    },
    /* The fault for this request, counted as used, or null. */
    take(op, subject) {
      const fault = faults.find((one) => (one.op === '*' || one.op === op)
        && !(one.fault === 'slow' && (op === 'HEAD' || op === 'DELETE'))
        && (one.times === null || one.hits < one.times)
        && one.expression.test(subject));

      if (fault === undefined)
        return null;
      fault.hits++;
      return fault;
    },
  };
}
