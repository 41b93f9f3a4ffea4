/*
 * front_door.mjs: the one port. It takes plain requests, proxy requests in
 * absolute form, and CONNECT, behind which it terminates TLS itself and goes
 * on as the server. It never connects to anywhere.
 */
import { createServer } from 'node:http';
import { TLSSocket, createSecureContext } from 'node:tls';

import { Exchange } from './exchange.mjs';

const HEADERS_TIMEOUT_MS = 60 * 1000;
const KEEP_ALIVE_MS = 60 * 1000;

/* serve(exchange, url); log as of openLog; clock() in ms; key and cert in PEM. */
export function createFrontDoor({ addressing, serve, log, clock, key, cert }) {
  const secureContext = createSecureContext({ key, cert });
  const server = createServer({
    requestTimeout: 0,
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });

  function accept(request, response, expectsContinue) {
    const absolute = /^[a-z]+:\/\//i.test(request.url);
    const via = request.socket.encrypted ? 'connect' : absolute ? 'proxy' : 'plain';

    serve(new Exchange({ request, response, via, expectsContinue, log, clock }), request.url)
      .catch((error) => {
        console.error('store: internal error:', error);
        response.destroy();
      });
  }

  function logRefusedTunnel(request) {
    log.write({
      time: new Date().toISOString(),
      via: 'connect',
      host: request.url,
      method: 'CONNECT',
      status: 403,
      code: 'HostNotPlayed',
      accepted: false,
    });
  }

  function openTunnel(request, socket, head) {
    const authority = request.url;

    socket.on('error', () => socket.destroy());
    if (request.socket.encrypted || !addressing.playsTunnel(authority)) {
      const text = 'this host is not played here\n';

      logRefusedTunnel(request);
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n'
        + `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`);
      return;
    }
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0)
      socket.unshift(head);

    const name = authority.replace(/:\d+$/, '').toLowerCase();
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext,
      ALPNProtocols: ['http/1.1'],
      SNICallback: (wanted, done) => (wanted.toLowerCase() === name
        ? done(null, secureContext)
        : done(new Error(`the tunnel leads to ${name}, not to ${wanted}`))),
    });

    secure.on('error', () => secure.destroy());
    server.emit('connection', secure);
  }

  server.on('request', (request, response) => accept(request, response, false));
  server.on('checkContinue', (request, response) => accept(request, response, true));
  server.on('connect', openTunnel);
  return server;
}
