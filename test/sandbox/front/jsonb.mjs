/*
 * jsonb.mjs: casts to JSONB, translated for a server that has no such type.
 *
 * A JSONB column is a String at ClickHouse; a cast to it is a call of the
 * function _front_jsonb (made by catalog.mjs), which takes String only and
 * turns what is no JSON into {}.  Source of truth: bytehouse facts 4.4.
 */
import { CODE, Refusal } from './errors.mjs';
import {
  closing, Edits, isName, isSymbol, isWord, opening, textOf, tokenize,
} from './tokens.mjs';

/* Words that may stand before an operand but belong to no operand. */
const KEYWORDS = ['SELECT', 'DISTINCT', 'AS', 'FROM', 'WHERE', 'AND', 'OR',
  'NOT', 'IN', 'ON', 'BY', 'WHEN', 'THEN', 'ELSE', 'LIKE', 'BETWEEN',
  'HAVING', 'USING', 'VALUES', 'IS', 'CASE'];

/*
 * The index of the first token of the operand that ends at index i: a literal,
 * a column, a call, a bracketed expression, a subscript, or a cast of these.
 */
function operandStart(tokens, i) {
  const token = tokens[i];
  let start;
  if (isSymbol(token, ')', ']')) {
    start = opening(tokens, i);
    const before = tokens[start - 1];
    if (token.text === ')' && isName(before) &&
        !isWord(before, ...KEYWORDS)) {
      start = operandStart(tokens, start - 1);
    } else if (token.text === ']' && (isName(before) ||
        isSymbol(before, ')', ']'))) {
      start = operandStart(tokens, start - 1);
    }
  } else if (isName(token) || token?.kind === 'string' ||
             token?.kind === 'number') {
    start = i;
  } else {
    throw new Refusal(CODE.SYNTAX_ERROR,
      `Syntax error: nothing to cast before "::"`);
  }
  if (isSymbol(tokens[start - 1], '.') || isSymbol(tokens[start - 1], '::')) {
    start = operandStart(tokens, start - 2);
  }
  return start;
}

/* "expression::JSONB", the leftmost. */
function translateOperator(sql, tokens, i) {
  if (i === 0) {
    throw new Refusal(CODE.SYNTAX_ERROR, 'Syntax error: nothing to cast');
  }
  const start = operandStart(tokens, i - 1);
  const operand = textOf(sql, tokens, start, i - 1);
  return new Edits(sql)
    .replaceTokens(tokens, start, i + 1, `_front_jsonb(${operand})`).apply();
}

/* "CAST(expression AS JSONB)" and "CAST(expression, 'JSONB')" at index i. */
function translateFunction(sql, tokens, i, close) {
  return new Edits(sql)
    .replaceTokens(tokens, i, i + 1, '_front_jsonb(')
    .replaceTokens(tokens, close - 2, close, ')').apply();
}

function isJsonbCast(tokens, close) {
  const type = tokens[close - 1];
  return (isWord(type, 'JSONB') && isWord(tokens[close - 2], 'AS')) ||
    (type?.kind === 'string' && type.value.toUpperCase() === 'JSONB' &&
     isSymbol(tokens[close - 2], ','));
}

function translateOne(sql) {
  const tokens = tokenize(sql);
  for (let i = 0; i < tokens.length; i++) {
    if (isSymbol(tokens[i], '::') && isWord(tokens[i + 1], 'JSONB')) {
      return translateOperator(sql, tokens, i);
    }
    if (isWord(tokens[i], 'CAST') && isSymbol(tokens[i + 1], '(')) {
      const close = closing(tokens, i + 1);
      if (isJsonbCast(tokens, close)) {
        return translateFunction(sql, tokens, i, close);
      }
    }
  }
  return null;
}

/* Replaces all casts to JSONB of a statement. */
export function translateJsonbCasts(sql) {
  let result = sql;
  for (let next = sql; next !== null; next = translateOne(result)) {
    result = next;
  }
  return result;
}
