/*
 * admin.mjs: the administration port for tests: JSON over HTTP.  GET lists,
 * POST adds or changes one, DELETE goes back to how it was at the start.
 *
 *   /faults     what shall go wrong (faults.mjs); POST answers {"id": n};
 *               DELETE /faults/n removes one; requests already held stay held
 *   /keys       access keys and what they may do (access.mjs);
 *               DELETE /keys/NAME removes one
 *   /sinks      where bodies are dropped (sinks.mjs)
 *   /behaviour  clock, path style (behaviour.mjs)
 *   /objects    GET: all objects and unfinished uploads; DELETE: none any more
 *   /log        GET: the last requests
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

/* Keys of other people's tests are no secrets, but nobody needs them. */
function withoutSecrets({ secretKey: _secret, securityToken, ...key }) {
  return { ...key, temporary: securityToken !== null };
}

export function createAdmin({ faults, access, sinks, behaviour, objects, log }) {
  const everything = () => ({ objects: objects.everything(), uploads: objects.unfinished() });
  const handlers = {
    'GET /faults': () => ({ faults: faults.list() }),
    'POST /faults': (wish) => ({ id: faults.add(wish) }),
    'DELETE /faults': () => faults.clear(),
    'GET /keys': () => ({ keys: access.list().map(withoutSecrets) }),
    'POST /keys': (wish) => access.put(wish),
    'DELETE /keys': () => access.reset(),
    'GET /sinks': () => ({ sinks: sinks.list() }),
    'POST /sinks': (wish) => sinks.add(wish),
    'DELETE /sinks': () => sinks.clear(),
    'GET /behaviour': () => behaviour.all(),
    'POST /behaviour': (wish) => behaviour.change(wish),
    'DELETE /behaviour': () => behaviour.reset(),
    'GET /objects': everything,
    'DELETE /objects': () => objects.clear(),
    'GET /log': () => ({ log: log.recent() }),
  };

  const removers = {
    '/faults': (id) => faults.remove(Number(id)),
    '/keys': (name) => access.remove(name),
  };

  /* What a request without an answer of its own says: the list as it is now. */
  async function handle(request) {
    const [, resource, name] = /^(\/[a-z]+)(?:\/([A-Za-z0-9]+))?$/.exec(request.url) ?? [];
    const handler = handlers[`${request.method} ${resource}`];

    if (request.method === 'DELETE' && name !== undefined && Object.hasOwn(removers, resource))
      removers[resource](name);
    else if (handler === undefined || name !== undefined)
      return { status: 404, body: { error: `there is ${Object.keys(handlers).join(', ')}` } };
    else {
      const body = handler(request.method === 'POST' ? await readJson(request) : undefined);

      if (body !== undefined)
        return { status: 200, body };
    }
    return { status: 200, body: handlers[`GET ${resource}`]() };
  }

  async function answer(request, response) {
    const { status, body } = await handle(request).catch((error) => (
      { status: 400, body: { error: error.message } }));

    /* a client that sleeps for long would find its connection closed */
    response.writeHead(status, { 'content-type': 'application/json', 'connection': 'close' });
    response.end(JSON.stringify(body) + '\n');
  }

  return createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
}
