#!/usr/bin/env node
// Read our Parquet files back with ClickHouse: every value, and whether the
// statistics in the metadata tell the truth.
'use strict';

const { mkdirSync, readdirSync, readFileSync, rmSync } = require('node:fs');
const path = require('node:path');

const { root, build, ok, writeSamples, run } = require('./tap.cjs');
const { queryAsync } = require(path.join(root, 'test/sandbox/node_modules/chdb'));
const { parseRowBinary } = require('./row_binary.cjs');

const bytesOf = async (sql, format) =>
  Buffer.from((await queryAsync(sql, { format })).bytes());

// The columns that it names, as the structure of a table function.
const structureOf = (data) =>
  parseRowBinary(data, true).map((c) => `${c.name} ${c.typeText}`).join(', ');

// ---- statistics ----

const text = (value) => (typeof value === 'bigint' ? String(value) : value.toString());
const compare = (a, b) =>
  (typeof a === 'bigint' ? (a < b ? -1 : a > b ? 1 : 0) : Buffer.compare(a, b));
const wrap = (value, like) => (typeof like === 'bigint' ? BigInt(value) : Buffer.from(value));

// Problems of one chunk's statistics, given its true values.
function judge(statistics, values) {
  const problems = [];
  const present = values.filter((v) => v !== null);
  if (Number(statistics.null_count) !== values.length - present.length)
    problems.push(`null_count ${statistics.null_count}`);
  if (present.length === 0) {
    if (statistics.min !== null || statistics.max !== null) problems.push('bounds without values');
    return { problems, exact: 0, cut: 0, absent: 0 };
  }
  let exact = 0;
  let cut = 0;
  let absent = 0;
  const extremes = [['min', -1], ['max', 1]].map(([which, sign]) => {
    const truth = present.reduce((a, b) => (compare(b, a) * sign > 0 ? b : a));
    return { which, sign, truth, isLong: typeof truth !== 'bigint' && truth.length > 64 };
  });
  for (const { which, sign, truth, isLong } of extremes) {
    const told = statistics[which];
    if (told === null) {
      absent++;
      if (!extremes.some((e) => e.isLong)) problems.push(`no ${which}`);
    } else if (isLong) {
      cut++;
      if (compare(wrap(told, truth), truth) * sign < 0) problems.push(`${which} is not a bound`);
      if (Buffer.byteLength(told) > 64) problems.push(`${which} is too long`);
    } else {
      exact++;
      if (told !== text(truth)) problems.push(`${which} ${told} is not ${text(truth)}`);
    }
  }
  return { problems, exact, cut, absent };
}

async function checkStatistics(name, file, columns) {
  const metadata = JSON.parse(await bytesOf(
    `SELECT * FROM file('${file}', ParquetMetadata)`, 'JSONEachRow'));
  const nRows = columns[0].values.length;
  const total = { exact: 0, cut: 0, absent: 0 };
  const problems = [];
  let first = 0;
  for (const group of metadata.row_groups) {
    const n = Number(group.num_rows);
    group.columns.forEach((chunk, i) => {
      const verdict = judge(chunk.statistics, columns[i].values.slice(first, first + n));
      problems.push(...verdict.problems.map((p) => `${chunk.name} at row ${first}: ${p}`));
      for (const key of Object.keys(total)) total[key] += verdict[key];
    });
    first += n;
  }
  if (Number(metadata.num_rows) !== nRows || first !== nRows) problems.push('row counts');
  for (const column of metadata.columns)
    if (nRows > 0 && column.compression !== 'ZSTD') problems.push(`compression of ${column.name}`);
  ok(problems.length === 0, `${name}: statistics are true`, problems.slice(0, 5).join('; '));
  return { metadata, ...total };
}

// ---- the samples ----

