/*
 * query.mjs: sends one statement to the sandbox's ClickHouse over HTTP.
 *
 * usage: node query.mjs PORT USER PASSWORD SQL
 *
 * Prints the result as TabSeparated.  Exit code 1 and the server's text on
 * stderr when the statement fails; 2 when the server can't be reached.
 */
const [port, user, password, sql] = process.argv.slice(2);
let response;

try {
  response = await fetch(`http://127.0.0.1:${port}/?wait_end_of_query=1`, {
    method: 'POST',
    body: sql,
    headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password },
  });
} catch (error) {
  process.stderr.write(`could not reach the server: ${error.message}\n`);
  process.exit(2);
}
const text = await response.text();
if (response.ok) {
  process.stdout.write(text);
} else {
  process.stderr.write(text);
  process.exitCode = 1;
}
