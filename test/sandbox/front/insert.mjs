/*
 * insert.mjs: the parts of an INSERT statement (bytehouse facts 5.2).
 *
 *   INSERT INTO [TABLE] t [(columns)] SELECT ... | VALUES | FORMAT ...
 *   INSERT OVERWRITE [TABLE] t [PARTITION (p, ...)] [(columns)] SELECT ...
 */
import { CODE, notPlayed, Refusal } from './errors.mjs';
import {
  closing, isSymbol, isWord, readTableName, splitAtCommas, textOf, tokenize,
} from './tokens.mjs';

const PARTITION_KINDS = ['string', 'number'];

/* Literals, or tuples of literals, as ClickHouse takes them after PARTITION. */
function readPartitions(sql, tokens, open, close) {
  const partitions = splitAtCommas(tokens, open + 1, close - 1);
  if (partitions.length === 0) {
    throw new Refusal(CODE.SYNTAX_ERROR, 'Syntax error: no partition is named');
  }
  return partitions.map(([first, last]) => {
    const isTuple = isSymbol(tokens[first], '(') &&
      closing(tokens, first) === last;
    const inner = isTuple ? splitAtCommas(tokens, first + 1, last - 1)
      : [[first, last]];
    if (!inner.every(([a, b]) => a === b &&
        PARTITION_KINDS.includes(tokens[a].kind))) {
      throw new Refusal(CODE.BAD_ARGUMENTS,
        'a partition must be a literal or a tuple of literals');
    }
    return textOf(sql, tokens, first, last);
  });
}

/*
 * Returns { database, name, overwrite, partitions, columns, rest, sendsData }:
 * partitions is null for the whole table, columns the list as written or '',
 * rest what follows; sendsData means that the rows come in Data packets.
 */
export function readInsert(sql) {
  const tokens = tokenize(sql);
  const overwrite = isWord(tokens[1], 'OVERWRITE');
  if (!overwrite && !isWord(tokens[1], 'INTO')) {
    throw notPlayed(`INSERT ${tokens[1]?.text ?? ''}`);
  }
  let i = 2;
  if (overwrite && isWord(tokens[i], 'INTO')) {
    i++;
  }
  if (isWord(tokens[i], 'FUNCTION')) {
    throw notPlayed('INSERT INTO FUNCTION');
  }
  if (isWord(tokens[i], 'TABLE')) {
    i++;
  }
  const table = readTableName(tokens, i);
  i = table.next;

  let partitions = null;
  if (isWord(tokens[i], 'PARTITION')) {
    if (!overwrite || !isSymbol(tokens[i + 1], '(')) {
      throw new Refusal(CODE.SYNTAX_ERROR, 'Syntax error at PARTITION');
    }
    const close = closing(tokens, i + 1);
    partitions = readPartitions(sql, tokens, i + 1, close);
    i = close + 1;
  }

  let columns = '';
  if (isSymbol(tokens[i], '(') && !isWord(tokens[i + 1], 'SELECT', 'WITH')) {
    const close = closing(tokens, i);
    columns = textOf(sql, tokens, i, close);
    i = close + 1;
  }
  const known = isWord(tokens[i], 'SELECT', 'WITH', 'VALUES', 'FORMAT',
    'SETTINGS') || isSymbol(tokens[i], '(');
  if (!known) {
    throw new Refusal(CODE.SYNTAX_ERROR,
      `Syntax error: expected SELECT or VALUES at "${tokens[i]?.text ?? ''}"`);
  }
  return {
    database: table.database,
    name: table.name,
    overwrite,
    partitions,
    columns,
    rest: textOf(sql, tokens, i, tokens.length - 1),
    sendsData: isWord(tokens[i], 'VALUES', 'FORMAT'),
  };
}
