/*
 * session.mjs: one client's connection, as ByteHouse would hold it.
 *
 * States: hello -> idle -> tables -> running -> idle ...; "tables" means that
 * a Query was read and its empty Data packet, the end of external tables, is
 * still to come.  The client is read all the time, so that Cancel and a lost
 * connection are seen while a statement runs.  A packet that its state does
 * not allow is answered with an exception and the end of the connection.
 *
 * Every packet to the client goes through send(): whole packets, in order.
 * While a fault is played they go through it; it is the session's "play".
 */
import { checkLogin } from './login.mjs';
import {
  MIN_REVISION, readClientPacket, readHello,
} from './client_packets.mjs';
import { CODE, protocolError, Refusal } from './errors.mjs';
import { Execution } from './execution.mjs';
import {
  writeEndOfStream, writeException, writeHello, writePong,
} from './server_packets.mjs';
import { Upstream } from './upstream.mjs';
import { ConnectionClosed, PacketSource, WireError } from './wire.mjs';

const SERVER_NAME = 'ByteHouse';
const VERSION = { versionMajor: 21, versionMinor: 8, versionPatch: 7 };

export class Session {
  /*
   * connection: { socket, raw, listener }: socket is where packets go, raw
   * the TCP connection below it, listener { name, revision } where it came in.
   */
  constructor(world, connection, number) {
    this.world = world;
    this.socket = connection.socket;
    this.raw = connection.raw;
    this.listener = connection.listener;
    this.number = number;
    this.source = new PacketSource(this.socket);
    this.state = 'hello';
    this.revision = MIN_REVISION;
    this.announcedRevision = 0;
    this.database = 'default';
    this.user = '';
    this.member = null;
    this.own = {};
    this.upstream = null;
    this.pendingQuery = null;
    this.execution = null;
    this.play = null;
  }

