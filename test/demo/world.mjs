/*
 * world.mjs: what the demo wants of the sandbox's servers.
 *
 *   world.mjs slow BYTES_PER_SECOND      the store's next upload passes at this
 *                                        speed; other faults are forgotten
 *   world.mjs objects                    number of objects in the store
 *   world.mjs statements SINCE WORD...   the last statement since then that
 *                                        begins so, wrapped, its keys masked
 *   world.mjs requests SINCE             the store's requests since then,
 *                                        counted, and who judged their signatures
 *
 * SINCE is an ISO 8601 time. The servers are found by the SW_ variables of
 * the sandbox's env file.
 */
import fs from 'node:fs';

const WIDTH = 84;
const env = process.env;

async function admin(method, path, body) {
  const response = await fetch(env.SW_STORE_ADMIN + path, { method, body });
  const text = await response.text();

  if (!response.ok)
    throw new Error(`the store answers ${response.status}: ${text}`);
  return JSON.parse(text);
}

function logSince(file, since) {
  return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
    .map((line) => JSON.parse(line)).filter((entry) => entry.time >= since);
}

/* The keys as they stand in the statement, and what a person may see. */
function mask(statement) {
  const literal = (text) => text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");

  return statement
    .replaceAll(literal(env.SW_STORE_SECRET_KEY), '***')
    .replaceAll(env.SW_STORE_ACCESS_KEY, '***');
}

/* New lines before clauses, and between words where a line gets too long. */
function wrap(statement) {
  const clauses = statement
    .replace(/ (SELECT|FROM|ENGINE|PARTITION BY|ORDER BY) /gu, '\n$1 ');
  const lines = [];

  for (const clause of clauses.split('\n')) {
    let line = '';

    for (const word of clause.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > WIDTH) {
        lines.push(line);
        line = `   ${word}`;
      } else
        line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines.join('\n');
}

function lastStatement(since, beginning) {
  const found = logSince(env.SW_FRONT_LOG, since)
    .filter((entry) => entry.event === 'query' && entry.outcome === 'ok'
      && entry.query.startsWith(beginning)).at(-1);

  if (found === undefined)
    throw new Error(`the warehouse got no statement ${beginning} ...`);
  return wrap(mask(found.query));
}

function countRequests(since) {
  const counts = new Map();

  for (const { api, operation, accepted, judge } of logSince(env.SW_STORE_LOG, since)) {
    const verdict = `${accepted ? 'accepted' : 'REFUSED'} by ${judge}`;
    const key = [api, operation, verdict].join('\t');

    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort().map(([key, n]) => {
    const [api, operation, verdict] = key.split('\t');

    return `${String(n).padStart(3)} x ${api.padEnd(3)} ${operation.padEnd(14)} signature ${verdict}`;
  }).join('\n');
}

const [command, ...args] = process.argv.slice(2);

switch (command) {
  case 'slow':
    await admin('DELETE', '/faults');
    await admin('POST', '/faults', JSON.stringify(
      { fault: 'slow', op: 'PUT', times: 1, bytes_per_second: Number(args[0]) }));
    break;
  case 'objects':
    console.log((await admin('GET', '/objects')).objects.length);
    break;
  case 'statements':
    console.log(lastStatement(args[0], args.slice(1).join(' ')));
    break;
  case 'requests':
    console.log(countRequests(args[0]));
    break;
  default:
    throw new Error('usage: see the top of world.mjs');
}
