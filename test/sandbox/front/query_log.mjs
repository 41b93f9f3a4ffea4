/*
 * query_log.mjs: what the clients did, as JSON lines and for GET /log.
 *
 * This is the tests' view of what travelled, so statements are kept as sent,
 * with the (test) secrets in them.
 */
import fs from 'node:fs';

const KEPT = 1000;

export class QueryLog {
  constructor(file) {
    this.descriptor = fs.openSync(file, 'a');
    this.last = [];
  }

  /* Written at once: who got an answer finds it in the log. */
  write(record) {
    fs.writeSync(this.descriptor, `${JSON.stringify(record)}\n`);
    this.last.push(record);
    if (this.last.length > KEPT) {
      this.last.shift();
    }
  }
}
