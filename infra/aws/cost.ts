// `npm run cost`: what a month in AWS costs, from list prices and stated assumptions. docs/deploy-aws.md shows it, and a
// test holds it to that.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** US dollars, region us-east-1, without any free tier, as listed in 2026. Other regions: some 10 to 25 % more. */
export const prices = {
  lambdaGbSecondArm: 0.0000133334,
  lambdaRequest: 0.2e-6,
  schedulerInvocation: 1e-6,
  busEvent: 1e-6,
  sqsRequest: 0.4e-6,
  logsGb: 0.5 + 0.03,
  alarmMetric: 0.1,
  customMetric: 0.3,
  dashboard: 3,
  secret: 0.4,
  kmsKey: 1,
  endpointHour: 0.01,
  crossZoneGb: 0.02,
};

/** What a month is taken to be. Each is a guess that can be changed here. */
export const assumptions = {
  /** Every VM stops and starts once on each of 22 working days. */
  actionsPerVm: 44,
  /** reconcileState, every minute of 30 days. */
  ticks: 43_200,
  tickGb: 1,
  /** An idle tick over 5,000 VMs takes 0.2 s here (bench: reconcile/idle-tick); at 1 GB there is half such a core, and a longer way. */
  tickSeconds: (vms: number) => 0.2 + 0.0002 * vms,
  /** What a LIST has for a Wukong, its VM and its VMI. */
  tickKbPerVm: 9,
  powerGb: 0.5,
  /** One function sees so many VMs through in its 120 s (shared/execute/fanOut.ts). */
  vmsPerInvocation: 300,
  invocationSeconds: 120,
  /** Of one queue: Lambda keeps five long polls of 20 s open. */
  polls: 5 * 3 * 60 * 24 * 30,
  /** The outcome of a VM; each part of a fleet is asked for by one more, and told by one. */
  eventsPerAction: 1,
  logKbPerAction: 3,
  logKbPerTick: 0.5,
  customMetrics: 40,
  /** In two zones: events, and eks or secretsmanager. */
  endpoints: 4,
  secrets: 1,
};

/** Metrics that alarms look at, counted in alarms.yml. */
const alarmMetrics = (): number =>
  readFileSync(join(import.meta.dirname, 'alarms.yml'), 'utf8').match(/\bMetricName:/g)?.length ?? 0;

/** Dollars a month by what they are paid for. */
export function monthly(vms: number): Record<string, number> {
  const a = assumptions;
  const actions = vms * a.actionsPerVm;
  const invocations = a.actionsPerVm * Math.ceil(vms / a.vmsPerInvocation);
  const gbSeconds =
    a.ticks * a.tickSeconds(vms) * a.tickGb + invocations * Math.min(a.invocationSeconds, 30 + vms / 5) * a.powerGb;
  const logGb = (actions * a.logKbPerAction + a.ticks * a.logKbPerTick) / 1e6;
  const events = actions * a.eventsPerAction + 2 * invocations;
  return {
    Lambda: gbSeconds * prices.lambdaGbSecondArm + (a.ticks + invocations) * prices.lambdaRequest,
    'EventBridge, Scheduler, SQS':
      events * prices.busEvent +
      a.actionsPerVm * prices.schedulerInvocation +
      (3 * invocations + 2 * a.polls) * prices.sqsRequest,
    Logs: logGb * prices.logsGb,
    'Metrics, alarms, dashboard':
      a.customMetrics * prices.customMetric + alarmMetrics() * prices.alarmMetric + prices.dashboard,
    'Secret, key of the alarms': a.secrets * prices.secret + prices.kmsKey,
    'VPC endpoints': a.endpoints * 730 * prices.endpointHour,
    'Traffic of the ticks, if it crosses zones': ((vms * a.tickKbPerVm * a.ticks) / 1e6) * prices.crossZoneGb,
  };
}

const sizes = [10, 1_000, 10_000];

/** The table of the documentation. */
export function costTable(): string {
  const months = sizes.map(monthly);
  const cell = (dollars: number) => dollars.toFixed(2).padStart(8);
  const rows = Object.keys(months[0] ?? {}).map(
    (what) => `| ${what} | ${months.map((one) => cell(one[what] ?? 0)).join(' | ')} |`,
  );
  const sums = months.map((one) => cell(Object.values(one).reduce((sum, dollars) => sum + dollars, 0)));
  const head = sizes.map((size) => `${size.toLocaleString('en-US')} VMs`);
  return [
    `| US dollars a month | ${head.join(' | ')} |`,
    `| --- | ${sizes.map(() => '---:').join(' | ')} |`,
    ...rows,
    `| **together** | ${sums.join(' | ')} |`,
  ].join('\n');
}

if (import.meta.main) process.stdout.write(`${costTable()}\n`);
