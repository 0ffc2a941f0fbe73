import { expect, it } from 'vitest';

import type { Call, Transport } from '../../shared/cluster/transport.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { type Clock } from '../../shared/time/clock.ts';
import { type Limits, sleep } from '../../shared/time/wait.ts';
import type { Company } from './beside.ts';
import { leave } from './ground.ts';
import { compareLives } from './noninterference.ts';
import type { Tenants } from './tenants.ts';

/** Y declares a stop and has a schedule; X has a Wukong, and a namespace that answers at the second try. */
const tenants: Tenants = {
  bus: false,
  y: {
    wukongs: [{ on: true, guest: 'plain', annotations: {} }],
    schedule: { policy: 'Respect', stopMinute: 1, startMinute: 3 },
    wishes: [{ do: 'declare', atSeconds: 20, of: 0, action: 'stop', force: false }],
  },
  x: {
    wukongs: [{ on: true, guest: 'hangs', name: 'a', annotations: {}, lifecycleAction: { action: 'stop' } }],
    ...{ schedules: [], configMaps: [], runs: [], writes: [], faults: [] },
  },
};

/** Does something to each call that a tick makes. */
const calls = (change: (call: Call, clock: Clock, x: string, y: string) => Promise<void>): Company['harm'] => {
  return ({ stream, call }: Transport, clock, x, y) => ({
    stream,
    async call<T>(sent: Call, limits?: Partial<Limits>) {
      await change(sent, clock, x, y);
      return call<T>(sent, limits);
    },
  });
};

/** Changes what is listed. */
const lists = (change: (items: KubeObject[], x: string, y: string) => KubeObject[]): Company['harm'] => {
  return ({ stream, call }, _clock, x, y) => ({
    stream,
    async call<T>(sent: Call, limits?: Partial<Limits>) {
      const answer = await call<T>(sent, limits);
      const body = answer.body as { items?: KubeObject[] } | undefined;
      if (sent.method === 'GET' && body?.items) body.items = change(body.items, x, y);
      return answer;
    },
  });
};

const isOf = (namespace: string) => (one: KubeObject) => one.metadata.namespace === namespace;

const harms: [string, Company['harm']][] = [
  [
    'stops a tick by what is wrong with one of its own',
    lists((items, x) => {
      if (items.some(isOf(x))) throw new Error('a is no name');
      return items;
    }),
  ],
  [
    'hides the other’s Wukongs',
    lists((items, x, y) => (items.some(isOf(x)) ? items.filter((one) => !isOf(y)(one)) : items)),
  ],
  [
    'makes the other wait for its guest at each power call',
    calls(async ({ path }, clock, _x, y) => {
      if (path.startsWith('/apis/subresources') && path.includes(`/${y}/`)) await sleep(clock, 20_000);
    }),
  ],
  [
    'holds up all ticks by more than five seconds',
    calls(async ({ path }, clock) => {
      if (path.includes('/clusterwukongschedules')) await sleep(clock, 6_000);
    }),
  ],
];

it('a tenant that harms nobody is not noticed', async () => {
  expect(await compareLives(tenants).finally(leave)).toEqual({ wrong: [], tie: false });
}, 60_000);

it.each(harms)(
  'a tenant is noticed that %s',
  async (_what, harm) => {
    const { wrong, tie } = await compareLives(tenants, harm).finally(leave);
    expect({ wrong: wrong.length > 0, tie }).toEqual({ wrong: true, tie: false });
  },
  60_000,
);

it('which of two things of one’s own comes first by less than the neighbour may cost is a tie', async () => {
  const hangs: Tenants = {
    bus: false,
    y: {
      wukongs: [{ on: false, guest: 'hangs', annotations: {} }],
      wishes: [
        { do: 'command', atSeconds: 1, of: 0, action: 'start', force: false },
        { do: 'declare', atSeconds: 1, of: 0, action: 'stop', force: true },
      ],
    },
    x: {
      wukongs: [{ on: false, guest: 'plain', name: 'a', annotations: {} }],
      schedules: [
        {
          spec: { timeZone: 'UTC', selector: { matchLabels: { env: 'dev' } } },
          status: { lastHandled: '', observedGeneration: '', observedSince: '', conditions: 0 },
        },
      ],
      ...{ configMaps: [], runs: [], writes: [], faults: [{ path: 'namespaces', status: 500, times: 1 }] },
    },
  };
  expect(await compareLives(hangs).finally(leave)).toEqual({ wrong: [], tie: true });
}, 60_000);
