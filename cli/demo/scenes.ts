import { requestedType } from '../../shared/domain/command.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { demoNamespaces, type Namespaces } from './wukongs.ts';

/** One act of the demo: an event, and the handler that gets it. */
export interface Scene {
  name: string;
  title: string;
  handler: 'startVm' | 'stopVm' | 'reconcileState';
  event: unknown;
}

const event = (action: 'start' | 'stop', id: string, detail: object) => ({
  version: '0',
  id,
  'detail-type': requestedType[action],
  source: 'demo',
  time: rfc3339(Date.now()),
  detail,
});

/** Made when their turn comes: an event bears the time at which it was sent. */
export const scenesIn = (namespaces: Namespaces): (() => Scene)[] => [
  () => ({
    name: 'evening',
    title: 'Evening: one event stops everything labelled demo=yes',
    handler: 'stopVm',
    event: event('stop', 'evening-event', {
      target: { namespaces, selector: 'demo=yes' },
      reason: 'office hours are over',
    }),
  }),
  () => ({
    name: 'morning',
    title: 'Morning: one event starts it again, but for what is started on demand',
    handler: 'startVm',
    event: event('start', 'morning-event', {
      target: { namespaces, selector: 'demo=yes,start!=on-demand' },
      waitSeconds: 8,
    }),
  }),
  () => ({
    name: 'on-demand',
    title: `On demand: somebody wants ${namespaces[0]}/batch for two hours`,
    handler: 'startVm',
    event: { target: { namespace: namespaces[0], name: 'batch' }, leaseSeconds: 7_200, requestedBy: 'a developer' },
  }),
  () => ({
    name: 'force',
    title: `Force: ${namespaces[1]}/deaf, which ignores the shutdown signal, is switched off at once`,
    handler: 'stopVm',
    event: { target: { namespace: namespaces[1], name: 'deaf' }, force: true },
  }),
];

/** What the demo shows to fail, and why: anything else that fails was not meant to. */
export const meantToFail: Record<string, { reason: string; because: string }> = {
  crashy: { reason: 'GuestCrashLoop', because: 'dies before it is up' },
  huge: { reason: 'Unschedulable', because: 'fits on no node' },
};

/** The two scenes in which nobody calls: a WukongSchedule, and the clock put forward to its boundaries. */
export const scheduled = [
  {
    name: 'schedule-evening',
    title: 'A WukongSchedule instead: the clock jumps to 20:00, and reconcileState does the rest',
    hour: 20,
  },
  { name: 'schedule-morning', title: 'The clock jumps to 08:00', hour: 8 },
];
export const zone = 'Europe/Berlin';
export const office = {
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind: 'WukongSchedule',
  metadata: { namespace: demoNamespaces[0], name: 'office' },
  spec: { timeZone: zone, start: '0 8 * * *', stop: '0 20 * * *', selector: { matchLabels: { demo: 'yes' } } },
};
