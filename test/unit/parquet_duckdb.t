#!/usr/bin/env node
// Read our Parquet files back with DuckDB: every value of every type, nested
// ones too, and whether the metadata is what the format asks for and tells
// the truth.
'use strict';

const { mkdirSync, readdirSync, readFileSync, rmSync } = require('node:fs');
const path = require('node:path');

const { root, build, ok, writeSamples, run } = require('./tap.cjs');
const { DuckDBInstance } = require(path.join(root, 'test/sandbox/node_modules/@duckdb/node-api'));
const { parseRowBinary } = require('./row_binary.cjs');
const [, version] = /SW_VERSION "(.+)"/.exec(readFileSync(path.join(root, 'src/common/sw_version.h'), 'utf8'));

// DuckDB has decimals of 38 digits; what has more it reads as a double.
const duckdbDigits = 38;
const isWide = (type) => type.name === 'Decimal' && type.arguments[0] > duckdbDigits;

// ---- values ----

const toDouble = (value, type) =>
  Number(`${value}e-${type.arguments[1]}`);

// Within what a sum of 32 bytes, each rounded, may lose.
const isNear = (a, b) => Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));

// Is got what the reader has to make of the value that was written?
function isSame(type, value, got) {
  if (value === null || got === null) return value === null && got === null;
  switch (type.name) {
    case 'String':
      return typeof got === 'string' ? value.equals(Buffer.from(got)) : value.equals(got.bytes);
    case 'FixedString':
      return value.toString('hex') === got.toString().replaceAll('-', '');
    case 'UInt8':
      return typeof got === 'boolean' && got === (value === 1n);
    case 'Float32':
    case 'Float64':
      return Object.is(value, got);
    case 'Decimal':
      return isWide(type) ? isNear(toDouble(value, type), got) :
        got.scale === type.arguments[1] && got.width === type.arguments[0] && got.value === value;
    case 'Array':
      return got.items.length === value.length &&
        value.every((member, i) => isSame(type.children[0], member, got.items[i]));
    case 'Map':
      return got.entries.length === value.length &&
        value.every(([k, v], i) => isSame(type.children[0], k, got.entries[i].key) &&
          isSame(type.children[1], v, got.entries[i].value));
    case 'Tuple':
      return type.children.every((child, i) => isSame(child, value[i], got.entries[type.fields[i]]));
    default:
      return typeof got === 'bigint' ? got === value : BigInt(got) === value;
  }
}

const show = (value) => (Array.isArray(value) ? `[${value.map(show)}]` :
  Buffer.isBuffer(value) ? value.subarray(0, 40).toString('hex') : String(value));

// Reads all values; returns how many, and what is wrong.
async function compareValues(connection, file, columns) {
  const result = await connection.stream(`SELECT * FROM read_parquet('${file}')`);
  const names = result.columnNames();
  if (names.join() !== columns.map((c) => c.name).join()) return { problem: `columns ${names}` };
  let row = 0;
  let values = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (let i = 0; i < columns.length; i++) {
      const got = chunk.getColumnValues(i);
      for (let j = 0; j < got.length; j++) {
        if (!isSame(columns[i].type, columns[i].values[row + j] ?? null, got[j]))
          return { problem: `${names[i]} of row ${row + j}: ${String(got[j])} is not ${show(columns[i].values[row + j])}` };
        values++;
      }
    }
    row += chunk.rowCount;
  }
  return row === columns[0].values.length ? { values } : { problem: `${row} rows` };
}

// ---- the schema ----

// The nodes that the schema must have for a column.
function* nodesOf(name, type) {
  const group = (children, converted, logical) => ({
    name, type: null, repetition_type: 'REQUIRED', num_children: BigInt(children),
    converted_type: converted, logical_type: logical,
  });
  const repeated = (called, children) => ({
    name: called, type: null, repetition_type: 'REPEATED', num_children: BigInt(children),
    converted_type: null, logical_type: null,
  });
  switch (type.name) {
    case 'Array':
      yield group(1, 'LIST', 'ListType()');
      yield repeated('list', 1);
      yield* nodesOf('element', type.children[0]);
      return;
    case 'Map':
      yield group(1, 'MAP', 'MapType()');
      yield repeated('key_value', 2);
      yield* nodesOf('key', type.children[0]);
      yield* nodesOf('value', type.children[1]);
      return;
    case 'Tuple':
      yield group(type.children.length, null, null);
      for (let i = 0; i < type.children.length; i++) yield* nodesOf(type.fields[i], type.children[i]);
      return;
    default:
      yield { name, num_children: null, ...leafOf(type),
        repetition_type: type.isNullable ? 'OPTIONAL' : 'REQUIRED' };
  }
}

