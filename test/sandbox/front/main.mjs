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
import { once } from 'node:events';
import { parseArgs } from 'node:util';

import { createAdmin } from './admin.mjs';
import { Behaviour } from './behaviour.mjs';
import { Catalog } from './catalog.mjs';
import { Control } from './control.mjs';
import { Faults } from './faults.mjs';
import { openListener, openTunnel } from './listeners.mjs';
import { Commits, Locks } from './locks.mjs';
import { QueryLog } from './query_log.mjs';
import { Session } from './session.mjs';
import { Tunnel } from './tunnel.mjs';
import { Users } from './users.mjs';
import { Warehouses } from './warehouses.mjs';

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
    users: new Users(config),
    warehouses: new Warehouses(config),
    faults: new Faults(),
    behaviour: new Behaviour(config),
  };

  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => process.exit(0));
  }
  await world.catalog.prepare();
  const admin = createAdmin(world);
  admin.listen({ host: '127.0.0.1', port: config.adminPort });
  await once(admin, 'listening');
  let connections = 0;
  for (const listener of config.listeners) {
    await openListener(world, listener, (connection) =>
      new Session(world, connection, ++connections).serve());
  }
  for (const tunnel of config.tunnels) {
    await openTunnel(world, tunnel, (socket, raw) =>
      new Tunnel(world, tunnel, socket, raw).serve());
  }
  process.stdout.write('ready\n');
}

main().catch((error) => {
  process.stderr.write(`front: ${error.message}\n`);
  process.exit(1);
});
