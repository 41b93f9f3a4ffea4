/*
 * ddl.mjs: CREATE TABLE and ALTER TABLE of ByteHouse, translated.
 *
 * A CnchMergeTree becomes a MergeTree; with a UNIQUE KEY, which must be the
 * ORDER BY here, it becomes a ReplacingMergeTree read with FINAL.  JSONB
 * columns become String columns.  Source of truth: bytehouse facts 4.1, 4.2.
 */
import { CODE, notPlayed, Refusal } from './errors.mjs';
import {
  closing, Edits, isName, isSymbol, isWord, readTableName, splitAtCommas,
  textOf, tokenize,
} from './tokens.mjs';

const AFTER_TYPE = ['NULL', 'NOT', 'DEFAULT', 'MATERIALIZED', 'ALIAS',
  'EPHEMERAL', 'COMMENT', 'CODEC', 'TTL'];
const CLAUSES = ['ORDER', 'PARTITION', 'PRIMARY', 'UNIQUE', 'CLUSTER',
  'SAMPLE', 'TTL', 'SETTINGS', 'COMMENT', 'ENGINE'];

function syntaxError(what) {
  return new Refusal(CODE.SYNTAX_ERROR, `Syntax error: ${what}`);
}

/* One column: { name, isJsonb }; edits gets its type's replacement. */
function translateColumn(tokens, first, last, edits) {
  if (isWord(tokens[first], 'INDEX', 'CONSTRAINT', 'PROJECTION') ||
      (isWord(tokens[first], 'PRIMARY') && isWord(tokens[first + 1], 'KEY'))) {
    throw notPlayed(`${tokens[first].text} among the columns of a table`);
  }
  if (!isName(tokens[first]) || !isName(tokens[first + 1])) {
    throw syntaxError('expected a column\'s name and type');
  }
  let end = first + 2;
  if (isSymbol(tokens[end], '(')) {
    end = closing(tokens, end) + 1;
  }
  const type = tokens.slice(first + 1, end);
  const isJsonb = isWord(type[0], 'JSONB');
  if (!isJsonb && type.some((token) => isWord(token, 'JSONB'))) {
    throw new Refusal(CODE.UNKNOWN_TYPE, 'JSONB can\'t be inside another type');
  }
  if (isJsonb) {
    if (end <= last && !isWord(tokens[end], 'COMMENT', 'NOT')) {
      throw notPlayed(`${tokens[end].text} after a JSONB column's type`);
    }
    edits.replaceTokens(tokens, first + 1, first + 1, 'String');
    const notNull = isWord(tokens[end], 'NOT') ? 2 : 0;
    edits.replace(tokens[end - 1 + notNull].end, tokens[end - 1 + notNull].end,
      " DEFAULT '{}'");
  } else if (end <= last && !isWord(tokens[end], ...AFTER_TYPE)) {
    throw syntaxError(`"${tokens[end].text}" after a column's type`);
  }
  return { name: tokens[first].value, isJsonb };
}

/* The clauses behind the columns, as { word: [first, last] } of indices. */
function findClauses(tokens, from) {
  const clauses = {};
  let current = null;
  for (let i = from; i < tokens.length; i++) {
    const token = tokens[i];
    const two = isWord(token, 'ORDER', 'PARTITION', 'CLUSTER', 'SAMPLE')
      ? isWord(tokens[i + 1], 'BY')
      : !isWord(token, 'PRIMARY', 'UNIQUE') || isWord(tokens[i + 1], 'KEY');
    if (isWord(token, ...CLAUSES) && two) {
      current = token.upper;
      if (clauses[current] !== undefined) {
        throw syntaxError(`${current} is given twice`);
      }
      clauses[current] = [i, i];
    } else if (current === null) {
      throw syntaxError(`"${token.text}" after the columns`);
    } else {
      if (isSymbol(token, '(')) {
        i = closing(tokens, i);
      }
      clauses[current][1] = i;
    }
  }
  return clauses;
}

