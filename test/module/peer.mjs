/*
 * peer.mjs: an HTTP server that does what it is asked to, for the tests of the
 * HTTP engine.
 *
 *   node peer.mjs        prints its port; ends with its standard input
 *
 *   GET  /hello          "hello", header X-Test
 *   GET  /meet?N         answers when N such requests are there, with how many
 *                        connections there have been
 *   GET  /delay?MS       answers after that time
 *   GET  /hang           never answers
 *   GET  /big?N          N bytes
 *   GET  /endless        more and more bytes
 *   GET  /redirect       302 to /hello
 *   GET  /cut            ends in the middle of its body
 *   GET  /drop           ends without an answer
 *   PUT  /count          "N right", if the N bytes are the alphabet repeated
 *   PUT  /refuse         403, and does not take the body
 *   PUT  /stall          takes a little of the body, then nothing
 *   GET  /open           how many requests are unanswered, this one left out
 *                        and those that stall: nobody reads that these are gone
 */
import http from 'node:http';

let nConnections = 0;
let nOpen = 0;
let meeting = [];

function isAlphabet(chunk, offset) {
  for (let i = 0; i < chunk.length; i += 1)
    if (chunk[i] !== 97 + ((offset + i) % 26))
      return false;
  return true;
}

function count(request, response) {
  let n = 0;
  let right = true;

  request.on('data', (chunk) => {
    right = right && isAlphabet(chunk, n);
    n += chunk.length;
  });
  request.on('end', () => response.end(`${n} ${right ? 'right' : 'wrong'}`));
}

function meet(n, response) {
  meeting.push(response);
  if (meeting.length < n)
    return;
  for (const one of meeting)
    one.end(`${nConnections}`);
  meeting = [];
}

function pour(response) {
  const chunk = Buffer.alloc(65536, 'x');

  response.on('error', () => {});
  (function more() {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed)
      response.once('drain', more);
  }());
}

const replies = {
  '/hello': (request, response) => response.setHeader('X-Test', 'world') && response.end('hello'),
  '/meet': (request, response, n) => meet(n, response),
  '/delay': (request, response, n) => setTimeout(() => response.end('late'), n),
  '/hang': () => {},
  '/big': (request, response, n) => response.end(Buffer.alloc(n, 'x')),
  '/endless': (request, response) => pour(response),
  '/redirect': (request, response) => response.writeHead(302, { Location: '/hello' }).end(),
  '/cut': (request, response) => {
    response.writeHead(200, { 'Content-Length': 100 });
    response.write('only this', () => request.socket.destroy());
  },
  '/drop': (request) => request.socket.destroy(),
  '/count': count,
  '/stall': (request) => request.once('data', () => request.pause()),
  '/open': (request, response) => response.end(`${nOpen - 1}`),
};

function serve(request, response) {
  const [path, argument] = request.url.split('?');
  const weight = path === '/stall' ? 0 : 1;

  nOpen += weight;
  response.on('close', () => {
    nOpen -= weight;
    meeting = meeting.filter((one) => one !== response);
  });
  replies[path](request, response, Number(argument));
}

const server = http.createServer(serve);

server.on('connection', (socket) => {
  nConnections += 1;
  socket.on('error', () => {});
});
server.on('checkContinue', (request, response) => {
  if (request.url === '/refuse') {
    response.writeHead(403).end('no');
    return;
  }
  response.writeContinue();
  serve(request, response);
});
server.keepAliveTimeout = 60000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
