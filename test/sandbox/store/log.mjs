/*
 * log.mjs: the request log. One JSON object per line, written at once when a
 * request is answered, before its last byte is sent, so whoever has the
 * answer finds the line. A request that a fault holds is logged when it
 * starts to hang. Secrets and authorization headers are never part of it.
 */
import { openSync, writeSync } from 'node:fs';

const N_RECENT = 1000;

export function openLog(path) {
  const file = openSync(path, 'a', 0o600);
  const recent = [];

  return {
    write(record) {
      writeSync(file, JSON.stringify(record) + '\n');
      recent.push({ ...record });
      if (recent.length > N_RECENT)
        recent.shift();
    },
    recent() {
      return recent;
    },
  };
}
