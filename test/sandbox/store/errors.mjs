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
  EntityTooSmall: 400,
  ExpiredToken: 403,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidKey: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidPathAccess: 403,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidSecurityToken: 403,
  KeyTooLong: 400,
  MalformedBody: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
};

/* Where the S3 side has another one. */
const S3_STATUS_OF_CODE = { ExpiredToken: 400, InvalidSecurityToken: 400 };

/*
 * headers: to be sent along; details: further elements where the API side has
 * room for them; form: 'html' or 'empty' for an answer that is no document of
 * an API; s3Status: the status on the S3 side.
 */
export class StoreError extends Error {
  constructor(status, code, message, { headers = {}, details = {}, form = null, s3Status = status } = {}) {
    super(message);
    Object.assign(this, { status, code, headers, details, form, s3Status });
  }
}

/* A StoreError of a known code, with the status that belongs to it. */
export function refusal(code, message, more = {}) {
  const status = STATUS_OF_CODE[code];

  if (status === undefined)
    throw new Error(`no status is known for code ${code}`);
  return new StoreError(status, code, message, { s3Status: S3_STATUS_OF_CODE[code], ...more });
}

/* The client went away before the request was served: nobody to answer. */
export class ClientGone extends Error {
  constructor() {
    super('the client closed the connection');
  }
}
