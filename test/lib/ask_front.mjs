/*
 * ask_front.mjs: runs a statement as a client of the sandbox's front.
 *
 * usage: node ask_front.mjs PORT CA_FILE USER PASSWORD SQL
 *
 * Prints rows of strings and whole numbers, tab separated.  Exit code 1 and
 * the server's words on stderr when the statement fails.
 */
import fs from 'node:fs';

import { NativeClient } from '../sandbox/test/lib/native_client.mjs';

const [port, caFile, user, password, sql] = process.argv.slice(2);

try {
  const client = await NativeClient.connect({
    port: Number(port), ca: fs.readFileSync(caFile), user, password,
  });
  const { rows } = await client.query(sql);
  process.stdout.write(rows.map((row) => `${row.join('\t')}\n`).join(''));
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
