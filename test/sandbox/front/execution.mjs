/*
 * execution.mjs: one statement from Query packet to its end.
 *
 * Translates it, checks the warehouse, runs what is to run at ClickHouse, and
 * sends the client everything but the last packet, which the session sends
 * when the outcome is in the query log.  Progress goes out every 100 ms, also
 * when there is none, as ByteHouse does it.
 */
import { randomUUID } from 'node:crypto';

import { refuseCloudOnly } from './behaviour.mjs';
import { translate, trimStatement } from './dialect.mjs';
import { CODE, Refusal } from './errors.mjs';
import { accessDenied } from './grants.mjs';
import { runLoad } from './load.mjs';
import { needsOf } from './needs.mjs';
import { hasTableColumns, writeProgress } from './server_packets.mjs';
import { isOwnSetting } from './settings.mjs';
import { quoteName, quoteString, tokenize } from './tokens.mjs';
import { ConnectionClosed } from './wire.mjs';

const PROGRESS_INTERVAL_MS = 100;

/* What makes ClickHouse behave as ByteHouse; the last of a name wins. */
const FORCED_SETTINGS = {
  final: '1',
  do_not_merge_across_partitions_select_final: '1',
  allow_custom_error_code_in_throwif: '1',
  input_format_parquet_allow_missing_columns: '0',
};

function noProgress() {
  return {
    readRows: 0, readBytes: 0, totalRows: 0, writtenRows: 0, writtenBytes: 0,
  };
}

export class Execution {
  constructor(session, packet) {
    this.session = session;
    this.world = session.world;
    this.packet = packet;
    this.queryId = packet.queryId === '' ? randomUUID() : packet.queryId;
    this.cancelled = false;
    this.acceptsData = false;
    this.silent = false;
    this.progress = noProgress();
    this.held = noProgress();
    this.names = [];
    this.calls = [];
    this.record = {
      query_id: this.queryId,
      warehouse: null,
      settings: Object.fromEntries(
        packet.settings.map(({ name, value }) => [name, value])),
      query: packet.text,
      rewritten: null,
      written_rows: 0,
    };
  }

  /* Ends with the outcome: null, or the Refusal to tell the client of. */
  async run() {
    const ticker = setInterval(() => {
      if (!this.silent) {
        this.#sendProgress().catch(() => {});
      }
    }, PROGRESS_INTERVAL_MS);
    let refusal = null;
    try {
      this.checkCancelled();
      await this.#checkGrants();
      const plan = this.#plan();
      await this.#enterWarehouse(plan);
      await this.#runPlan(plan);
    } catch (error) {
      refusal = this.#refusalOf(error);
    } finally {
      clearInterval(ticker);
    }
    if (refusal === null && !this.silent) {
      await this.#sendProgress();
    }
    return refusal;
  }

  /* The client (or a KILL QUERY) wants the end. */
  cancel() {
    this.cancelled = true;
    this.session.upstream.cancel();
  }

  checkCancelled() {
    if (this.cancelled) {
      throw new Refusal(CODE.QUERY_WAS_CANCELLED, 'Query was cancelled');
    }
  }

  /* From here on, errors call a stage table by its target's name. */
  rename(internal, name) {
    this.names.push([internal, name]);
  }

  /* A client's Data packet of an INSERT; the empty one is the last. */
  takeData(packet) {
    if (packet.nColumns === 0 && packet.nRows === 0) {
      this.acceptsData = false;
    }
    this.session.upstream.sendData(packet.raw);
  }

  /*
   * Runs SQL at ClickHouse and forwards its answer; throws what it throws.
   * holdsBackWritten keeps written rows until releaseWritten() says how many
   * of them count.
   */
  async runUpstream(sql, { holdsBackWritten = false, acceptsData = false } = {}) {
    this.record.rewritten = sql;
    const exception = await this.session.upstream.run({
      queryId: this.queryId,
      text: sql,
      settings: this.#upstreamSettings(),
    }, (packet) => this.#forward(packet, { holdsBackWritten, acceptsData }));
    if (exception !== null) {
      throw new Refusal(exception.code,
        exception.message.replace(/^DB::Exception: /, ''));
    }
  }

  releaseWritten(rows) {
    const { writtenRows, writtenBytes } = this.held;
    this.progress.writtenRows += rows;
    this.progress.writtenBytes += writtenRows === 0 ? 0
      : Math.round(writtenBytes * rows / writtenRows);
    this.record.written_rows = rows;
    this.held = noProgress();
  }

  async #sendProgress() {
    const { progress } = this;
    this.progress = noProgress();
    await this.session.send(writeProgress(progress, this.session.revision));
  }

