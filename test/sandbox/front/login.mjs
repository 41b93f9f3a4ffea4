/*
 * login.mjs: who may come in (bytehouse facts 2.2).
 *
 * A database user is "<account>::<user>" with a password; with an API key the
 * user is literally "bytehouse" and the key is the password.
 */
import { CODE, Refusal } from './errors.mjs';

function isKnown(config, hello) {
  return (hello.user === `${config.account}::${config.user}` &&
      hello.password === config.password) ||
    (hello.user === 'bytehouse' && hello.password === config.apiKey);
}

/* Throws what the client is answered in place of a Hello. */
export async function checkLogin(world, hello) {
  if (hello.user === '') {
    throw new Refusal(CODE.UNEXPECTED_PACKET,
      'Unexpected packet from client: no user in Hello package',
      { fatal: true });
  }
  if (!isKnown(world.config, hello)) {
    throw new Refusal(CODE.AUTHENTICATION_FAILED,
      `${hello.user}: Authentication failed: password is incorrect or there ` +
      'is no user with such name', { fatal: true });
  }
  if (hello.database !== '' &&
      !await world.catalog.databaseExists(hello.database)) {
    throw new Refusal(CODE.UNKNOWN_DATABASE,
      `Database ${hello.database} doesn't exist`, { fatal: true });
  }
}
