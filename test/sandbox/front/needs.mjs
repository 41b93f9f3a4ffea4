/*
 * needs.mjs: which rights a statement needs, from its text as sent.
 *
 * Pure.  A need is { rights, database, table, columnNames, anyColumn }:
 * columnNames narrows the columns of the table that the refusal names (null:
 * all of them, [] none), anyColumn says that one column is enough.  Source of
 * truth: bytehouse facts 3.8 and ByConity's interpreters.
 */
import { readInsert } from './insert.mjs';
import {
  closing, isName, isSymbol, isWord, readTableName, splitAtCommas, tokenize,
} from './tokens.mjs';

const AFTER_SOURCE = ['WHERE', 'PREWHERE', 'GROUP', 'ORDER', 'LIMIT', 'HAVING',
  'SETTINGS', 'FORMAT', 'UNION', 'FINAL', 'SAMPLE', 'JOIN', 'LEFT', 'RIGHT',
  'INNER', 'FULL', 'CROSS', 'ANY', 'ALL', 'ASOF', 'SEMI', 'ANTI', 'GLOBAL',
  'ARRAY', 'ON', 'USING', 'WITH', 'INTERSECT', 'EXCEPT', 'OFFSET'];

const ALTER_RIGHTS = [
  [['DROP', 'PARTITION'], 'ALTER DELETE'],
  [['DELETE'], 'ALTER DELETE'],
  [['UPDATE'], 'ALTER UPDATE'],
  [['ADD', 'COLUMN'], 'ALTER ADD COLUMN'],
  [['DROP', 'COLUMN'], 'ALTER DROP COLUMN'],
  [['MODIFY', 'COLUMN'], 'ALTER MODIFY COLUMN'],
  [['MODIFY', 'COMMENT'], 'ALTER MODIFY COMMENT'],
  [['MODIFY', 'TTL'], 'ALTER TTL'],
  [['MODIFY', 'SETTING'], 'ALTER SETTINGS'],
];

function onTable(right, table, currentDatabase) {
  return {
    rights: [right], database: table.database ?? currentDatabase,
    table: table.name, columnNames: [], anyColumn: false,
  };
}

function onDatabase(right, database) {
  return {
    rights: [right], database, table: null, columnNames: [], anyColumn: false,
  };
}

/* Every table function is a temporary table; some read from elsewhere too. */
function onFunction(token) {
  const rights = isWord(token, 'CNCHS3')
    ? ['CREATE TEMPORARY TABLE', 'S3'] : ['CREATE TEMPORARY TABLE'];
  return {
    rights, database: null, table: null, columnNames: [], anyColumn: false,
  };
}

/* Names that WITH gives to queries. */
function localNames(tokens) {
  return tokens.filter((token, i) => isName(token) &&
    isWord(tokens[i + 1], 'AS') && isSymbol(tokens[i + 2], '(') &&
    isWord(tokens[i + 3], 'SELECT', 'WITH')).map(({ value }) => value);
}

/* What stands after FROM or JOIN at index i, and after commas behind it. */
function* sourcesAt(tokens, start) {
  for (let i = start; isName(tokens[i]) || isSymbol(tokens[i], '(');) {
    if (isSymbol(tokens[i], '(')) {
      i = closing(tokens, i) + 1;
    } else if (isSymbol(tokens[i + 1], '(')) {
      yield { call: tokens[i] };
      i = closing(tokens, i + 1) + 1;
    } else {
      const table = readTableName(tokens, i);
      yield { table };
      i = table.next;
    }
    if (isWord(tokens[i], 'AS')) {
      i += 2;
    } else if (isName(tokens[i]) && !isWord(tokens[i], ...AFTER_SOURCE)) {
      i++;
    }
    if (!isSymbol(tokens[i], ',')) {
      return;
    }
    i++;
  }
}

function columnsRead(tokens) {
  const takesAll = tokens.some((token, i) => isSymbol(token, '*') &&
    (isWord(tokens[i - 1], 'SELECT', 'DISTINCT') ||
     isSymbol(tokens[i - 1], ',', '.')));
  return takesAll ? null
    : tokens.filter(isName).map(({ value }) => value);
}

