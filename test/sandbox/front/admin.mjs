/*
 * admin.mjs: the front's own HTTP port, for tests.
 *
 *   GET /log				the last records of the query log, a JSON array
 *   GET, POST, DELETE /faults		see faults.mjs
 *   GET, POST, DELETE /users		see users.mjs; DELETE /users/NAME for one
 *   GET, POST, DELETE /warehouses	see warehouses.mjs
 *   GET, POST, DELETE /behaviour	see behaviour.mjs
 *
 * GET lists, POST adds or changes one thing, DELETE goes back to how the front
 * started.  What can't be done is answered 400 and { "error": why }.
 */
import http from 'node:http';

const MAX_BODY_BYTES = 64 * 1024;

async function readJson(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      throw new Error('the body is too long');
    }
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function handlersOf(world) {
  const { faults, users, warehouses, behaviour } = world;
  return {
    'GET /log': () => world.log.last,
    'GET /faults': () => ({ faults: faults.show() }),
    'POST /faults': (body) => ({ id: faults.add(body) }),
    'DELETE /faults': () => {
      faults.clear();
      return { faults: [] };
    },
    'GET /users': () => ({ users: users.list() }),
    'POST /users': (body) => ({ login: users.add(body).login }),
    'DELETE /users': () => {
      users.reset();
      return { users: users.list() };
    },
    'GET /warehouses': () => ({ warehouses: warehouses.list() }),
    'POST /warehouses': (body) => warehouses.set(body),
    'DELETE /warehouses': () => {
      warehouses.reset();
      return { warehouses: warehouses.list() };
    },
    'GET /behaviour': () => behaviour.list(),
    'POST /behaviour': (body) => {
      behaviour.set(body);
      return behaviour.list();
    },
    'DELETE /behaviour': () => {
      behaviour.reset();
      return behaviour.list();
    },
  };
}

async function handle(world, handlers, request) {
  const { pathname } = new URL(request.url, 'http://front');
  const one = /^\/users\/([^/]+)$/.exec(pathname);
  if (request.method === 'DELETE' && one !== null) {
    return [200, { removed: world.users.remove(decodeURIComponent(one[1])) }];
  }
  const handler = handlers[`${request.method} ${pathname}`];
  if (handler === undefined) {
    return [404, { error: `there is ${Object.keys(handlers).join(', ')}` }];
  }
  try {
    return [200, handler(
      request.method === 'POST' ? await readJson(request) : undefined)];
  } catch (error) {
    return [400, { error: error.message }];
  }
}

export function createAdmin(world) {
  const handlers = handlersOf(world);
  return http.createServer(async (request, response) => {
    const [status, value] = await handle(world, handlers, request);
    const body = JSON.stringify(value);
    response.writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    });
    response.end(body);
  });
}
