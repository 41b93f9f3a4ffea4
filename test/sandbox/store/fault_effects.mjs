/*
 * fault_effects.mjs: what a fault does to a request before its operation; what
 * it does to the body and to the answer is done by the exchange.
 */
import { StoreError } from './errors.mjs';
import { bodyDirection } from './faults.mjs';

const BIG_MESSAGE = 'x'.repeat(1024 * 1024);

const PAGE = `<!DOCTYPE html>
<html><head><title>Bad Gateway</title></head>
<body><h1>Bad Gateway</h1><p>{"Code":"this is a page of something in between"}</p></body></html>
`;

/* The answers that are neither JSON nor XML, as { headers, body }. */
export const OTHER_BODIES = {
  html: { headers: { 'content-type': 'text/html' }, body: Buffer.from(PAGE) },
  empty: { headers: {}, body: Buffer.alloc(0) },
};

async function refuse(fault, exchange) {
  if (fault.read_body)
    for await (const _ of exchange.body());
  throw new StoreError(fault.status, fault.code, fault.body === 'big' ? BIG_MESSAGE : fault.message, {
    headers: fault.retry_after === null ? {} : { 'retry-after': String(fault.retry_after) },
    form: fault.body,
  });
}

/* Throws, never returns, or prepares the exchange. */
export async function strike(fault, exchange, op) {
  exchange.record.fault = fault.id;
  switch (fault.fault) {
    case 'error':
      await refuse(fault, exchange);
      break;
    case 'drop':
      exchange.cut('FaultDrop');
      break;
    case 'delay':
      await exchange.wait(fault.ms);
      break;
    case 'hang':
      if (bodyDirection(op) === null)
        await exchange.hang();
      exchange.setPace(fault, bodyDirection(op));
      break;
    case 'slow':
      exchange.setPace(fault, bodyDirection(op));
      break;
    case 'truncate_request':
      if (bodyDirection(op) !== 'in')
        exchange.cut('FaultTruncateRequest');
      exchange.setPace(fault, 'in');
      break;
    default:
      exchange.setReplyFault(fault);
  }
}
