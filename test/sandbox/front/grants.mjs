/*
 * grants.mjs: what a user may do, and what it is told when it may not.
 *
 * A grant is text as after GRANT: "INSERT ON db.*", "ALTER, SELECT ON db.t",
 * "S3, CREATE TEMPORARY TABLE ON *.*", "ALL ON *.*".  Without ON it holds for
 * the sandbox's database, or everywhere where a right has no database.  Rights
 * imply others as at ByConity, save one: there, CREATE TABLE on any database
 * implies CREATE TEMPORARY TABLE; here it has to be granted, so that a test
 * can take it away.
 */
import { CODE, Refusal } from './errors.mjs';
import { quoteName, quoteString } from './tokens.mjs';

const GLOBAL_RIGHTS = ['S3', 'CREATE TEMPORARY TABLE'];
const TABLE_RIGHTS = ['SELECT', 'INSERT', 'ALTER', 'CREATE TABLE',
  'CREATE VIEW', 'CREATE DATABASE', 'DROP TABLE', 'DROP VIEW', 'DROP DATABASE',
  'TRUNCATE', 'OPTIMIZE'];
const GRANTABLE = [...GLOBAL_RIGHTS, ...TABLE_RIGHTS, 'ALL'];

const IMPLIED = {
  'CREATE VIEW': 'CREATE TABLE',
  'DROP VIEW': 'DROP TABLE',
};

function parseGrant(text, defaultDatabase) {
  const match = /^\s*([A-Z0-9 ,]+?)\s*(?:\bON\s+([^.\s]+)\.([^.\s]+)\s*)?$/i
    .exec(text);
  if (match === null) {
    throw new Error(`"${text}" is not "RIGHT[, RIGHT] [ON database.table]"`);
  }
  return match[1].split(',').map((word) => {
    const right = word.trim().replace(/\s+/g, ' ').toUpperCase();
    if (!GRANTABLE.includes(right)) {
      throw new Error(`"${right}" is none of ${GRANTABLE.join(', ')}`);
    }
    const isGlobal = GLOBAL_RIGHTS.includes(right) || right === 'ALL';
    const database = match[2] ?? (isGlobal ? '*' : defaultDatabase);
    const table = match[3] ?? '*';
    if (isGlobal && right !== 'ALL' && database !== '*') {
      throw new Error(`${right} can be granted ON *.* only`);
    }
    return { right, database, table };
  });
}

function quoteIfNeeded(name) {
  return /^[A-Za-z_][A-Za-z_0-9]*$/.test(name) ? name : quoteName(name);
}

export class Grants {
  constructor(list, defaultDatabase) {
    this.list = list.flatMap((text) => parseGrant(text, defaultDatabase));
    this.hasAll = this.list.some(({ right, database, table }) =>
      right === 'ALL' && database === '*' && table === '*');
  }

  /* database and table are null for a right that belongs to none. */
  #covers(grant, right, database, table) {
    if ((grant.database !== '*' && grant.database !== database) ||
        (grant.table !== '*' && grant.table !== table)) {
      return false;
    }
    return grant.right === 'ALL' || grant.right === right ||
      grant.right === IMPLIED[right] ||
      (grant.right === 'ALTER' && right.startsWith('ALTER '));
  }

  /* Any grant at all on it lets a table, or a database, be seen. */
  #sees({ database, table }) {
    return database === 'system' || this.list.some((grant) =>
      !GLOBAL_RIGHTS.includes(grant.right) &&
      [database, '*'].includes(grant.database) &&
      (table === null || [table, '*'].includes(grant.table)));
  }

  allow(need) {
    if (this.hasAll) {
      return true;
    }
    return need.rights.every((right) => (right.startsWith('SHOW ')
      ? this.#sees(need)
      : this.list.some((grant) =>
        this.#covers(grant, right, need.database, need.table))));
  }

  /*
   * A condition in SQL for the rows of a system table that the user may see;
   * null means all.  table is null where rows are databases.
   */
  visible(database, table) {
    const seen = this.list.filter(({ right }) =>
      !GLOBAL_RIGHTS.includes(right));
    if (seen.some((grant) => grant.database === '*' && grant.table === '*')) {
      return null;
    }
    return [`${database} = 'system'`, ...seen.map((grant) =>
      [grant.database === '*' ? '1' : `${database} = ${
        quoteString(grant.database)}`,
      grant.table === '*' || table === null ? '1' : `${table} = ${
        quoteString(grant.table)}`].join(' AND '))].join(' OR ');
  }
}

/* columns: those a right on columns is needed for, or null. */
export function accessDenied(login, need, columns) {
  const place = `${need.database === null ? '*' : quoteIfNeeded(need.database)}` +
    `.${need.table === null ? '*' : quoteIfNeeded(need.table)}`;
  const list = columns === null || columns.length === 0 ? ''
    : `(${columns.map(quoteIfNeeded).join(', ')})`;
  const what = need.anyColumn && list === ''
    ? `SELECT for at least one column on ${place}`
    : `${need.rights.map((right) => right + list).join(', ')} ON ${place}`;
  return new Refusal(CODE.ACCESS_DENIED, `${login}: Not enough privileges. ` +
    `To execute this query it's necessary to have grant ${what}`);
}
