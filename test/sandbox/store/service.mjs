/*
 * service.mjs: the way of a request: target and host, API side, signature,
 * bucket and key, policy, fault, operation. Each step either goes on or throws a
 * refusal, which is answered in the form of the API side.
 */
import { checkAllowed } from './access.mjs';
import {
  checkBucketName, checkKey, decodePath, parseTarget, splitTarget,
} from './addressing.mjs';
import { AWS4, TOS4, parseQuery } from './canonical.mjs';
import { ClientGone, StoreError, refusal } from './errors.mjs';
import { OTHER_BODIES, strike } from './fault_effects.mjs';
import { createAws4Judge } from './judge_aws4.mjs';
import { createTos4Judge } from './judge_tos4.mjs';
import { routeOperation } from './routing.mjs';
import { s3Api } from './s3_api.mjs';
import { tosApi } from './tos_api.mjs';

const MAX_LOGGED_MESSAGE = 1000;

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

export function createService({ config, addressing, objects, faults, access, sinks, behaviour }) {
  const rules = { region: config.region, findKey: access.find };
  const judges = {
    tos: { flavour: TOS4, judge: createTos4Judge(rules) },
    s3: { flavour: AWS4, judge: createAws4Judge(rules) },
  };

  async function judgeSignature(exchange, api, path, query) {
    const { flavour, judge } = judges[api.name];
    const algorithm = algorithmOf(exchange);

    if (algorithm === null)
      throw refusal('AccessDenied', 'The request has no authorization header.');
    exchange.record.signing = algorithm.slice(0, 4);
    if (algorithm === TOS4.algorithm || algorithm === AWS4.algorithm) {
      if (algorithm !== flavour.algorithm)
        throw refusal('SignatureDoesNotMatch',
          `This endpoint takes ${flavour.algorithm}, not ${algorithm}.`);
    } else
      throw refusal('AuthorizationHeaderMalformed',
        'The authorization algorithm is not known.');
    return judge(
      { method: exchange.method, path, query, headers: exchange.headers },
      exchange.record, behaviour.now());
  }

  async function perform(exchange, api, resolved, target) {
    const record = exchange.record;
    const path = decodePath(target.rawPath);
    const query = parseQuery(target.rawQuery);
    const { bodyHash, accessKey } = await judgeSignature(exchange, api, path, query);
    const { bucket, key } = splitTarget(resolved, path, behaviour.pathStyle);

    record.bucket = bucket;
    record.key = key;
    checkBucketName(bucket);
    objects.checkBucket(bucket);
    checkKey(key);

    const parameters = new Map(query);
    const operation = routeOperation(exchange.method, key, parameters);
    const subject = key === '' ? parameters.get('prefix') ?? '' : key;
    const allow = (action, about) => checkAllowed(accessKey, action, bucket, about);

    record.operation = operation.name;
    if (operation.action !== null)
      allow(operation.action, operation.name === 'HeadBucket' ? accessKey.prefix : subject);

    const fault = faults.take(operation.op, subject, Number(parameters.get('partNumber')));

    if (fault !== null)
      await strike(fault, exchange, operation.op);
    await operation.run({
      exchange, objects, api, config, behaviour, bucket, key, query: parameters, bodyHash, allow,
      storage: sinks.storageFor(bucket, key),
      /* a document, as an API side renders them */
      reply: ({ headers, body }) => exchange.reply(200, { ...api.commonHeaders(record), ...headers }, body),
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

    record.code = api.codeName(error.code);
    record.message = error.message.slice(0, MAX_LOGGED_MESSAGE);
    if (error.form === 'html') {
      const { headers, body } = OTHER_BODIES.html;

      await exchange.reply(error.status, { ...headers, ...error.headers }, body);
      return;
    }

    const { headers, body } = error.form === 'empty'
      ? { ...OTHER_BODIES.empty, headers: error.headers } : api.renderError(error, record);

    await exchange.reply(api.statusOf(error), { ...api.commonHeaders(record), ...headers }, body);
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