function needsOfQuery(tokens, currentDatabase) {
  const needs = [];
  const local = localNames(tokens);
  const columnNames = columnsRead(tokens);
  tokens.forEach((token, i) => {
    if (!isWord(token, 'FROM', 'JOIN')) {
      return;
    }
    for (const { call, table } of sourcesAt(tokens, i + 1)) {
      if (call !== undefined) {
        needs.push(onFunction(call));
      } else if ((table.database ?? currentDatabase) !== 'system' &&
          !(table.database === null && local.includes(table.name))) {
        needs.push({ ...onTable('SELECT', table, currentDatabase),
          columnNames, anyColumn: true });
      }
    }
  });
  return needs;
}

function needsOfInsert(sql, currentDatabase) {
  const insert = readInsert(sql);
  const columns = tokenize(insert.columns).filter(isName)
    .map(({ value }) => value);
  return [
    { ...onTable('INSERT', insert, currentDatabase),
      columnNames: insert.columns === '' ? null : columns },
    ...needsOfQuery(tokenize(insert.rest), currentDatabase),
  ];
}

/* The index of the name in "CREATE TABLE [IF NOT EXISTS] name" and others. */
function nameIndex(tokens, i) {
  if (!isWord(tokens[i], 'IF')) {
    return i;
  }
  return isWord(tokens[i + 1], 'NOT') ? i + 3 : i + 2;
}

function needsOfDefinition(tokens, currentDatabase) {
  const replaces = isWord(tokens[1], 'OR');
  const i = replaces ? 3 : 1;
  const name = nameIndex(tokens, i + 1);
  const verb = tokens[0].upper;
  const noun = tokens[i]?.upper;
  if (noun === 'DATABASE') {
    return [onDatabase(`${verb} DATABASE`, tokens[name]?.value ?? '')];
  }
  if (noun !== 'TABLE' && noun !== 'VIEW') {
    return [];
  }
  const table = readTableName(tokens, name);
  const needs = [onTable(`${verb} ${noun}`, table, currentDatabase)];
  if (replaces) {
    needs.push(onTable(`DROP ${noun}`, table, currentDatabase));
  }
  if (verb === 'CREATE' && noun === 'VIEW') {
    needs.push(...needsOfQuery(tokens, currentDatabase));
  }
  return needs;
}

function needsOfAlter(tokens, currentDatabase) {
  const table = readTableName(tokens, 2);
  return splitAtCommas(tokens, table.next, tokens.length - 1).map(([first]) => {
    const known = ALTER_RIGHTS.find(([words]) =>
      words.every((word, i) => isWord(tokens[first + i], word)));
    return onTable(known?.[1] ?? 'ALTER TABLE', table, currentDatabase);
  });
}

function needsOfLook(tokens, i, currentDatabase) {
  const at = isWord(tokens[i], 'TABLE') ? i + 1 : i;
  if (isSymbol(tokens[at + 1], '(') && isName(tokens[at])) {
    return [onFunction(tokens[at])];
  }
  return isName(tokens[at])
    ? [onTable('SHOW COLUMNS', readTableName(tokens, at), currentDatabase)]
    : needsOfQuery(tokens, currentDatabase);
}

export function needsOf(sql, currentDatabase) {
  const tokens = tokenize(sql);
  const [first] = tokens;
  switch (first.upper ?? first.text) {
    case 'SELECT':
    case 'WITH':
    case '(':
    case 'EXPLAIN':
      return needsOfQuery(tokens, currentDatabase);
    case 'INSERT':
      return needsOfInsert(sql, currentDatabase);
    case 'CREATE':
    case 'DROP':
      return needsOfDefinition(tokens, currentDatabase);
    case 'ALTER':
      return needsOfAlter(tokens, currentDatabase);
    case 'TRUNCATE':
    case 'OPTIMIZE':
      return [onTable(first.upper,
        readTableName(tokens, nameIndex(tokens, 2)), currentDatabase)];
    case 'USE':
      return [onDatabase('SHOW DATABASES', tokens[1]?.value ?? '')];
    case 'DESCRIBE':
    case 'DESC':
      return needsOfLook(tokens, 1, currentDatabase);
    case 'SHOW':
      return isWord(tokens[1], 'CREATE') && !isWord(tokens[2], 'DATABASE')
        ? needsOfLook(tokens, 2, currentDatabase) : [];
    default:
      return [];
  }
}
