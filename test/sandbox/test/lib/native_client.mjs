/*
 * native_client.mjs: a small client of the native protocol, for tests.
 *
 * Written from bytehouse facts 1 and on purpose without any code of the
 * front, so that both can't share a misreading.  It can also misbehave: see
 * sendQuery and sendBytes.
 */
import net from 'node:net';
import tls from 'node:tls';

const SILENCE_MS = 20000;

function varuint(n) {
  const out = [];
  let rest = BigInt(n);
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([varuint(bytes.length), bytes]);
}

const EMPTY_DATA = Buffer.concat([varuint(2), text(''), varuint(1),
  Buffer.from([0]), varuint(2), Buffer.from([255, 255, 255, 255]), varuint(0),
  varuint(0), varuint(0)]);

function settingBytes(revision, name, value) {
  if (revision >= 54429) {
    return Buffer.concat([text(name), varuint(0), text(String(value))]);
  }
  return Buffer.concat([text(name),
    typeof value === 'number' ? varuint(value) : text(value)]);
}

export function queryBytes(revision, sql, options = {}) {
  const parts = [varuint(1), text(options.queryId ?? ''), Buffer.from([1]),
    text(''), text(''), text(options.initialAddress ?? '0.0.0.0:0')];
  if (revision >= 54449) {
    parts.push(Buffer.alloc(8));
  }
  parts.push(Buffer.from([1]), text('me'), text('here'), text('test client'),
    varuint(1), varuint(2), varuint(revision), text(''));
  if (revision >= 54448) {
    parts.push(varuint(0));
  }
  parts.push(varuint(3));
  if (revision >= 54442) {
    parts.push(Buffer.from([0]));
  }
  for (const [name, value] of Object.entries(options.settings ?? {})) {
    parts.push(settingBytes(revision, name, value));
  }
  parts.push(text(''));
  if (revision >= 54441) {
    parts.push(text(''));
  }
  parts.push(varuint(options.stage ?? 2), varuint(options.compression ?? 0),
    text(sql));
  return Buffer.concat(parts);
}

export class ServerError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class NativeClient {
  static async connect(options) {
    const client = new NativeClient(options);
    await client.open();
    return client;
  }

  constructor(options) {
    this.options = { revision: 54448, database: '', ...options };
    this.received = Buffer.alloc(0);
    this.ended = false;
    this.waiters = [];
  }

