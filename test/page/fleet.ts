import type { Manifests } from '../../cli/commands/manifest.ts';
import type { Happening } from '../../cli/page/happening.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';

const apiVersion = 'vm.novasphere.dev/v1alpha1';
const prefix = 'lifecycle.novasphere.dev/';

export const scheduleOf = (name: string, namespace: string, spec: object): WukongSchedule => ({
  apiVersion,
  kind: 'WukongSchedule',
  metadata: { name, namespace },
  spec: { selector: { matchLabels: { env: namespace } }, ...spec },
});

export const wukongOf = (
  name: string,
  namespace: string,
  annotations: Record<string, string> = {},
  spec: Wukong['spec'] = { cpu: 4, memory: '8Gi' },
): Wukong => ({
  apiVersion,
  kind: 'Wukong',
  metadata: {
    name,
    namespace,
    labels: { env: namespace },
    annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [prefix + key, value])),
  },
  spec,
});

export const manifestsOf = (
  schedules: WukongSchedule[],
  wukongs: Wukong[],
  more: Partial<Manifests> = {},
): Manifests => ({
  schedules: schedules.map((object) => ({ object, from: 'test' })),
  configMaps: [],
  wukongs,
  namespaces: [],
  problems: [],
  warnings: [],
  ...more,
});

const kinds = [
  'web',
  'db',
  'build',
  'cache',
  'queue',
  'report-worker',
  'desktop',
  'a-rather-long-name-for-one-machine',
];

/** Machines as a company may have them: five namespaces, three zones, waves, overrides here and there. */
export function fleet(machines: number, from: number): Manifests {
  const day = (n: number) => new Date(from + n * 86_400_000).toISOString().slice(0, 10);
  const schedules = [
    scheduleOf('office', 'dev', {
      timeZone: 'Europe/Berlin',
      start: '0 8 * * 1-5',
      stop: '0 20 * * *',
      holidays: { dates: [day(3), day(10)] },
      waves: { delaySeconds: 60 },
    }),
    scheduleOf('long-days', 'test', { timeZone: 'Europe/Berlin', start: '30 6 * * 1-6', stop: '30 22 * * *' }),
    scheduleOf('support', 'support', {
      timeZone: 'America/New_York',
      start: '0 7 * * *',
      stop: '0 23 * * *',
      policy: 'Enforce',
    }),
    scheduleOf('nightly', 'batch', { timeZone: 'UTC', start: '0 1 * * *', stop: '0 5 * * *', jitterSeconds: 600 }),
  ];
  const namespaces = ['dev', 'test', 'support', 'batch', 'always'];
  const overrides: Record<string, string>[] = [
    { 'keep-running-until': new Date(from + 2.5 * 86_400_000).toISOString() },
    { protected: 'true' },
    { 'skip-next': 'true' },
    { 'keep-stopped-until': new Date(from + 1.5 * 86_400_000).toISOString() },
  ];
  const wukongs = Array.from({ length: machines }, (_, i) => {
    const kind = kinds[i % kinds.length]!;
    const wave: Record<string, string> = kind === 'db' ? { wave: '10' } : kind === 'web' ? { wave: '20' } : {};
    const special = i % 17 === 5 ? overrides[Math.floor(i / 17) % overrides.length]! : {};
    const namespace = namespaces[Math.floor((i * namespaces.length) / machines)]!;
    const spec = i % 40 === 39 ? {} : { cpu: 1 + (i % 8), memory: `${2 + (i % 4) * 2}Gi` };
    return wukongOf(`${kind}-${String(i).padStart(3, '0')}`, namespace, { ...wave, ...special }, spec);
  });
  return manifestsOf(schedules, wukongs);
}

/** What may have become of a plan: mostly what was planned. */
export function happeningsOf(
  planned: { namespace: string; name: string; action: 'start' | 'stop'; at: number; id: string }[],
): Happening[] {
  return planned.flatMap(({ namespace, name, action, at, id }, i): Happening[] => {
    const base = {
      namespace,
      name,
      action,
      requestId: id,
      trigger: 'schedule',
      message: 'The guest shut down by itself.',
    };
    const times = (lateMs: number) => ({ startedAt: at + lateMs, finishedAt: at + lateMs + 20_000 });
    const ok = { ...base, outcome: action === 'start' ? ('Started' as const) : ('Stopped' as const) };
    switch (i % 97) {
      case 11:
        return [{ ...ok, ...times(23 * 60_000) }];
      case 23:
        if (action === 'start')
          return [
            {
              ...base,
              ...times(20_000),
              outcome: 'Failed',
              reason: 'Unschedulable',
              message: '0/3 nodes are available: 3 Insufficient memory.',
            },
          ];
        return [
          {
            ...base,
            ...times(20_000),
            outcome: 'ForcedOff',
            reason: 'GracePeriodExceeded',
            message: 'The guest did not shut down within 30 s, so KubeVirt ended it.',
          },
        ];
      case 37:
        return [{ ...base, ...times(3_700_000), outcome: 'Skipped', reason: 'Stale', message: 'Missed.' }];
      case 51:
        return [
          {
            ...base,
            ...times(20_000),
            outcome: 'Skipped',
            reason: 'Override',
            message: 'It is held back: keep-running-until on the Wukong.',
          },
        ];
      case 66:
        return [];
      default:
        return [{ ...ok, ...times((i % 50) * 1000) }];
    }
  });
}
