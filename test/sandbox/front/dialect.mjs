/*
 * dialect.mjs: one statement of ByteHouse, understood and translated.
 *
 * translate() says what kind of statement it is and what ClickHouse shall run
 * instead.  It is pure: tables are looked up later, by execution.mjs.  What
 * names a thing of Cnch that was not translated is refused, never passed on.
 */
import { translateCnchS3 } from './cnchs3.mjs';
import { checkAlterTable, translateCreateTable } from './ddl.mjs';
import { CODE, notPlayed, Refusal } from './errors.mjs';
import { readInsert } from './insert.mjs';
import { translateJsonbCasts } from './jsonb.mjs';
import { extractSettingsClauses, readSetStatement } from './settings.mjs';
import {
  Edits, isName, isSymbol, isWord, readTableName, tokenize,
} from './tokens.mjs';

/* The columns are those that say whose database and table a row speaks of. */
const SYSTEM_VIEWS = {
  columns: { name: 'system_columns', columns: ['database', 'table'] },
  tables: { name: 'system_tables', columns: ['database', 'name'] },
  databases: { name: 'system_databases', columns: ['name', null] },
};
/* Table functions that a client could reach past the front with. */
const FOREIGN_SOURCES = ['S3', 'S3CLUSTER', 'GCS', 'FILE', 'URL', 'REMOTE',
  'REMOTESECURE', 'CLUSTER', 'POSTGRESQL', 'MYSQL', 'HDFS', 'INPUT'];
const LOCAL_SOURCES = ['NUMBERS', 'ONE', 'ZEROS', 'VALUES', 'SELECT', 'WITH'];
const TRANSACTION_WORDS = ['BEGIN', 'COMMIT', 'ROLLBACK', 'START'];

/* A statement without comments around it and its semicolon. */
export function trimStatement(text) {
  const tokens = tokenize(text);
  while (isSymbol(tokens.at(-1), ';')) {
    tokens.pop();
  }
  if (tokens.length === 0) {
    throw new Refusal(CODE.SYNTAX_ERROR, 'Syntax error: empty query');
  }
  if (tokens.some((token) => isSymbol(token, ';'))) {
    throw new Refusal(CODE.SYNTAX_ERROR,
      'Syntax error: multi-statements are not allowed');
  }
  return text.slice(tokens[0].start, tokens.at(-1).end);
}

function refuseForeignNames(tokens) {
  tokens.forEach((token, i) => {
    if (!isName(token)) {
      return;
    }
    if (token.value.startsWith('_front')) {
      throw new Refusal(CODE.UNKNOWN_DATABASE,
        `Database ${token.value} doesn't exist`);
    }
    if (token.value.toLowerCase() === 'information_schema') {
      throw notPlayed('information_schema');
    }
    if (isWord(token, ...FOREIGN_SOURCES) && isSymbol(tokens[i + 1], '(') &&
        isWord(tokens[i - 1], 'FROM', 'JOIN', 'FUNCTION', 'TABLE')) {
      throw new Refusal(CODE.UNKNOWN_FUNCTION,
        `Unknown table function ${token.text}`);
    }
  });
}

/* Whether a query reads anything that lies at the workers. */
function readsTables(tokens) {
  return tokens.some((token, i) => {
    let source = tokens[i + 1];
    if (!isWord(token, 'FROM', 'JOIN') || source === undefined) {
      return false;
    }
    if (isSymbol(source, '(')) {
      return false;
    }
    if (source.kind === 'quoted') {
      return source.value !== 'system';
    }
    return source.kind === 'word' &&
      !isWord(source, 'SYSTEM', ...LOCAL_SOURCES);
  });
}

/* A user sees the rows of what it has any right on. */
function viewOf(view, visible) {
  const condition = visible(view.columns);
  return condition === null ? `_front.${view.name}`
    : `(SELECT * FROM _front.${view.name} WHERE ${condition})`;
}

function substituteSystemViews(sql, visible) {
  const tokens = tokenize(sql);
  const edits = new Edits(sql);
  tokens.forEach((token, i) => {
    const view = SYSTEM_VIEWS[tokens[i + 2]?.value];
    if (isName(token) && token.value === 'system' &&
        isSymbol(tokens[i + 1], '.') && isName(tokens[i + 2]) &&
        view !== undefined && !isSymbol(tokens[i - 1], '.')) {
      edits.replaceTokens(tokens, i, i + 2,
        isWord(tokens[i - 1], 'FROM', 'JOIN') ? viewOf(view, visible)
          : `_front.${view.name}`);
    }
  });
  return edits.apply();
}

function refuseLeftovers(sql) {
  for (const token of tokenize(sql)) {
    if (isWord(token, 'JSONB')) {
      throw new Refusal(CODE.UNKNOWN_TYPE,
        'JSONB is not played in this place');
    }
    if (token.kind === 'word' && /^CNCH[A-Z]/.test(token.upper)) {
      throw notPlayed(token.text);
    }
  }
}

/* A query, or a statement that has one in it. */
function translateQuery(sql, context) {
  const { sql: withoutS3, calls } = translateCnchS3(sql, context);
  const result = substituteSystemViews(translateJsonbCasts(withoutS3),
    context.visible);
  refuseLeftovers(result);
  return { sql: result, calls };
}

