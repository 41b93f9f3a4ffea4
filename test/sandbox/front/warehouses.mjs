/*
 * warehouses.mjs: virtual warehouses: which there are, who may use them, and
 * whether they are awake (bytehouse facts 2.3 and 7).
 *
 * A suspended one is woken by the first statement that needs its workers and
 * is awake wakeAfterMs later.  Until then statements do what "mode" says:
 *   progress	wait, with a Progress packet every 100 ms
 *   silent		wait without a packet
 *   refuse		get exception "code": 7107, or 5025 with the words of 7107
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { CODE, Refusal } from './errors.mjs';

const STATES = ['running', 'suspended'];
const MODES = ['progress', 'silent', 'refuse'];
const REFUSAL_CODES = [CODE.NO_AVAILABLE_WORKER, CODE.WAREHOUSE_NOT_FOUND];
const LOOK_MS = 20;

function oneOf(name, value, values) {
  if (!values.includes(value)) {
    throw new Error(`"${name}" is one of ${values.join(', ')}`);
  }
  return value;
}

export class Warehouses {
  constructor(config) {
    this.config = config;
    this.reset();
  }

  reset() {
    this.byId = new Map();
    this.config.warehouses.forEach((id) => this.set({ id }));
  }

  /* Makes a warehouse, or gives one a new state. */
  set(wish) {
    if (typeof wish?.id !== 'string' || wish.id === '') {
      throw new Error('"id" is missing');
    }
    const wakeAfterMs = wish.wakeAfterMs ?? 1000;
    if (!Number.isSafeInteger(wakeAfterMs) || wakeAfterMs < 0) {
      throw new Error('"wakeAfterMs" is a number of milliseconds');
    }
    const warehouse = {
      id: wish.id,
      state: oneOf('state', wish.state ?? 'running', STATES),
      wakeAfterMs,
      mode: oneOf('mode', wish.mode ?? 'progress', MODES),
      code: oneOf('code', wish.code ?? CODE.NO_AVAILABLE_WORKER,
        REFUSAL_CODES),
      wakesAt: null,
    };
    this.byId.set(wish.id, warehouse);
    return warehouse;
  }

  list() {
    return [...this.byId.values()];
  }

  /* The warehouse that a user's statement runs in; throws if there is none. */
  choose(user, named) {
    const id = named !== '' ? named
      : (user.warehouses ?? [...this.byId.keys()])[0];
    if (id === undefined) {
      throw new Refusal(CODE.BAD_ARGUMENTS, 'Expected a nonempty vw name');
    }
    const warehouse = this.byId.get(id);
    if (warehouse === undefined) {
      throw new Refusal(CODE.WAREHOUSE_NOT_FOUND,
        `Virtual warehouse ${id} not found`);
    }
    if (user.warehouses !== null && !user.warehouses.includes(id)) {
      throw new Refusal(CODE.ACCESS_DENIED, `${user.login}: Not enough ` +
        `privileges. The user has no access to virtual warehouse ${id}`);
    }
    return warehouse;
  }

  /* Returns when the warehouse has workers; look() may throw, to give up. */
  async enter(warehouse, look) {
    if (warehouse.state === 'running') {
      return;
    }
    warehouse.wakesAt ??= Date.now() + warehouse.wakeAfterMs;
    while (Date.now() < warehouse.wakesAt) {
      if (warehouse.mode === 'refuse') {
        throw new Refusal(warehouse.code, 'No worker available in virtual ' +
          `warehouse ${warehouse.id}: it is starting`);
      }
      look();
      await sleep(LOOK_MS);
    }
    warehouse.state = 'running';
    warehouse.wakesAt = null;
  }
}
