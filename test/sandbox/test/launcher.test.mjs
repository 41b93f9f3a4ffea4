/*
 * launcher.test.mjs: the script and the ClickHouse launcher: start, stop,
 * kill -9, and what survives.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { SCRIPT, World } from './lib/world.mjs';

const world = new World();

before(() => world.start('clickhouse'));
after(() => world.destroy());

// A zombie is dead: in a container nobody may collect it.
function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function untilDead(pid) {
  for (let i = 0; i < 200 && isAlive(pid); i++) {
    await new Promise((resolve) => { setTimeout(resolve, 25); });
  }
  assert.ok(!isAlive(pid), 'the process is still there');
}

test('the environment names the fixed values, quoted for a shell', () => {
  const { env } = world;
  assert.equal(env.SW_BYTEHOUSE_PASSWORD, "not-a-secret'pass\\word");
  assert.equal(env.SW_STORE_SECRET_KEY, "not+a/secret'store\\key==");
  assert.equal(env.SW_STORE_PROXY, `http://127.0.0.1:${env.SW_STORE_PORT}`);
  assert.ok(fs.existsSync(env.SW_CA_FILE));
  assert.equal(new Set(['SW_CLICKHOUSE_TCP_PORT', 'SW_CLICKHOUSE_HTTP_PORT',
    'SW_BYTEHOUSE_PORT', 'SW_STORE_PORT', 'SW_STORE_ADMIN', 'SW_FRONT_ADMIN']
    .map((name) => env[name])).size, 6);
});

test('the server is a ClickHouse in UTC with the database made', () => {
  assert.match(world.query('SELECT version()'), /^26\.7\./);
  assert.equal(world.query('SELECT timezone()'), 'UTC');
  assert.equal(world.query(
    "SELECT count() FROM system.databases WHERE name = 'sensorswave'"), '1');
});

test('a wrong password is refused, the default user can do nothing', async () => {
  const url = `http://127.0.0.1:${world.env.SW_CLICKHOUSE_HTTP_PORT}/`;
  const wrong = await fetch(`${url}?user=sandbox&password=wrong`,
    { method: 'POST', body: 'SELECT 1' });
  assert.match(await wrong.text(), /AUTHENTICATION_FAILED/);
  const anonymous = await fetch(url,
    { method: 'POST', body: 'CREATE DATABASE x' });
  assert.match(await anonymous.text(), /ACCESS_DENIED/);
});

test('starting again changes nothing', () => {
  const pid = world.pid('clickhouse');
  const printed = world.sandbox('start', 'clickhouse');
  assert.equal(printed,
    fs.readFileSync(path.join(world.directory, 'env'), 'utf8'));
  assert.equal(world.pid('clickhouse'), pid);
});

test('data survives kill -9, on the same port', async () => {
  world.query(`CREATE TABLE sensorswave.kept (a UInt64)
               ENGINE = MergeTree ORDER BY a`);
  world.query('INSERT INTO sensorswave.kept SELECT number FROM numbers(1000)');
  for (let round = 0; round < 2; round++) {
    const pid = world.pid('clickhouse');
    process.kill(pid, 'SIGKILL');
    await untilDead(pid);
    assert.throws(() => world.query('SELECT 1'));
    assert.match(world.sandbox('start', 'clickhouse'),
      new RegExp(`SW_CLICKHOUSE_TCP_PORT='${
        world.env.SW_CLICKHOUSE_TCP_PORT}'`));
    assert.equal(world.query('SELECT count(), sum(a) FROM sensorswave.kept'),
      '1000\t499500');
  }
});

test('a clean stop is quick, keeps data and the query log', async () => {
  world.query("SELECT 'remember this'");
  const pid = world.pid('clickhouse');
  const start = Date.now();
  world.sandbox('stop', 'clickhouse');
  assert.ok(Date.now() - start < 5000, `took ${Date.now() - start} ms`);
  await untilDead(pid);
  world.sandbox('start', 'clickhouse');
  assert.equal(world.query('SELECT count() FROM sensorswave.kept'), '1000');
  assert.ok(Number(world.query(`SELECT count() FROM system.query_log
    WHERE type = 'QueryFinish' AND query LIKE '%remember this%'`)) >= 1);
});

test('a pid file of another program stops nobody', () => {
  const file = path.join(world.directory, 'front.pid');
  fs.writeFileSync(file, `${process.pid}\n`);
  world.sandbox('stop', 'front');
  assert.ok(!fs.existsSync(file));
});

test('status tells what runs; an unknown server is an error', () => {
  let output = '';
  try {
    output = world.sandbox('status');
  } catch (error) {
    assert.equal(error.status, 3);
    output = error.stdout;
  }
  assert.match(output, /^clickhouse running \d+\nstore stopped\nfront stopped\n$/);
  assert.throws(() => world.sandbox('start', 'nothing'));
});

test('the launcher says why it can not start', () => {
  const launcher = path.join(path.dirname(SCRIPT), 'build/launcher');
  assert.throws(() => execFileSync(launcher,
    ['/nowhere/lib.so', world.directory, 'none', '1', '2'],
    { stdio: 'pipe' }), (error) => error.status === 1 &&
      /could not load the library/.test(error.stderr.toString()));
});
