import { pathToFileURL } from 'node:url';

import { beforeAll, expect, test } from 'vitest';

import { bundle } from '../../infra/aws/bundle/bundle.ts';
import type { agentsFor } from '../../shared/cluster/agent.ts';
import type { request } from '../../shared/cluster/undici.ts';
import { parseCron } from '../../shared/time/cron.ts';

let bundled: { parseCron: typeof parseCron; agentsFor: typeof agentsFor; request: typeof request };
beforeAll(async () => {
  const parts = ['parseCron } from "./shared/time/cron.ts"', 'agentsFor } from "./shared/cluster/agent.ts"'];
  const code = [...parts, 'request } from "./shared/cluster/undici.ts"'].map((part) => `export { ${part};`).join('\n');
  bundled = (await import(/* @vite-ignore */ pathToFileURL(await bundle({ code })).href)) as typeof bundled;
}, 30_000);

test('a function reads crons as the command line does, though its bundle leaves out what cron-parser steps by', () => {
  for (const text of ['0 8 * * 1-5', '*/15 8-10 1,15 JAN MON', '0 8 L * *', '0 8 * * FRI#L,MON#1', '0 0 29 2 *'])
    expect(bundled.parseCron(text)).toEqual(parseCron(text));
  expect(() => bundled.parseCron('0 0 31 2 *')).toThrow('never happens');
  expect(() => bundled.parseCron('0 8 * * 0,7')).toThrow('names a value twice');
});

test.each([undefined, 'http://127.0.0.1:9', 'socks5://127.0.0.1:9'])(
  'a function asks the cluster by the proxy %s, though its bundle leaves out most of undici',
  async (proxy) => {
    const { calls } = await bundled.agentsFor({}, proxy);
    const asked = bundled.request('https://127.0.0.1:9/version', { dispatcher: calls });
    await expect(asked).rejects.toThrow(/ECONNREFUSED/);
    await calls.destroy();
  },
);
