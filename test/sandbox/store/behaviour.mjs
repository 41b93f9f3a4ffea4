/*
 * behaviour.mjs: what tests may change about the whole store.
 */
const INITIAL = {
  /* the store's clock, ahead of the machine's */
  clockOffsetMs: 0,
  /* take the bucket in the path at the service's hosts, too */
  pathStyle: false,
  /* DeleteObjects needs Content-MD5 on the native side, too */
  demandContentMd5: false,
};

export function createBehaviour() {
  const behaviour = { ...INITIAL };

  return {
    get pathStyle() {
      return behaviour.pathStyle;
    },
    get demandContentMd5() {
      return behaviour.demandContentMd5;
    },
    now: () => Date.now() + behaviour.clockOffsetMs,
    all: () => ({ ...behaviour }),
    change(wish) {
      for (const [name, value] of Object.entries(wish))
        if (typeof value !== typeof INITIAL[name] || (name === 'clockOffsetMs' && !Number.isSafeInteger(value)))
          throw new Error(`"${name}" is no behaviour, or not of that kind`);
      Object.assign(behaviour, wish);
    },
    reset() {
      Object.assign(behaviour, INITIAL);
    },
  };
}
