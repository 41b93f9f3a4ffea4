// Turn the signing cases (argument 1: JSON) into C initialisers on stdout.
import { readFileSync } from 'node:fs';

const text = (s) => (s === null || s === undefined ? 'NULL' : JSON.stringify(s));
const pairs = (list) => `(const SwSignPair []) {${
  list.map(([name, value]) => `{${text(name)}, ${text(value)}}`)
    .concat('{NULL, NULL}').join(', ')}}`;

// Headers that the signer makes of its other arguments.
const own = ['host', 'x-tos-date', 'x-tos-content-sha256', 'x-tos-security-token'];

// Cases of the TOS SDK tell everything that was sent.
function furtherHeaders(c) {
  if (c.headers) return Object.entries(c.headers);
  return Object.keys(c.signed_headers)
    .filter((name) => !own.includes(name))
    .map((name) => [name, c.request_headers[name]]);
}

const { cases } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
for (const c of cases) {
  if ((c.kind ?? 'header') !== 'header') throw new Error(`case ${c.name} is of kind ${c.kind}`);
  const path = c.path ?? (c.style === 'path' ? `/${c.bucket}/` : '/') + c.key;
  const query = Object.entries(c.query);
  const further = furtherHeaders(c);
  process.stdout.write(`{${[
    text(c.name), text(c.method), text(c.host), text(path),
    pairs(query), query.length, pairs(further), further.length,
    text(c.payload_hash), text(c.region), text(c.date), text(c.access_key),
    text(c.secret_key), text(c.security_token), text(c.canonical_request),
    text(c.string_to_sign), text(c.authorization),
  ].join(',\n')}},\n`);
}
