import type { KubeObject } from '../../shared/domain/model.ts';

/** What is right, of every form: mutations begin here. */
export const command = {
  target: { namespace: 'team-a', name: 'web' },
  gracePeriodSeconds: 30,
  force: false,
  deletePodWhenStuck: false,
  notAfter: '2026-11-23T21:00:00Z',
  maxTargets: 10,
  maxInFlight: 5,
  dryRun: true,
  reason: 'end of the day',
  requestedBy: 'arn:aws:iam::1:user/x',
  requestId: 'r-1',
  scheduledAt: '2026-11-23T20:00:00Z',
};
const fleet = { ...command, target: { namespaces: ['team-a', 'team-b'], selector: 'env=dev,tier!=db,x in (a,b),!y' } };
const wish = { target: command.target, waitSeconds: 60, leaseSeconds: 3_600, part: '3' };

const eventBridge = {
  version: '0',
  id: '7bf73129-1428-4cd3-a780-95db273d1602',
  'detail-type': 'Wukong VM Stop Requested',
  source: 'novasphere.wukong-lifecycle',
  account: '123456789012',
  time: '2026-11-23T20:00:00Z',
  region: 'eu-central-1',
  resources: [],
  detail: command,
};

const record = (body: string) => ({
  messageId: '059f36b4-87a3-44ab-83d2-661975830a7d',
  receiptHandle: 'x',
  body,
  attributes: { SentTimestamp: '1795464000000', ApproximateReceiveCount: '1' },
  messageAttributes: {},
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-central-1:1:wukong-stop',
  awsRegion: 'eu-central-1',
});

const http = (method: string, path: string, body?: string) => ({
  version: '2.0',
  routeKey: `${method} ${path}`,
  rawPath: path,
  rawQueryString: '',
  headers: { 'content-type': 'application/json', 'idempotency-key': 'k-1' },
  queryStringParameters: { cluster: 'default' },
  pathParameters: { namespace: 'team-a', name: 'web' },
  requestContext: {
    requestId: 'http-1',
    http: { method, path, sourceIp: '192.0.2.1' },
    authorizer: { iam: { userArn: 'arn:aws:iam::1:user/x' } },
  },
  ...(body === undefined ? {} : { body }),
  isBase64Encoded: false,
});

export const events: unknown[] = [
  command,
  fleet,
  wish,
  { target: { names: [command.target] } },
  eventBridge,
  { ...eventBridge, 'detail-type': 'Wukong VM Start Requested', detail: wish },
  record(JSON.stringify(command)),
  record(JSON.stringify(eventBridge)),
  { Records: [record(JSON.stringify(command)), { ...record(JSON.stringify(eventBridge)), messageId: 'second' }] },
  http('POST', '/namespaces/team-a/wukongs/web/stop', '{"gracePeriodSeconds": 5}'),
  { ...http('POST', '/namespaces/team-a/wukongs/web/start', 'e30='), isBase64Encoded: true },
  http('GET', '/namespaces/team-a/wukongs/web'),
];

export const queries: unknown[] = [
  { namespace: 'team-a', name: 'web' },
  { namespace: 'team-a', selector: 'env=dev' },
  {},
  http('GET', '/namespaces/team-a/wukongs/web'),
];

const operation = {
  requestId: 'r-1',
  holder: 'h',
  action: 'stop',
  step: 'Claimed',
  stepAt: '2026-11-23T20:00:00Z',
  trigger: 'direct',
  requestedAt: '2026-11-23T20:00:00Z',
  startedAt: '2026-11-23T20:00:00Z',
  deadline: '2026-11-23T20:10:00Z',
  forceAt: '2026-11-23T20:01:00Z',
  vmiUid: 'u',
  comebacks: 0,
  attempts: 1,
  restore: 'Once',
  force: false,
  graceSeconds: 30,
  deletePodWhenStuck: false,
  waitSeconds: 300,
  declared: { action: 'stop' },
  supersedes: [{ requestId: 'r-0', action: 'start', trigger: 'direct', startedAt: '2026-11-23T19:00:00Z' }],
};
const last = {
  requestId: 'r-0',
  action: 'start',
  outcome: 'Started',
  message: 'up',
  trigger: 'direct',
  requestedAt: '2026-11-23T19:00:00Z',
  startedAt: '2026-11-23T19:00:00Z',
  finishedAt: '2026-11-23T19:01:00Z',
};

