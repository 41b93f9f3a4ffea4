/*
 * errors.mjs: the refusals of the object store.
 *
 * Every refusal is a StoreError with an HTTP status, a code and a sentence.
 * The API side that serves the request (tos_api.mjs, s3_api.mjs) gives it the
 * outer form; names that differ between the two sides are translated there.
 * Statuses of the codes follow the table of the TOS documentation; where it
 * is silent, S3 is the model.
 */

const STATUS_OF_CODE = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  BadDigest: 400,
  ContentSHA256Mismatch: 400,
  DuplicateObject: 409,
  EntityTooLarge: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidKey: 400,
  InvalidPathAccess: 403,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidSecurityToken: 403,
  KeyTooLong: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
};

export class StoreError extends Error {
  constructor(status, code, message, headers = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/* A StoreError of a known code, with the status that belongs to it. */
export function refusal(code, message) {
  const status = STATUS_OF_CODE[code];

  if (status === undefined)
    throw new Error(`no status is known for code ${code}`);
  return new StoreError(status, code, message);
}

/* The client went away before the request was served: nobody to answer. */
export class ClientGone extends Error {
  constructor() {
    super('the client closed the connection');
  }
}
