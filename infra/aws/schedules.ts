import { chooseCluster, type Clusters } from '../../shared/cluster/clusters.ts';
import { parseCommand } from '../../shared/domain/command.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { awsCron } from './cron.ts';

/** A schedule of schedules.yml, checked, as `schedule` of a function's events. */
export interface ScheduleEvent {
  schedule: {
    name: string;
    description: string;
    method: 'scheduler';
    rate: [string];
    timezone: string;
    enabled: boolean;
    roleArn: object;
    input: Record<string, unknown>;
  };
}

const keys = ['name', 'cron', 'timeZone', 'action', 'command', 'enabled'];
const record = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The list of fleet schedules as events of startVm and stopVm.
 * @throws Error naming every wrong entry and field of the file.
 */
export function scheduleEvents(
  list: unknown,
  { file, prefix, clusters }: { file: string; prefix: string; clusters: Clusters },
): Record<'start' | 'stop', ScheduleEvent[]> {
  const found: Record<'start' | 'stop', ScheduleEvent[]> = { start: [], stop: [] };
  const wrong: string[] = [];
  const names = new Set<string>();
  if (list !== null && list !== undefined && !Array.isArray(list)) wrong.push('expected a list of schedules');
  for (const [i, entry] of (Array.isArray(list) ? list : []).entries()) {
    const { action, event, problems } = readEntry(entry, prefix, clusters);
    const name = record(entry) && typeof entry['name'] === 'string' ? ` (${entry['name']})` : '';
    if (record(entry) && names.has(String(entry['name'])))
      problems.push(`name: "${String(entry['name'])}" is there twice`);
    if (record(entry)) names.add(String(entry['name']));
    wrong.push(...problems.map((problem) => `entry ${i + 1}${name}: ${problem}`));
    if (problems.length === 0 && action) found[action].push(event);
  }
  if (wrong.length > 0) throw new Error(`${file}: ${wrong.join(`; ${file}: `)}`);
  return found;
}

function readEntry(entry: unknown, prefix: string, clusters: Clusters) {
  const problems: string[] = [];
  const check = <T>(field: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (thrown) {
      const { message, cause } = thrown as Error;
      const words = Array.isArray(cause) ? cause.map(String) : [message];
      problems.push(...words.map((word) => `${field}: ${word}`));
      return undefined;
    }
  };
  const given = record(entry) ? entry : {};
  if (!record(entry)) problems.push(`expected {${keys.join(', ')}}`);
  for (const key of Object.keys(given)) if (!keys.includes(key)) problems.push(`${key.slice(0, 64)}: unknown`);
  const { name, action, command, enabled = true } = given;
  if (typeof name !== 'string' || !/^[0-9A-Za-z][-\w.]{0,39}$/.test(name))
    problems.push('name: expected at most 40 letters, digits, ".", "_" and "-"');
  if (action !== 'start' && action !== 'stop') problems.push('action: expected start or stop');
  if (typeof enabled !== 'boolean') problems.push('enabled: expected true or false');
  const rate = check('cron', () => awsCron(given['cron']));
  const zone = check('timeZone', () => parseZone(given['timeZone']));
  const input = inputOf(command);
  check('command', () => checkCommand(command, { ...input, scheduledAt: '2026-01-01T00:00:00Z' }, action));
  check('command.cluster', () => chooseCluster(clusters, record(command) ? (command['cluster'] as string) : undefined));
  const event: ScheduleEvent = {
    schedule: {
      name: `${prefix}-${String(name)}`.slice(0, 64),
      description: `${String(action)} by infra/aws/schedules.yml`,
      method: 'scheduler',
      rate: [rate ?? ''],
      timezone: zone?.name ?? '',
      enabled: enabled === true,
      roleArn: { 'Fn::GetAtt': ['SchedulerRole', 'Arn'] },
      input,
    },
  };
  return { action: action as 'start' | 'stop' | undefined, event, problems };
}

/**
 * Scheduler writes these in when it fires. An execution id is new for each attempt; schedule and time are not, so a
 * redelivery is the same request.
 */
const inputOf = (command: unknown) => ({
  ...(record(command) ? command : {}),
  trigger: 'schedule',
  requestId: '<aws.scheduler.schedule-arn>@<aws.scheduler.scheduled-time>',
  scheduledAt: '<aws.scheduler.scheduled-time>',
});

function checkCommand(command: unknown, input: object, action: unknown): void {
  if (!record(command)) throw new Error('expected a command: an object');
  for (const key of ['requestId', 'scheduledAt', 'trigger', 'action'])
    if (key in command) throw new Error(`${key}: expected none, as the schedule says it`);
  const origin = { action: action === 'start' ? 'start' : 'stop', trigger: 'schedule', requestId: '-' } as const;
  parseCommand(input, { ...origin, requestedAt: 0 });
}
