/*
 * The whole menu of faults at every operation, on both sides: what the client
 * sees, what the log says, and whether the operation was done.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { once } from 'node:events';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { BUCKET, md5, signed, startStore } from './lib/store_world.mjs';

const BODY = randomBytes(40_000);
const SIDES = ['tos', 's3'];

let store;

before(async () => {
  store = await startStore();
});
after(() => store.stop());
afterEach(() => store.admin('DELETE', '/faults'));

function requestFor(side, { path, ...more }) {
  return signed({
    side, host: `127.0.0.1:${store.port}`, path: `/${BUCKET}/${path}`, ...more,
  });
}

async function ask(side, options) {
  const reply = await store.request(requestFor(side, options));

  assert.ok(reply.status < 300, `${options.method} ${options.path}: ${reply.body}`);
  return reply;
}

function deleteBody(side) {
  return side === 's3' ? '<Delete><Object><Key>there</Key></Object></Delete>' : '{"Objects":[{"Key":"there"}]}';
}

function completeBody(side, etag) {
  return side === 's3'
    ? `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`
    : JSON.stringify({ Parts: [{ PartNumber: 1, ETag: etag }] });
}

function uploadIdIn(reply) {
  return /UploadId>?"?:?"?([0-9a-f]{32})/.exec(String(reply.body))[1];
}

async function hasKey(key) {
  return (await store.keys()).includes(key);
}

async function uploads() {
  return (await store.admin('GET', '/objects')).uploads;
}

/*
 * For each operation: its request, given an upload with one part, and how one
 * sees that it was done.
 */
const OPERATIONS = {
  PUT: { make: () => ({ method: 'PUT', path: 'new', body: BODY }), done: () => hasKey('new') },
  GET: { make: () => ({ method: 'GET', path: 'there' }), done: null },
  HEAD: { make: () => ({ method: 'HEAD', path: 'there' }), done: null },
  DELETE: { make: () => ({ method: 'DELETE', path: 'there' }), done: async () => !await hasKey('there') },
  DELETE_MANY: {
    make: (side) => ({
      method: 'POST', path: '', query: { delete: '' }, body: deleteBody(side),
      headers: { 'content-md5': md5(deleteBody(side)).toString('base64') },
    }),
    done: async () => !await hasKey('there'),
  },
  LIST: { make: () => ({ method: 'GET', path: '', query: { 'list-type': '2' } }), done: null },
  CREATE: {
    make: () => ({ method: 'POST', path: 'second', query: { uploads: '' } }),
    done: async () => (await uploads()).length === 2,
  },
  PART: {
    make: (side, { uploadId }) => ({
      method: 'PUT', path: 'parts', query: { uploadId, partNumber: '2' }, body: BODY,
    }),
    done: async () => (await uploads())[0].parts.length === 2,
  },
  COMPLETE: {
    make: (side, { uploadId, etag }) => ({
      method: 'POST', path: 'parts', query: { uploadId }, body: completeBody(side, etag),
    }),
    done: () => hasKey('parts'),
  },
  ABORT: {
    make: (side, { uploadId }) => ({ method: 'DELETE', path: 'parts', query: { uploadId } }),
    done: async () => (await uploads()).length === 0,
  },
  LIST_PARTS: { make: (side, { uploadId }) => ({ method: 'GET', path: 'parts', query: { uploadId } }), done: null },
  LIST_UPLOADS: { make: () => ({ method: 'GET', path: '', query: { uploads: '' } }), done: null },
};

/* An object "there" and an upload of "parts" with one part. */
async function prepare(side) {
  await store.admin('DELETE', '/objects');
  await ask(side, { method: 'PUT', path: 'there', body: BODY });

  const uploadId = uploadIdIn(await ask(side, { method: 'POST', path: 'parts', query: { uploads: '' } }));
  const { headers: { etag } } = await ask(side, {
    method: 'PUT', path: 'parts', query: { uploadId, partNumber: '1' }, body: BODY,
  });

  return { uploadId, etag };
}

