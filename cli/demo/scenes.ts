import { requestedType } from '../../shared/domain/command.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { demoNamespaces } from './wukongs.ts';

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

export const scenes: (() => Scene)[] = [
  () => ({
    name: 'evening',
    title: 'Evening: one event stops everything labelled demo=yes',
    handler: 'stopVm',
    event: event('stop', 'evening-event', {
      target: { namespaces: demoNamespaces, selector: 'demo=yes' },
      reason: 'office hours are over',
    }),
  }),
  () => ({
    name: 'morning',
    title: 'Morning: one event starts it again, but for what is started on demand',
    handler: 'startVm',
    event: event('start', 'morning-event', {
      target: { namespaces: demoNamespaces, selector: 'demo=yes,start!=on-demand' },
      waitSeconds: 8,
    }),
  }),
  () => ({
    name: 'on-demand',
    title: 'On demand: somebody wants demo-a/batch for two hours',
    handler: 'startVm',
    event: { target: { namespace: 'demo-a', name: 'batch' }, leaseSeconds: 7_200, requestedBy: 'a developer' },
  }),
  () => ({
    name: 'force',
    title: 'Force: demo-b/deaf, which ignores the shutdown signal, is switched off at once',
    handler: 'stopVm',
    event: { target: { namespace: 'demo-b', name: 'deaf' }, force: true },
  }),
];

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
  metadata: { namespace: 'demo-a', name: 'office' },
  spec: { timeZone: zone, start: '0 8 * * *', stop: '0 20 * * *', selector: { matchLabels: { demo: 'yes' } } },
};