function leafOf(type) {
  const plain = (physical) => ({ type: physical, converted_type: null, logical_type: null });
  const integer = (bits, signed) => ({ type: 'INT32', converted_type: `${signed ? '' : 'U'}INT_${bits}`,
    // DuckDB shows the byte as a character.
    logical_type: `IntType(bitWidth=${String.fromCharCode(bits)}, isSigned=${signed ? 1 : 0})` });
  switch (type.name) {
    case 'String': return { type: 'BYTE_ARRAY' };
    case 'FixedString': return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: '16',
      converted_type: null, logical_type: 'UUIDType()' };
    case 'UInt8': return plain('BOOLEAN');
    case 'Int16': return integer(16, true);
    case 'UInt32': return integer(32, false);
    case 'Int32': return plain('INT32');
    case 'Int64': return plain('INT64');
    case 'Float32': return plain('FLOAT');
    case 'Float64': return plain('DOUBLE');
    default: break;
  }
  const [precision, scale] = type.arguments;
  const [physical, length] = precision <= 9 ? ['INT32', null] : precision <= 18 ? ['INT64', null] :
    ['FIXED_LEN_BYTE_ARRAY', precision <= 38 ? '16' : '32'];
  return { type: physical, type_length: length, converted_type: 'DECIMAL', scale: BigInt(scale),
    precision: BigInt(precision), logical_type: `DecimalType(scale=${scale}, precision=${precision})` };
}

async function rowsOf(connection, sql) {
  return (await connection.runAndReadAll(sql)).getRowObjects();
}

async function judgeSchema(connection, file, columns) {
  const got = await rowsOf(connection, `SELECT * FROM parquet_schema('${file}')`);
  const wanted = columns.flatMap((c) => [...nodesOf(c.name, c.type)]);
  const problems = [];
  if (got.length !== wanted.length + 1 || got[0].num_children !== BigInt(columns.length))
    return [`${got.length} nodes`];
  wanted.forEach((node, i) => {
    for (const [key, value] of Object.entries(node))
      if (got[i + 1][key] !== value) problems.push(`${node.name}: ${key} ${got[i + 1][key]} is not ${value}`);
    // Of text or of bytes: both are strings in what is expected.
    if (node.type === 'BYTE_ARRAY' &&
      ![['UTF8', 'StringType()'], [null, null]].some(([converted, logical]) =>
        got[i + 1].converted_type === converted && got[i + 1].logical_type === logical))
      problems.push(`${node.name}: ${got[i + 1].converted_type} ${got[i + 1].logical_type}`);
  });
  return problems;
}

// ---- statistics ----

// The leaves of a column: what is there of each row, null for what is not.
function* leavesOf(type, rows) {
  const below = (child, pick) => leavesOf(child, rows.map((entries) =>
    entries.flatMap((value) => (value === null ? [null] : pick(value)))));
  const orNothing = (members) => (members.length === 0 ? [null] : members);
  switch (type.name) {
    case 'Array':
      yield* below(type.children[0], orNothing);
      return;
    case 'Map':
      yield* below(type.children[0], (value) => orNothing(value.map(([k]) => k)));
      yield* below(type.children[1], (value) => orNothing(value.map(([, v]) => v)));
      return;
    case 'Tuple':
      for (let i = 0; i < type.children.length; i++)
        yield* below(type.children[i], (value) => [value[i]]);
      return;
    default:
      yield { type, rows };
  }
}

// What DuckDB shows of bytes, turned back.
const unescapeBytes = (shown) => Buffer.from(shown.replace(/\\x([0-9A-F]{2})|([^])/g,
  (_, hex, other) => hex ?? Buffer.from(other).toString('hex')), 'hex');

// A bound as DuckDB shows it, as a value that compares with the leaf's.
function parseBound(type, isText, shown) {
  switch (type.name) {
    case 'String': return isText ? Buffer.from(shown) : unescapeBytes(shown);
    case 'FixedString': return Buffer.from(shown.replaceAll('-', ''), 'hex');
    case 'UInt8': return shown === 'true' ? 1n : 0n;
    case 'Float32': return Math.fround(Number(shown));
    case 'Float64': return Number(shown);
    case 'Decimal': return isWide(type) ? Number(shown) : BigInt(shown.replace('.', ''));
    default: return BigInt(shown);
  }
}

const compare = (a, b) => (Buffer.isBuffer(a) ? Buffer.compare(a, b) : a < b ? -1 : a > b ? 1 : 0);

