import { afterAll, expect, it } from 'vitest';

import { wrongWith } from './explore.ts';
import { leave } from './ground.ts';
import type { CommandStep, History, Step } from './history.ts';

/** Histories that once contradicted the model, made small: each is named for what went wrong. */
const ask = (action: 'start' | 'stop', more: Partial<CommandStep> = {}): Step => ({
  do: 'command',
  action,
  ageSeconds: 0,
  times: 1,
  leftMs: 600_000,
  force: false,
  deletePod: false,
  skewMs: 0,
  ...more,
});
const pass = (seconds: number): Step => ({ do: 'pass', seconds });
const tick = (more: Partial<Extract<Step, { do: 'tick' }>> = {}): Step => ({
  do: 'tick',
  leftMs: 50_000,
  skewMs: 0,
  ...more,
});
const slowCall = (nth: number, ms: number): Step => ({
  do: 'fault',
  target: 'any',
  nth,
  times: 1,
  harm: { kind: 'delay', ms },
});
const declare = (action: 'start' | 'stop'): Step => ({ do: 'declare', action, force: false });
const plain: Omit<History, 'steps'> = {
  strategy: 'Always',
  guest: 'plain',
  operator: false,
  bus: false,
  protected: false,
};

const found: [string, Partial<Omit<History, 'steps'>>, Step[]][] = [
  [
    'a lease hid a keep-running-until that had not ended yet, and a stop was carried out',
    { strategy: 'notRunning', operator: true, keepRunningSeconds: 200 },
    [ask('start'), pass(2), declare('stop'), ask('start', { leaseSeconds: 240, notAfterSeconds: 0 })],
  ],
  [
    'a superseded request was delivered again and carried out after all',
    {},
    [ask('stop', { dies: { nth: 5, when: 'after' } }), pass(1), ask('start', { ageSeconds: 1 })],
  ],
  [
    'a request that was carried out was told as stale when it was delivered again too late',
    { strategy: 'RerunOnFailure', guest: 'slow', grace: 20 },
    [pass(42), declare('stop'), ask('start', { times: 2, leftMs: 500, notAfterSeconds: 0 })],
  ],
  [
    'a request that had found nothing to do was told as superseded when it was delivered again',
    {},
    [ask('start', { times: 2 }), pass(1), ask('stop'), pass(3), ask('start', { times: 3 })],
  ],
  [
    'a superseded start went on asking KubeVirt, and the VM came up after the newer stop had ended',
    { strategy: 'Manual', guest: 'slowBoot', grace: 20, schedule: { policy: 'Respect', stopMinute: 2 } },
    [pass(85), declare('stop'), ask('start', { leftMs: 60_000, dies: { nth: 3, when: 'after' } }), pass(41), tick()],
  ],
  [
    'a stop that fell due while a tick carried out a start was marked as handled and never done',
    {
      strategy: 'RerunOnFailure',
      guest: 'slowBoot',
      grace: 5,
      schedule: { policy: 'Respect', startMinute: 1, stopMinute: 2 },
    },
    [tick({ dies: { nth: 2, when: 'after' } }), declare('stop'), pass(32), tick(), pass(60), tick()],
  ],
  [
    'a stop that fell due while the VM of a running start was still off was taken for done',
    { guest: 'deaf', schedule: { policy: 'Respect', stopMinute: 1 } },
    [{ do: 'hand', strategy: 'Halted' }, ask('start', { leftMs: 5_000 }), pass(50), tick({ skewMs: 5_000 }), tick()],
  ],
  [
    'the end of an operation whose process died before it told it was forgotten over the next one',
    {},
    [ask('stop', { leftMs: 500 }), pass(3), tick({ dies: { nth: 6, when: 'before' } }), ask('start', { force: true })],
  ],
  [
    'a late InProgress was written over the end in the status',
    { guest: 'deaf', grace: 5, bus: true, schedule: { policy: 'Enforce', stopMinute: 2 } },
    [
      ask('stop', { times: 3, leftMs: 5_000 }),
      pass(76),
      { do: 'fault', target: 'status', nth: 3, times: 3, harm: { kind: 'delay', ms: 15_205 } },
      tick({ dies: { nth: 13, when: 'after' } }),
      tick(),
    ],
  ],
  [
    'the embedded cluster waited for ever for a client that had gone away while its request was parked',
    { strategy: 'RerunOnFailure', guest: 'slow', grace: 5, keepRunningSeconds: 30 },
    [
      ask('stop', { leftMs: 500, deletePod: true, notAfterSeconds: 60 }),
      ask('start', { times: 3, dies: { nth: 10, when: 'after' } }),
      { do: 'fault', target: 'events', nth: 1, times: 2, harm: { kind: 'delay', ms: 6_503 } },
      pass(53),
    ],
  ],
  [
    'a superseded request was told to nobody, as the process that took over died between its end and the telling',
    { guest: 'slow', bus: true },
    [ask('stop', { leftMs: 500 }), pass(3), ask('start', { dies: { nth: 7, when: 'after' } }), pass(100)],
  ],
  [
    'what had been skipped by a process that died was carried out when it came again, and told to nobody',
    { strategy: 'Manual', operator: true, keepRunningSeconds: 30 },
    [ask('stop', { graceSeconds: 3, dies: { nth: 2, when: 'after' } }), declare('start')],
  ],
  [
    'a request was skipped, and carried out when its other delivery came again after the override had ended',
    { keepRunningSeconds: 30 },
    [ask('stop', { times: 2, force: true, dies: { nth: 1, when: 'before' } })],
  ],
  [
    'a stop that joined an older one under way was forgotten, and a schedule started what was asked to stop after it',
    { schedule: { policy: 'Respect', startMinute: 1 } },
    [ask('stop', { graceSeconds: 3, dies: { nth: 4, when: 'after' } }), pass(56), ask('stop', { graceSeconds: 3 })],
  ],
  [
    'a skipped request whose process died before it could be remembered was carried out when it came again',
    { keepRunningSeconds: 30 },
    [ask('stop', { dies: { nth: 3, when: 'before' } }), declare('start')],
  ],
  [
    'a superseded request was told as stale when it came again',
    {},
    [
      ask('start', { ageSeconds: 31, times: 2, notAfterSeconds: 60, dies: { nth: 1, when: 'before' } }),
      ask('start', { times: 2 }),
      pass(1),
    ],
  ],
  [
    'a declared stop that was skipped was carried out later, as the tick had died before it could take it away',
    { bus: true, keepRunningSeconds: 30 },
    [declare('stop'), tick({ dies: { nth: 5, when: 'before' } })],
  ],
  [
    'what was done before the last operation was told as stale when it came again',
    { strategy: 'Once' },
    [
      ask('start', { times: 2, notAfterSeconds: 0, dies: { nth: 9, when: 'before' } }),
      ask('start', { force: true, leaseSeconds: 60, dies: { nth: 1, when: 'before' } }),
      { do: 'guest', phase: 'Succeeded' },
      pass(7),
      { do: 'hand', strategy: 'Halted' },
      declare('start'),
    ],
  ],
  [
    'a declared start that a stop had replaced before anybody saw it was expected to be carried out',
    { strategy: 'Halted', keepRunningSeconds: 200 },
    [declare('start'), declare('stop'), ask('stop', { times: 2 })],
  ],
  [
    'a stop whose process died before it asked was told as not accepted by a tick that came late, and had not asked either',
    {},
    [ask('stop', { force: true, dies: { nth: 4, when: 'after' } }), pass(180), ask('stop')],
  ],
  [
    'an operator that starts what has no intent was not expected to, beside a schedule that may not stop it',
    {
      strategy: 'notRunning',
      operator: true,
      protected: true,
      keepRunningSeconds: 200,
      schedule: { policy: 'Enforce', stopMinute: 1 },
    },
    [{ do: 'guest', phase: 'Succeeded' }],
  ],
  [
    'a declared action that was superseded was not taken away, and carried out by the next tick',
    { bus: true, keepRunningSeconds: 30 },
    [
      ask('start', { times: 2 }),
      declare('start'),
      pass(1),
      tick({ skewMs: -1001 }),
      ask('start', { graceSeconds: 3, deletePod: true }),
    ],
  ],
  [
    'a start was superseded by a stop under way, and told as stale when it came again',
    {},
    [
      declare('stop'),
      tick({ skewMs: 1 }),
      ask('start', { force: true, times: 2, graceSeconds: 3, notAfterSeconds: 0 }),
      ask('start', { notAfterSeconds: 0 }),
    ],
  ],
  [
    'a request that came too late for a newer one was told as stale when that one was gone',
    { strategy: 'notRunning', operator: true, schedule: { policy: 'Enforce', startMinute: 1 } },
    [tick(), ask('stop', { ageSeconds: 1, times: 2, notAfterSeconds: 0 }), ask('stop')],
  ],
  [
    'a declared stop that had come to its end before was waited for, tick after tick',
    { strategy: 'Manual' },
    [
      declare('stop'),
      ask('stop', { times: 2, force: true, graceSeconds: 3 }),
      { do: 'hand', strategy: 'Always' },
      tick({ dies: { nth: 4, when: 'after' } }),
      { do: 'virtApi', down: false },
    ],
  ],
  [
    'a change by hand was taken for newer than a start that was asked for before it and delivered after it',
    {},
    [{ do: 'hand', strategy: 'Halted' }, pass(1), ask('start', { ageSeconds: 2 })],
  ],
  [
    'an override that Enforce enforces was not expected to switch on a VM that nothing may switch off again',
    {
      strategy: 'Halted',
      protected: true,
      keepRunningSeconds: 200,
      schedule: { policy: 'Enforce', stopMinute: 1 },
    },
    [tick()],
  ],
  [
    'a start that was declared, and seen by a tick whose clock is slow, was taken for newer than a stop of that instant',
    { operator: true },
    [tick({ skewMs: -1000 }), ask('stop', { ageSeconds: 1 }), declare('start'), { do: 'virtApi', down: false }],
  ],
  [
    'a status was not put right by ticks that had just written the Wukong themselves, as they went on from what they had read',
    { strategy: 'RerunOnFailure', schedule: { policy: 'Respect', stopMinute: 1 } },
    [
      pass(35),
      ask('start', { times: 2, leaseSeconds: 240, notAfterSeconds: 0 }),
      pass(86),
      { do: 'guest', phase: 'Succeeded' },
      pass(89),
    ],
  ],
  [
    'a request under way was told as stale when it came again too late, and its Wukong could not be read',
    {},
    [
      ask('stop', { leftMs: 500, notAfterSeconds: 0 }),
      { do: 'fault', target: 'wukong', nth: 2, times: 2, harm: { kind: 'delay', ms: 1000 } },
      pass(32),
    ],
  ],
  [
    'a stop that could not be remembered was told as AlreadyOff, and its second delivery stopped what was started meanwhile',
    { strategy: 'notRunning' },
    [
      ask('start', { times: 2 }),
      { do: 'fault', target: 'any', nth: 7, times: 2, harm: { kind: 'status', status: 429, retryAfterSeconds: 1 } },
      ask('stop', { times: 2, leftMs: 500 }),
      pass(1),
      { do: 'wipeStatus' },
    ],
  ],
  [
    'a guest that came back was forced without its grace, as a process had died between the record of force and its call',
    { guest: 'hangs' },
    [
      ask('stop', { dies: { nth: 7, when: 'before' } }),
      pass(45),
      { do: 'hand', strategy: 'Always' },
      { do: 'guest', phase: 'Succeeded' },
    ],
  ],
  [
    'the model took what is declared again while it stands there for a new wish; nothing tells it from the old one',
    { operator: true, schedule: { policy: 'Respect', startMinute: 1 } },
    [declare('stop'), tick({ dies: { nth: 5, when: 'after' } }), pass(56), declare('stop')],
  ],
  [
    'a request that came too late, when the API server dropped every write, was told as stale to nobody but its caller',
    { keepRunningSeconds: 30 },
    [
      ask('start', { ageSeconds: 1, leftMs: 500, graceSeconds: 3, notAfterSeconds: 0 }),
      ask('start', { dies: { nth: 2, when: 'before' } }),
      ask('start', { force: true, dies: { nth: 2, when: 'after' } }),
      { do: 'fault', target: 'wukong', nth: 3, times: 3, harm: { kind: 'dropBefore' } },
      pass(1),
      ask('start'),
    ],
  ],
  [
    'an end whose process died before it was told was told to nobody once the VM had been started by hand',
    {},
    [slowCall(8, 3_900), ask('stop', { leftMs: 5_000 }), pass(5), { do: 'hand', strategy: 'Always' }, pass(70)],
  ],
  [
    'an end whose process died between bus and status was told a second time, as superseded, when its guest had ended',
    { strategy: 'Halted', bus: true },
    [
      ask('start', { graceSeconds: 3, dies: { nth: 10, when: 'before' } }),
      pass(55),
      { do: 'guest', phase: 'Succeeded' },
      tick({ skewMs: 6_067 }),
      pass(1),
    ],
  ],
  [
    'a request that was skipped while the API server dropped its Event counted as told nowhere, and its record says it',
    { keepRunningSeconds: 30 },
    [
      { do: 'fault', target: 'events', nth: 1, times: 3, harm: { kind: 'dropBefore' } },
      ask('stop', { leftMs: 500, force: true }),
      pass(1),
      ask('start'),
    ],
  ],
  [
    'the stop of a schedule found its VM off in a read that was older than the record of its start, which went on',
    { strategy: 'Manual', schedule: { policy: 'Respect', startMinute: 1, stopMinute: 2 } },
    [
      pass(55),
      tick({ dies: { nth: 8, when: 'after' } }),
      pass(60),
      tick(),
      { do: 'fault', target: 'wukongs', nth: 1, times: 1, harm: { kind: 'stale' } },
      pass(1),
    ],
  ],
  [
    'who followed the operation that another had sharpened told it as superseded, by the VM as it had been before',
    { bus: true },
    [
      ask('start'),
      ask('start', { times: 2 }),
      ask('stop', { force: true, deletePod: true }),
      ask('start', { leftMs: 500, force: true, leaseSeconds: 60, deletePod: true }),
      pass(35),
      tick({ dies: { nth: 9, when: 'before' } }),
    ],
  ],
  [
    'the end of a forced stop counted as told, as the status showed what had been on already in the same second',
    {},
    [
      ask('stop'),
      ask('stop', { force: true, graceSeconds: 3, dies: { nth: 14, when: 'after' } }),
      ask('start', { times: 2, force: true }),
      declare('start'),
    ],
  ],
  [
    'and so it was when the next request took its place',
    {},
    [
      slowCall(8, 3_900),
      ask('stop', { leftMs: 5_000 }),
      pass(5),
      { do: 'hand', strategy: 'Always' },
      pass(9),
      ask('stop'),
    ],
  ],
  [
    'a start that was superseded while KubeVirt was slow to take it came through after the stop had ended',
    {},
    [
      { do: 'hand', strategy: 'Halted' },
      pass(20),
      slowCall(7, 20_000),
      ask('start', { leftMs: 5_000 }),
      { do: 'hand', strategy: 'Halted' },
      pass(1),
      ask('stop'),
    ],
  ],
  [
    'a request that came too late was delivered twice while writes hung, and told once as stale and once as superseded',
    {},
    [
      ask('start', { ageSeconds: 1, times: 2, leftMs: 5_000, leaseSeconds: 60, deletePod: true, notAfterSeconds: 0 }),
      ask('start', { times: 2, notAfterSeconds: 60 }),
      { do: 'fault', target: 'wukong', nth: 2, times: 3, harm: { kind: 'delay', ms: 3_318 } },
      pass(1),
    ],
  ],
  [
    'a change by hand was taken for newer than a boundary before it that no tick had seen to yet',
    { schedule: { policy: 'Respect', stopMinute: 1 } },
    [pass(235), { do: 'hand', strategy: 'Always' }, { do: 'wipeStatus' }],
  ],
  [
    'a boundary that a fast clock had seen to was taken for newer than a start that was asked for after that',
    { strategy: 'notRunning', keepRunningSeconds: 30, schedule: { policy: 'Respect', stopMinute: 1 } },
    [pass(48), tick({ skewMs: 7_000 }), ask('start', { force: true, notAfterSeconds: 0 }), pass(1)],
  ],
];

afterAll(leave);

it.each(found)('not any more: %s', async (_what, given, steps) => {
  expect(await wrongWith({ ...plain, ...given, steps })).toEqual([]);
});
