/*
 * login.mjs: judges a Hello.
 */
import { CODE, Refusal } from './errors.mjs';

/* The user; throws what the client is answered in place of a Hello. */
export async function checkLogin(world, hello) {
  const user = world.users.authenticate(hello);
  if (hello.database !== '' &&
      !await world.catalog.databaseExists(hello.database)) {
    throw new Refusal(CODE.UNKNOWN_DATABASE,
      `Database ${hello.database} doesn't exist`, { fatal: true });
  }
  return user;
}
