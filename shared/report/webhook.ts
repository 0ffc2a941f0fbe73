import type { Log, Metrics, Notice, Webhook } from '../cluster/world.ts';
import { type Clock, rfc3339 } from '../time/clock.ts';
import { bounded, heard, sleep } from '../time/wait.ts';
import { source } from './bus.ts';
import { plain } from './plain.ts';

interface Options {
  /** Asked for when there is something to send. */
  url: () => Promise<string> | string;
  format: 'cloudevents' | 'slack';
  clock: Clock;
  log: Log;
  metrics: Metrics;
  /** Where several clusters tell the same receiver. */
  cluster?: string | undefined;
}

const atOnce = 4;
const attempts = 3;
const answerMs = 3_000;
/** More than so many that wait are not kept: a receiver that is down must cost no memory. */
const mostWaiting = 200;
/** After so many in a row that did not arrive the others of this tick are given up. */
const patience = 3;

/**
 * Sends notices by HTTP POST, in the background: CloudEvents in structured mode (HTTP binding 1.0), or as Slack takes
 * them. One that is not taken (network, 408, 429, 5xx) is tried again, three times in all; a redirect is not followed,
 * as the secret in the address is for one host. What did not arrive is told once, at `flush`, without the address.
 */
export function webhookTo(options: Options): Webhook {
  const sender = new Sender(options);
  return { put: (notice) => sender.put(notice), flush: (deadline) => sender.flush(deadline) };
}

class Sender implements Webhook {
  readonly #options: Options;
  #waiting: Notice[] = [];
  #failed = { count: 0, inARow: 0, why: '' };
  #running = 0;
  #onIdle = () => {};
  #gaveUp = new AbortController();
  #host: string | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  put(notice: Notice): void {
    if (this.#waiting.length >= mostWaiting) return this.#miss(1, 'too many at once');
    this.#waiting.push(notice);
    if (this.#running < atOnce) void this.#work();
  }

  async flush(deadline: number): Promise<void> {
    const { clock, log, metrics } = this.#options;
    const idle = () => heard(clock, (call) => ((this.#onIdle = call), () => (this.#onIdle = () => {})), { deadline });
    if (this.#running > 0 && !(await idle())) {
      this.#failed.count += this.#waiting.length + this.#running;
      this.#failed.why ||= 'the time was up';
      this.#waiting = [];
      this.#gaveUp.abort(new Error('given up'));
    }
    if (this.#gaveUp.signal.aborted) this.#gaveUp = new AbortController();
    const { count, why } = this.#failed;
    metrics.count('NoticesLost', count);
    if (count > 0) log.warn(`the webhook did not take ${count} notices`, { host: this.#host, problem: plain(why) });
    this.#failed = { count: 0, inARow: 0, why: '' };
  }

  #miss(count: number, why: string): void {
    const { count: before, inARow, why: first } = this.#failed;
    this.#failed = { count: before + count, inARow: inARow + 1, why: first || why };
    if (this.#failed.inARow >= patience) this.#failed.count += this.#waiting.splice(0).length;
  }

  async #work(): Promise<void> {
    const { format, cluster } = this.#options;
    const body = format === 'slack' ? slackOf : cloudEventOf;
    this.#running++;
    for (let notice = this.#waiting.shift(); notice; notice = this.#waiting.shift()) {
      const { signal } = this.#gaveUp;
      const problem = await this.#insist(JSON.stringify(body(notice, cluster)));
      if (problem === undefined) this.#failed.inARow = 0;
      else if (!signal.aborted) this.#miss(1, problem); // else it is counted already
    }
    this.#running--;
    if (this.#running === 0) this.#onIdle();
  }

  /** What went wrong, for people; undefined where it was taken. */
  async #insist(text: string): Promise<string | undefined> {
    for (let attempt = 1; ; attempt++) {
      const { problem, again } = await this.#send(text);
      if (problem === undefined || !again || attempt === attempts || this.#gaveUp.signal.aborted) return problem;
      await sleep(this.#options.clock, 250 * 2 ** attempt, this.#gaveUp.signal).catch(() => {});
    }
  }

  async #send(text: string): Promise<{ problem?: string; again?: boolean }> {
    const { clock, format, url } = this.#options;
    const type = format === 'slack' ? 'application/json' : 'application/cloudevents+json; charset=utf-8';
    const late = () => new Error(`no answer within ${answerMs / 1000} s`);
    const limit = bounded(clock, { deadline: clock.now() + answerMs, signal: this.#gaveUp.signal }, late);
    try {
      const to = await url();
      this.#host = URL.parse(to)?.host;
      const answer = await fetch(to, {
        ...{ method: 'POST', headers: { 'content-type': type }, body: text, redirect: 'manual' },
        signal: limit.signal,
      });
      await answer.body?.cancel();
      if (answer.ok) return {};
      const again = answer.status >= 500 || answer.status === 429 || answer.status === 408;
      return { problem: `it answered ${answer.status}`, again };
    } catch (thrown) {
      const { message, cause } = thrown as Error & { cause?: { code?: string } };
      return { problem: cause?.code ?? message, again: true };
    } finally {
      limit.done();
    }
  }
}

const cloudEventOf = ({ id, type, subject, time, detail }: Notice, cluster: string | undefined) => ({
  specversion: '1.0',
  id,
  source: cluster === undefined ? `/${source}` : `/${source}/${cluster}`,
  type,
  subject,
  time: rfc3339(time),
  datacontenttype: 'application/json',
  data: detail,
});

/** Names and messages are of others' making: they must not look like a mention or a link. */
const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const longestText = 3_000;

const slackOf = ({ text }: Notice, cluster: string | undefined) => {
  const shown = plain(cluster === undefined ? text : `[${cluster}] ${text}`).slice(0, longestText);
  return { text: shown.replace(/[&<>]/g, (char) => escapes[char]!) };
};