// Numbers of bounds: { exact, cut, absent }.
function judgeBounds(chunk, type, isText, present, problems) {
  const counts = { exact: 0, cut: 0, absent: 0 };
  // One that cannot be ordered leaves none of the others a bound.
  const comparable = present.some((v) => Number.isNaN(v)) ? [] : present;
  for (const [which, sign] of [['min', -1], ['max', 1]]) {
    const told = chunk[`stats_${which}_value`];
    const problem = (text) => problems.push(`${chunk.path_in_schema}: ${which} ${text}`);
    if (comparable.length === 0) {
      if (told !== null) problem('of values without order, or of none');
      continue;
    }
    const truth = comparable.reduce((a, b) => (compare(b, a) * sign > 0 ? b : a));
    if (told === null) {
      // Infinite ones are not shown; of long texts there may be none.
      const isLong = comparable.some((v) => Buffer.isBuffer(v) && v.length > 64);
      if (!isLong && Number.isFinite(Number(truth))) problem('is missing');
      counts.absent++;
      continue;
    }
    const bound = parseBound(type, isText, told);
    if (chunk[`${which}_is_exact`] === false) {
      counts.cut++;
      if (compare(bound, truth) * sign < 0) problem('is no bound');
      if (bound.length > 64) problem('is too long');
    } else {
      counts.exact++;
      const isTrue = isWide(type) ? isNear(toDouble(truth, type), bound) : compare(bound, truth) === 0;
      if (!isTrue) problem(`${told} is not ${show(truth)}`);
      // A zero stands for both, so the bounds must take in the other one.
      if (bound === 0 && typeof bound === 'number' && !isWide(type) &&
        !Object.is(bound, which === 'min' ? -0 : 0))
        problem('is the wrong zero');
    }
  }
  return counts;
}

async function judgeMetadata(connection, file, columns, compression) {
  const problems = [];
  const total = { exact: 0, cut: 0, absent: 0, groups: 0 };
  const nRows = columns[0].values.length;
  const [about] = await rowsOf(connection, `SELECT * FROM parquet_file_metadata('${file}')`);
  if (about.created_by !== 'format_samples' || about.num_rows !== BigInt(nRows) ||
    about.file_size_bytes !== BigInt(readFileSync(file).length))
    problems.push(`file: ${about.created_by}, ${about.num_rows} rows`);

  // Our version, the types of the columns, and nothing else.
  const keys = Object.fromEntries((await rowsOf(connection,
    `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata('${file}')`))
    .map(({ key, value }) => [key, value]));
  const types = keys['sensorswave_export.types'] ?? '';
  if (Object.keys(keys).sort().join(' ') !== 'sensorswave_export.types sensorswave_export.version' ||
    keys['sensorswave_export.version'] !== version ||
    types.split(',').length !== columns.length || !/^[a-z0-9_,]+$/.test(types))
    problems.push(`keys: ${JSON.stringify(keys)}`);

  const leaves = columns.flatMap((c) => [...leavesOf(c.type, c.values.map((v) => [v]))]);
  const texts = (await rowsOf(connection, `SELECT converted_type, type FROM parquet_schema('${file}')`))
    .filter((node) => node.type !== null).map((node) => node.converted_type === 'UTF8');
  const chunks = await rowsOf(connection,
    `SELECT * FROM parquet_metadata('${file}') ORDER BY row_group_id, column_id`);
  if (BigInt(chunks.length) !== about.num_row_groups * BigInt(leaves.length)) problems.push('chunks');
  total.groups = Number(about.num_row_groups);

  let first = 0;
  let at = 4;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i];
    const leaf = leaves[i % leaves.length];
    const last = first + Number(chunk.row_group_num_rows);
    const entries = leaf.rows.slice(first, last).flat();
    const present = entries.filter((v) => v !== null);
    const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
    if (start !== at) problems.push(`${chunk.path_in_schema} begins at ${start}, not ${at}`);
    at = start + Number(chunk.total_compressed_size);
    if (chunk.compression !== compression) problems.push(`compression ${chunk.compression}`);
    if (chunk.num_values !== BigInt(entries.length) ||
      chunk.stats_null_count !== BigInt(entries.length - present.length))
      problems.push(`${chunk.path_in_schema}: ${chunk.num_values} values, ${chunk.stats_null_count} nulls`);
    const counts = judgeBounds(chunk, leaf.type, texts[i % leaves.length], present, problems);
    for (const key of Object.keys(counts)) total[key] += counts[key];
    if (i % leaves.length === leaves.length - 1) first = last;
  }
  if (first !== nRows) problems.push('row groups');
  return { problems, total };
}

// ---- filters that trust the statistics ----

