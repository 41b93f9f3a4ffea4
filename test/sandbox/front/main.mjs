/*
 * main.mjs: starts the ByteHouse front.
 *
 *   node main.mjs --config FILE.json
 *
 * The file is made by configure.mjs.  Listens on 127.0.0.1 only: TLS for
 * clients, HTTP for tests; prints "ready" when it does.  Ends at once on
 * SIGTERM or SIGINT; a load it was at is then undone or done, never half.
 */
import fs from 'node:fs';
import tls from 'node:tls';
import { parseArgs } from 'node:util';

import { createAdmin } from './admin.mjs';
import { Catalog } from './catalog.mjs';
import { Control } from './control.mjs';
import { Commits, Locks } from './locks.mjs';
import { QueryLog } from './query_log.mjs';
import { Session } from './session.mjs';

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
}

function createFront(world) {
  let connections = 0;
  const server = tls.createServer({
    key: fs.readFileSync(world.config.tlsKey),
    cert: fs.readFileSync(world.config.tlsCert),
    minVersion: 'TLSv1.2',
  });
  server.on('secureConnection', (socket) => {
    socket.setNoDelay(true);
    new Session(world, socket, ++connections).serve();
  });
  return server;
}

async function main() {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined) {
    throw new Error('usage: main.mjs --config FILE.json');
  }
  const config = JSON.parse(fs.readFileSync(values.config, 'utf8'));
  const control = new Control(config.upstream);
  const world = {
    config,
    control,
    catalog: new Catalog(control),
    locks: new Locks(),
    commits: new Commits(),
    executions: new Set(),
    log: new QueryLog(config.logFile),
  };

  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => process.exit(0));
  }
  await world.catalog.prepare();
  await listen(createAdmin(world), config.adminPort);
  await listen(createFront(world), config.port);
  process.stdout.write('ready\n');
}

main().catch((error) => {
  process.stderr.write(`front: ${error.message}\n`);
  process.exit(1);
});
