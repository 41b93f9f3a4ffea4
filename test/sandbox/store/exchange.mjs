/*
 * exchange.mjs: one request and its answer. Counts bytes, keeps the log
 * record, reads the body (sending 100 Continue only when somebody wants the
 * body), paces, holds or cuts what passes as a fault says, and makes sure that
 * each request is logged exactly once.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { headerMap } from './canonical.mjs';
import { ClientGone } from './errors.mjs';
import { corruptDocument, corruptHeaders } from './reply_faults.mjs';

/* A slowed body passes in steps of this many per second. */
const STEPS_PER_SECOND = 10;

function newRequestId() {
  return randomBytes(16).toString('hex');
}

export class Exchange {
  #log;
  #request;
  #response;
  #expectsContinue;
  #clock;
  #pace = null;
  #n_paced = 0;
  #replyFault = null;
  #cutAt = Infinity;
  #logged = false;

  /* clock(): milliseconds, by which answers are dated */
  constructor({ request, response, via, expectsContinue, log, clock }) {
    this.#request = request;
    this.#response = response;
    this.#expectsContinue = expectsContinue;
    this.#log = log;
    this.#clock = clock;
    this.method = request.method;
    this.headers = headerMap(request.rawHeaders);
    this.closed = new Promise((resolve) => {
      response.once('close', resolve);
    });
    response.on('error', () => {});
    this.record = {
      time: new Date().toISOString(),
      via,
      host: request.headers.host ?? null,
      method: request.method,
      path: null,
      query: null,
      api: null,
      signing: null,
      operation: null,
      bucket: null,
      key: null,
      part_number: null,
      upload_id: null,
      status: null,
      code: null,
      message: null,
      accepted: false,
      judge: null,
      access_key: null,
      request_id: newRequestId(),
      bytes_in: 0,
      bytes_out: 0,
    };
  }

  header(name) {
    return this.headers.get(name)?.[0];
  }

  /* fault: of kind hang, slow or truncate_request; direction: 'in' or 'out' */
  setPace(fault, direction) {
    this.#pace = { fault, direction };
  }

  /* fault: of a kind that changes or keeps back the answer */
  setReplyFault(fault) {
    this.#replyFault = fault;
  }

