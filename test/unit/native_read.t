#!/usr/bin/env node
// Read our Native files back with ClickHouse: every value, name and type, and
// the blocks they come in.
'use strict';

const { mkdirSync, readdirSync, readFileSync, rmSync } = require('node:fs');
const path = require('node:path');

const { root, build, ok, writeSamples, run } = require('./tap.cjs');
const { queryAsync } = require(path.join(root, 'test/sandbox/node_modules/chdb'));
const folder = path.join(build, 'native');
const extension = '.native.zst';

const bytesOf = async (sql, format) =>
  Buffer.from((await queryAsync(sql, { format })).bytes());

// Rows of each block of a sample, in their order.
async function blocksOf(name) {
  const rows = await bytesOf(
    `SELECT count() FROM file('${path.join(folder, name + extension)}', Native, auto, 'zstd')
     GROUP BY blockNumber() ORDER BY blockNumber() SETTINGS max_threads = 1`, 'TSV');
  return rows.toString().trim().split('\n').map(Number);
}

// What the file itself says of its columns, no structure given.
async function columnsOf(name) {
  const told = await bytesOf(
    `DESCRIBE file('${path.join(folder, name + extension)}', Native, auto, 'zstd')`, 'JSONEachRow');
  return told.toString().trim().split('\n').map((line) => JSON.parse(line))
    .map((row) => `\`${row.name}\` ${row.type.replace(/\(\s+/g, '(').replace(/,\s+/g, ', ')}`)
    .join(', ');
}

async function main() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeSamples(folder, 'native', 'zstd', 'dictionaries');
  const names = readdirSync(folder).filter((f) => f.endsWith(extension))
    .map((f) => f.slice(0, -extension.length)).sort();
  ok(names.length === 69, '69 samples were written');

  let nEmpty = 0;
  for (const name of names) {
    const expected = readFileSync(path.join(folder, `${name}.expected`));
    const structure = structureOf(expected);
    const got = await bytesOf(
      `SELECT * FROM file('${path.join(folder, name + extension)}', Native, '${structure.text}', 'zstd')
       SETTINGS max_threads = 1`, 'RowBinaryWithNamesAndTypes');
    ok(got.equals(expected), `${name}: every value`,
      `${got.length} bytes read, ${expected.length} expected`);
    if (structure.isEmpty) {
      nEmpty++;
      continue;
    }
    ok((await columnsOf(name)).replace(/LowCardinality\(((?:Nullable\()?String\)?)\)/g, '$1') === structure.text,
      `${name}: names and types`);
  }
  ok(nEmpty > 0, `${nEmpty} samples have no rows`);

  // Which columns have dictionaries.
  ok(await columnsOf('dictionary') === [
    '`constant` LowCardinality(String)', '`two` LowCardinality(Nullable(String))',
    '`event` LowCardinality(String)', '`thousands` Nullable(String)',
    '`nothing` LowCardinality(Nullable(String))', '`no_number` Nullable(Int64)',
    '`blocks` LowCardinality(Nullable(String))'].join(', '), 'strings with repetitions have a dictionary',
  await columnsOf('dictionary'));
  ok(!(await columnsOf('one_row')).includes('LowCardinality'), 'those of few rows have none');

  ok((await blocksOf('long_batch')).join(' ') === '65536 65536 18928',
    'a batch of 150000 rows becomes three blocks');
  ok((await blocksOf('types')).join(' ') === '1000', 'a small one is one block');
  ok((await blocksOf('groups')).join(' ') === Array(30).fill('1000').join(' '),
    'each batch is a block of its own');

  // Without dictionaries, in all codecs.
  for (const [codec, ending] of [['lz4', '.native.lz4'], ['none', '.native'], ['zstd', extension]]) {
    writeSamples(folder, 'native', codec);
    let wrong = 0;
    for (const name of names) {
      const expected = readFileSync(path.join(folder, `${name}.expected`));
      const got = await bytesOf(
        `SELECT * FROM file('${path.join(folder, name + ending)}', Native, '${structureOf(expected).text}')
         SETTINGS max_threads = 1`, 'RowBinaryWithNamesAndTypes');
      if (!got.equals(expected)) {
        wrong++;
        console.log(`# ${codec}: ${name} is not what was written`);
      }
    }
    ok(wrong === 0, `every value of the samples with ${codec}`);
  }
  ok(!(await columnsOf('dictionary')).includes('LowCardinality'), 'no dictionary unless it is wished for');
}

// The columns that an expected file names, as the structure of a table
// function; isEmpty: there are no rows.
function structureOf(expected) {
  let at = 0;
  const text = () => {
    let n = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = expected[at++];
      n += (byte & 127) * scale;
      if (byte < 128) break;
    }
    at += n;
    return expected.subarray(at - n, at).toString();
  };
  const n = expected[at++];
  const names = Array.from({ length: n }, text);
  const types = Array.from({ length: n }, text);
  return {
    text: names.map((name, i) => `\`${name}\` ${types[i]}`).join(', '),
    isEmpty: at === expected.length,
  };
}

run(main);