/* "ENGINE = CnchMergeTree[(version)]"; returns the version column or null. */
function readEngine(tokens, clause) {
  if (clause === undefined) {
    throw new Refusal(CODE.ENGINE_REQUIRED, 'the table has no ENGINE');
  }
  let i = clause[0] + 1;
  if (isSymbol(tokens[i], '=')) {
    i++;
  }
  if (!isWord(tokens[i], 'CNCHMERGETREE')) {
    throw new Refusal(CODE.UNKNOWN_STORAGE,
      `Unknown table engine ${tokens[i]?.text ?? ''}: ` +
      'only CnchMergeTree is played');
  }
  if (i === clause[1]) {
    return null;
  }
  if (!isSymbol(tokens[i + 1], '(') || closing(tokens, i + 1) !== clause[1]) {
    throw syntaxError('after the engine');
  }
  const inside = tokens.slice(i + 2, clause[1]);
  if (inside.length === 0) {
    return null;
  }
  if (inside.length !== 1 || !isName(inside[0])) {
    throw new Refusal(CODE.BAD_ARGUMENTS,
      'the version of CnchMergeTree must be a column');
  }
  return inside[0].text;
}

/* The expressions of a key clause, without an outer pair of brackets. */
function keyExpressions(sql, tokens, [first, last]) {
  let start = first + 2;
  let end = last;
  if (isSymbol(tokens[start], '(') && closing(tokens, start) === end) {
    start++;
    end--;
  }
  return splitAtCommas(tokens, start, end)
    .map(([a, b]) => textOf(sql, tokens, a, b).replace(/\s+/g, ' '));
}

function checkKeys(sql, tokens, clauses, columns) {
  if (clauses.ORDER === undefined) {
    throw new Refusal(CODE.BAD_ARGUMENTS,
      'ORDER BY is mandatory for CnchMergeTree');
  }
  const jsonb = columns.filter(({ isJsonb }) => isJsonb).map(({ name }) => name);
  for (const key of ['ORDER', 'PARTITION', 'PRIMARY', 'UNIQUE']) {
    const range = clauses[key];
    if (range !== undefined && tokens.slice(range[0], range[1] + 1)
      .some((token) => isName(token) && jsonb.includes(token.value))) {
      throw new Refusal(CODE.KEY_TYPE, 'a JSONB column can\'t be in a key');
    }
  }
  if (clauses.UNIQUE !== undefined &&
      keyExpressions(sql, tokens, clauses.UNIQUE).join() !==
      keyExpressions(sql, tokens, clauses.ORDER).join()) {
    throw notPlayed('a UNIQUE KEY that is not the ORDER BY');
  }
}

/* tokens[i] is the "TABLE" of "CREATE TABLE". */
export function translateCreateTable(sql, i) {
  const tokens = tokenize(sql);
  const edits = new Edits(sql);
  let j = i + 1;
  const ifNotExists = isWord(tokens[j], 'IF');
  if (ifNotExists) {
    j += 3;
  }
  const table = readTableName(tokens, j);
  if (!isSymbol(tokens[table.next], '(')) {
    throw notPlayed('CREATE TABLE without a list of columns');
  }
  const close = closing(tokens, table.next);
  const columns = splitAtCommas(tokens, table.next + 1, close - 1)
    .map(([first, last]) => translateColumn(tokens, first, last, edits));
  const clauses = findClauses(tokens, close + 1);
  const version = readEngine(tokens, clauses.ENGINE);
  checkKeys(sql, tokens, clauses, columns);
  if (clauses.UNIQUE !== undefined) {
    edits.replaceTokens(tokens, ...clauses.UNIQUE, '');
  }
  if (clauses.CLUSTER !== undefined) {
    edits.replaceTokens(tokens, ...clauses.CLUSTER, '');
  }
  edits.replaceTokens(tokens, ...clauses.ENGINE, clauses.UNIQUE === undefined
    ? 'ENGINE = MergeTree' : `ENGINE = ReplacingMergeTree(${version ?? ''})`);
  return {
    database: table.database,
    name: table.name,
    ifNotExists,
    jsonbColumns: columns.filter(({ isJsonb }) => isJsonb)
      .map(({ name }) => name),
    sql: edits.apply(),
  };
}

/* Lets pass what needs no translation; returns { database, name }. */
export function checkAlterTable(tokens) {
  const table = readTableName(tokens, 2);
  for (const [first, last] of
    splitAtCommas(tokens, table.next, tokens.length - 1)) {
    const known =
      (isWord(tokens[first], 'DROP') && isWord(tokens[first + 1], 'PARTITION') &&
       !isWord(tokens[first + 2], 'WHERE') && last > first + 1) ||
      (isWord(tokens[first], 'MODIFY') && isWord(tokens[first + 1], 'COMMENT'));
    if (!known) {
      throw notPlayed(`ALTER TABLE ... ${tokens[first]?.text ?? ''} ` +
        `${tokens[first + 1]?.text ?? ''}`);
    }
  }
  return table;
}
