/*
 * upstream.mjs: a session with the real ClickHouse, at revision 54448.
 *
 * One per client session, so that SET and USE act as they do in a real one.
 * One statement at a time; run() ends when the server's answer has ended.
 */
import net from 'node:net';
import os from 'node:os';

import { readServerPacket, UPSTREAM_REVISION } from './server_packets.mjs';
import { PacketSource, Writer } from './wire.mjs';

const CLIENT_NAME = 'sandbox front';

function writeClientHello(options, database) {
  return new Writer().varuint(0).string(CLIENT_NAME).varuint(1).varuint(0)
    .varuint(UPSTREAM_REVISION).string(database).string(options.user)
    .string(options.password).finish();
}

function writeEmptyBlock() {
  return new Writer().varuint(2).string('').varuint(1).u8(0).varuint(2)
    .i32(-1).varuint(0).varuint(0).varuint(0).finish();
}

function writeQuery(statement) {
  const writer = new Writer().varuint(1).string(statement.queryId)
    .u8(1).string('').string('').string('0.0.0.0:0').u8(1)
    .string('sandbox').string(os.hostname()).string(CLIENT_NAME)
    .varuint(1).varuint(0).varuint(UPSTREAM_REVISION).string('')
    .varuint(0).varuint(0).u8(0);
  for (const { name, important, value } of statement.settings) {
    writer.string(name).varuint(important ? 1 : 0).string(value);
  }
  writer.string('').string('').varuint(2).varuint(0).string(statement.text);
  return Buffer.concat([writer.finish(), writeEmptyBlock()]);
}

export class Upstream {
  /* Opens a session; throws what the server said, or why there is none. */
  static async open(options, database) {
    const socket = net.connect(options.port, options.host);
    socket.setNoDelay(true);
    const source = new PacketSource(socket);
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.write(writeClientHello(options, database));
    const hello = await source.next(readServerPacket);
    if (hello.type !== 'hello') {
      socket.destroy();
      throw new Error(`ClickHouse answered the Hello with ${hello.type}` +
        ` ${hello.message ?? ''}`);
    }
    return new Upstream(socket, source, hello);
  }

  constructor(socket, source, hello) {
    this.socket = socket;
    this.source = source;
    this.hello = hello;
    this.busy = false;
  }

  /*
   * Runs { queryId, text, settings }.  Each packet of the answer is given to
   * onPacket, which may be slow (the server is not read meanwhile), except
   * the last: null is returned for an end of stream, the packet itself for an
   * exception.  Throws ConnectionClosed when the server goes away.
   */
  async run(statement, onPacket) {
    this.busy = true;
    try {
      this.socket.write(writeQuery(statement));
      for (;;) {
        const packet = await this.source.next(readServerPacket);
        if (packet.type === 'endOfStream') {
          return null;
        }
        if (packet.type === 'exception') {
          return packet;
        }
        await onPacket(packet);
      }
    } finally {
      this.busy = false;
    }
  }

  /* Forwards a client's Data packet of an INSERT. */
  sendData(raw) {
    this.socket.write(raw);
  }

  cancel() {
    if (this.busy) {
      this.socket.write(new Writer().varuint(3).finish());
    }
  }

  close() {
    this.socket.destroy();
  }
}

