/*
 * Faults: each kind at each operation, how they are chosen, and that the
 * store serves everybody else meanwhile.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { BUCKET, TOS_HOST, signed, startStore } from './lib/store_world.mjs';

const VIRTUAL = `${BUCKET}.${TOS_HOST}`;
const BODY = randomBytes(50_000);

let store;

before(async () => {
  store = await startStore();
  await put('there');
});
after(() => store.stop());
afterEach(() => store.admin('DELETE', '/faults'));

function put(key) {
  return store.client().putObject({ key, body: BODY, contentLength: BODY.length });
}

const OPERATIONS = {
  PUT: () => put('new'),
  GET: () => store.client().getObjectV2({ key: 'there', dataType: 'buffer' }),
  HEAD: () => store.client().headObject('there'),
  DELETE: () => store.client().deleteObject('there'),
  LIST: () => store.client().listObjectsType2({ prefix: 'there' }),
};

/*
 * Send a request that a fault holds. When the store says that it holds it,
 * wait a little longer, and give what has arrived by then.
 */
async function sendHeld(one) {
  const n_before = store.logLines().length;
  const seen = { status: null, n_bytes: 0, ended: false };
  const outgoing = http.request({ host: '127.0.0.1', port: store.port, agent: false, ...one }, (incoming) => {
    seen.status = incoming.statusCode;
    incoming.on('data', (chunk) => {
      seen.n_bytes += chunk.length;
    });
    incoming.on('error', () => {});
    incoming.on('end', () => {
      seen.ended = true;
    });
  });

  outgoing.on('error', () => {});
  outgoing.end(one.body);
  while (store.logLines().length === n_before)
    await sleep(10);
  await sleep(200);
  outgoing.destroy();
  return seen;
}

for (const [op, run] of Object.entries(OPERATIONS))
  test(`error at ${op}: the answer asked for, as often as asked for`, async () => {
    await store.fault({
      op, fault: 'error', status: 429, code: 'ExceedAccountQPSLimit', message: 'Slow down.', retry_after: 3, times: 2,
    });
    for (let i = 0; i < 2; i++)
      await assert.rejects(run(), (error) => {
        assert.equal(error.statusCode, 429);
        assert.equal(error.headers['retry-after'], '3');
        assert.ok(error.requestId);
        /* the client does not parse errors of a GET */
        if (op !== 'HEAD' && op !== 'GET') {
          assert.equal(error.code, 'ExceedAccountQPSLimit');
          assert.equal(error.message, 'Slow down.');
        }
        assert.equal(store.lastLog().status, 429);
        assert.equal(store.lastLog().accepted, true);
        assert.ok(store.lastLog().fault > 0);
        return true;
      });
    assert.equal((await store.admin('GET', '/faults')).faults[0].hits, 2);
    assert.deepEqual(await store.keys(), ['there']);
    await run();
    if (op === 'PUT')
      await store.client().deleteObject('new');
    if (op === 'DELETE')
      await put('there');
  });

for (const [op, run] of Object.entries(OPERATIONS))
  test(`hang at ${op}: silence, nothing done, others are served`, async () => {
    await store.fault({ op, fault: 'hang', times: 1 });

    const one = signed({
      host: VIRTUAL,
      method: op === 'LIST' ? 'GET' : op,
      path: op === 'LIST' ? '/' : op === 'PUT' ? '/new' : '/there',
      ...(op === 'LIST' && { query: { 'list-type': '2' } }),
      ...(op === 'PUT' && { body: BODY }),
    });

    assert.deepEqual(await sendHeld(one), { status: null, n_bytes: 0, ended: false });
    assert.equal(store.lastLog().status, op === 'GET' || op === 'LIST' ? 200 : null);
    assert.deepEqual(await store.keys(), ['there']);
    await run();
    if (op === 'PUT')
      await store.client().deleteObject('new');
    if (op === 'DELETE')
      await put('there');
  });

test('hang after some bytes of an upload', async () => {
  await store.fault({ op: 'PUT', fault: 'hang', after_bytes: 10_000 });
  assert.equal((await sendHeld(signed({ host: VIRTUAL, method: 'PUT', path: '/new', body: BODY }))).status, null);
  assert.equal(store.lastLog().bytes_in, 10_000);
  assert.equal(store.lastLog().code, 'FaultHang');
  assert.deepEqual(await store.keys(), ['there']);
});

test('hang after all bytes of an upload, before it is stored', async () => {
  await store.fault({ op: 'PUT', fault: 'hang', after_bytes: BODY.length });
  assert.equal((await sendHeld(signed({ host: VIRTUAL, method: 'PUT', path: '/new', body: BODY }))).status, null);
  assert.equal(store.lastLog().bytes_in, BODY.length);
  assert.deepEqual(await store.keys(), ['there']);
});