const literalOf = (type, isText, value) => {
  switch (type.name) {
    case 'String': return isText ? `decode(unhex('${value.toString('hex')}'))` : `unhex('${value.toString('hex')}')`;
    case 'FixedString': return `'${value.toString('hex')}'::uuid`;
    case 'UInt8': return value === 1n ? 'true' : 'false';
    case 'Float32': return `'${Object.is(value, -0) ? '-0' : value}'::float`;
    case 'Float64': return `'${Object.is(value, -0) ? '-0' : value}'::double`;
    case 'Decimal': {
      const digits = String(value < 0n ? -value : value).padStart(type.arguments[1] + 1, '0');
      const point = digits.length - type.arguments[1];
      return `'${value < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}'::decimal(${type.arguments})`;
    }
    default: return String(value);
  }
};

async function countMissed(connection, file, columns) {
  const types = await rowsOf(connection, `DESCRIBE SELECT * FROM read_parquet('${file}')`);
  let missed = 0;
  let asked = 0;
  for (let i = 0; i < columns.length; i++) {
    const { name, type, values } = columns[i];
    if (type.children.length > 0 || isWide(type)) continue;
    const isText = types[i].column_type === 'VARCHAR';
    for (let row = 0; row < values.length; row += Math.ceil(values.length / 7)) {
      const value = values[row];
      if (value === null) continue;
      const truth = values.filter((v) => v !== null &&
        (compare(v, value) === 0 && Number.isNaN(v) === Number.isNaN(value))).length;
      const [{ n }] = await rowsOf(connection,
        `SELECT count(*) AS n FROM read_parquet('${file}') WHERE ${name} = ${literalOf(type, isText, value)}`);
      asked++;
      if (n !== BigInt(truth)) {
        missed++;
        console.log(`# ${path.basename(file)}: ${name} = ${show(value)}: ${n} of ${truth}`);
      }
    }
  }
  return { asked, missed };
}

// ---- the samples ----

async function main() {
  const folder = path.join(build, 'duckdb');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeSamples(folder, 'parquet', 'zstd');
  const names = readdirSync(folder).filter((f) => f.endsWith('.parquet'))
    .map((f) => f.slice(0, -8)).sort();
  ok(names.length === 69, '69 samples were written');

  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const total = { exact: 0, cut: 0, absent: 0, groups: 0, asked: 0, missed: 0 };
  const seen = new Set();
  for (const name of names) {
    const file = path.join(folder, `${name}.parquet`);
    const columns = parseRowBinary(readFileSync(path.join(folder, `${name}.expected`)));
    columns.forEach((c) => seen.add(`${c.type.name}${c.type.isNullable ? ' null' : ''}`));

    const { values, problem } = await compareValues(connection, file, columns);
    ok(problem === undefined, `${name}: ${values} values`, problem);
    const schema = await judgeSchema(connection, file, columns);
    ok(schema.length === 0, `${name}: schema`, schema.slice(0, 5).join('; '));
    const metadata = await judgeMetadata(connection, file, columns, 'ZSTD');
    ok(metadata.problems.length === 0, `${name}: metadata and statistics`,
      metadata.problems.slice(0, 5).join('; '));
    for (const key of Object.keys(metadata.total)) total[key] += metadata.total[key];
    if (columns[0].values.length < 10000) {
      const { asked, missed } = await countMissed(connection, file, columns);
      total.asked += asked;
      total.missed += missed;
    }
  }
  ok(total.exact > 1000 && total.cut > 100, `bounds: ${total.exact} exact, ${total.cut} cut, ${total.absent} absent`);
  ok(total.asked > 500 && total.missed === 0, `${total.asked} filters find their rows`, `${total.missed} did not`);
  for (const type of ['String', 'UInt8', 'Int16', 'Int32', 'Int64', 'UInt32', 'Float32', 'Float64', 'Decimal',
    'FixedString'])
    ok(seen.has(type) && seen.has(`${type} null`), `${type} was there with nulls and without`);
  for (const type of ['Array', 'Map', 'Tuple']) ok(seen.has(type), `${type} was there`);

  // The other codecs.
  for (const [codec, called] of [['lz4', 'LZ4_RAW'], ['snappy', 'SNAPPY'], ['none', 'UNCOMPRESSED']]) {
    writeSamples(folder, 'parquet', codec);
    const problems = [];
    let compared = 0;
    for (const name of names) {
      const file = path.join(folder, `${name}.parquet`);
      const columns = parseRowBinary(readFileSync(path.join(folder, `${name}.expected`)));
      if (columns[0].values.length > 20000) continue;
      const { values, problem } = await compareValues(connection, file, columns);
      if (problem !== undefined) problems.push(`${name}: ${problem}`);
      compared += values ?? 0;
      const metadata = await judgeMetadata(connection, file, columns, called);
      problems.push(...metadata.problems.map((p) => `${name}: ${p}`));
    }
    ok(problems.length === 0 && compared > 100000, `${compared} values with ${codec}`,
      problems.slice(0, 5).join('; '));
  }

  connection.closeSync();
  instance.closeSync();
}

run(main);
