import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** util-linux: every Linux has it, and it needs no package. */
const script = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;
if (!script) console.error('The terminal tests need `script` of util-linux, which is not here.');

let sim: Simulated;
beforeAll(async () => {
  if (script) sim = await simulate();
});
afterAll(() => sim?.close());

/** Runs `wukong`, wrapper and all, in a pseudo-terminal of its own. */
function terminal(words: string, env: Record<string, string> = {}) {
  const { NO_COLOR: _colour, ...clean } = process.env;
  const wukong = `stty cols 100 rows 30; exec "$NODE" cli/wukong.mjs ${words}`;
  const child = spawn('script', ['-qefc', wukong, '/dev/null'], {
    env: {
      ...clean,
      TERM: 'xterm-256color',
      KUBECONFIG: sim.kubeconfig,
      SHELL: '/bin/sh',
      NODE: process.execPath,
      ...env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    for (const look of waiting) look();
  });
  const done = once(child, 'close').then(([code]) => ({ code: code as number, screen }));
  return {
    done,
    type: (keys: string) => child.stdin.write(keys),
    shows: (pattern: RegExp) =>
      new Promise<void>((found, missing) => {
        const look = () => pattern.test(screen) && found();
        waiting.add(look);
        look();
        void done.then(() => missing(new Error(`ended without showing ${pattern}: ${screen}`)));
      }),
  };
}

describe.skipIf(!script && process.platform !== 'linux')('in a terminal', () => {
  it('has `script` of util-linux to make one', () => expect(script).toBe(true));

  it('colours tables, but not with NO_COLOR', async () => {
    const [plain, coloured] = await Promise.all([
      terminal('state -n demo-a', { NO_COLOR: '1' }).done,
      terminal('state -n demo-a').done,
    ]);
    expect([plain.code, coloured.code]).toEqual([0, 0]);
    expect(plain.screen).not.toContain('\u001b');
    expect(coloured.screen).toMatch(/web +\u001b\[32mRunning/);
  });

  it('shows what each VM waits for while it is stopped, and leaves only the results', async () => {
    const { code, screen } = await terminal('stop web deaf -n demo-b').done;
    expect(code).toBe(1);
    expect(screen).toContain('there is no Wukong web in namespace demo-b');
    expect(screen).toMatch(/demo-b\/deaf +\S*ForcedOff/); // the good name is done all the same
    const stopped = await terminal('stop web shop -n demo-a').done;
    expect(stopped.code).toBe(0);
    expect(stopped.screen).toMatch(/demo-a\/web +\d+(ms|\.\ds) +waiting for the guest to shut down/);
    expect(stopped.screen).toMatch(/demo-a\/web +\u001b\[\d+mStopped|demo-a\/web +Stopped/);
    expect(stopped.screen.trimEnd()).toMatch(/2 VMs: 2 Stopped$/);
  });

  it('asks before a stop of more than --max-targets, and takes anything but yes for no', async () => {
    const asked = terminal('stop -A -l demo=yes --max-targets 3');
    await asked.shows(/stop 8 VMs in 2 namespaces\? \[y\/N\]/);
    asked.type('\n');
    const { code, screen } = await asked.done;
    expect([code, screen]).toEqual([1, expect.stringContaining('Nothing was called.')]);
    const agreed = terminal('stop -n demo-a -l start=on-demand --max-targets 0');
    await agreed.shows(/stop 1 VMs? in 1 namespace\?/);
    agreed.type('y\n');
    expect(await agreed.done).toMatchObject({ code: 0, screen: expect.stringContaining('AlreadyOff') as string });
  });

  it('leaves a clean InProgress at Ctrl-C', async () => {
    await sim.wukong('start deaf -n demo-b');
    const stopping = terminal('stop deaf -n demo-b --grace 30s');
    await stopping.shows(/waiting for the guest to shut down/);
    stopping.type('\u0003');
    const { code, screen } = await stopping.done;
    expect(code).toBe(3);
    expect(screen).toMatch(/demo-b\/deaf +\S*InProgress/);
    const { out } = await sim.wukong('state deaf -n demo-b -o json');
    expect(JSON.parse(out)).toMatchObject({ operation: { action: 'stop' }, last: { outcome: 'InProgress' } });
    expect((await sim.wukong('stop deaf -n demo-b --force')).code).toBe(0);
  });

  it('gives cursor and line wrapping back at Ctrl-C', async () => {
    const following = terminal('state -A --watch');
    await following.shows(/demo-b +huge/);
    following.type('\u0003');
    const { code, screen } = await following.done;
    expect(code).toBe(130);
    expect(screen.endsWith('\r\n\u001b[?25h\u001b[?7h')).toBe(true); // the prompt comes on a line of its own
  });
});