  async #forward(packet, { holdsBackWritten, acceptsData }) {
    switch (packet.type) {
      case 'progress':
        this.#addProgress(packet, holdsBackWritten);
        break;
      case 'pong':
      case 'hello':
        break;
      case 'tableColumns':
        if (hasTableColumns(this.session.revision)) {
          await this.session.send(packet.raw);
        }
        break;
      case 'data':
        /* The header of an INSERT: now the client may send its rows. */
        this.acceptsData = acceptsData;
        await this.session.send(packet.raw);
        break;
      default:
        await this.session.send(packet.raw);
    }
  }

  #addProgress(packet, holdsBackWritten) {
    for (const field of ['readRows', 'readBytes', 'totalRows']) {
      this.progress[field] += packet[field];
    }
    const target = holdsBackWritten ? this.held : this.progress;
    target.writtenRows += packet.writtenRows;
    target.writtenBytes += packet.writtenBytes;
    if (!holdsBackWritten) {
      this.record.written_rows += packet.writtenRows;
    }
  }

  #upstreamSettings() {
    const settings = this.packet.settings.filter(({ name }) =>
      !isOwnSetting(name));
    const forced = {
      ...FORCED_SETTINGS, session_timezone: this.world.config.timezone,
    };
    for (const [name, value] of Object.entries(forced)) {
      settings.push({ name, value, important: true });
    }
    return settings;
  }

  /* A setting's value: the clause's, else the packet's, else the session's. */
  #ownSetting(clause, name) {
    const sent = this.packet.settings.find((setting) => setting.name === name);
    return clause[name] ?? sent?.value ?? this.session.own[name] ?? '';
  }

  /* By the statement as sent; what it becomes is the front's own business. */
  async #checkGrants() {
    const user = this.session.currentUser();
    if (user.grants.hasAll) {
      return;
    }
    const { database } = this.session;
    const needs = needsOf(trimStatement(this.packet.text), database);
    for (const need of needs.filter((one) => !user.grants.allow(one))) {
      const columns = need.columnNames?.length === 0 ? []
        : await this.world.catalog.columnNames(need.database, need.table);
      const named = columns.filter((name) =>
        need.columnNames?.includes(name) ?? true);
      /* To select from nothing is another error, ClickHouse's. */
      if (columns.length > 0 || !need.anyColumn) {
        throw accessDenied(user.login, need, named);
      }
    }
  }

  #plan() {
    if (this.world.behaviour.edition !== 'cloud') {
      refuseCloudOnly(this.packet.text, this.packet.settings);
    }
    const { grants } = this.session.currentUser();
    const plan = translate(this.packet.text, {
      store: this.world.config.store,
      visible: (columns) => grants.visible(...columns),
      keySettings: (own) => ({
        accessKey: this.#ownSetting(own, 's3_access_key_id'),
        secretKey: this.#ownSetting(own, 's3_access_key_secret'),
      }),
    });
    const warehouse = this.#ownSetting(
      plan.kind === 'set' ? {} : plan.own, 'virtual_warehouse');
    this.calls = plan.calls;
    Object.assign(this.record.settings, plan.all);
    this.record.warehouse = warehouse;
    this.record.rewritten = plan.sql;
    if (plan.calls.length > 0) {
      const [call] = plan.calls;
      this.record.url = call.url;
      this.record.mapped_url = call.mapped;
      this.record.cnchs3_args = call.arguments;
      this.record.structure = call.structure;
      this.record.format = call.format;
      this.record.compression = call.compression;
      this.record.cnchs3_calls = plan.calls.length;
    }
    return plan;
  }

  /* What needs no workers does not look whether there are any. */
  async #enterWarehouse(plan) {
    const { warehouses, behaviour } = this.world;
    if (!plan.needsWorkers || behaviour.edition !== 'cloud') {
      return;
    }
    const warehouse = warehouses.choose(this.session.currentUser(),
      this.record.warehouse);
    this.silent = warehouse.mode === 'silent';
    await warehouses.enter(warehouse, () => this.checkCancelled());
    this.silent = false;
  }

  #target(table) {
    return {
      database: table.database ?? this.session.database,
      name: table.name,
    };
  }

  async #runPlan(plan) {
    switch (plan.kind) {
      case 'set':
        Object.assign(this.session.own, plan.own);
        if (plan.sql !== null) {
          await this.runUpstream(plan.sql);
        }
        break;
      case 'use':
        await this.runUpstream(plan.sql);
        this.session.database = plan.database;
        break;
      case 'createTable':
        await this.#createTable(plan);
        break;
      case 'change': {
        const { database, name } = this.#target(plan.table);
        await this.world.locks.hold(`${database}.${name}`,
          () => this.runUpstream(plan.sql));
        break;
      }
      case 'load':
        /* A client that sends the rows itself is told of no progress. */
        this.silent = plan.insert.sendsData;
        await runLoad(this.world, this, plan, this.#target(plan.table));
        break;
      case 'showCreate':
        await this.#showCreate(plan);
        break;
      case 'describe':
        await this.#describe(plan);
        break;
      case 'kill':
        await this.#kill(plan);
        break;
      default:
        if (plan.readsProcesses) {
          await this.world.commits.settled();
        }
        await this.runUpstream(plan.sql);
    }
  }

  async #createTable(plan) {
    const { database, name } = this.#target(plan.table);
    await this.world.locks.hold(`${database}.${name}`, async () => {
      const found = await this.world.catalog.findTable(database, name);
      if (found.engine === null) {
        await this.world.catalog.register(database, name,
          plan.table.jsonbColumns, plan.ddl);
      }
      await this.runUpstream(plan.sql);
    });
  }

  async #showCreate(plan) {
    const { database, name } = this.#target(plan.table);
    const { ddl } = await this.world.catalog.findTable(database, name);
    await this.runUpstream(ddl === null ? plan.sql
      : `SELECT ${quoteString(ddl)} AS statement`);
  }

  async #describe(plan) {
    const { database, name } = this.#target(plan.table);
    const { ddl } = await this.world.catalog.findTable(database, name);
    await this.runUpstream(ddl === null ? plan.sql
      : `SELECT name, type, default_kind AS default_type, default_expression,
           comment, compression_codec AS codec_expression, '' AS ttl_expression
         FROM _front.system_columns WHERE database = ${quoteString(database)}
           AND table = ${quoteString(name)} ORDER BY position`);
  }

  /* ClickHouse kills what runs there; loads also have steps outside of it. */
  async #kill(plan) {
    const named = tokenize(plan.sql).filter(({ kind }) => kind === 'string')
      .map(({ value }) => value);
    const user = this.session.currentUser();
    for (const { session, queryId } of this.world.executions) {
      if (named.includes(queryId) && !user.grants.hasAll &&
          session.currentUser() !== user) {
        throw new Refusal(CODE.ACCESS_DENIED, `User ${user.login} attempts ` +
          `to kill query created by ${session.currentUser().login}`);
      }
    }
    await this.runUpstream(plan.sql);
    for (const execution of this.world.executions) {
      if (execution !== this && named.includes(execution.queryId)) {
        execution.cancel();
      }
    }
    await this.world.commits.settled();
  }

  #refusalOf(error) {
    if (error instanceof ConnectionClosed) {
      return new Refusal(CODE.NETWORK_ERROR,
        'Connection to the server was lost', { fatal: true });
    }
    if (!(error instanceof Refusal)) {
      return new Refusal(CODE.NOT_IMPLEMENTED,
        `the sandbox's front failed: ${error.message}`, { fatal: true });
    }
    return this.#asByteHouse(error);
  }

  /* Codes and texts that ByteHouse would have for what ClickHouse reports. */
  #asByteHouse(refusal) {
    let { code, message } = refusal;
    for (const [internal, name] of this.names) {
      message = message.replaceAll(internal, name)
        .replaceAll(internal.split('.').map(quoteName).join('.'), name);
    }
    if ((code === CODE.TYPE_MISMATCH && message.includes("'throwIf'")) ||
        (code === 43 && message.includes('isValidJSON'))) {
      return new Refusal(CODE.TYPE_MISMATCH,
        'Cast AS JSONB can be performed only from String');
    }
    const exact = this.calls.find(({ isGlob }) => !isGlob);
    if (code === CODE.S3_ERROR && exact !== undefined &&
        message.startsWith('Failed to get object info')) {
      return new Refusal(CODE.FILE_NOT_FOUND, `File ${exact.url} not exist`);
    }
    if (code === CODE.S3_ERROR && message.startsWith('Could not list')) {
      code = CODE.LOGICAL_ERROR;
    }
    for (const { url, mapped } of this.calls) {
      message = message.replaceAll(mapped, url);
    }
    return new Refusal(code, message, { fatal: refusal.fatal });
  }
}
