import { expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import { tellAnnouncement } from '../../shared/report/announcement.ts';
import { t0 } from './machines.ts';
import { telling } from './tellings.ts';

const web = { metadata: { namespace: 'team-a', name: 'web', uid: 'w' } } as Wukong;
const announcement = {
  id: 'stop',
  at: t0 + 900_000,
  schedule: 'team-a/office',
  local: '2026-11-23 21:15 Europe/Berlin',
};
const by = { teller: 'me', limits: { deadline: t0 + 5_000 } };
const id = 'team-a/web/stop/announced';
const detail = {
  ...{ version: '1', id, namespace: 'team-a', name: 'web', action: 'stop', at: '2026-11-23T20:15:00Z' },
  ...{ local: announcement.local, schedule: 'team-a/office', keep: 'wukong keep web running --for 2h -n team-a' },
};
const message =
  'It will be stopped at 2026-11-23T20:15:00Z (2026-11-23 21:15 Europe/Berlin) by schedule team-a/office. To keep it on: wukong keep web running --for 2h -n team-a, or annotate it with lifecycle.novasphere.dev/keep-running-until.';

it('a stop that is near is an Event on its VM, one on the bus, and a notice', async () => {
  const { world, asked, within, told, notices, logged } = telling(t0, [201]);
  await tellAnnouncement(world, web, announcement, by);
  expect(asked).toMatchObject([
    { method: 'POST', body: { type: 'Normal', reason: 'StopAnnounced', message, reportingInstance: 'me' } },
  ]);
  expect(told).toEqual([{ type: 'Wukong VM Stop Announced', detail, time: t0 }]);
  const subject = 'team-a/web';
  expect(notices).toEqual([
    { id, type: 'dev.novasphere.wukong.announcement.v1', subject, time: t0, text: `${subject}: ${message}`, detail },
  ]);
  expect([within, logged]).toEqual([[by.limits], []]);
});

it('it is told once, each stop by its own Event, and on one line of 1024 characters', async () => {
  const again = telling(t0, [409], [200, { reportingInstance: 'another' }]);
  await tellAnnouncement(again.world, web, announcement, by);
  expect([again.told, again.notices]).toEqual([[], []]);
  const { world, asked } = telling(t0, [201], [201], [201]);
  for (const more of [{}, {}, { id: 'other', schedule: `a\n${'x'.repeat(1_100)}` }])
    await tellAnnouncement(world, web, { ...announcement, ...more }, by);
  const [first, second, third] = asked.map(({ body }) => body as { metadata: { name: string }; message: string });
  expect(first?.metadata.name).toBe(second?.metadata.name);
  expect(third?.metadata.name).not.toBe(second?.metadata.name);
  expect([third?.message.length, third?.message.includes('\n')]).toEqual([1_024, false]);
});

it('where the Event cannot be put it is told to nobody, and where the bus is full that is logged', async () => {
  const failing = telling(t0, [500, { message: 'down' }]);
  await expect(tellAnnouncement(failing.world, web, announcement, by)).rejects.toMatchObject({ code: 'Unreachable' });
  expect([failing.told, failing.notices]).toEqual([[], []]);
  const full = telling(t0, [201]);
  full.world.bus = { put: () => Promise.reject(new Error('full')) };
  await tellAnnouncement(full.world, web, announcement, by);
  const fields = { namespace: 'team-a', name: 'web', problem: 'full' };
  expect([full.logged, full.notices.length]).toEqual([[['error', 'an announcement could not be sent', fields]], 1]);
  const alone = telling(t0, [201]);
  delete alone.world.bus;
  delete alone.world.webhook;
  await tellAnnouncement(alone.world, web, announcement, by);
  expect(alone.logged).toEqual([]);
});