  /* Serves the client until one side ends the connection. */
  async serve() {
    try {
      await this.#welcome(await this.source.next(readHello));
      for (;;) {
        this.#handle(await this.source.next(
          (reader) => readClientPacket(reader, this)));
      }
    } catch (error) {
      await this.#farewell(error);
    } finally {
      this.#close();
    }
  }

  /* The one place where packets leave. */
  async send(packet) {
    await (this.play === null ? this.#write(packet) : this.play.send(packet));
  }

  /* The user as it is now, with its grants. */
  currentUser() {
    return this.world.users.current(this.member);
  }

  async #write(packet) {
    if (!this.socket.writable) {
      return;
    }
    if (!this.socket.write(packet)) {
      await new Promise((resolve) => {
        this.socket.once('drain', resolve);
        this.socket.once('close', resolve);
      });
    }
  }

  /* What a fault may do to this connection. */
  #channel(cancel) {
    return {
      write: (packet) => this.#write(packet),
      drop: (bytes) => this.socket.write(bytes, () => this.raw.destroy()),
      reset: () => this.raw.resetAndDestroy(),
      cancel,
    };
  }

  async #welcome(hello) {
    const announced = this.listener.revision ?? this.world.behaviour.revision;
    this.announcedRevision = hello.revision;
    this.revision = Math.min(hello.revision, announced);
    this.user = hello.user;
    this.play = this.world.faults.play(null, this.#channel(() => {}));
    const record = { event: 'login', database: hello.database,
      client: hello.clientName, announced_revision: hello.revision,
      listener: this.listener.name, tls: this.socket.getProtocol?.() ?? null,
      sni: this.socket.servername || null, fault: this.play?.fault.fault };
    try {
      await this.#playBeforeHello();
      if (hello.revision < MIN_REVISION) {
        throw protocolError(CODE.UNEXPECTED_PACKET,
          `revision ${hello.revision} is older than any played here`);
      }
      this.member = await checkLogin(this.world, hello);
      if (hello.database !== '') {
        this.database = hello.database;
      }
      this.upstream = await this.#openUpstream();
    } catch (error) {
      this.#log({ ...record, outcome: 'exception', code: error.code ?? 0,
        message: error.message });
      throw error;
    }
    this.#log({ ...record, outcome: 'ok', code: 0 });
    this.state = 'idle';
    await this.#sendLast(writeHello({
      serverName: SERVER_NAME, ...VERSION, revision: announced,
      timezone: this.world.config.timezone, displayName: SERVER_NAME,
    }));
  }

  async #playBeforeHello() {
    const refusal = await this.play?.before() ?? null;
    if (this.play?.ended) {
      throw new ConnectionClosed();
    }
    if (refusal !== null) {
      throw refusal;
    }
  }

  /* The packet that ends an answer, and a fault's part in it. */
  async #sendLast(packet) {
    const { play } = this;
    await (play === null ? this.#write(packet) : play.last(packet));
    if (this.play === play) {
      this.play = null;
    }
  }

  async #openUpstream() {
    try {
      return await Upstream.open(this.world.config.upstream, this.database);
    } catch (error) {
      throw new Refusal(CODE.NETWORK_ERROR,
        `the server can't be reached: ${error.message}`, { fatal: true });
    }
  }

  #handle(packet) {
    switch (this.state) {
      case 'idle':
        this.#handleIdle(packet);
        break;
      case 'tables':
        this.#handleTables(packet);
        break;
      default:
        this.#handleRunning(packet);
    }
  }

  #handleIdle(packet) {
    switch (packet.type) {
      case 'query':
        if (packet.compression !== 0) {
          throw protocolError(CODE.NOT_IMPLEMENTED,
            'the sandbox\'s front does not play compression');
        }
        this.pendingQuery = packet;
        this.state = 'tables';
        break;
      case 'ping':
        this.send(writePong());
        break;
      case 'cancel':
        /* It crossed the end of the statement that it was meant for. */
        break;
      default:
        throw protocolError(CODE.UNEXPECTED_PACKET,
          'Unexpected packet Data received from client: no query before it');
    }
  }

  #handleTables(packet) {
    if (packet.type !== 'data') {
      throw protocolError(CODE.UNEXPECTED_PACKET,
        `Unexpected packet ${packet.type} received from client: expected ` +
        'the empty Data packet after the Query');
    }
    if (packet.nRows !== 0 || packet.nColumns !== 0) {
      throw protocolError(CODE.NOT_IMPLEMENTED,
        'the sandbox\'s front does not play external tables');
    }
    this.state = 'running';
    this.execution = new Execution(this, this.pendingQuery);
    this.pendingQuery = null;
    this.world.executions.add(this.execution);
    this.#execute(this.execution).catch((error) => {
      this.socket.destroy(error);
    });
  }

  #handleRunning(packet) {
    if (packet.type === 'cancel') {
      this.execution.cancel();
    } else if (packet.type === 'data' && this.execution.acceptsData) {
      this.execution.takeData(packet);
    } else {
      throw protocolError(CODE.UNKNOWN_PACKET,
        `Unknown packet ${packet.type} from client while a query runs`);
    }
  }

  async #execute(execution) {
    const play = this.world.faults.play(execution.packet.text,
      this.#channel(() => execution.cancel()));
    this.play = play;
    let refusal = await play?.before() ?? null;
    const isRun = refusal === null && !play?.ended;
    if (isRun) {
      refusal = await execution.run();
    }
    this.world.executions.delete(execution);
    this.#log({ event: 'query', ...execution.record,
      outcome: refusal === null ? 'ok' : 'exception',
      code: refusal?.code ?? 0, message: refusal?.message ?? '',
      ...(play !== null && { fault: play.fault.fault, was_run: isRun }) });
    this.execution = null;
    this.state = 'idle';
    await this.#sendLast(refusal === null ? writeEndOfStream()
      : writeException(refusal.code, refusal.message));
    if (refusal?.fatal) {
      this.socket.end();
    }
  }

  /* Tells the client why its connection ends, if it can still listen. */
  async #farewell(error) {
    if (error instanceof ConnectionClosed) {
      return;
    }
    const refusal = error instanceof Refusal ? error
      : protocolError(CODE.UNEXPECTED_PACKET, error instanceof WireError
        ? `malformed packet: ${error.message}`
        : `the sandbox's front failed: ${error.message}`);
    if (this.state !== 'hello') {
      this.#log({ event: 'protocol error', outcome: 'exception',
        code: refusal.code, message: refusal.message });
    }
    await this.send(writeException(refusal.code, refusal.message));
  }

  #close() {
    this.play?.release();
    this.socket.end();
    this.execution?.cancel();
    this.upstream?.close();
  }

  #log(record) {
    this.world.log.write({
      time: new Date().toISOString(), connection: this.number,
      user: this.user, revision: this.revision, ...record,
    });
  }
}
