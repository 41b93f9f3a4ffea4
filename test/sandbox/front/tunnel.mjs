/*
 * tunnel.mjs: a port with TLS before ClickHouse itself, in its own dialect.
 *
 * What passes is passed on as it came.  Statements of clients that speak
 * revision 54448 are read on the way, go into the query log with the tunnel's
 * name as "listener", and meet the faults of faults.mjs; connections of other
 * clients pass unread.
 */
import net from 'node:net';

import { readClientPacket, readHello } from './client_packets.mjs';
import {
  readServerPacket, UPSTREAM_REVISION, writeException,
} from './server_packets.mjs';
import { ConnectionClosed, PacketSource } from './wire.mjs';

export class Tunnel {
  /* raw is the TCP connection below socket. */
  constructor(world, tunnel, socket, raw) {
    this.world = world;
    this.tunnel = tunnel;
    this.socket = socket;
    this.raw = raw;
    this.inner = net.connect(tunnel.target, '127.0.0.1');
    this.inner.setNoDelay(true);
    this.user = '';
    this.pending = null;
    this.query = null;
    this.play = null;
  }

  /* Serves the client until one side ends the connection. */
  async serve() {
    for (const [one, other] of [[this.socket, this.inner],
      [this.inner, this.socket]]) {
      one.on('error', () => {});
      one.on('close', () => other.end());
    }
    this.socket.once('close', () => this.play?.release());
    try {
      await this.#welcome();
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) {
        this.#log({ event: 'protocol error', outcome: 'exception',
          code: error.code ?? 0, message: error.message });
      }
      this.socket.end();
      this.inner.end();
    }
  }

  async #welcome() {
    const client = new PacketSource(this.socket);
    const hello = await client.next(readHello);
    this.user = hello.user;
    this.inner.write(hello.raw);
    if (hello.revision !== UPSTREAM_REVISION) {
      this.socket.removeAllListeners('data');
      this.inner.write(client.storage.subarray(client.start, client.end));
      this.socket.pipe(this.inner).pipe(this.socket);
      return;
    }
    await Promise.all([this.#readClient(client), this.#readServer()]);
  }

  async #readClient(client) {
    const session = {
      revision: UPSTREAM_REVISION, announcedRevision: UPSTREAM_REVISION,
    };
    for (;;) {
      const packet = await client.next(
        (reader) => readClientPacket(reader, session));
      if (packet.type === 'query') {
        this.pending = packet;
      } else if (packet.type === 'data' && this.pending !== null) {
        this.query = this.pending;
        this.pending = null;
        this.#begin(packet.raw).catch(() => this.socket.destroy());
      } else {
        this.inner.write(packet.raw);
      }
    }
  }

  /* A query and the Data packet behind it, unless a fault has it otherwise. */
  async #begin(data) {
    const { query } = this;
    const play = this.world.faults.play(query.text, {
      write: (packet) => this.socket.write(packet),
      drop: (bytes) => this.socket.write(bytes, () => this.raw.destroy()),
      reset: () => this.raw.resetAndDestroy(),
      cancel: () => {},
    });
    this.play = play;
    const refusal = await play?.before() ?? null;
    if (play?.ended) {
      this.#end('lost', play);
    } else if (refusal === null) {
      this.inner.write(query.raw);
      this.inner.write(data);
    } else {
      this.#end('exception', play, refusal);
      await play.last(writeException(refusal.code, refusal.message));
    }
  }

  async #readServer() {
    const server = new PacketSource(this.inner);
    for (;;) {
      const packet = await server.next(readServerPacket);
      const { play } = this;
      if (this.query !== null &&
          ['endOfStream', 'exception'].includes(packet.type)) {
        this.#end(packet.type === 'exception' ? 'exception' : 'ok', play,
          packet);
        await (play?.last(packet.raw) ?? this.#write(packet.raw));
      } else {
        await (play?.send(packet.raw) ?? this.#write(packet.raw));
      }
    }
  }

  async #write(packet) {
    if (this.socket.writable && !this.socket.write(packet)) {
      await new Promise((resolve) => {
        this.socket.once('drain', resolve);
        this.socket.once('close', resolve);
      });
    }
  }

  #end(outcome, play, { code = 0, message = '' } = {}) {
    const { query } = this;
    this.query = null;
    this.play = null;
    this.#log({
      event: 'query', query_id: query.queryId,
      settings: Object.fromEntries(query.settings
        .map(({ name, value }) => [name, value])),
      query: query.text, outcome, code, message,
      ...(play !== null && { fault: play.fault.fault,
        was_run: play.fault.when !== 'before' }),
    });
  }

  #log(record) {
    this.world.log.write({
      time: new Date().toISOString(), listener: this.tunnel.name,
      user: this.user, ...record,
    });
  }
}
