/*
 * admin.mjs: the front's own HTTP port, for tests.
 *
 *   GET /log	the last records of the query log, a JSON array
 */
import http from 'node:http';

function answer(response, status, value) {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

export function createAdmin(world) {
  return http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://front');
    if (request.method === 'GET' && pathname === '/log') {
      answer(response, 200, world.log.last);
    } else {
      answer(response, 404, { error: 'there is only GET /log' });
    }
  });
}
