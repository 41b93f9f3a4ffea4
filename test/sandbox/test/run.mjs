/*
 * run.mjs: runs the sandbox's tests, TAP to stdout.
 *
 * usage: node test/run.mjs [FILE...]
 *
 * The tests wait more than they work, so two files run at a time.  A file
 * that takes longer than FILE_TIMEOUT_MS is ended; that is a failure.
 */
import fs from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { tap } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const FILE_TIMEOUT_MS = 300 * 1000;
const FILES_AT_A_TIME = 2;

const here = path.dirname(fileURLToPath(import.meta.url));
const files = process.argv.length > 2
  ? process.argv.slice(2).map((file) => path.resolve(file))
  : fs.readdirSync(here).filter((name) => name.endsWith('.test.mjs')).sort()
    .map((name) => path.join(here, name));

const stream = run(
  { files, concurrency: FILES_AT_A_TIME, timeout: FILE_TIMEOUT_MS });
stream.on('test:fail', () => { process.exitCode = 1; });
stream.compose(tap).pipe(process.stdout);
