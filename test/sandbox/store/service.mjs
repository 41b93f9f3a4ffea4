/*
 * service.mjs: the way of a request: target and host, API side, signature,
 * bucket and key, fault, operation. Each step either goes on or throws a
 * refusal, which is answered in the form of the API side.
 */
import {
  checkBucketName, checkKey, decodePath, parseTarget, splitTarget,
} from './addressing.mjs';
import { AWS4, TOS4, parseQuery } from './canonical.mjs';
import { ClientGone, StoreError, refusal } from './errors.mjs';
import { createAws4Judge } from './judge_aws4.mjs';
import { createTos4Judge } from './judge_tos4.mjs';
import { routeOperation } from './operations.mjs';
import { s3Api } from './s3_api.mjs';
import { tosApi } from './tos_api.mjs';

function algorithmOf(exchange) {
  return exchange.header('authorization')?.split(' ', 1)[0] ?? null;
}

/* Where the host leaves it open, the request tells which API it speaks. */
function chooseApi(exchange, resolved) {
  if (resolved.side !== null)
    return resolved.side === 's3' ? s3Api : tosApi;
  if (algorithmOf(exchange) === AWS4.algorithm)
    return s3Api;
  if (algorithmOf(exchange) === TOS4.algorithm)
    return tosApi;
  return [...exchange.headers.keys()].some((name) => name.startsWith(s3Api.headerPrefix))
    ? s3Api : tosApi;
}

export function createService({ config, addressing, objects, faults }) {
  const judges = {
    tos: { flavour: TOS4, judge: createTos4Judge(config) },
    s3: { flavour: AWS4, judge: createAws4Judge(config) },
  };

  async function judgeSignature(exchange, api, path, query) {
    const { flavour, judge } = judges[api.name];
    const algorithm = algorithmOf(exchange);

    if (algorithm === null)
      throw refusal('AccessDenied', 'The request has no authorization header.');
    if (algorithm === TOS4.algorithm || algorithm === AWS4.algorithm) {
      if (algorithm !== flavour.algorithm)
        throw refusal('SignatureDoesNotMatch',
          `This endpoint takes ${flavour.algorithm}, not ${algorithm}.`);
    } else
      throw refusal('AuthorizationHeaderMalformed',
        'The authorization algorithm is not known.');
    return judge(
      { method: exchange.method, path, query, headers: exchange.headers },
      exchange.record, Date.now());
  }

  async function applyFault(exchange, operation, subject) {
    const fault = faults.take(operation.op, subject);

    if (fault === null)
      return;
    exchange.record.fault = fault.id;
    if (fault.fault === 'error')
      throw new StoreError(fault.status, fault.code, fault.message,
        fault.retry_after === null ? {} : { 'retry-after': String(fault.retry_after) });
    if (operation.op === 'HEAD' || operation.op === 'DELETE')
      await exchange.hang();
    exchange.setPace(fault, operation.op === 'PUT' ? 'in' : 'out');
  }

  async function perform(exchange, api, resolved, target) {
    const record = exchange.record;
    const path = decodePath(target.rawPath);
    const query = parseQuery(target.rawQuery);
    const { bodyHash } = await judgeSignature(exchange, api, path, query);
    const { bucket, key } = splitTarget(resolved, path);

    record.bucket = bucket;
    record.key = key;
    checkBucketName(bucket);
    objects.checkBucket(bucket);
    checkKey(key);

    const parameters = new Map(query);
    const operation = routeOperation(exchange.method, key, parameters);

    record.operation = operation.name;
    await applyFault(exchange, operation,
      operation.op === 'LIST' ? parameters.get('prefix') ?? '' : key);
    await operation.run({
      exchange, objects, api, config, bucket, key, query: parameters, bodyHash,
    });
  }

  async function answerError(exchange, api, error) {
    const record = exchange.record;

    if (error instanceof ClientGone || exchange.answering) {
      if (!(error instanceof ClientGone))
        console.error('store: cannot finish an answer:', error);
      exchange.abandon('ClientGone');
      return;
    }
    if (!(error instanceof StoreError)) {
      console.error('store: internal error:', error);
      error = refusal('InternalError', 'The store failed; see its standard error.');
    }

    const { headers, body } = api.renderError(error, record);

    record.code = api.codeName(error.code);
    record.message = error.message;
    await exchange.reply(error.status, { ...api.commonHeaders(record), ...headers }, body);
  }

  /* Serve one exchange to its end; never throws. */
  return async function serve(exchange, url) {
    const record = exchange.record;
    const target = parseTarget(url);
    const host = exchange.header('host') ?? '';
    const sameHost = target.authority === null
      || target.authority.toLowerCase() === host.toLowerCase();
    const resolved = sameHost ? addressing.resolveHost(host) : null;

    record.path = target.rawPath;
    record.query = target.rawQuery;
    if (resolved === null) {
      record.code = 'HostNotPlayed';
      await exchange.reply(403, { 'content-type': 'text/plain' },
        Buffer.from('this host is not played here\n'));
      return;
    }

    const api = chooseApi(exchange, resolved);

    record.api = api.name;
    try {
      await perform(exchange, api, resolved, target);
    } catch (error) {
      try {
        await answerError(exchange, api, error);
      } catch {
        exchange.abandon('ClientGone');
      }
    }
  };
}
