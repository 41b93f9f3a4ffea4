// What a query over a Parquet file gives in DuckDB: lines of values with tabs
// between, nulls as \N.
//
//	node duckdb.cjs FILE 'SELECT ... FROM file'
'use strict';

const path = require('node:path');
const { DuckDBInstance } = require(path.join(__dirname, '../sandbox/node_modules/@duckdb/node-api'));

async function main([file, sql]) {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`CREATE VIEW file AS SELECT * FROM read_parquet('${file}')`);
  const result = await connection.stream(sql);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    const lines = chunk.getRows().map((row) => row.map((value) => value ?? '\\N').join('\t'));
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  connection.closeSync();
  instance.closeSync();
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
