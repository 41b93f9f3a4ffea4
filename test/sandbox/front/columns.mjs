/*
 * columns.mjs: how long a block is.
 *
 * A block's columns are not framed; to know where one ends the reader has to
 * understand its type.  Values are never looked at.  Types that have no
 * settled layout at the revisions played here (JSON, Dynamic, Variant,
 * AggregateFunction) raise a WireError.  Source of truth: bytehouse facts 1.8.
 */
import { WireError } from './wire.mjs';

const FIXED_BYTES = {
  Int8: 1, UInt8: 1, Bool: 1, Enum8: 1, Nothing: 1,
  Int16: 2, UInt16: 2, Enum16: 2, Date: 2, BFloat16: 2,
  Int32: 4, UInt32: 4, Float32: 4, Date32: 4, DateTime: 4, IPv4: 4, Time: 4,
  Decimal32: 4,
  Int64: 8, UInt64: 8, Float64: 8, DateTime64: 8, Time64: 8, Decimal64: 8,
  Int128: 16, UInt128: 16, UUID: 16, IPv6: 16, Decimal128: 16,
  Int256: 32, UInt256: 32, Decimal256: 32,
};

/* Splits "a, f(b, c), d" at its outermost commas; quotes are respected. */
function splitArguments(text) {
  const parts = [];
  let depth = 0;
  let start = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quote !== '') {
      if (character === '\\') {
        i++;
      } else if (character === quote) {
        quote = '';
      }
    } else if (character === "'" || character === '`' || character === '"') {
      quote = character;
    } else if (character === '(') {
      depth++;
    } else if (character === ')') {
      depth--;
    } else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}

function parseType(text) {
  const open = text.indexOf('(');
  if (open < 0) {
    return { name: text, parameters: [] };
  }
  if (!text.endsWith(')')) {
    throw new WireError(`column type ${text} is malformed`);
  }
  return {
    name: text.slice(0, open),
    parameters: splitArguments(text.slice(open + 1, -1)),
  };
}

/* A Tuple's elements may carry names: "a Int64" or "`a b` Int64". */
function tupleElement(text) {
  const named = /^(?:`(?:[^`\\]|\\.)*`|[A-Za-z_]\w*)\s+(.+)$/s.exec(text);
  return layoutOf(named ? named[1] : text);
}

function decimalBytes(precision) {
  if (precision <= 9) {
    return 4;
  }
  if (precision <= 18) {
    return 8;
  }
  return precision <= 38 ? 16 : 32;
}

function buildLayout(text) {
  const { name, parameters } = parseType(text);
  if (FIXED_BYTES[name] !== undefined) {
    return { kind: 'fixed', bytes: FIXED_BYTES[name] };
  }
  if (/^Interval[A-Z]/.test(name)) {
    return { kind: 'fixed', bytes: 8 };
  }
  switch (name) {
    case 'String':
      return { kind: 'string' };
    case 'FixedString':
      return { kind: 'fixed', bytes: Number(parameters[0]) };
    case 'Decimal':
      return { kind: 'fixed', bytes: decimalBytes(Number(parameters[0])) };
    case 'Nullable':
      return { kind: 'nullable', inner: layoutOf(parameters[0]) };
    case 'Array':
      return { kind: 'array', inner: layoutOf(parameters[0]) };
    case 'Map':
      return {
        kind: 'array',
        inner: { kind: 'tuple', elements: parameters.map(layoutOf) },
      };
    case 'Tuple':
      return { kind: 'tuple', elements: parameters.map(tupleElement) };
    case 'SimpleAggregateFunction':
      return layoutOf(parameters[1]);
    case 'LowCardinality': {
      const inner = layoutOf(parameters[0]);
      return {
        kind: 'dictionary',
        inner: inner.kind === 'nullable' ? inner.inner : inner,
      };
    }
    default:
      throw new WireError(`column type ${text} has no layout known here`);
  }
}

const layouts = new Map();

function layoutOf(text) {
  let layout = layouts.get(text);
  if (layout === undefined) {
    layout = buildLayout(text);
    layouts.set(text, layout);
  }
  return layout;
}

/* Dictionaries announce their version before any column data. */
function skipPrefix(reader, layout) {
  switch (layout.kind) {
    case 'dictionary':
      reader.skip(8);
      break;
    case 'nullable':
    case 'array':
      skipPrefix(reader, layout.inner);
      break;
    case 'tuple':
      layout.elements.forEach((element) => skipPrefix(reader, element));
      break;
    default:
      break;
  }
}

function skipDictionary(reader, layout, rows) {
  if (rows === 0) {
    return;
  }
  const flags = reader.u64();
  if ((flags & 0x200n) !== 0n) {
    skipValues(reader, layout.inner, Number(reader.u64()));
  }
  if (Number(reader.u64()) !== rows) {
    throw new WireError('a dictionary column has another number of rows');
  }
  reader.skip(rows * (1 << Number(flags & 0xffn)));
}

function skipValues(reader, layout, rows) {
  switch (layout.kind) {
    case 'fixed':
      reader.skip(rows * layout.bytes);
      break;
    case 'string':
      for (let i = 0; i < rows; i++) {
        reader.skipString();
      }
      break;
    case 'nullable':
      reader.skip(rows);
      skipValues(reader, layout.inner, rows);
      break;
    case 'array': {
      const start = reader.skip(8 * rows);
      const total = rows === 0 ? 0n
        : reader.buffer.readBigUInt64LE(start + 8 * (rows - 1));
      skipValues(reader, layout.inner, Number(total));
      break;
    }
    case 'tuple':
      layout.elements.forEach((element) => skipValues(reader, element, rows));
      break;
    default:
      skipDictionary(reader, layout, rows);
  }
}

/* Reads past one block; returns its numbers of columns and rows. */
export function readBlock(reader) {
  for (let field = reader.varuint(); field !== 0; field = reader.varuint()) {
    if (field === 1) {
      reader.bool();
    } else if (field === 2) {
      reader.i32();
    } else {
      throw new WireError(`block info has no field ${field}`);
    }
  }
  const nColumns = reader.varuint();
  const nRows = reader.varuint();
  for (let i = 0; i < nColumns; i++) {
    reader.skipString();
    const layout = layoutOf(reader.string());
    if (nRows > 0) {
      skipPrefix(reader, layout);
      skipValues(reader, layout, nRows);
    }
  }
  return { nColumns, nRows };
}
