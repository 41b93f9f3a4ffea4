// RowBinaryWithNamesAndTypes, as columns of values, for scripts that compare
// what a reader made of a file with what was written into it.
//
// A value is a bigint (integers; decimals without their point), a number
// (floats), a Buffer (strings of any kind), null, or an array: of elements,
// of fields, or of [key, value] pairs.
'use strict';

// A cursor over the bytes.
class Bytes {
  constructor(data) {
    this.data = data;
    this.at = 0;
  }

  take(n) {
    this.at += n;
    return this.data.subarray(this.at - n, this.at);
  }

  varuint() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.data[this.at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  string() {
    return this.take(this.varuint());
  }

  integer(width) {
    const bytes = this.take(width);
    let value = BigInt(bytes.readInt8(width - 1));
    for (let i = width - 2; i >= 0; i--) value = value * 256n + BigInt(bytes[i]);
    return value;
  }
}

const decimalWidth = (precision) =>
  (precision <= 9 ? 4 : precision <= 18 ? 8 : precision <= 38 ? 16 : 32);

// Type text to { name, isNullable, arguments, children, fields }.
function parseType(text) {
  let at = 0;
  const word = () => {
    const start = at;
    while (at < text.length && !'(), '.includes(text[at])) at++;
    return text.slice(start, at);
  };
  const parse = () => {
    const type = { name: word(), isNullable: false, arguments: [], children: [], fields: [] };
    if (text[at] !== '(') return type;
    do {
      at++;
      if (text[at] === ' ') at++;
      if (type.name === 'Tuple') {
        type.fields.push(word());
        at++;
      }
      if (type.name === 'Decimal' || type.name === 'FixedString') type.arguments.push(Number(word()));
      else type.children.push(parse());
    } while (text[at] === ',');
    at++;
    return type.name === 'Nullable' ? { ...type.children[0], isNullable: true } : type;
  };
  return parse();
}

function readValue(bytes, type) {
  if (type.isNullable && bytes.take(1)[0] === 1) return null;
  switch (type.name) {
    case 'String': return bytes.string();
    case 'FixedString': return bytes.take(type.arguments[0]);
    case 'UInt8': return BigInt(bytes.take(1)[0]);
    case 'UInt32': return BigInt(bytes.take(4).readUInt32LE());
    case 'Int16': return bytes.integer(2);
    case 'Int32': return bytes.integer(4);
    case 'Int64': return bytes.take(8).readBigInt64LE();
    case 'Float32': return bytes.take(4).readFloatLE();
    case 'Float64': return bytes.take(8).readDoubleLE();
    case 'Decimal': return bytes.integer(decimalWidth(type.arguments[0]));
    case 'Tuple': return type.children.map((child) => readValue(bytes, child));
    case 'Array':
    case 'Map':
      return Array.from({ length: bytes.varuint() }, () => (type.name === 'Array' ?
        readValue(bytes, type.children[0]) :
        type.children.map((child) => readValue(bytes, child))));
    default: throw new Error(`no reader for ${type.name}`);
  }
}

// The columns: { name, typeText, type, values }, without values if headOnly.
function parseRowBinary(data, headOnly = false) {
  const bytes = new Bytes(data);
  const n = bytes.varuint();
  const names = Array.from({ length: n }, () => bytes.string().toString());
  const columns = names.map((name) => {
    const typeText = bytes.string().toString();
    return { name, typeText, type: parseType(typeText), values: [] };
  });
  while (!headOnly && bytes.at < data.length)
    for (const { type, values } of columns) values.push(readValue(bytes, type));
  return columns;
}

module.exports = { parseRowBinary };
