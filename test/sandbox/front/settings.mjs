/*
 * settings.mjs: settings in SQL text, and those that only ByteHouse knows.
 *
 * The latter are acted on by the front and never reach ClickHouse, wherever
 * they come from: the query packet, SET, or a SETTINGS clause (bytehouse
 * facts 1.7, 2.3, 3.1).
 */
import { CODE, Refusal } from './errors.mjs';
import { Edits, isName, isSymbol, isWord, textOf, tokenize } from './tokens.mjs';

const OWN = ['virtual_warehouse', 's3_access_key_id', 's3_access_key_secret',
  'skip_history'];

export function isOwnSetting(name) {
  return OWN.includes(name);
}

/* Reads "name = literal, ..." from index i on; next is the index behind. */
function readAssignments(sql, tokens, i) {
  const list = [];
  let j = i;
  for (;;) {
    if (!isName(tokens[j]) || !isSymbol(tokens[j + 1], '=')) {
      throw new Refusal(CODE.SYNTAX_ERROR,
        'Syntax error: expected name = value in settings');
    }
    const name = tokens[j].value;
    let last = j + 2;
    if (isSymbol(tokens[last], '-', '+')) {
      last++;
    }
    const token = tokens[last];
    if (token === undefined || token.kind === 'symbol') {
      throw new Refusal(CODE.SYNTAX_ERROR,
        `Syntax error: expected a value for setting ${name}`);
    }
    list.push({
      name,
      value: token.kind === 'string' ? token.value
        : textOf(sql, tokens, j + 2, last),
      text: textOf(sql, tokens, j, last),
    });
    j = last + 1;
    if (!isSymbol(tokens[j], ',')) {
      return { list, next: j };
    }
    j++;
  }
}

function separate(list) {
  const own = {};
  for (const { name, value } of list) {
    if (isOwnSetting(name)) {
      own[name] = value;
    }
  }
  return { own, rest: list.filter(({ name }) => !isOwnSetting(name)) };
}

/*
 * Takes the front's own settings out of all SETTINGS clauses of a statement;
 * returns { sql, own, all }, all being every name with its value.
 */
export function extractSettingsClauses(sql) {
  const tokens = tokenize(sql);
  const edits = new Edits(sql);
  const own = {};
  const all = {};
  for (let i = 0; i < tokens.length; i++) {
    if (isWord(tokens[i], 'SETTINGS') && isName(tokens[i + 1]) &&
        isSymbol(tokens[i + 2], '=')) {
      const { list, next } = readAssignments(sql, tokens, i + 1);
      const separated = separate(list);
      Object.assign(own, separated.own);
      list.forEach(({ name, value }) => { all[name] = value; });
      const rest = separated.rest.map(({ text }) => text).join(', ');
      edits.replaceTokens(tokens, i, next - 1,
        rest === '' ? '' : `SETTINGS ${rest}`);
      i = next - 1;
    }
  }
  return { sql: edits.apply(), own, all };
}

/* A SET statement; sql is null if nothing is left for ClickHouse. */
export function readSetStatement(sql) {
  const tokens = tokenize(sql);
  const { list, next } = readAssignments(sql, tokens, 1);
  if (next !== tokens.length) {
    throw new Refusal(CODE.SYNTAX_ERROR,
      `Syntax error at "${tokens[next].text}"`);
  }
  const { own, rest } = separate(list);
  return {
    own,
    all: Object.fromEntries(list.map(({ name, value }) => [name, value])),
    sql: rest.length === 0 ? null
      : `SET ${rest.map(({ text }) => text).join(', ')}`,
  };
}
