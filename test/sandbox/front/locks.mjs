/*
 * locks.mjs: order between statements of different connections.
 *
 * Locks: whoever replaces, alters or drops a table does it alone.  Commits:
 * the final steps of loads under way; they can no longer be stopped, so who
 * asks whether a query still runs has to wait for them.
 */
export class Locks {
  constructor() {
    this.tails = new Map();
  }

  /* Runs action when all earlier holders of the name are done. */
  async hold(name, action) {
    const before = this.tails.get(name) ?? Promise.resolve();
    let release;
    const mine = new Promise((resolve) => { release = resolve; });
    const tail = before.then(() => mine);
    this.tails.set(name, tail);
    await before;
    try {
      return await action();
    } finally {
      release();
      if (this.tails.get(name) === tail) {
        this.tails.delete(name);
      }
    }
  }
}

export class Commits {
  constructor() {
    this.pending = new Set();
  }

  async track(promise) {
    this.pending.add(promise);
    try {
      return await promise;
    } finally {
      this.pending.delete(promise);
    }
  }

  async settled() {
    await Promise.allSettled([...this.pending]);
  }
}
