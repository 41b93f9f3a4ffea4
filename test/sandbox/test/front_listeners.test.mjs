/*
 * front_listeners.test.mjs: TLS in its variants, announced revisions, and the
 * tunnel to ClickHouse.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { World } from './lib/world.mjs';

const world = new World();
const clients = [];

before(() => world.start('clickhouse', 'front'));
after(() => {
  clients.forEach((client) => client.close());
  world.destroy();
});

async function connect(variant, options = {}) {
  const client = await world.connect(
    { port: Number(world.env[`SW_BYTEHOUSE_${variant}PORT`]), ...options });
  clients.push(client);
  return client;
}

test('a certificate that should not be trusted is not', async () => {
  for (const [variant, code] of [
    ['EXPIRED_', 'CERT_HAS_EXPIRED'],
    ['WRONG_HOST_', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['SELF_SIGNED_', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ]) {
    await assert.rejects(connect(variant), { code });
    const client = await connect(variant,
      { tlsOptions: { rejectUnauthorized: false } });
    await client.query('SELECT 1');
  }
  await assert.rejects(connect('', { ca: undefined }),
    { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
});

test('each version of TLS where it is spoken, and in the log', async () => {
  for (const [variant, options, expected] of [
    ['TLS12_', {}, 'TLSv1.2'], ['TLS13_', {}, 'TLSv1.3'],
    ['', { maxVersion: 'TLSv1.2' }, 'TLSv1.2'], ['', {}, 'TLSv1.3'],
  ]) {
    await connect(variant, { tlsOptions: options });
    assert.equal(world.frontLog().at(-1).tls, expected);
  }
  await assert.rejects(connect('TLS12_',
    { tlsOptions: { minVersion: 'TLSv1.3' } }), /alert|version/i);
  await assert.rejects(connect('TLS13_',
    { tlsOptions: { maxVersion: 'TLSv1.2' } }), /alert|version/i);
  assert.ok(world.frontLog().some(({ event, listener }) =>
    event === 'handshake' && listener === 'tls13'));
});

test('the name that a client asks for is logged', async () => {
  await connect('', { tlsOptions: { servername: 'localhost' } });
  assert.equal(world.frontLog().at(-1).sni, 'localhost');
  await connect('');
  assert.equal(world.frontLog().at(-1).sni, null);
});

test('the plain port speaks without TLS, and only so', async () => {
  const client = await connect('PLAIN_', { plain: true });
  assert.equal((await client.query('SELECT 5')).rows[0][0], 5);
  assert.equal(world.frontLog().at(-2).tls, null);
  assert.equal(world.frontLog().at(-2).listener, 'plain');
  await assert.rejects(connect('PLAIN_'));
  await assert.rejects(connect('', { plain: true }));
});

for (const revision of [54406, 54412, 54448, 54451]) {
  test(`a server of revision ${revision} gets on with any client`, async () => {
    for (const own of [54406, 54412, 54448, 54451]) {
      const client = await connect(`REV${revision}_`, { revision: own });
      assert.equal(client.server.revision, revision);
      const result = await client.query('SELECT number FROM numbers(3)');
      assert.deepEqual(result.rows.flat(), [0, 1, 2]);
      const logged = world.frontLog().at(-1);
      assert.equal(logged.revision, Math.min(own, revision));
      if (own !== 54406) {
        continue;
      }
      await client.query(`CREATE TABLE IF NOT EXISTS sensorswave.sent (a String)
        ENGINE = CnchMergeTree ORDER BY a`);
      /* A client this old knows no TableColumns packet. */
      client.onHeader = () => client.sendStrings('a', ['x', 'y']);
      await client.query('INSERT INTO sensorswave.sent VALUES');
    }
  });
}

test('the announced revision can be changed for new connections', async () => {
  await world.admin('POST', '/behaviour', { revision: 54412 });
  assert.equal((await connect('')).server.revision, 54412);
  assert.equal((await connect('REV54448_')).server.revision, 54448);
  await world.admin('DELETE', '/behaviour');
  assert.equal((await connect('')).server.revision, 54451);
});

test('the tunnel leads to ClickHouse itself', async () => {
  const { env } = world;
  const login = {
    port: Number(env.SW_CLICKHOUSE_TLS_PORT), user: env.SW_CLICKHOUSE_USER,
    password: env.SW_CLICKHOUSE_PASSWORD,
  };
  const client = await connect('', login);
  assert.equal(client.server.name, 'ClickHouse');
  assert.match((await client.query('SELECT version()')).rows[0][0], /^26\.7\./);
  await assert.rejects(connect('', { ...login, password: 'wrong' }),
    (error) => error.code === 516 && /Authentication failed/.test(error.message));
  await assert.rejects(connect('', { ...login, plain: true }));
  await client.query('SELECT 1');
});
