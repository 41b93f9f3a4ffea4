/*
 * tokens.mjs: SQL text as tokens, and edits of the text by token positions.
 *
 * The dialect is translated by replacing ranges of the text; this file makes
 * sure that a word inside a string, a quoted name or a comment is never taken
 * for SQL.  Spaces and comments are not tokens.  A token is
 * { kind, text, start, end } with kind word, quoted, string, number or symbol;
 * quoted names and strings have their "value", words their "upper".
 */
import { CODE, Refusal } from './errors.mjs';

const PATTERNS = [
  ['space', /\s+/y],
  ['comment', /--[^\n]*|\/\*[\s\S]*?\*\//y],
  ['string', /'(?:[^'\\]|\\[\s\S]|'')*'/y],
  ['quoted', /`(?:[^`\\]|\\[\s\S]|``)*`|"(?:[^"\\]|\\[\s\S]|"")*"/y],
  ['number', /0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['word', /[A-Za-z_][A-Za-z_0-9]*/y],
  ['symbol', /::|->|<=>|<=|>=|<>|!=|==|\|\||[^\s'"`$]/y],
];

const ESCAPES = {
  b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', 0: '\0', a: '\x07', v: '\v',
};

/* The value of a string literal or a quoted name. */
function unquote(text) {
  const quote = text[0];
  let value = '';
  for (let i = 1; i < text.length - 1; i++) {
    const character = text[i];
    if (character === '\\') {
      i++;
      const hex = /^x([0-9a-fA-F]{2})/.exec(text.slice(i));
      if (hex !== null) {
        value += String.fromCharCode(parseInt(hex[1], 16));
        i += 2;
      } else {
        value += ESCAPES[text[i]] ?? text[i];
      }
    } else {
      if (character === quote) {
        i++;
      }
      value += character;
    }
  }
  return value;
}

function nextToken(sql, position) {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = position;
    const match = pattern.exec(sql);
    if (match !== null) {
      const text = match[0];
      const token = { kind, text, start: position, end: position + text.length };
      if (kind === 'string' || kind === 'quoted') {
        token.value = unquote(text);
      } else if (kind === 'word') {
        token.value = text;
        token.upper = text.toUpperCase();
      }
      return token;
    }
  }
  throw new Refusal(CODE.SYNTAX_ERROR,
    `Syntax error: failed at position ${position + 1}`);
}

export function tokenize(sql) {
  const tokens = [];
  for (let position = 0; position < sql.length;) {
    const token = nextToken(sql, position);
    position = token.end;
    if (token.kind !== 'space' && token.kind !== 'comment') {
      tokens.push(token);
    }
  }
  return tokens;
}

export function isWord(token, ...words) {
  return token?.kind === 'word' && words.includes(token.upper);
}

export function isSymbol(token, ...symbols) {
  return token?.kind === 'symbol' && symbols.includes(token.text);
}

export function isName(token) {
  return token?.kind === 'word' || token?.kind === 'quoted';
}

/* The index of the bracket that closes the one at index i. */
export function closing(tokens, i) {
  let depth = 0;
  for (let j = i; j < tokens.length; j++) {
    if (isSymbol(tokens[j], '(', '[', '{')) {
      depth++;
    } else if (isSymbol(tokens[j], ')', ']', '}')) {
      depth--;
      if (depth === 0) {
        return j;
      }
    }
  }
  throw new Refusal(CODE.SYNTAX_ERROR, 'Syntax error: unmatched parentheses');
}

/* The index of the bracket that opens the one at index i. */
export function opening(tokens, i) {
  let depth = 0;
  for (let j = i; j >= 0; j--) {
    if (isSymbol(tokens[j], ')', ']', '}')) {
      depth++;
    } else if (isSymbol(tokens[j], '(', '[', '{')) {
      depth--;
      if (depth === 0) {
        return j;
      }
    }
  }
  throw new Refusal(CODE.SYNTAX_ERROR, 'Syntax error: unmatched parentheses');
}

/*
 * Cuts the tokens from index first to last at the commas outside of all
 * brackets; returns pairs [first, last] of indices.
 */
export function splitAtCommas(tokens, first, last) {
  const parts = [];
  if (last < first) {
    return parts;
  }
  let start = first;
  for (let i = first; i <= last; i++) {
    if (isSymbol(tokens[i], '(', '[', '{')) {
      i = closing(tokens, i);
    } else if (isSymbol(tokens[i], ',')) {
      parts.push([start, i - 1]);
      start = i + 1;
    }
  }
  parts.push([start, last]);
  return parts;
}

/* The text between two tokens, both included. */
export function textOf(sql, tokens, first, last) {
  return last < first ? '' : sql.slice(tokens[first].start, tokens[last].end);
}

/* A list of replacements in one text, none overlapping another. */
export class Edits {
  constructor(sql) {
    this.sql = sql;
    this.list = [];
  }

  replace(start, end, text) {
    this.list.push({ start, end, text });
    return this;
  }

  replaceTokens(tokens, first, last, text) {
    return this.replace(tokens[first].start, tokens[last].end, text);
  }

  apply() {
    let result = '';
    let position = 0;
    for (const edit of this.list.sort((a, b) => a.start - b.start)) {
      result += this.sql.slice(position, edit.start) + edit.text;
      position = edit.end;
    }
    return result + this.sql.slice(position);
  }
}

export function quoteString(value) {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
    .replaceAll('\0', '\\0')}'`;
}

export function quoteName(value) {
  return `\`${value.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/*
 * Reads [database.]name at index i; returns { database, name, next }, where
 * database is null if not given and next is the index behind it.
 */
export function readTableName(tokens, i) {
  if (!isName(tokens[i])) {
    throw new Refusal(CODE.SYNTAX_ERROR,
      `Syntax error: expected a table name at "${tokens[i]?.text ?? ''}"`);
  }
  if (isSymbol(tokens[i + 1], '.')) {
    if (!isName(tokens[i + 2])) {
      throw new Refusal(CODE.SYNTAX_ERROR,
        'Syntax error: expected a table name after the dot');
    }
    return {
      database: tokens[i].value,
      name: tokens[i + 2].value,
      next: i + 3,
    };
  }
  return { database: null, name: tokens[i].value, next: i + 1 };
}
