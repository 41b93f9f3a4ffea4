/*
 * users.mjs: who may come in, and as whom (bytehouse facts 2.2).
 *
 * A database user is "<account>::<user>" with a password; with an API key the
 * user is literally "bytehouse" and the key is the password.  A user of the
 * empty account logs in by its plain name.  Tests add and remove users; those
 * of the configuration come back with reset().
 */
import { CODE, Refusal } from './errors.mjs';
import { Grants } from './grants.mjs';

const FIELDS = ['name', 'account', 'password', 'apiKey', 'grants',
  'warehouses', 'expired'];

function isListOfStrings(value) {
  return Array.isArray(value) &&
    value.every((element) => typeof element === 'string');
}

function checkWish(wish) {
  if (wish === null || typeof wish !== 'object') {
    throw new Error('a user is an object');
  }
  const unknown = Object.keys(wish).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) {
    throw new Error(`"${unknown}" is none of ${FIELDS.join(', ')}`);
  }
  if (typeof wish.name !== 'string' || wish.name === '') {
    throw new Error('"name" is missing');
  }
  for (const field of ['grants', 'warehouses']) {
    if (wish[field] !== undefined && wish[field] !== null &&
        !isListOfStrings(wish[field])) {
      throw new Error(`"${field}" is a list of strings`);
    }
  }
}

export class Users {
  constructor(config) {
    this.config = config;
    this.reset();
  }

  reset() {
    this.byLogin = new Map();
    this.config.users.forEach((user) => this.add(user));
  }

  /* Adds a user, or replaces the one of the same account and name. */
  add(wish) {
    checkWish(wish);
    const account = wish.account ?? this.config.account;
    const login = account === '' ? wish.name : `${account}::${wish.name}`;
    const user = {
      login,
      name: wish.name,
      account,
      password: wish.password ?? null,
      apiKey: wish.apiKey ?? null,
      grantTexts: wish.grants ?? [],
      grants: new Grants(wish.grants ?? [], this.config.database),
      warehouses: wish.warehouses ?? null,
      expired: wish.expired === true,
    };
    this.byLogin.set(login, user);
    return user;
  }

  remove(name) {
    const found = [...this.byLogin.values()].filter((user) =>
      user.name === name || user.login === name);
    found.forEach(({ login }) => this.byLogin.delete(login));
    return found.length;
  }

  list() {
    return [...this.byLogin.values()].map((user) => ({
      login: user.login, name: user.name, account: user.account,
      grants: user.grantTexts, warehouses: user.warehouses,
      expired: user.expired, hasApiKey: user.apiKey !== null,
    }));
  }

  /* A user as it is now: a grant holds from the next statement on. */
  current(user) {
    return this.byLogin.get(user.login) ?? user;
  }

  /* The user of a Hello; throws what is answered in place of a Hello. */
  authenticate(hello) {
    if (hello.user === '') {
      throw new Refusal(CODE.UNEXPECTED_PACKET,
        'Unexpected packet from client: no user in Hello package',
        { fatal: true });
    }
    const usesKey = hello.user === 'bytehouse';
    const user = [...this.byLogin.values()].find((one) => (usesKey
      ? one.apiKey !== null && one.apiKey === hello.password
      : one.login === hello.user && one.password !== null &&
        one.password === hello.password));
    if (user === undefined) {
      throw new Refusal(CODE.AUTHENTICATION_FAILED,
        `${hello.user}: Authentication failed: password is incorrect or ` +
        'there is no user with such name', { fatal: true });
    }
    if (user.expired) {
      throw new Refusal(CODE.AUTHENTICATION_FAILED,
        `${hello.user}: Authentication failed: the ` +
        `${usesKey ? 'API key' : 'password'} has expired`, { fatal: true });
    }
    return user;
  }
}