  async open() {
    const { port, ca, user, password, database, revision } = this.options;
    const { plain, tlsOptions } = this.options;
    this.socket = plain === true ? net.connect(port, '127.0.0.1')
      : tls.connect({ host: '127.0.0.1', port, ca, ...tlsOptions });
    this.socket.on('error', (error) => { this.failure = error; });
    this.socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wakeAll();
    });
    for (const event of ['end', 'close', 'error']) {
      this.socket.on(event, () => { this.ended = true; this.wakeAll(); });
    }
    this.socket.write(Buffer.concat([varuint(0), text('test client'),
      varuint(1), varuint(2), varuint(revision), text(database), text(user),
      text(password)]));
    const type = await this.number();
    if (type === 2) {
      throw await this.exception();
    }
    if (type !== 0) {
      throw new Error(`expected a Hello, got packet ${type}`);
    }
    this.server = {
      name: await this.text(), major: await this.number(),
      minor: await this.number(), revision: await this.number(),
      timezone: await this.text(), displayName: await this.text(),
      patch: await this.number(),
    };
    this.revision = Math.min(revision, this.server.revision);
  }

  wakeAll() {
    this.waiters.splice(0).forEach((wake) => wake());
  }

  /* A misread packet must end a test, not hang it. */
  async more() {
    let timer;
    await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the server is silent')),
        SILENCE_MS);
      this.waiters.push(resolve);
    });
    clearTimeout(timer);
  }

  /* Takes n bytes off the stream. */
  async bytes(n) {
    while (this.received.length < n) {
      if (this.ended) {
        throw this.failure ?? new Error('connection closed');
      }
      await this.more();
    }
    const taken = this.received.subarray(0, n);
    this.received = this.received.subarray(n);
    return taken;
  }

  async byte() {
    return (await this.bytes(1))[0];
  }

  async number() {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = await this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return Number(value);
      }
    }
  }

  async text() {
    return (await this.bytes(await this.number())).toString();
  }

  async exception() {
    const code = (await this.bytes(4)).readInt32LE();
    const name = await this.text();
    const message = await this.text();
    await this.text();
    if (name !== 'DB::Exception' || await this.byte() !== 0) {
      throw new Error('malformed exception packet');
    }
    return new ServerError(code, message);
  }

  async values(type, rows) {
    const sizes = { UInt8: 1, UInt64: 8, Int64: 8, DateTime: 4 };
    const out = [];
    for (let i = 0; i < rows; i++) {
      if (type === 'String') {
        out.push(await this.text());
      } else if (sizes[type] === 8) {
        out.push(Number((await this.bytes(8)).readBigInt64LE()));
      } else if (sizes[type] !== undefined) {
        out.push((await this.bytes(sizes[type])).readUIntLE(0, sizes[type]));
      } else {
        throw new Error(`the test client can't read ${type}`);
      }
    }
    return out;
  }

  async block() {
    for (let field = await this.number(); field !== 0;
      field = await this.number()) {
      await this.bytes(field === 1 ? 1 : 4);
    }
    const nColumns = await this.number();
    const nRows = await this.number();
    const columns = [];
    for (let i = 0; i < nColumns; i++) {
      const name = await this.text();
      const type = await this.text();
      columns.push({ name, type, values: await this.values(type, nRows) });
    }
    return { columns, nRows };
  }

  async packet() {
    const type = await this.number();
    switch (type) {
      case 1:
      case 7:
      case 8:
        await this.text();
        return { type, block: await this.block() };
      case 2:
        return { type, error: await this.exception() };
      case 3: {
        const progress = [];
        const n = this.revision >= 54420 ? 5 : 3;
        for (let i = 0; i < n; i++) {
          progress.push(await this.number());
        }
        return { type, progress };
      }
      case 4:
      case 5:
        return { type };
      case 6:
        for (let i = 0; i < 3; i++) {
          await this.number();
        }
        await this.byte();
        await this.number();
        await this.byte();
        return { type };
      case 11:
        await this.text();
        await this.text();
        return { type };
      default:
        throw new Error(`unknown packet ${type}`);
    }
  }

  sendBytes(buffer) {
    this.socket.write(buffer);
  }

  sendQuery(sql, options) {
    this.sendBytes(queryBytes(this.revision, sql, options));
    this.sendBytes(EMPTY_DATA);
  }

  /* Collects an answer; throws the server's exception. */
  async answer() {
    const result = { rows: [], names: [], types: [], progress: [0, 0, 0, 0, 0],
      progressPackets: 0, headers: 0 };
    for (;;) {
      const packet = await this.packet();
      if (packet.type === 5) {
        return result;
      }
      if (packet.type === 2) {
        throw packet.error;
      }
      if (packet.type === 3) {
        result.progressPackets++;
        packet.progress.forEach((n, i) => { result.progress[i] += n; });
      } else if (packet.type === 1 && packet.block.columns.length > 0) {
        result.names = packet.block.columns.map(({ name }) => name);
        result.types = packet.block.columns.map(({ type }) => type);
        for (let i = 0; i < packet.block.nRows; i++) {
          result.rows.push(packet.block.columns.map(({ values }) => values[i]));
        }
        result.headers++;
        if (this.onHeader !== undefined && packet.block.nRows === 0) {
          this.onHeader(packet.block);
        }
      }
    }
  }

  async query(sql, options) {
    this.sendQuery(sql, options);
    return this.answer();
  }

  sendCancel() {
    this.sendBytes(varuint(3));
  }

  async ping() {
    this.sendBytes(varuint(4));
    const { type } = await this.packet();
    return type === 4;
  }

  /* One column of strings, and the empty block behind it. */
  sendStrings(name, values) {
    this.sendBytes(Buffer.concat([varuint(2), text(''), varuint(1),
      Buffer.from([0]), varuint(2), Buffer.from([255, 255, 255, 255]),
      varuint(0), varuint(1), varuint(values.length), text(name),
      text('String'), ...values.map(text)]));
    this.sendBytes(EMPTY_DATA);
  }

  /* Resolves when the server has closed the connection. */
  async untilClosed() {
    while (!this.ended) {
      await this.more();
    }
  }

  close() {
    this.socket.destroy();
  }
}
