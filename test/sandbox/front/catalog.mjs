/*
 * catalog.mjs: what ClickHouse can't remember of a ByteHouse table.
 *
 * A database _front at ClickHouse, invisible to clients, holds a registry of
 * the tables made as CnchMergeTree with their original text, views that show
 * system.columns, system.tables and system.databases as ByteHouse would, and
 * the stage tables of loads.  A registry row counts only while the table
 * exists, so it is written before the table is made and never removed.
 */
import { quoteName, quoteString } from './tokens.mjs';

export const FRONT_DATABASE = '_front';

const JSONB_MESSAGE =
  'Cast AS JSONB can be performed only from String';

const SET_UP = [
  `CREATE DATABASE IF NOT EXISTS ${FRONT_DATABASE}`,

  `CREATE TABLE IF NOT EXISTS ${FRONT_DATABASE}.registry (database String,
     name String, jsonb_columns Array(String), ddl String, made UInt64)
   ENGINE = ReplacingMergeTree(made) ORDER BY (database, name)`,

  `CREATE OR REPLACE VIEW ${FRONT_DATABASE}.system_columns AS
   WITH (database, table, name) IN (
     SELECT database, name, arrayJoin(jsonb_columns)
     FROM ${FRONT_DATABASE}.registry FINAL) AS is_jsonb
   SELECT * REPLACE (
     if(is_jsonb, 'JSONB', type) AS type,
     if(is_jsonb, '', default_kind) AS default_kind,
     if(is_jsonb, '', default_expression) AS default_expression)
   FROM system.columns WHERE database != '${FRONT_DATABASE}'`,

  `CREATE OR REPLACE VIEW ${FRONT_DATABASE}.system_tables AS
   WITH (database, name) IN (
     SELECT database, name FROM ${FRONT_DATABASE}.registry FINAL) AS is_cnch
   SELECT * REPLACE (
     if(is_cnch, 'CnchMergeTree', engine) AS engine,
     if(is_cnch, replaceRegexpOne(engine_full,
       '^(Replacing)?MergeTree', 'CnchMergeTree'), engine_full) AS engine_full,
     if(is_cnch, '', create_table_query) AS create_table_query)
   FROM system.tables WHERE database != '${FRONT_DATABASE}'`,

  `CREATE OR REPLACE VIEW ${FRONT_DATABASE}.system_databases AS
   SELECT * FROM system.databases WHERE name != '${FRONT_DATABASE}'`,

  `CREATE OR REPLACE FUNCTION _front_jsonb AS (x) ->
     if(throwIf(toTypeName(x) != 'String', '${JSONB_MESSAGE}', toInt16(53)) = 0,
        if(isValidJSON(x), x, '{}'), '{}')`,

  `CREATE OR REPLACE FUNCTION jsonb_extract AS (j, p) ->
     JSONExtractRaw(JSON_QUERY(j, p), 1)`,
  `CREATE OR REPLACE FUNCTION jsonb_extract_string AS (j, p) ->
     if(JSONType(JSON_QUERY(j, p), 1) = 'String',
        JSONExtractString(JSON_QUERY(j, p), 1), '')`,
  `CREATE OR REPLACE FUNCTION jsonb_extract_int64 AS (j, p) ->
     JSONExtractInt(JSON_QUERY(j, p), 1)`,
  `CREATE OR REPLACE FUNCTION jsonb_extract_float64 AS (j, p) ->
     JSONExtractFloat(JSON_QUERY(j, p), 1)`,
  `CREATE OR REPLACE FUNCTION jsonb_extract_bool AS (j, p) ->
     JSONExtractBool(JSON_QUERY(j, p), 1)`,
];

export class Catalog {
  constructor(control) {
    this.control = control;
    this.nextStage = 1;
  }

  /* Makes the database what it should be; drops what a crash left behind. */
  async prepare() {
    for (const statement of SET_UP) {
      await this.control.run(statement);
    }
    const leftover = await this.control.rows(
      `SELECT name FROM system.tables WHERE database = '${FRONT_DATABASE}'
       AND startsWith(name, 'stage_')`);
    for (const [name] of leftover) {
      await this.dropStage(name);
    }
  }

  async databaseExists(name) {
    const rows = await this.control.rows(
      `SELECT 1 FROM ${FRONT_DATABASE}.system_databases
       WHERE name = ${quoteString(name)}`);
    return rows.length > 0;
  }

  async columnNames(database, name) {
    const rows = await this.control.rows(
      `SELECT name FROM ${FRONT_DATABASE}.system_columns
       WHERE database = ${quoteString(database)}
       AND table = ${quoteString(name)} ORDER BY position`);
    return rows.map(([column]) => column);
  }

  /* { engine, ddl }: engine null if there is no table, ddl null if no Cnch. */
  async findTable(database, name) {
    const where = `WHERE database = ${quoteString(database)}
                   AND name = ${quoteString(name)}`;
    const [[engine, ddl]] = await this.control.rows(
      `SELECT (SELECT any(engine) FROM system.tables ${where}),
              (SELECT any(ddl) FROM ${FRONT_DATABASE}.registry FINAL ${where})`);
    return {
      engine: engine === '' ? null : engine,
      ddl: engine === '' || ddl === '' ? null : ddl,
    };
  }

  async register(database, name, jsonbColumns, ddl) {
    const columns = jsonbColumns.map(quoteString).join(', ');
    await this.control.run(
      `INSERT INTO ${FRONT_DATABASE}.registry VALUES (${quoteString(database)},
       ${quoteString(name)}, [${columns}], ${quoteString(ddl)}, ${Date.now()})`);
  }

  /* An empty table like another; returns its name in the front's database. */
  async makeStage(database, name) {
    const stage = `stage_${process.pid}_${Date.now()}_${this.nextStage++}`;
    await this.control.run(`CREATE TABLE ${FRONT_DATABASE}.${stage}
      AS ${quoteName(database)}.${quoteName(name)}`);
    return stage;
  }

  async dropStage(stage) {
    await this.control.run(`DROP TABLE IF EXISTS ${FRONT_DATABASE}.${stage}`);
  }

  async countRows(stage) {
    const [[rows]] = await this.control.rows(
      `SELECT count() FROM ${FRONT_DATABASE}.${stage}`);
    return Number(rows);
  }
}
