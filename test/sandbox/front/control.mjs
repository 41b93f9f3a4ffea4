/*
 * control.mjs: the front's own statements to ClickHouse, over HTTP.
 *
 * What a client asked for goes through its upstream session; this is for the
 * front's bookkeeping and for the last steps of a load.
 */
import { CODE, Refusal } from './errors.mjs';

export class Control {
  constructor(upstream) {
    this.url = `http://${upstream.host}:${upstream.httpPort}/` +
      '?wait_end_of_query=1';
    this.headers = {
      'X-ClickHouse-User': upstream.user,
      'X-ClickHouse-Key': upstream.password,
    };
  }

  /* Runs a statement; throws a Refusal with the server's code and text. */
  async run(sql) {
    let response;
    let text;
    try {
      response = await fetch(this.url,
        { method: 'POST', body: sql, headers: this.headers });
      text = await response.text();
    } catch (error) {
      throw new Refusal(CODE.NETWORK_ERROR,
        `the server can't be reached: ${error.message}`);
    }
    if (!response.ok) {
      const match = /^Code: (\d+)\. DB::Exception: ([\s\S]*)$/.exec(text);
      throw new Refusal(match === null ? 0 : Number(match[1]),
        match === null ? text : match[2].trim());
    }
    return text;
  }

  /* The rows of a SELECT, as arrays. */
  async rows(sql) {
    return JSON.parse(await this.run(`${sql} FORMAT JSONCompact`)).data;
  }
}