/* The bytes of an answer as they come, until the connection ends or it is quiet. */
async function rawAnswer(one, quietMs) {
  const socket = net.connect(store.port, '127.0.0.1');
  const chunks = [];
  let ended = false;

  socket.on('error', () => {});
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('close', () => {
    ended = true;
  });
  await once(socket, 'connect');
  socket.write([`${one.method} ${one.path} HTTP/1.1`,
    ...Object.entries(one.headers).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n'));
  if (one.body !== undefined)
    socket.write(one.body);
  for (let waited = 0; !ended && waited < quietMs; waited += 10)
    await sleep(10);
  socket.destroy();
  return { bytes: Buffer.concat(chunks), ended };
}

async function strike(side, op, wish, { quietMs = 5000 } = {}) {
  const state = await prepare(side);

  await store.fault({ op, times: 1, ...wish });

  const one = requestFor(side, OPERATIONS[op].make(side, state));
  const answer = await rawAnswer(one, quietMs);

  assert.equal((await store.admin('GET', '/faults')).faults.at(-1).hits, 1, `${side} ${op}`);
  await store.admin('DELETE', '/faults');
  return { ...answer, one };
}

async function isDone(op, expected) {
  if (OPERATIONS[op].done !== null)
    assert.equal(await OPERATIONS[op].done(), expected, op);
}

const EACH = SIDES.flatMap((side) => Object.keys(OPERATIONS).map((op) => [side, op]));

async function eachOperation(check) {
  for (const [side, op] of EACH)
    await check(side, op);
}

test('without a fault every operation is done', async () => {
  await eachOperation(async (side, op) => {
    const state = await prepare(side);

    await ask(side, OPERATIONS[op].make(side, state));
    await isDone(op, true);
    assert.equal(store.lastLog().fault, undefined);
  });
});

test('of several faults one is removed', async () => {
  const { id } = await store.admin('POST', '/faults', { op: 'GET', fault: 'drop' });

  await store.fault({ op: 'GET', fault: 'drop', match: 'elsewhere' });
  await store.admin('DELETE', `/faults/${id}`);

  const { faults } = await store.admin('GET', '/faults');

  assert.deepEqual(faults.map(({ match }) => match), ['elsewhere']);
});

test('drop and truncate_request: the connection ends, nothing is said or done', async () => {
  await eachOperation(async (side, op) => {
    for (const fault of ['drop', 'truncate_request']) {
      const { bytes, ended } = await strike(side, op, { fault });

      assert.equal(ended, true);
      assert.equal(bytes.length, 0);
      await isDone(op, false);
      assert.equal(store.lastLog().code, fault === 'drop' ? 'FaultDrop' : 'FaultTruncateRequest');
      assert.equal(store.lastLog().accepted, true);
    }
  });
});

test('truncate_request counts the bytes it has read', async () => {
  for (const op of ['PUT', 'PART']) {
    const state = await prepare('tos');

    await store.fault({ op, fault: 'truncate_request', after_bytes: 12_345 });
    await assert.rejects(store.request(requestFor('tos', OPERATIONS[op].make('tos', state))));
    while (store.lastLog().code !== 'FaultTruncateRequest')
      await sleep(10);
    assert.ok(store.lastLog().bytes_in >= 12_345);
    await isDone(op, false);
    await store.admin('DELETE', '/faults');
  }
});

test('drop_after: done, and nothing said', async () => {
  await eachOperation(async (side, op) => {
    const { bytes, ended } = await strike(side, op, { fault: 'drop_after' });

    assert.equal(ended, true);
    assert.equal(bytes.length, 0);
    await isDone(op, true);
    assert.equal(store.lastLog().code, 'FaultDropAfter');
  });
});

test('hang and hang_after: silence, before and after it is done', async () => {
  await eachOperation(async (side, op) => {
    for (const fault of ['hang', 'hang_after']) {
      const { bytes, ended } = await strike(side, op, { fault }, { quietMs: 60 });

      assert.equal(ended, false);
      assert.equal(bytes.length, 0);
      await isDone(op, fault === 'hang_after');
      assert.equal(store.lastLog().code, 'FaultHang');
    }
  });
});

test('truncate_reply: half of the body, or of the head if there is no body', async () => {
  await eachOperation(async (side, op) => {
    const { bytes, ended } = await strike(side, op, { fault: 'truncate_reply' });
    const text = bytes.toString('latin1');
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    const body = text.split('\r\n\r\n')[1];

    assert.equal(ended, true);
    await isDone(op, true);
    if (body === undefined) {
      assert.match(text, /^HTTP\/1.1 200 OK\r\nETa$/);
      assert.ok(['PUT', 'PART', 'HEAD', 'DELETE', 'ABORT'].includes(op), op);
    } else
      assert.equal(body.length, Math.floor(length / 2), op);
    assert.equal(store.lastLog().code, 'FaultTruncateReply');
  });

  const { bytes } = await strike('tos', 'GET', { fault: 'truncate_reply', after_bytes: 39_999 });

  assert.equal(bytes.length - bytes.indexOf('\r\n\r\n') - 4, 39_999);
});

test('error with every form of body, read or not', async () => {
  await eachOperation(async (side, op) => {
    for (const [body, read_body] of [['normal', true], ['html', false], ['big', false], ['empty', true]]) {
      const state = await prepare(side);

      await store.fault({
        op, fault: 'error', status: 503, code: 'SlowDown', message: 'Slower.', retry_after: 7, body, read_body, times: 1,
      });

      const one = requestFor(side, OPERATIONS[op].make(side, state));
      const reply = await store.request(one);
      const text = String(reply.body);
      const requestId = reply.headers[`${side === 's3' ? 'x-amz' : 'x-tos'}-request-id`];

      assert.equal(reply.status, 503);
      assert.equal(reply.headers['retry-after'], '7');
      await isDone(op, false);
      assert.equal(store.lastLog().code, 'SlowDown');
      assert.ok(store.lastLog().message.length <= 1000);
      assert.equal(store.lastLog().bytes_in, read_body ? one.body?.length ?? 0 : 0);
      assert.equal(requestId !== undefined, body !== 'html');
      if (op === 'HEAD')
        assert.equal(text, '');
      else if (body === 'html')
        assert.match(text, /^<!DOCTYPE html>/);
      else if (body === 'empty')
        assert.equal(text, '');
      else
        assert.ok(body === 'big' ? text.length > 1024 * 1024 : /SlowDown.*Slower\./.test(text), text.slice(0, 200));
      await store.admin('DELETE', '/faults');
    }
  });
});

test('an error or a page with status 200', async () => {
  for (const side of SIDES)
    for (const body of ['normal', 'html']) {
      const { bytes } = await strike(side, 'COMPLETE', { fault: 'error', status: 200, body, code: 'InternalError' },
        { quietMs: 100 });

      assert.match(String(bytes), /^HTTP\/1.1 200/);
      assert.match(String(bytes), body === 'html' ? /<!DOCTYPE html>/ : /InternalError/);
      await isDone('COMPLETE', false);
    }
});

test('corrupt_crc, corrupt_etag and corrupt_body change only that', async () => {
  for (const side of SIDES)
    for (const op of ['PUT', 'PART', 'COMPLETE', 'GET', 'HEAD', 'LIST']) {
      const fetched = async (wish) => {
        const state = await prepare(side);

        if (wish !== null)
          await store.fault({ op, times: 1, ...wish });

        const reply = await store.request(requestFor(side, OPERATIONS[op].make(side, state)));

        await store.admin('DELETE', '/faults');
        return {
          status: reply.status, crc: reply.headers['x-tos-hash-crc64ecma'], etag: reply.headers.etag,
          etags: String(reply.body).match(/[0-9a-f]{32}(-\d+)?(?=\\?"|&quot;<)/g),
          body: op === 'GET' ? reply.body : null,
        };
      };
      const good = await fetched(null);
      const crc = await fetched({ fault: 'corrupt_crc' });
      const etag = await fetched({ fault: 'corrupt_etag' });
      const body = await fetched({ fault: 'corrupt_body' });
      const what = `${side} ${op}`;

      assert.equal(good.status, 200);
      if (good.crc !== undefined)
        assert.equal(BigInt(crc.crc), BigInt(good.crc) ^ 1n, what);
      assert.equal(good.crc !== undefined, side === 'tos' && op !== 'LIST', what);
      assert.equal(crc.etag, good.etag, what);
      assert.equal(etag.crc, good.crc, what);
      if (good.etag !== undefined) {
        assert.match(etag.etag, /^"[0-9a-f]{32}"$/);
        assert.notEqual(etag.etag, good.etag);
      }
      if (op === 'COMPLETE' || op === 'LIST') {
        assert.equal(etag.etags.length, good.etags.length, what);
        for (const [i, one] of good.etags.entries())
          assert.notEqual(etag.etags[i], one);
      }
      if (op === 'GET') {
        assert.notDeepEqual(body.body, good.body);
        assert.deepEqual(body.body.subarray(1), good.body.subarray(1));
      }
    }
});

test('delay: done, later', async () => {
  await eachOperation(async (side, op) => {
    const state = await prepare(side);

    await store.fault({ op, fault: 'delay', ms: 30, times: 1 });

    const started = Date.now();

    await ask(side, OPERATIONS[op].make(side, state));
    assert.ok(Date.now() - started >= 29, op);
    await isDone(op, true);
    await store.admin('DELETE', '/faults');
  });
});

test('skip, times and part choose the request', async () => {
  const { uploadId } = await prepare('tos');
  const part = async (partNumber) => (await store.request(requestFor('tos', {
    method: 'PUT', path: 'parts', query: { uploadId, partNumber: String(partNumber) }, body: 'x',
  }))).status;

  await store.fault({ op: 'PART', part: 3, fault: 'error', status: 400, code: 'BadDigest', times: 1 });
  await store.fault({ op: 'PART', skip: 2, times: 2, fault: 'error', status: 500 });

  const statuses = [];

  for (const number of [1, 3, 2, 3, 4, 5, 6])
    statuses.push(await part(number));
  assert.deepEqual(statuses, [200, 400, 200, 500, 500, 200, 200]);
  assert.deepEqual((await store.admin('GET', '/faults')).faults.map(({ passed, hits }) => [passed, hits]),
    [[0, 1], [2, 2]]);
});

test('wishes that make no sense are refused', async () => {
  for (const wish of [
    { fault: 'delay' }, { fault: 'delay', ms: 0 }, { fault: 'drop', after_bytes: 1 }, { fault: 'hang', skip: -1 },
    { fault: 'hang', part: 0 }, { fault: 'truncate_request', after_bytes: null }, { fault: 'error', body: 'json' },
    { fault: 'error', status: 200 }, { fault: 'error', status: 199, body: 'html' }, { fault: 'error', read_body: 1 },
    { fault: 'slow', bytes_per_second: 1, op: 'COMPLETE' },
  ])
    assert.equal((await store.admin('POST', '/faults', wish)).status, 400, JSON.stringify(wish));
});

test('the store itself found nothing to complain about', () => {
  assert.equal(store.stderr, '');
});
