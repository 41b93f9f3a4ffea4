/*
 * foreign_client.test.mjs: a client that nobody here wrote, against the front:
 * Debian's clickhouse-client 18.16, of revision 54412.
 *
 * What it and the front agree on, they did not read in the same notes.  It is
 * taken from PATH; where it is not installed, its packages are unpacked in
 * build/ (lib/foreign_client).
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World } from './lib/world.mjs';

const PROGRAM = execFileSync(
  fileURLToPath(new URL('lib/foreign_client', import.meta.url)),
  { encoding: 'utf8' }).trim();
const TIME_LIMIT_MS = 30000;
const ROWS = 200000;
const world = new World();

before(() => {
  world.start('clickhouse', 'front');
  fs.writeFileSync(path.join(world.directory, 'client.xml'),
    `<config><openSSL><client>
     <loadDefaultCAFile>false</loadDefaultCAFile>
     <caConfig>${world.env.SW_CA_FILE}</caConfig>
     <verificationMode>strict</verificationMode>
     <invalidCertificateHandler><name>RejectCertificateHandler</name>
     </invalidCertificateHandler></client></openSSL></config>`);
});
after(() => world.destroy());

/* Compression would have to be played; the front refuses it. */
function client(variant, sql, options = {}) {
  const { env } = world;
  const plain = variant === 'PLAIN_';
  const { status, stdout, stderr } = spawnSync(PROGRAM, [
    '--config-file', path.join(world.directory, 'client.xml'),
    '--host', 'localhost',
    '--port', env[`SW_BYTEHOUSE_${variant}PORT`], ...(plain ? [] : ['--secure']),
    '--user', options.user ??
      `${env.SW_BYTEHOUSE_ACCOUNT}::${env.SW_BYTEHOUSE_USER}`,
    '--password', options.password ?? env.SW_BYTEHOUSE_PASSWORD,
    '--compression', '0', ...(options.words ?? []), '--query', sql,
  ], { encoding: 'utf8', input: options.input ?? '', timeout: TIME_LIMIT_MS,
    maxBuffer: 1 << 28 });
  return { status, stdout, stderr };
}

function answers(variant, sql, expected, options) {
  const { status, stdout, stderr } = client(variant, sql, options);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, expected);
}

function fails(variant, sql, pattern, options) {
  const { status, stderr } = client(variant, sql, options);
  assert.notEqual(status, 0);
  assert.match(stderr, pattern);
}

for (const variant of ['', 'PLAIN_', 'TLS12_', 'REV54406_', 'REV54448_']) {
  test(`it logs in, asks and is refused: ${variant || 'main port'}`, () => {
    answers(variant, `SELECT number, toString(number), toNullable(number),
      nullIf(number, 2), toDate(number), toDateTime(number, 'UTC'), -number / 2,
      toFixedString('ab', 2) FROM numbers(1, 2)`,
    '1\t1\t1\t1\t1970-01-02\t1970-01-01 00:00:01\t-0.5\tab\n' +
      '2\t2\t2\t\\N\t1970-01-03\t1970-01-01 00:00:02\t-1\tab\n');
    fails(variant, 'SELECT nonsense', /Code: 47\b/);
    fails(variant, 'SELECT 1', /Code: 516\b.*Authentication failed/s,
      { password: 'wrong' });
    fails(variant, 'SELECT 1', /Code: 81\b.*nope/s,
      { words: ['--database', 'nope'] });
    const logged = world.frontLog().filter(({ event, outcome }) =>
      event === 'query' && outcome === 'ok').at(-1);
    assert.equal(logged.revision, variant === 'REV54406_' ? 54406 : 54412);
  });
}

test('it reads a long answer to its end', () => {
  const { status, stdout, stderr } = client('',
    `SELECT number, toString(number * 1000003) FROM numbers(${ROWS})`);
  assert.equal(status, 0, stderr);
  const lines = stdout.trim().split('\n');
  assert.equal(lines.length, ROWS);
  assert.equal(lines.at(-1), `${ROWS - 1}\t${(ROWS - 1) * 1000003}`);
});

test('it makes a table, fills it with rows of its own, and reads totals', () => {
  for (const variant of ['', 'REV54406_']) {
    answers(variant, `CREATE TABLE sensorswave.f (a Int64, b String)
      ENGINE = CnchMergeTree ORDER BY a`, '');
    answers(variant, 'INSERT INTO sensorswave.f FORMAT TabSeparated', '',
      { input: '1\tx\n2\ty\n3\ty\n' });
    answers(variant, `SELECT b, sum(a) FROM sensorswave.f GROUP BY b
      WITH TOTALS ORDER BY b`, 'x\t1\ny\t5\n\n\t6\n');
    answers(variant, 'DROP TABLE sensorswave.f', '');
  }
});

test('it takes part in settings, warehouses and grants', () => {
  const { env } = world;
  answers('', "SELECT getSetting('max_threads')", '1\n',
    { words: ['--max_threads', '1'] });
  answers('', 'CREATE TABLE sensorswave.g (a Int64) ENGINE = CnchMergeTree ' +
    'ORDER BY a', '');
  fails('', "SELECT a FROM sensorswave.g SETTINGS virtual_warehouse = 'vw-none'",
    /Code: 5025\b.*vw-none not found/s);
  fails('', 'SELECT a FROM sensorswave.g',
    /Code: 497\b.*grant SELECT\(a\) ON sensorswave\.g/s,
    { user: `${env.SW_BYTEHOUSE_ACCOUNT}::${env.SW_BYTEHOUSE_LEAST_USER}`,
      password: env.SW_BYTEHOUSE_LEAST_PASSWORD });
  answers('', 'SELECT 1', '1\n',
    { user: 'bytehouse', password: env.SW_BYTEHOUSE_API_KEY });
});

test('it sees an exception that comes after rows, and one at the login',
  async () => {
    await world.admin('POST', '/faults', { match: 'numbers', times: 1,
      fault: 'exception', afterPackets: 2, code: 241, message: 'Too much' });
    fails('', 'SELECT number FROM numbers(10)', /Code: 241\b.*Too much/s);
    await world.admin('POST', '/faults', { match: 'hello', times: 1,
      fault: 'exception', code: 195, message: 'Not from there' });
    fails('', 'SELECT 1', /Code: 195\b.*Not from there/s);
    await world.admin('DELETE', '/faults');
  });

test('it refuses the certificates it should', () => {
  /* It asks no certificate for the name of the machine it runs on. */
  for (const variant of ['EXPIRED_', 'SELF_SIGNED_']) {
    fails(variant, 'SELECT 1', /certificate/i);
  }
});
