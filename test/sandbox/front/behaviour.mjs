/*
 * behaviour.mjs: switches for the whole front.
 *
 *   edition	"cloud", or "enterprise": a server that does not know what is
 *				ByteHouse Cloud's own
 *   revision	what the front announces on new connections, from 54406 to 54451
 */
import { MIN_REVISION, SERVER_REVISION } from './client_packets.mjs';
import { CODE, Refusal } from './errors.mjs';
import { isOwnSetting } from './settings.mjs';
import { isSymbol, isWord, tokenize } from './tokens.mjs';

const EDITIONS = ['cloud', 'enterprise'];

export class Behaviour {
  constructor(config) {
    this.config = config;
    this.reset();
  }

  reset() {
    this.edition = this.config.edition ?? 'cloud';
    this.revision = this.config.revision ?? SERVER_REVISION;
  }

  set(wish) {
    const { edition = this.edition, revision = this.revision, ...rest } =
      wish ?? {};
    if (Object.keys(rest).length > 0 || !EDITIONS.includes(edition)) {
      throw new Error('there are "edition" (cloud, enterprise) and "revision"');
    }
    if (!Number.isSafeInteger(revision) || revision < MIN_REVISION ||
        revision > SERVER_REVISION) {
      throw new Error(
        `"revision" is from ${MIN_REVISION} to ${SERVER_REVISION}`);
    }
    this.edition = edition;
    this.revision = revision;
  }

  list() {
    return { edition: this.edition, revision: this.revision };
  }
}

function isUnknown(name) {
  return isOwnSetting(name) && name !== 'skip_history';
}

function unknownSetting(name) {
  return new Refusal(CODE.UNKNOWN_SETTING, `Unknown setting ${name}`);
}

/* What a server of another edition says of a statement meant for the cloud. */
export function refuseCloudOnly(sql, packetSettings) {
  const sent = packetSettings.find(({ name, important }) =>
    important && isUnknown(name));
  if (sent !== undefined) {
    throw unknownSetting(sent.name);
  }
  const tokens = tokenize(sql);
  tokens.forEach((token, i) => {
    if (token.kind === 'word' && isUnknown(token.value) &&
        isSymbol(tokens[i + 1], '=') &&
        (isWord(tokens[i - 1], 'SET', 'SETTINGS') ||
         isSymbol(tokens[i - 1], ','))) {
      throw unknownSetting(token.value);
    }
    if (isWord(token, 'CNCHS3') && isSymbol(tokens[i + 1], '(')) {
      throw new Refusal(CODE.UNKNOWN_FUNCTION,
        `Unknown table function ${token.text}`);
    }
  });
  if (isWord(tokens[0], 'INSERT') && isWord(tokens[1], 'OVERWRITE')) {
    throw new Refusal(CODE.SYNTAX_ERROR, 'Syntax error: failed at position ' +
      `${tokens[1].start + 1} (OVERWRITE)`);
  }
  /* The columns of a table are looked at before its engine. */
  if (tokens.some((token) => isWord(token, 'JSONB'))) {
    throw new Refusal(CODE.UNKNOWN_TYPE, 'Unknown data type family: JSONB');
  }
  if (tokens.some((token) => isWord(token, 'CNCHMERGETREE'))) {
    throw new Refusal(CODE.UNKNOWN_STORAGE,
      'Unknown table engine CnchMergeTree');
  }
}
