import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';

import { livePage } from '../../cli/ui/livePage.ts';
import { type Act, type LiveServer, serveUi } from '../../cli/ui/uiServer.ts';
import type { WukongState } from '../../shared/entry/state.ts';
import { simulate } from './simulated.ts';

const token = 'a-token';
const done: Act[] = [];
const open: LiveServer[] = [];
afterEach(async () => {
  done.length = 0;
  for (const server of open.splice(0)) await server.close();
});

async function served() {
  const act = async (wish: Act) => (done.push(wish), 'team-a/web Stopped');
  const server = await serveUi({ page: livePage('https://cluster'), token, port: 0, act });
  open.push(server);
  const { origin } = new URL(server.url);
  const wish = { action: 'stop', namespace: 'team-a', name: 'web' };
  const post = (headers: Record<string, string>, body: unknown = wish) =>
    request(`${origin}/act`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { server, origin, post, host: new URL(server.url).host };
}
const proof = { authorization: `Bearer ${token}` };

describe('the page of one’s own', () => {
  it('is had with the token of the URL alone, on 127.0.0.1', async () => {
    const { server, origin } = await served();
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=a-token$/);
    const page = await request(server.url);
    expect([page.statusCode, await page.body.text()]).toMatchObject([
      200,
      expect.stringContaining('connect-src &#39;self&#39;'),
    ]);
    for (const path of ['/', '/?token=other', '/events', '/events?token=']) {
      const { statusCode, body } = await request(`${origin}${path}`);
      await body.text();
      expect(statusCode, path).toBe(403);
    }
  });

  it('does what is asked with the token, from its own page', async () => {
    const { post, origin } = await served();
    const answer = await post({ ...proof, origin });
    expect([answer.statusCode, await answer.body.json()]).toEqual([200, { says: 'team-a/web Stopped' }]);
    expect(done).toEqual([{ action: 'stop', namespace: 'team-a', name: 'web', for: '1h' }]);
  });

  it.each([
    ['another site', { ...proof, origin: 'https://evil.example' }, 403],
    ['a page without an origin', { ...proof, origin: 'null' }, 403],
    ['a name that was rebound to 127.0.0.1', { ...proof, host: 'evil.example' }, 421],
    ['nobody that has the token', {}, 403],
  ])('refuses %s', async (_what, headers, status) => {
    const { post } = await served();
    const answer = await post(headers as Record<string, string>);
    await answer.body.text();
    expect(answer.statusCode).toBe(status);
    expect(done).toEqual([]);
  });

  it.each([
    { action: 'explode', namespace: 'team-a', name: 'web' },
    { action: 'stop', namespace: 'team-a', name: '--all-namespaces' },
    { action: 'keep running', namespace: 'team-a', name: 'web', for: '1h --context=other' },
    'stop',
    { action: 'stop', namespace: 'team-a', name: 'x'.repeat(10_000) },
  ])('understands no %j', async (body) => {
    const { post } = await served();
    const answer = await post(proof, body);
    await answer.body.text();
    expect(answer.statusCode).toBe(400);
    expect(done).toEqual([]);
  });

  it('is told what has changed, and no more', async () => {
    const { server } = await served();
    const state = (name: string, is: WukongState['state']): WukongState => ({
      ...{ namespace: 'team-a', name, state: is, vm: { name: `${name}-vm` } },
    });
    server.show([state('a', 'Running'), state('b', 'Running')], []);
    const { body } = await request(server.url.replace('/?', '/events?'));
    const said: string[] = [];
    const reading = (async () => {
      for await (const part of body as AsyncIterable<Buffer>) {
        said.push(part.toString('utf8'));
        if (said.length === 2) return;
      }
    })();
    while (said.length === 0) await new Promise((next) => setImmediate(next));
    server.show([state('a', 'Running'), state('b', 'Stopped')], [{ namespace: 'team-a', name: 'c' }]);
    await reading;
    expect(said[0]).toContain('"name":"a"');
    expect(said[0]).toContain('"whole":true');
    expect(said[0]).toContain('The last start or stop of every VM went well.');
    expect(said[1]).toContain('stopped'); // of what stands around the lines only what has changed
    expect(said[1]).not.toContain('The last start or stop of every VM went well.');
    expect(said[1]).not.toContain('"name":"a"');
    expect(said[1]).toContain('"state":"Stopped"');
    expect(said[1]).toContain('"gone":["team-a/c"]');
  });

  it('says that there is no VM when the VMs have been read, not when only the runs have', async () => {
    const { server } = await served();
    const first = async () => {
      const { body } = await request(server.url.replace('/?', '/events?'));
      for await (const part of body as AsyncIterable<Buffer>) return part.toString('utf8');
      return '';
    };
    server.showRuns({ runs: [] });
    expect(await first()).not.toContain('There is nothing to show yet');
    server.show([], []);
    expect(await first()).toContain('There is nothing to show yet');
  });

  it('stops a VM of the cluster, in the words of the command line', { timeout: 60_000 }, async () => {
    const sim = await simulate();
    try {
      const running = sim.start('ui -A');
      const url = await running.says(/^http:\/\/127/);
      const post = async (wish: object) => {
        const headers = { authorization: `Bearer ${new URL(url).searchParams.get('token')}` };
        const answer = await request(new URL('/act', url), { method: 'POST', headers, body: JSON.stringify(wish) });
        return ((await answer.body.json()) as { says: string }).says;
      };
      const web = { namespace: 'demo-a', name: 'shop' };
      expect(await post({ ...web, action: 'stop' })).toMatch(/demo-a\/shop Stopped/);
      expect(await post({ ...web, action: 'keep running', for: '2h' })).toMatch(/demo-a\/shop: kept running until/);
      expect(await post({ ...web, action: 'clear' })).toMatch(/its schedules rule again/);
      expect(await post({ ...web, name: 'nobody', action: 'stop' })).toMatch(/nobody/);
      running.child.kill('SIGINT');
      expect((await running.done).code).toBe(0);
    } finally {
      await sim.close();
    }
  });
});