/** What annotations hold, before it is written as text. */
export const annotations: Record<string, unknown> = {
  'lifecycle.novasphere.dev/operation': operation,
  'lifecycle.novasphere.dev/last-operation': last,
  'lifecycle.novasphere.dev/last-settled': last,
  'lifecycle.novasphere.dev/schedule-memory': { skipped: '2026-11-22T20:00:00Z', withheld: '2026-11-22T20:00:00Z' },
};
/** Those that are text as they are. */
export const overrides: Record<string, string> = {
  'lifecycle.novasphere.dev/keep-running-until': '2026-11-23T22:00:00Z',
  'lifecycle.novasphere.dev/keep-stopped-until': '2026-11-23T22:00:00Z',
  'lifecycle.novasphere.dev/lease-until': '2026-11-23T22:00:00Z',
  'lifecycle.novasphere.dev/skip-next': 'true',
  'lifecycle.novasphere.dev/protected': 'true',
  'lifecycle.novasphere.dev/wave': '10',
};

export const wukong = {
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind: 'Wukong',
  metadata: {
    name: 'web',
    namespace: 'team-a',
    uid: 'w',
    resourceVersion: '7',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { env: 'dev' },
  },
  spec: {
    cpu: 1,
    memory: '64Mi',
    lifecycleAction: { action: 'stop', force: false, gracePeriodSeconds: 10 } as unknown,
  },
  status: { vmName: 'web-vm', phase: 'Running', lifecycleState: { state: 'Running', outcome: 'Started' } },
};

export const schedule = {
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind: 'WukongSchedule',
  metadata: { name: 'office', namespace: 'team-a', creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 },
  spec: {
    timeZone: 'Europe/Berlin',
    start: '0 8 * * 1-5',
    stop: '0 20 * * 1-5',
    selector: { matchLabels: { env: 'dev' }, matchExpressions: [{ key: 'env', operator: 'In', values: ['dev'] }] },
    suspend: false,
    holidays: { dates: ['2026-12-25'], configMapRef: { name: 'holidays', key: 'dates' } },
    policy: 'Enforce',
    startingDeadlineSeconds: 3_600,
    gracePeriodSeconds: 60,
    waves: { maxInFlight: 10, delaySeconds: 5 },
    jitterSeconds: 30,
  },
  status: { lastHandled: '2026-11-22T19:00:00Z' },
};

export const vm: KubeObject & object = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  metadata: { name: 'web-vm', namespace: 'team-a', uid: 'v', resourceVersion: '8' },
  spec: { runStrategy: 'Always' },
  status: { printableStatus: 'Running', created: true, ready: true },
} as KubeObject;
export const vmi: KubeObject & object = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstance',
  metadata: { name: 'web-vm', namespace: 'team-a', uid: 'u', resourceVersion: '9' },
  spec: { terminationGracePeriodSeconds: 30 },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
} as KubeObject;

export const environment: Record<string, string> = {
  POWER_METHOD: 'patch',
  REQUIRE_AGENT: 'true',
  EVENT_BUS_NAME: 'bus',
  LIFECYCLE_NAMESPACE: 'wukong-lifecycle',
  WATCH_NAMESPACES: 'team-a, team-b',
  LOG_LEVEL: 'DEBUG',
  RESERVE_SECONDS: '10',
  POWER_CALLS_PER_SECOND: '50',
  CLUSTERS: '{"default": {"kubeconfigSecret": "x"}}',
};
