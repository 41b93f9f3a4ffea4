/*
 * main.mjs: starts the object store.
 *
 *   node main.mjs --config FILE.json
 *
 * The file has { port, adminPort, tlsKey, tlsCert, dataDir, logFile, region,
 * buckets, keys }; tlsKey and tlsCert are paths of PEM files, keys the access
 * keys (access.mjs).
 * Listens on 127.0.0.1 only, prints "ready" when it does, ends at once on
 * SIGTERM or SIGINT: an object is there whole or not at all.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { createAccess } from './access.mjs';
import { checkBucketName, createAddressing } from './addressing.mjs';
import { createAdmin } from './admin.mjs';
import { createBehaviour } from './behaviour.mjs';
import { createFaults } from './faults.mjs';
import { createFrontDoor } from './front_door.mjs';
import { openLog } from './log.mjs';
import { openObjects } from './objects.mjs';
import { createService } from './service.mjs';
import { createSinks } from './sinks.mjs';

const REQUIRED = {
  port: 'number',
  adminPort: 'number',
  tlsKey: 'string',
  tlsCert: 'string',
  dataDir: 'string',
  logFile: 'string',
  region: 'string',
  buckets: 'object',
  keys: 'object',
};

function readConfig(path) {
  const config = JSON.parse(readFileSync(path, 'utf8'));

  for (const [name, type] of Object.entries(REQUIRED))
    if (typeof config[name] !== type)
      throw new Error(`${path}: "${name}" is missing or is no ${type}`);
  config.buckets.forEach(checkBucketName);
  return config;
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
}

async function main() {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });

  if (values.config === undefined)
    throw new Error('usage: main.mjs --config FILE.json');

  const config = readConfig(values.config);

  mkdirSync(config.dataDir, { recursive: true });

  const log = openLog(config.logFile);
  const objects = openObjects(config.dataDir, config.buckets);
  const faults = createFaults();
  const access = createAccess(config.keys);
  const sinks = createSinks();
  const behaviour = createBehaviour();
  const addressing = createAddressing(config);
  const serve = createService({ config, addressing, objects, faults, access, sinks, behaviour });
  const frontDoor = createFrontDoor({
    addressing,
    serve,
    log,
    clock: behaviour.now,
    key: readFileSync(config.tlsKey),
    cert: readFileSync(config.tlsCert),
  });
  const admin = createAdmin({ faults, access, sinks, behaviour, objects, log });

  for (const signal of ['SIGTERM', 'SIGINT'])
    process.on(signal, () => process.exit(0));
  await listen(frontDoor, config.port);
  await listen(admin, config.adminPort);
  console.log('ready');
}

main().catch((error) => {
  console.error(`store: ${error.message}`);
  process.exit(1);
});
