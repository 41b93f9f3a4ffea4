/*
 * routing.mjs: which operation a request is.  Each has the name that the logs
 * show, the class (`op`) by which faults address it, and the action that a
 * policy allows or not; DeleteObjects is allowed key by key.
 */
import {
  deleteObjects, headBucket, listObjects, listUploads,
} from './bucket_operations.mjs';
import { refusal } from './errors.mjs';
import {
  abortUpload, completeUpload, createUpload, listParts, uploadPart,
} from './multipart_operations.mjs';
import { deleteObject, getObject, putObject } from './object_operations.mjs';

/* needs: parameters that make it this operation; takes: further ones. */
const BUCKET_OPERATIONS = [
  { method: 'HEAD', needs: [], takes: [], name: 'HeadBucket', op: 'HEAD', action: 'ListBucket', run: headBucket },
  {
    method: 'POST', needs: ['delete'], takes: [],
    name: 'DeleteObjects', op: 'DELETE_MANY', action: null, run: deleteObjects,
  },
  {
    method: 'GET', needs: ['uploads'],
    takes: ['prefix', 'max-uploads', 'key-marker', 'upload-id-marker', 'encoding-type'],
    name: 'ListMultipartUploads', op: 'LIST_UPLOADS', action: 'ListBucketMultipartUploads', run: listUploads,
  },
  {
    method: 'GET', needs: [], takes: null,
    name: 'ListObjectsV2', op: 'LIST', action: 'ListBucket', run: listObjects,
  },
];

const OBJECT_OPERATIONS = [
  {
    method: 'PUT', needs: ['uploadId', 'partNumber'], takes: [],
    name: 'UploadPart', op: 'PART', action: 'PutObject', run: uploadPart,
  },
  { method: 'PUT', needs: [], takes: [], name: 'PutObject', op: 'PUT', action: 'PutObject', run: putObject },
  {
    method: 'POST', needs: ['uploads'], takes: [],
    name: 'CreateMultipartUpload', op: 'CREATE', action: 'PutObject', run: createUpload,
  },
  {
    method: 'POST', needs: ['uploadId'], takes: [],
    name: 'CompleteMultipartUpload', op: 'COMPLETE', action: 'PutObject', run: completeUpload,
  },
  {
    method: 'GET', needs: ['uploadId'], takes: ['max-parts', 'part-number-marker', 'encoding-type'],
    name: 'ListParts', op: 'LIST_PARTS', action: 'ListMultipartUploadParts', run: listParts,
  },
  { method: 'GET', needs: [], takes: [], name: 'GetObject', op: 'GET', action: 'GetObject', run: getObject },
  { method: 'HEAD', needs: [], takes: [], name: 'HeadObject', op: 'HEAD', action: 'GetObject', run: getObject },
  {
    method: 'DELETE', needs: ['uploadId'], takes: [],
    name: 'AbortMultipartUpload', op: 'ABORT', action: 'AbortMultipartUpload', run: abortUpload,
  },
  {
    method: 'DELETE', needs: [], takes: [],
    name: 'DeleteObject', op: 'DELETE', action: 'DeleteObject', run: deleteObject,
  },
];

/* The AWS SDK names its operation in a parameter of no meaning. */
const IGNORED_PARAMETER = 'x-id';

/* query: Map of parameters; key '' is the bucket itself. */
export function routeOperation(method, key, query) {
  const table = key === '' ? BUCKET_OPERATIONS : OBJECT_OPERATIONS;
  const operation = table.find((one) => one.method === method
    && one.needs.every((name) => query.has(name)));

  if (operation === undefined)
    throw refusal('NotImplemented', `This ${method} on ${key === '' ? 'a bucket' : 'an object'} is not served here.`);
  if (operation.takes !== null)
    for (const name of query.keys())
      if (name !== IGNORED_PARAMETER && !operation.needs.includes(name) && !operation.takes.includes(name))
        throw refusal('NotImplemented', `${operation.name} with parameter '${name}' is not served here.`);
  return operation;
}
