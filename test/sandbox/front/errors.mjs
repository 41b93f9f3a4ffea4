/*
 * errors.mjs: what can go wrong, by the numbers a client sees (bytehouse
 * facts 7).
 *
 * A Refusal is an exception the front itself raises.  A fatal one ends the
 * connection as well: after it, the stream can't be trusted.
 */
export const CODE = {
  BAD_ARGUMENTS: 36,
  NUMBER_OF_ARGUMENTS: 42,
  UNKNOWN_FUNCTION: 46,
  NOT_IMPLEMENTED: 48,
  LOGICAL_ERROR: 49,
  UNKNOWN_TYPE: 50,
  TYPE_MISMATCH: 53,
  UNKNOWN_STORAGE: 56,
  UNKNOWN_TABLE: 60,
  SYNTAX_ERROR: 62,
  UNKNOWN_DATABASE: 81,
  UNKNOWN_PACKET: 99,
  UNEXPECTED_PACKET: 101,
  UNKNOWN_SETTING: 115,
  ENGINE_REQUIRED: 119,
  NETWORK_ERROR: 210,
  QUERY_WAS_CANCELLED: 394,
  UNACCEPTABLE_URL: 491,
  ACCESS_DENIED: 497,
  S3_ERROR: 499,
  AUTHENTICATION_FAILED: 516,
  KEY_TYPE: 549,
  FILE_NOT_FOUND: 882,
  POCO_EXCEPTION: 1000,
  WAREHOUSE_NOT_FOUND: 5025,
  NO_AVAILABLE_WORKER: 7107,
};

export class Refusal extends Error {
  constructor(code, message, { fatal = false } = {}) {
    super(message);
    this.code = code;
    this.fatal = fatal;
  }
}

/* The client broke the protocol: tell it and hang up. */
export function protocolError(code, message) {
  return new Refusal(code, message, { fatal: true });
}

/* What the front's own world does not include. */
export function notPlayed(what) {
  return new Refusal(CODE.NOT_IMPLEMENTED,
    `the sandbox's front does not play this: ${what}`);
}