  /* The body in chunks. Throws ClientGone if it ends too early. */
  async *body() {
    if (this.#expectsContinue) {
      this.#response.writeContinue();
      this.#expectsContinue = false;
    }
    await this.#hold('in', 0);
    try {
      for await (const chunk of this.#request) {
        for (const piece of this.#pieces('in', chunk)) {
          this.record.bytes_in += piece.length;
          await this.#slow('in', piece.length);
          yield piece;
          await this.#hold('in', piece.length);
        }
      }
    } catch (error) {
      if (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')
        throw new ClientGone();
      throw error;
    }
    if (!this.#request.complete)
      throw new ClientGone();
  }

  /* Answer with a body that is at hand. */
  async reply(status, headers, body = Buffer.alloc(0)) {
    await this.stream(status, headers, body.length, [corruptDocument(this.#replyFault, body)]);
  }

  /*
   * Answer with a body of `length` bytes from a source of chunks. For HEAD
   * the length is told but no source is read.
   */
  async stream(status, headers, length, source) {
    const response = this.#response;
    let left = this.method === 'HEAD' ? 0 : length;

    this.record.status = status;
    if (this.#expectsContinue)
      response.setHeader('connection', 'close');
    await this.#hold('out', 0);
    await this.#keepBack(left);
    response.writeHead(status, {
      'date': new Date(this.#clock()).toUTCString(),
      ...corruptHeaders(this.#replyFault, headers),
      ...(status === 204 ? {} : { 'content-length': length }),
    });
    if (left > 0) {
      for await (const chunk of source) {
        for (const piece of this.#pieces('out', chunk)) {
          this.#corruptFirst(piece);
          await this.#slow('out', piece.length);
          left -= piece.length;
          this.record.bytes_out += piece.length;
          if (left === 0)
            this.#writeLog();
          await this.#send(piece);
          await this.#hold('out', piece.length);
        }
      }
      if (left !== 0)
        throw new Error(`a reply body is ${left} bytes short`);
    }
    this.#writeLog();
    response.end();
  }

  /* Say nothing until the client gives up; always throws ClientGone. */
  async hang() {
    this.record.code = 'FaultHang';
    this.#writeLog();
    await this.closed;
    throw new ClientGone();
  }

  /* Wait, unless the client gives up. */
  async wait(ms) {
    await Promise.race([sleep(ms), this.closed]);
    if (this.#response.destroyed)
      throw new ClientGone();
  }

  /* Cut the connection as a fault says; always throws ClientGone. */
  cut(code) {
    this.abandon(code);
    throw new ClientGone();
  }

  /* Cut the connection; nothing more can be said to this client. */
  abandon(code) {
    this.record.status ??= 0;
    this.record.code = code;
    this.#writeLog();
    this.#response.destroy();
  }

  get answering() {
    return this.#response.headersSent;
  }

  #writeLog() {
    if (this.#logged)
      return;
    this.#logged = true;
    this.#log.write(this.record);
  }

  async #send(piece) {
    const excess = this.record.bytes_out - this.#cutAt;

    if (this.#response.destroyed)
      throw new ClientGone();
    if (excess >= 0) {
      await this.#flush((done) => this.#response.write(piece.subarray(0, piece.length - excess), done));
      this.cut('FaultTruncateReply');
    }
    if (!this.#response.write(piece)) {
      await Promise.race([
        new Promise((resolve) => this.#response.once('drain', resolve)),
        this.closed,
      ]);
      if (this.#response.destroyed)
        throw new ClientGone();
    }
  }

  /* Cut a chunk where the pace wants to take effect. */
  *#pieces(direction, chunk) {
    if (this.#pace?.direction !== direction) {
      yield chunk;
      return;
    }

    const { fault } = this.#pace;
    const step = fault.fault === 'slow'
      ? Math.max(1, Math.floor(fault.bytes_per_second / STEPS_PER_SECOND)) : Infinity;
    let at = 0;

    while (at < chunk.length) {
      const free = fault.after_bytes - this.#n_paced;
      const size = Math.min(chunk.length - at, free > 0 ? free : step);

      yield chunk.subarray(at, at + size);
      at += size;
    }
  }

  /* Take the time that a slowed piece needs. */
  async #slow(direction, n_bytes) {
    if (this.#pace?.direction !== direction || this.#pace.fault.fault !== 'slow')
      return;

    const { after_bytes: n_free, bytes_per_second: rate } = this.#pace.fault;

    if (this.#n_paced >= n_free)
      await this.wait(n_bytes * 1000 / rate);
  }

  /* Count a piece that has passed; hang or cut if that was the last one to pass. */
  async #hold(direction, n_bytes) {
    if (this.#pace?.direction !== direction)
      return;
    this.#n_paced += n_bytes;
    if (this.#pace.fault.fault === 'slow' || this.#n_paced < this.#pace.fault.after_bytes)
      return;
    if (this.#pace.fault.fault === 'truncate_request')
      this.cut('FaultTruncateRequest');
    await this.hang();
  }

  /*
   * Before an answer with `length` bytes of body begins: keep it back, or
   * cut it short, if a fault says so.
   */
  async #keepBack(length) {
    switch (this.#replyFault?.fault) {
      case 'drop_after':
        this.cut('FaultDropAfter');
        break;
      case 'hang_after':
        await this.hang();
        break;
      case 'truncate_reply':
        this.#cutAt = Math.min(this.#replyFault.after_bytes ?? Math.floor(length / 2), length);
        this.record.code = 'FaultTruncateReply';
        this.#writeLog();
        if (length === 0) {
          await this.#flush((done) => this.#request.socket.write('HTTP/1.1 200 OK\r\nETa', done));
          this.cut('FaultTruncateReply');
        }
        break;
      default:
    }
  }

  /* Wait until `write(done)` has handed its bytes on. */
  async #flush(write) {
    await Promise.race([new Promise((resolve) => write(resolve)), this.closed]);
  }

  #corruptFirst(piece) {
    if (this.#replyFault?.fault === 'corrupt_body' && this.record.bytes_out === 0)
      piece[0] ^= 1;
  }
}
