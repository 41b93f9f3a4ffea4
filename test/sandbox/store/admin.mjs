/*
 * admin.mjs: the administration port for tests.
 *
 *   POST /faults {..}   add a fault (faults.mjs), answers {"id": n}
 *   GET /faults         all faults with their hits
 *   DELETE /faults      forget them; requests already held stay held
 *   GET /log            the last requests
 *   GET /objects        all objects there are now
 */
import { createServer } from 'node:http';

const MAX_BODY_BYTES = 64 * 1024;

async function readJson(request) {
  const chunks = [];
  let size = 0;

  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new Error('the body is too long');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

export function createAdmin({ faults, objects, log }) {
  const handlers = {
    'POST /faults': async (request) => ({ id: faults.add(await readJson(request)) }),
    'GET /faults': async () => ({ faults: faults.list() }),
    'DELETE /faults': async () => {
      faults.clear();
      return { faults: [] };
    },
    'GET /log': async () => ({ log: log.recent() }),
    'GET /objects': async () => ({ objects: objects.everything() }),
  };

  async function answer(request, response) {
    const handler = handlers[`${request.method} ${request.url}`];
    let status = 200;
    let body;

    try {
      if (handler === undefined) {
        status = 404;
        body = { error: `there is ${Object.keys(handlers).join(', ')}` };
      } else
        body = await handler(request);
    } catch (error) {
      status = 400;
      body = { error: error.message };
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body) + '\n');
  }

  return createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
}
