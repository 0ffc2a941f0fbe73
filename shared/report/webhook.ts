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
export function webhookTo({ url, format, clock, log, metrics, cluster }: Options): Webhook {
  const body = format === 'slack' ? slackOf : cloudEventOf;
  const type = format === 'slack' ? 'application/json' : 'application/cloudevents+json; charset=utf-8';
  let waiting: Notice[] = [];
  let failed = { count: 0, inARow: 0, why: '' };
  let running = 0;
  let onIdle = () => {};
  let gaveUp = new AbortController();
  let host: string | undefined;

  const miss = (count: number, why: string) => {
    failed = { count: failed.count + count, inARow: failed.inARow + 1, why: failed.why || why };
    if (failed.inARow >= patience) failed.count += waiting.splice(0).length;
  };

  async function work(): Promise<void> {
    running++;
    for (let notice = waiting.shift(); notice; notice = waiting.shift()) {
      const { signal } = gaveUp;
      const problem = await insist(JSON.stringify(body(notice, cluster)));
      if (problem === undefined) failed.inARow = 0;
      else if (!signal.aborted) miss(1, problem); // else it is counted already
    }
    running--;
    if (running === 0) onIdle();
  }

  /** What went wrong, for people; undefined where it was taken. */
  async function insist(text: string): Promise<string | undefined> {
    for (let attempt = 1; ; attempt++) {
      const { problem, again } = await send(text);
      if (problem === undefined || !again || attempt === attempts || gaveUp.signal.aborted) return problem;
      await sleep(clock, 250 * 2 ** attempt, gaveUp.signal).catch(() => {});
    }
  }

  async function send(text: string): Promise<{ problem?: string; again?: boolean }> {
    const late = () => new Error(`no answer within ${answerMs / 1000} s`);
    const limit = bounded(clock, { deadline: clock.now() + answerMs, signal: gaveUp.signal }, late);
    try {
      const headers = { 'content-type': type };
      const to = await url();
      host = URL.parse(to)?.host;
      const answer = await fetch(to, {
        method: 'POST',
        headers,
        body: text,
        redirect: 'manual',
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

  return {
    put(notice) {
      if (waiting.length >= mostWaiting) return miss(1, 'too many at once');
      waiting.push(notice);
      if (running < atOnce) void work();
    },
    async flush(deadline) {
      const idle = () => heard(clock, (call) => ((onIdle = call), () => (onIdle = () => {})), { deadline });
      if (running > 0 && !(await idle())) {
        failed.count += waiting.length + running;
        failed.why ||= 'the time was up';
        waiting = [];
        gaveUp.abort(new Error('given up'));
      }
      gaveUp = gaveUp.signal.aborted ? new AbortController() : gaveUp;
      metrics.count('NoticesLost', failed.count);
      const problem = plain(failed.why);
      if (failed.count > 0) log.warn(`the webhook did not take ${failed.count} notices`, { host, problem });
      failed = { count: 0, inARow: 0, why: '' };
    },
  };
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