async function main() {
  const folder = path.join(build, 'parquet');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeSamples(folder, 'parquet', 'zstd');
  const names = readdirSync(folder).filter((f) => f.endsWith('.parquet'))
    .map((f) => f.slice(0, -8)).sort();
  ok(names.length === 69, '69 samples were written');

  const seen = {};
  for (const name of names) {
    const file = path.join(folder, `${name}.parquet`);
    const expected = readFileSync(path.join(folder, `${name}.expected`));
    // Of nested columns and odd types the reader is told what to make.
    const isNested = name.startsWith('nested');
    const structure = isNested ? `, '${structureOf(expected)}'` : '';
    const got = await bytesOf(
      `SELECT * FROM file('${file}', Parquet${structure})
       SETTINGS max_threads = 1, input_format_parquet_preserve_order = 1`,
      'RowBinaryWithNamesAndTypes');
    ok(got.equals(expected), `${name}: every value, name and type`,
      `${got.length} bytes read, ${expected.length} expected`);
    if (!isNested) seen[name] = await checkStatistics(name, file, parseRowBinary(expected));
  }

  // The other codecs.
  for (const codec of ['lz4', 'snappy', 'none']) {
    writeSamples(folder, 'parquet', codec);
    let wrong = 0;
    for (const name of names) {
      const file = path.join(folder, `${name}.parquet`);
      const expected = readFileSync(path.join(folder, `${name}.expected`));
      if (expected.length > 20e6) continue;
      const got = await bytesOf(
        `SELECT * FROM file('${file}', Parquet, '${structureOf(expected)}')
         SETTINGS max_threads = 1, input_format_parquet_preserve_order = 1`,
        'RowBinaryWithNamesAndTypes');
      if (!got.equals(expected)) {
        wrong++;
        console.log(`# ${codec}: ${name} is not what was written`);
      }
    }
    ok(wrong === 0, `every value of the samples with ${codec}`);
  }
  writeSamples(folder, 'parquet', 'zstd');

  // The samples are what they claim to be.
  const encodings = (name, column) =>
    seen[name].metadata.columns.find((c) => c.name === column).encodings.join(' ');
  const groups = (name) => Number(seen[name].metadata.num_row_groups);
  ok(groups('empty') === 0, 'no row group in an empty file');
  ok(groups('groups') > 5, `${groups('groups')} row groups in one file`);
  for (const column of ['constant', 'event', 'blocks'])
    ok(/^PLAIN (RLE )?RLE_DICTIONARY$/.test(encodings('dictionary', column)),
      `${column} has a dictionary`, encodings('dictionary', column));
  ok(encodings('dictionary', 'nothing') === 'PLAIN RLE', 'a column of nulls has none',
    encodings('dictionary', 'nothing'));
  ok(encodings('fallback', 'unique') === 'PLAIN', 'unique values have none',
    encodings('fallback', 'unique'));
  for (const column of ['late', 'many'])
    ok(encodings('fallback', column) === 'PLAIN RLE RLE_DICTIONARY', `${column} falls back`,
      encodings('fallback', column));
  ok(seen.bounds.cut > 100, `${seen.bounds.cut} bounds are cut`);
  ok(seen.bounds.absent > 0, `${seen.bounds.absent} bounds have no text and are left out`);
  ok(seen.types.exact === 16, 'all 16 bounds of short values are exact');

  // A filter that trusts the statistics finds what is there.
  const bounds = path.join(folder, 'bounds.parquet');
  const columns = parseRowBinary(readFileSync(path.join(folder, 'bounds.expected')));
  let missed = 0;
  let asked = 0;
  for (const { name, values } of columns) {
    for (let i = 0; i < values.length; i += 97) {
      if (values[i] === null) continue;
      const truth = values.filter((v) => v !== null && v.equals(values[i])).length;
      const got = await bytesOf(
        `SELECT count() FROM file('${bounds}', Parquet)
         WHERE ${name} = unhex('${values[i].toString('hex')}')
         SETTINGS input_format_parquet_filter_push_down = 1`, 'TSV');
      asked++;
      if (Number(got) !== truth) missed++;
    }
  }
  ok(asked > 60 && missed === 0, `${asked} filters on long strings find their rows`,
    `${missed} did not`);
}

run(main);
