/*
 * faults.mjs: what goes wrong because a test asked for it.
 *
 * A wish: { match, fault, when, afterPackets, code, message, ms, times }.
 *
 *   match		"connect": a TCP connection, before TLS; "hello": a login; else
 *				a regular expression on the statement as sent
 *   fault		exception, drop_before, drop_after, reset, truncate, hang, delay
 *   when		"before" anything is done, or "after": all is done, and what
 *				fails is the answer's last packet
 *   afterPackets	in the place of "when": so many packets of the answer pass,
 *				the next one meets the fault
 *
 * The oldest fault that matches is taken, "times" times (null: always).  A
 * hang ends, as if it had never been, when the faults are cleared.  Packets
 * are held back in order: what comes behind a hang waits for it.
 */
import { CODE, Refusal } from './errors.mjs';
import { writeException } from './server_packets.mjs';

const FAULTS = ['exception', 'drop_before', 'drop_after', 'reset', 'truncate',
  'hang', 'delay'];
const FIELDS = ['match', 'fault', 'when', 'afterPackets', 'code', 'message',
  'ms', 'times'];
const CONNECTION_FAULTS = ['drop_before', 'reset', 'hang', 'delay'];

function checkCount(name, value, least) {
  if (value !== null && (!Number.isSafeInteger(value) || value < least)) {
    throw new Error(`"${name}" is a number of at least ${least}`);
  }
}

/* A half packet needs a packet; the others strike at once unless told else. */
function defaultMoment(wish) {
  if (wish.fault === 'drop_after') {
    return { when: 'after', afterPackets: null };
  }
  return wish.fault === 'truncate' ? { when: null, afterPackets: 0 }
    : { when: 'before', afterPackets: null };
}

function parseFault(wish) {
  if (wish === null || typeof wish !== 'object' ||
      !FAULTS.includes(wish.fault)) {
    throw new Error(`"fault" is one of ${FAULTS.join(', ')}`);
  }
  const unknown = Object.keys(wish).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) {
    throw new Error(`"${unknown}" is none of ${FIELDS.join(', ')}`);
  }
  const fault = {
    match: '', code: CODE.NETWORK_ERROR, message: 'A fault was asked for',
    ms: 1000, times: null, ...defaultMoment(wish), ...wish, hits: 0,
  };
  if (wish.afterPackets !== undefined && wish.afterPackets !== null) {
    fault.when = null;
  } else if (wish.when !== undefined) {
    fault.afterPackets = null;
  }
  if (![null, 'before', 'after'].includes(fault.when)) {
    throw new Error('"when" is before or after');
  }
  checkCount('afterPackets', fault.afterPackets, 0);
  checkCount('ms', fault.ms, 0);
  checkCount('times', fault.times, 1);
  if (!Number.isSafeInteger(fault.code)) {
    throw new Error('"code" is a number');
  }
  if (fault.match === 'connect' && !CONNECTION_FAULTS.includes(fault.fault)) {
    throw new Error(`with "connect" go ${CONNECTION_FAULTS.join(', ')}`);
  }
  if (fault.match === 'hello' && fault.fault === 'exception') {
    Object.assign(fault, { when: 'before', afterPackets: null });
  }
  fault.expression = new RegExp(fault.match, 'is');
  return fault;
}

/* One fault in one answer; the session's packets pass through it. */
class Play {
  constructor(faults, fault, channel) {
    this.faults = faults;
    this.fault = fault;
    this.channel = channel;
    this.ended = false;
    this.replaced = false;
    this.nPackets = 0;
    this.order = Promise.resolve();
    this.pause = null;
  }

  /* Returns a Refusal to answer with, or null; see "ended" then. */
  async before() {
    if (this.fault.when !== 'before') {
      return null;
    }
    if (this.fault.fault === 'exception') {
      return this.#refusal();
    }
    await this.#strike(Buffer.alloc(0));
    return null;
  }

  /* A packet of the answer. */
  send(packet) {
    this.order = this.order.then(() => this.#pass(packet, false));
    return this.order;
  }

  /* The packet that ends it. */
  last(packet) {
    this.order = this.order.then(() => this.#pass(packet, true));
    return this.order;
  }

  /* Nobody listens any more. */
  release() {
    this.ended = true;
    this.pause?.();
  }

  #refusal() {
    return new Refusal(this.fault.code, this.fault.message);
  }

  async #pass(packet, isLast) {
    const { fault } = this;
    const strikes = this.nPackets === fault.afterPackets ||
      (isLast && fault.when === 'after');
    this.nPackets++;
    if (strikes && fault.fault === 'exception' && !this.ended) {
      this.replaced = true;
      this.channel.cancel();
    } else if (strikes && !this.ended) {
      await this.#strike(packet);
    }
    if (this.ended || (this.replaced && !isLast)) {
      return;
    }
    await this.channel.write(this.replaced
      ? writeException(fault.code, fault.message) : packet);
  }

  async #strike(packet) {
    switch (this.fault.fault) {
      case 'hang':
      case 'delay':
        await this.faults.pause(this.fault, (stop) => { this.pause = stop; });
        break;
      case 'reset':
        this.ended = true;
        this.channel.reset();
        break;
      case 'truncate':
        this.ended = true;
        this.channel.drop(packet.subarray(0, Math.floor(packet.length / 2)));
        break;
      default:
        this.ended = true;
        this.channel.drop(Buffer.alloc(0));
    }
  }
}

export class Faults {
  constructor() {
    this.list = [];
    this.nextId = 1;
    this.waiting = new Set();
  }

  add(wish) {
    const fault = { id: this.nextId++, ...parseFault(wish) };
    this.list.push(fault);
    return fault.id;
  }

  /* Forgets all faults and lets go what they hold. */
  clear() {
    this.list = [];
    for (const stop of this.waiting) {
      stop();
    }
  }

  show() {
    return this.list.map(({ expression, ...fault }) => fault);
  }

  #take(isFit) {
    const fault = this.list.find((one) => isFit(one) &&
      (one.times === null || one.hits < one.times));
    if (fault !== undefined) {
      fault.hits++;
    }
    return fault ?? null;
  }

  /* Resolves after the fault's time, or when stopped; a hang has no time. */
  pause(fault, onStart) {
    return new Promise((resolve) => {
      let timer = null;
      const stop = () => {
        clearTimeout(timer);
        this.waiting.delete(stop);
        resolve();
      };
      if (fault.fault === 'delay') {
        timer = setTimeout(stop, fault.ms);
      }
      this.waiting.add(stop);
      onStart(stop);
    });
  }

  /*
   * The fault for a login (sql null) or a statement, or null.  channel is how
   * it reaches the connection: write(packet), drop(bytes), reset(), cancel().
   */
  play(sql, channel) {
    const fault = this.#take(({ match, expression }) => (sql === null
      ? match === 'hello'
      : !['hello', 'connect'].includes(match) && expression.test(sql)));
    return fault === null ? null : new Play(this, fault, channel);
  }

  /* For a new TCP connection: false if a fault ended it. */
  async admit(socket) {
    const fault = this.#take(({ match }) => match === 'connect');
    switch (fault?.fault) {
      case undefined:
        return true;
      case 'reset':
        socket.resetAndDestroy();
        return false;
      case 'drop_before':
        socket.destroy();
        return false;
      default:
        await this.pause(fault, (stop) => socket.once('close', stop));
        return !socket.destroyed;
    }
  }
}
