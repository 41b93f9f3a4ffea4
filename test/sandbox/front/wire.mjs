/*
 * wire.mjs: the primitives of the native protocol, and whole packets out of a
 * stream of bytes.
 *
 * Nothing on this wire is framed, so a parser reads from the start of a packet
 * and throws NEED_MORE where the bytes received so far end; PacketSource then
 * tries again when more have come.  Source of truth: bytehouse facts 1.1.
 */

/* Thrown by a Reader, with the number of bytes the packet has at least. */
class NeedMore extends Error {
  constructor(atLeast) {
    super('more bytes needed');
    this.atLeast = atLeast;
  }
}

/* The other side sent what the protocol does not allow. */
export class WireError extends Error {}

/* The other side is gone. */
export class ConnectionClosed extends Error {
  constructor() {
    super('connection closed');
  }
}

const MAX_STRING = 64 * 1024 * 1024;
const MAX_PACKET = 512 * 1024 * 1024;
/* Bytes taken from a socket that nobody waits for. */
const MAX_AHEAD = 4 * 1024 * 1024;

export class Reader {
  constructor(buffer) {
    this.buffer = buffer;
    this.offset = 0;
  }

  /* Moves past n bytes and returns where they began. */
  skip(n) {
    const start = this.offset;
    if (start + n > this.buffer.length) {
      throw new NeedMore(start + n);
    }
    this.offset = start + n;
    return start;
  }

  u8() {
    return this.buffer[this.skip(1)];
  }

  bool() {
    const value = this.u8();
    if (value > 1) {
      throw new WireError(`${value} is no boolean`);
    }
    return value === 1;
  }

  i32() {
    return this.buffer.readInt32LE(this.skip(4));
  }

  u64() {
    return this.buffer.readBigUInt64LE(this.skip(8));
  }

  varuint() {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        return value;
      }
      factor *= 128;
    }
    throw new WireError('a number has more than ten bytes');
  }

  string() {
    const length = this.varuint();
    if (length > MAX_STRING) {
      throw new WireError(`a string of ${length} bytes is too long`);
    }
    const start = this.skip(length);
    return this.buffer.toString('utf8', start, start + length);
  }

  skipString() {
    const length = this.varuint();
    if (length > MAX_STRING) {
      throw new WireError(`a string of ${length} bytes is too long`);
    }
    this.skip(length);
  }
}

export class Writer {
  constructor() {
    this.parts = [];
  }

  raw(buffer) {
    this.parts.push(buffer);
    return this;
  }

  u8(value) {
    return this.raw(Buffer.from([value]));
  }

  i32(value) {
    const buffer = Buffer.alloc(4);
    buffer.writeInt32LE(value);
    return this.raw(buffer);
  }

  varuint(value) {
    const bytes = [];
    let rest = value;
    while (rest >= 128) {
      bytes.push((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
    return this.raw(Buffer.from(bytes));
  }

  string(value) {
    const buffer = Buffer.from(value, 'utf8');
    return this.varuint(buffer.length).raw(buffer);
  }

  finish() {
    return Buffer.concat(this.parts);
  }
}

/* Collects what a socket receives and hands it out packet by packet. */
export class PacketSource {
  constructor(socket) {
    this.socket = socket;
    this.storage = Buffer.alloc(64 * 1024);
    this.start = 0;
    this.end = 0;
    this.closed = false;
    this.wake = null;
    socket.on('data', (chunk) => this.#push(chunk));
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => this.#close());
    }
  }

  #push(chunk) {
    if (this.end + chunk.length > this.storage.length) {
      const held = this.end - this.start;
      const size = Math.max(this.storage.length, 2 * (held + chunk.length));
      const storage = Buffer.alloc(size);
      this.storage.copy(storage, 0, this.start, this.end);
      this.storage = storage;
      this.start = 0;
      this.end = held;
    }
    chunk.copy(this.storage, this.end);
    this.end += chunk.length;
    if (this.wake === null && this.end - this.start > MAX_AHEAD) {
      this.socket.pause();
    }
    this.#signal();
  }

  #close() {
    this.closed = true;
    this.#signal();
  }

  #signal() {
    const wake = this.wake;
    this.wake = null;
    wake?.();
  }

  /*
   * The next packet: what parse(reader) returns, with the packet's own bytes
   * added as "raw".  One caller at a time.
   */
  async next(parse) {
    let atLeast = 1;
    for (;;) {
      while (this.end - this.start < atLeast) {
        if (this.closed) {
          throw new ConnectionClosed();
        }
        this.socket.resume();
        await new Promise((resolve) => { this.wake = resolve; });
      }
      const reader = new Reader(this.storage.subarray(this.start, this.end));
      try {
        const packet = parse(reader);
        packet.raw = Buffer.from(reader.buffer.subarray(0, reader.offset));
        this.start += reader.offset;
        return packet;
      } catch (error) {
        if (!(error instanceof NeedMore)) {
          throw error;
        }
        atLeast = error.atLeast;
        if (atLeast > MAX_PACKET) {
          throw new WireError('a packet is too long');
        }
      }
    }
  }
}