function translateCreate(sql, tokens, context) {
  let i = 1;
  if (isWord(tokens[1], 'OR')) {
    i = 3;
  }
  if (isWord(tokens[i], 'TABLE') && i === 1) {
    const table = translateCreateTable(sql, i);
    refuseLeftovers(table.sql);
    return { kind: 'createTable', table, sql: table.sql, ddl: sql };
  }
  if (isWord(tokens[i], 'VIEW')) {
    return { kind: 'query', ...translateQuery(sql, context) };
  }
  if (isWord(tokens[i], 'DATABASE') && i === 1 &&
      !tokens.some((token) => isWord(token, 'ENGINE', 'ON'))) {
    return { kind: 'query', sql };
  }
  throw notPlayed(`CREATE ${tokens[i]?.text ?? ''}`);
}

function skipIf(tokens, i) {
  if (isWord(tokens[i], 'IF')) {
    return isWord(tokens[i + 1], 'NOT') ? i + 3 : i + 2;
  }
  return i;
}

function translateDrop(sql, tokens) {
  if (isWord(tokens[1], 'TABLE', 'VIEW')) {
    const table = readTableName(tokens, skipIf(tokens, 2));
    return { kind: 'change', sql, table };
  }
  if (isWord(tokens[1], 'DATABASE')) {
    return { kind: 'query', sql };
  }
  throw notPlayed(`DROP ${tokens[1]?.text ?? ''}`);
}

function translateChange(sql, tokens) {
  if (!isWord(tokens[1], 'TABLE')) {
    throw notPlayed(`${tokens[0].text} ${tokens[1]?.text ?? ''}`);
  }
  return { kind: 'change', sql, table: readTableName(tokens, 2) };
}

function translateShow(sql, tokens, context) {
  if (isWord(tokens[1], 'CREATE') && !isWord(tokens[2], 'DATABASE', 'VIEW')) {
    const i = isWord(tokens[2], 'TABLE') ? 3 : 2;
    return { kind: 'showCreate', sql, table: readTableName(tokens, i) };
  }
  if (isWord(tokens[1], 'DATABASES') && tokens.length === 2) {
    return {
      kind: 'query',
      sql: `SELECT name FROM ${viewOf(SYSTEM_VIEWS.databases,
        context.visible)} ORDER BY name`,
    };
  }
  return { kind: 'query', sql };
}

function translateDescribe(sql, tokens, context) {
  const i = isWord(tokens[1], 'TABLE') ? 2 : 1;
  if (!isName(tokens[i]) || isSymbol(tokens[i + 1], '(')) {
    return { kind: 'query', ...translateQuery(sql, context) };
  }
  return { kind: 'describe', sql, table: readTableName(tokens, i) };
}

function translateInsert(sql, context) {
  const insert = readInsert(sql);
  const translated = translateQuery(insert.rest, context);
  return {
    kind: 'load', insert, ...translated,
    table: { database: insert.database, name: insert.name },
  };
}

function translateUse(sql, tokens) {
  if (!isName(tokens[1]) || tokens.length !== 2) {
    throw new Refusal(CODE.SYNTAX_ERROR, 'Syntax error in USE');
  }
  return { kind: 'use', sql, database: tokens[1].value };
}

function translateByKeyword(sql, tokens, context) {
  const [first] = tokens;
  switch (first.upper ?? first.text) {
    case 'SELECT':
    case 'WITH':
    case '(':
    case 'EXPLAIN':
      return { kind: 'query', isSelect: true, ...translateQuery(sql, context) };
    case 'INSERT':
      return translateInsert(sql, context);
    case 'CREATE':
      return translateCreate(sql, tokens, context);
    case 'DROP':
      return translateDrop(sql, tokens);
    case 'ALTER':
      translateChange(sql, tokens);
      return { kind: 'change', sql, table: checkAlterTable(tokens) };
    case 'TRUNCATE':
    case 'OPTIMIZE':
      return translateChange(sql, tokens);
    case 'USE':
      return translateUse(sql, tokens);
    case 'SET':
      return { kind: 'set', ...readSetStatement(sql) };
    case 'SHOW':
      return translateShow(sql, tokens, context);
    case 'DESCRIBE':
    case 'DESC':
      return translateDescribe(sql, tokens, context);
    case 'EXISTS':
      return { kind: 'query', sql };
    case 'KILL':
      return { kind: 'kill', sql };
    default:
      break;
  }
  if (isWord(first, ...TRANSACTION_WORDS)) {
    throw new Refusal(CODE.NOT_IMPLEMENTED,
      `${first.upper} is not supported: every statement is a transaction`);
  }
  throw notPlayed(`statements that begin with ${first.text}`);
}

/*
 * context: { store, keySettings(own), visible(columns) }: keySettings gives
 * the object store's keys once the statement's own settings are known, visible
 * the condition on a system table's rows, or null (left out: all rows).
 * Returns at least
 * { kind, sql, own, all, calls, needsWorkers }.
 */
export function translate(text, context) {
  const statement = trimStatement(text);
  refuseForeignNames(tokenize(statement));
  const clause = extractSettingsClauses(statement);
  const tokens = tokenize(clause.sql);
  const plan = translateByKeyword(clause.sql, tokens, {
    store: context.store,
    visible: context.visible ?? (() => null),
    keySettings: context.keySettings(clause.own),
  });
  if (!['load', 'createTable', 'query'].includes(plan.kind)) {
    refuseLeftovers(plan.sql ?? '');
  }
  const calls = plan.calls ?? [];
  return {
    own: clause.own,
    all: clause.all,
    ...plan,
    calls,
    needsWorkers: plan.kind === 'load' || calls.length > 0 ||
      (plan.isSelect === true && readsTables(tokens)),
    readsProcesses: tokens.some((token) => isName(token) &&
      ['processes', 'query_log'].includes(token.value)),
  };
}
