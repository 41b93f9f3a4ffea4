/*
 * world.mjs: a sandbox of its own for one test file.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { NativeClient } from './native_client.mjs';

export const SCRIPT = fileURLToPath(new URL('../../sandbox', import.meta.url));

export class World {
  constructor() {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'sandbox-test-'));
    /* A test that is stopped from outside takes its servers with it. */
    process.once('SIGTERM', () => {
      this.destroy();
      process.exit(1);
    });
  }

  sandbox(...words) {
    const [command, ...rest] = words;
    return execFileSync(SCRIPT, [command, this.directory, ...rest],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  start(...servers) {
    for (const server of servers.length === 0 ? [null] : servers) {
      this.sandbox('start', ...(server === null ? [] : [server]));
    }
    this.env = this.readEnvironment();
  }

  /* DIR/env as a shell reads it. */
  readEnvironment() {
    const lines = execFileSync('bash', ['-c',
      'set -a; . "$1/env"; for v in ${!SW_*}; do printf "%s=%s\\0" "$v" ' +
      '"${!v}"; done', 'bash', this.directory], { encoding: 'utf8' });
    return Object.fromEntries(lines.split('\0').filter((line) => line !== '')
      .map((line) => [line.slice(0, line.indexOf('=')),
        line.slice(line.indexOf('=') + 1)]));
  }

  query(sql) {
    return this.sandbox('query', sql).trim();
  }

  pid(server) {
    return Number(fs.readFileSync(
      path.join(this.directory, `${server}.pid`), 'utf8'));
  }

  connect(options = {}) {
    const { env } = this;
    return NativeClient.connect({
      port: Number(env.SW_BYTEHOUSE_PORT),
      ca: fs.readFileSync(env.SW_CA_FILE),
      user: `${env.SW_BYTEHOUSE_ACCOUNT}::${env.SW_BYTEHOUSE_USER}`,
      password: env.SW_BYTEHOUSE_PASSWORD,
      database: env.SW_BYTEHOUSE_DATABASE,
      ...options,
    });
  }

  /* A request to the front's admin port; throws what it refuses. */
  async admin(method, path, body) {
    const response = await fetch(`${this.env.SW_FRONT_ADMIN}${path}`,
      { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) {
      throw new Error(answer.error);
    }
    return answer;
  }

  frontLog() {
    return fs.readFileSync(this.env.SW_FRONT_LOG, 'utf8').trim().split('\n')
      .map((line) => JSON.parse(line));
  }

  destroy() {
    this.sandbox('stop');
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

export const EVENTS_DDL = `CREATE TABLE IF NOT EXISTS sensorswave.events (
  time DateTime64(3,'Asia/Shanghai'), distinct_id String, trace_id String,
  ssid Int64, anon_id String, login_id String, event String,
  properties JSONB, user_properties JSONB,
  received_at DateTime64(3,'Asia/Shanghai'))
ENGINE = CnchMergeTree PARTITION BY toDate(time)
ORDER BY (event, time, distinct_id)`;

export const USERS_DDL = `CREATE TABLE IF NOT EXISTS sensorswave.users (
  ssid Int64, login_id String, anon_id String, properties JSONB,
  created_at DateTime64(3,'Asia/Shanghai'),
  updated_at DateTime64(3,'Asia/Shanghai'))
ENGINE = CnchMergeTree(updated_at) ORDER BY ssid UNIQUE KEY ssid`;
