/*
 * listeners.mjs: the ports clients come in by.
 *
 * A listener is { name, port, tls, revision }: tls is null for a plain port,
 * else { key, cert, minVersion, maxVersion }, files and versions; revision is
 * what is announced there, null for what the whole front announces.  A tunnel
 * is { name, port, tls, target }: it ends TLS and leads to the loopback port
 * "target".
 */
import fs from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
}

/*
 * Gives onSocket(socket, raw) for each connection whose handshake is done;
 * admit(raw) is asked before it, onFailure(error) told if it goes wrong.
 */
function createServer(listener, { admit, onSocket, onFailure }) {
  const underlying = new Map();
  const secure = listener.tls === null ? null : tls.createServer({
    key: fs.readFileSync(listener.tls.key),
    cert: fs.readFileSync(listener.tls.cert),
    minVersion: listener.tls.minVersion ?? 'TLSv1.2',
    maxVersion: listener.tls.maxVersion ?? 'TLSv1.3',
  });
  secure?.on('secureConnection', (socket) => {
    onSocket(socket, underlying.get(socket.remotePort));
  });
  secure?.on('tlsClientError', onFailure);

  return net.createServer(async (raw) => {
    const { remotePort } = raw;
    raw.on('error', () => {});
    raw.setNoDelay(true);
    underlying.set(remotePort, raw);
    raw.once('close', () => {
      if (underlying.get(remotePort) === raw) {
        underlying.delete(remotePort);
      }
    });
    if (!await admit(raw)) {
      return;
    }
    if (secure === null) {
      onSocket(raw, raw);
    } else {
      secure.emit('connection', raw);
    }
  });
}

function logFailure(world, name, error) {
  world.log.write({
    time: new Date().toISOString(), event: 'handshake', listener: name,
    outcome: 'exception', code: error.code ?? null, message: error.message,
  });
}

/* onConnection gets { socket, raw, listener }. */
export async function openListener(world, listener, onConnection) {
  await listen(createServer(listener, {
    admit: (raw) => world.faults.admit(raw),
    onSocket: (socket, raw) => onConnection({ socket, raw, listener }),
    onFailure: (error) => logFailure(world, listener.name, error),
  }), listener.port);
}

/* onConnection gets the socket and the TCP connection below it. */
export async function openTunnel(world, tunnel, onConnection) {
  await listen(createServer(tunnel, {
    admit: async () => true,
    onSocket: onConnection,
    onFailure: (error) => logFailure(world, tunnel.name, error),
  }), tunnel.port);
}
