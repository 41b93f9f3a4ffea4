/*
 * xml.mjs: as much XML as the S3 API needs: elements with text, no mixed
 * content, no attributes of meaning.  Bodies of requests are read strictly;
 * what this reader does not understand is refused.
 */
import { refusal } from './errors.mjs';

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' };
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const MAX_DEPTH = 8;

export function element(name, content) {
  return `<${name}>${content}</${name}>`;
}

export function textElement(name, value) {
  return element(name, String(value).replace(/[&<>"\r]/g, (character) => ESCAPES[character]));
}

/* A whole answer: { headers, body }. */
export function xmlAnswer(root) {
  return {
    headers: { 'content-type': 'application/xml' },
    body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${root}`),
  };
}

function malformed() {
  return refusal('MalformedBody', 'The XML of the body cannot be read or does not fit the operation.');
}

function unescape(text) {
  return text.replace(/&([^;&]*);?/g, (whole, name) => {
    const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name) ?? [];
    const code = hex !== undefined ? parseInt(hex, 16) : Number(decimal);

    if (!whole.endsWith(';'))
      throw malformed();
    if (Object.hasOwn(ENTITIES, name))
      return ENTITIES[name];
    if (!(code > 0 && code <= 0x10ffff))
      throw malformed();
    return String.fromCodePoint(code);
  });
}

/*
 * The root element of a body: { name, text, children }.  An element has text
 * or children, never both.
 */
export function parseXml(body) {
  const source = body.toString('utf8').replace(/^\ufeff?\s*<\?xml [^?>]*\?>/, '');
  const tokens = /\s*<(\/?)([A-Za-z][\w.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>([^<]*)/gy;
  const root = { name: null, text: '', children: [] };
  const path = [root];
  let end = 0;

  for (let token = tokens.exec(source); token !== null; token = tokens.exec(source)) {
    const [, closing, name, attributes, empty, text] = token;
    const inside = path.at(-1);

    if (closing !== '') {
      if (inside.name !== name || attributes !== '' || empty !== '')
        throw malformed();
      path.pop();
    } else {
      const child = { name, text: '', children: [] };

      if (inside.text.trim() !== '' || path.length > MAX_DEPTH)
        throw malformed();
      inside.children.push(child);
      if (empty === '') {
        path.push(child);
        child.text = unescape(text);
      }
    }
    if ((closing !== '' || empty !== '') && text.trim() !== '')
      throw malformed();
    end = tokens.lastIndex;
  }
  if (end !== source.length || path.length !== 1 || root.children.length !== 1)
    throw malformed();
  return root.children[0];
}

/* The text of the one child of that name; undefined if there is none. */
export function childText(parent, name) {
  const found = parent.children.filter((child) => child.name === name);

  if (found.length > 1 || found[0]?.children.length > 0)
    throw malformed();
  return found[0]?.text;
}

/* The root, which must have this name, and whose children must be of these. */
export function checkRoot(root, name, children) {
  if (root.name !== name || root.children.some((child) => !children.includes(child.name)))
    throw malformed();
  return root;
}