test('hang after some bytes of a download', async () => {
  await store.fault({ op: 'GET', fault: 'hang', after_bytes: 1234 });
  assert.deepEqual(await sendHeld(signed({ host: VIRTUAL, path: '/there' })),
    { status: 200, n_bytes: 1234, ended: false });
  assert.equal(store.lastLog().bytes_out, 1234);
});

test('slow upload and slow download keep the pace and the bytes', async () => {
  await store.fault({ op: '*', fault: 'slow', after_bytes: 10_000, bytes_per_second: 80_000 });

  let started = Date.now();

  await put('new');

  const upload = Date.now() - started;

  started = Date.now();

  const { data } = await store.client().getObjectV2({ key: 'new', dataType: 'buffer' });
  const download = Date.now() - started;

  assert.deepEqual(data.content, BODY);
  for (const ms of [upload, download])
    assert.ok(ms >= 480, `${ms} ms for 500`);
  await store.client().headObject('new');
  await store.client().deleteObject('new');
  assert.equal((await store.admin('GET', '/faults')).faults[0].hits, 2);
});

test('a slow upload is really read slowly', async () => {
  await store.fault({ op: 'PUT', fault: 'slow', bytes_per_second: 10_000, times: 1 });

  const big = signed({ host: VIRTUAL, method: 'PUT', path: '/big', body: Buffer.alloc(30_000_000) });
  let n_sent = 0;

  await new Promise((resolve) => {
    const outgoing = http.request({ host: '127.0.0.1', port: store.port, agent: false, ...big });

    outgoing.on('error', () => {});
    outgoing.end(big.body);
    setTimeout(() => {
      n_sent = outgoing.socket.bytesWritten - outgoing.socket.writableLength;
      outgoing.destroy();
      resolve();
    }, 500);
  });
  assert.ok(n_sent < 29_000_000, `${n_sent} bytes went out`);
  assert.deepEqual(await store.keys(), ['there']);
});

test('faults are chosen by operation, key and age', async () => {
  await store.fault({ op: 'HEAD', match: '^the', fault: 'error', status: 500, times: 1 });
  await store.fault({ op: '*', match: 'here$', fault: 'error', status: 503 });
  await assert.rejects(store.client().headObject('other'), { statusCode: 404 });
  await assert.rejects(store.client().headObject('there'), { statusCode: 500 });
  await assert.rejects(store.client().headObject('there'), { statusCode: 503 });
  await assert.rejects(OPERATIONS.GET(), { statusCode: 503 });
  await assert.rejects(OPERATIONS.LIST(), { statusCode: 503, code: 'InternalError' });
  await store.client().listObjectsType2({ prefix: 'th' });

  const { faults } = await store.admin('GET', '/faults');

  assert.deepEqual(faults.map(({ hits }) => hits), [1, 3]);
  assert.deepEqual((await store.admin('DELETE', '/faults')).faults, []);
  await OPERATIONS.GET();
});

test('a fault does not let a bad signature pass', async () => {
  await store.fault({ op: '*', fault: 'error', status: 503 });
  await assert.rejects(store.client({ accessKeySecret: 'wrong' }).headObject('there'), { statusCode: 403 });
  assert.equal((await store.admin('GET', '/faults')).faults[0].hits, 0);
});

test('the official client retries, signed anew, and gets through', async () => {
  await store.fault({ op: 'PUT', fault: 'error', status: 503, times: 2 });

  const n_before = store.logLines().length;

  await store.client({ maxRetryCount: 3 }).putObject({
    key: 'new', body: BODY, contentLength: BODY.length,
  });
  assert.deepEqual(store.logLines().slice(n_before).map(({ status, accepted }) => [status, accepted]),
    [[503, true], [503, true], [200, true]]);
  await store.client().deleteObject('new');
});

test('wishes that make no sense are refused', async () => {
  for (const wish of [
    null, [], {}, 'hang', { fault: 'explode' }, { fault: 'hang', op: 'POST' }, { fault: 'hang', times: 0 },
    { fault: 'hang', after_bytes: -1 }, { fault: 'hang', status: 500 }, { fault: 'slow' },
    { fault: 'slow', bytes_per_second: 0 }, { fault: 'slow', bytes_per_second: 1, op: 'HEAD' },
    { fault: 'error', status: 200 }, { fault: 'error', retry_after: 'soon' }, { fault: 'error', after_bytes: 1 },
    { fault: 'error', match: '(' },
  ]) {
    const { status, error } = await store.admin('POST', '/faults', wish);

    assert.equal(status, 400, JSON.stringify(wish));
    assert.ok(error);
  }
  assert.deepEqual((await store.admin('GET', '/faults')).faults, []);
  assert.equal((await store.admin('GET', '/nothing')).status, 404);
});

test('the log of the administration port is that of the file', async () => {
  const { log } = await store.admin('GET', '/log');

  assert.deepEqual(log, store.logLines());
});
