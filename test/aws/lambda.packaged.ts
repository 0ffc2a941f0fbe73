import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { callAws } from '../../shared/cluster/aws.ts';
import type { LifecycleState } from '../../shared/domain/model.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { type Sim, startSim } from '../../sim/sim.ts';
import { resource, unpack } from './packaging.ts';
import { takeEvents } from './putEvents.ts';
import { Lambda } from './runtimeApi.ts';

const namespace = 'team-a';
const folder = mkdtempSync(join(tmpdir(), 'wukong-aws-'));
const kubeconfig = join(folder, 'kubeconfig');
const functions: Lambda[] = [];
let sim: Sim;
let bus: Awaited<ReturnType<typeof takeEvents>>;

/** A function as it is packaged, with the variables of the template but for where the cluster is. */
function deploy(name: string, env: Record<string, string> = {}): Lambda {
  const id = `${name.charAt(0).toUpperCase()}${name.slice(1)}LambdaFunction`;
  const { Variables } = resource(id)['Environment'] as { Variables: Record<string, string> };
  const { CLUSTERS: _elsewhere, ...variables } = Variables;
  const lambda = new Lambda(unpack(name, folder), {
    ...variables,
    WHICH: name,
    EVENT_BUS_NAME: 'wukong-lifecycle-example',
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url,
    KUBECONFIG: kubeconfig,
    ...env,
  });
  functions.push(lambda);
  return lambda;
}

beforeAll(async () => {
  sim = await startSim();
  bus = await takeEvents();
  writeFileSync(kubeconfig, sim.kubeconfig(), { mode: 0o600 });
});

afterAll(async () => {
  for (const one of functions) await one.close();
  await sim.close();
  await bus.close();
  rmSync(folder, { recursive: true });
});

let made = 0;
/** A VM that is up; each test has its own. */
async function vm(options: { labels?: Record<string, string>; guest?: Record<string, string> } = {}): Promise<string> {
  const name = `web-${++made}`;
  const guest = { 'boot-seconds': '0.2', 'shutdown-seconds': '0.3', ...options.guest };
  sim.createWukong({ namespace, name, runStrategy: 'Always', labels: options.labels ?? {}, guest });
  for (let i = 0; i < 200 && phaseOf(name) !== 'Running'; i++) await new Promise((next) => setTimeout(next, 25));
  expect(phaseOf(name)).toBe('Running');
  return name;
}
const phaseOf = (name: string) =>
  sim.get<{ status?: { phase?: string } }>('virtualmachineinstances', namespace, `${name}-vm`)?.status?.phase;
const stateOf = (name: string) =>
  sim.get<{ status?: { lifecycleState?: LifecycleState } }>('wukongs', namespace, name)?.status?.lifecycleState;
const outcomesOf = (name: string) =>
  bus.entries
    .map(({ Detail }) => JSON.parse(Detail) as { name: string; outcome: string })
    .filter((d) => d.name === name);

const busEvent = (name: string, id: string, more: object = {}) => ({
  version: '0',
  id,
  'detail-type': 'Wukong VM Stop Requested',
  source: 'a.team',
  account: '123456789012',
  time: new Date().toISOString(),
  region: 'eu-central-1',
  resources: [],
  detail: { target: { namespace, name }, ...more },
});
const record = (messageId: string, body: unknown) => ({
  messageId,
  receiptHandle: `receipt-${messageId}`,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(Date.now()) },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:wukong-lifecycle-example-stop',
  awsRegion: 'eu-central-1',
});
const httpEvent = (method: string, path: string, pathParameters: object, more: object = {}) => ({
  version: '2.0',
  routeKey: `${method} ${path}`,
  rawPath: path,
  rawQueryString: '',
  headers: { 'content-type': 'application/json' },
  requestContext: {
    accountId: '123456789012',
    apiId: 'abc',
    requestId: `http-${++made}`,
    http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'curl' },
    authorizer: { iam: { userArn: 'arn:aws:iam::123456789012:user/anna' } },
  },
  pathParameters,
  isBase64Encoded: false,
  ...more,
});
/** reconcileState as packaged, as often as it takes until it tells of something. */
let reconcile: Lambda | undefined;
async function tickUntilTold(): Promise<unknown[]> {
  reconcile ??= deploy('reconcileState');
  for (let i = 0; i < 20; i++) {
    const { body } = await reconcile.invoke({ 'detail-type': 'Scheduled Event' });
    const { outcomes } = body as { outcomes: unknown[] };
    if (outcomes.length > 0) return outcomes;
    await new Promise((next) => setTimeout(next, 500));
  }
  return [];
}
interface HttpAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

describe('stopVm as packaged, under the runtime client of Lambda', () => {
  let stop: Lambda;
  beforeAll(() => void (stop = deploy('stopVm')));

  it('takes the input of the packaged schedule, and tells how late it was', async () => {
    const { Input } = resource('StopVmSchedulerSchedule1')['Target'] as { Input: string };
    const name = await vm({ labels: { schedule: 'office-hours' } });
    const due = new Date(Date.now() - 7_000).toISOString();
    const event: unknown = JSON.parse(
      Input.replace('<aws.scheduler.schedule-arn>', 'arn:aws:scheduler:x').replaceAll(
        '<aws.scheduler.scheduled-time>',
        due,
      ),
    );
    const { kind, body } = await stop.invoke(event);
    expect({ kind, body }).toMatchObject({
      kind: 'response',
      body: {
        requestId: `direct:arn:aws:scheduler:x@${due}`,
        outcomes: [{ name, outcome: 'Stopped', trigger: 'schedule' }],
      },
    });
    expect(phaseOf(name)).toBeUndefined();
    expect(outcomesOf(name)).toMatchObject([{ outcome: 'Stopped', version: '1' }]);
    const lateness = /"Lateness":(\d+)/.exec(stop.written.join(''))?.[1];
    expect(Number(lateness)).toBeGreaterThanOrEqual(7_000);
    const again = await stop.invoke(event);
    expect(again.body).toMatchObject({ outcomes: [{ outcome: 'Skipped', reason: 'Duplicate' }] });
  });

  it('takes an event of the bus; its metrics have the dimensions that the alarms look at', async () => {
    const name = await vm();
    const { body } = await stop.invoke(busEvent(name, 'event-1'));
    expect(body).toMatchObject({ requestId: 'event:event-1', counts: { Stopped: 1 } });
    expect(stateOf(name)).toMatchObject({
      state: 'Stopped',
      outcome: 'Stopped',
      requestId: 'event:event-1',
      trigger: 'event',
    });
    const emitted = stop.written
      .join('')
      .split('\n')
      .filter((line) => line.includes('"Failures"') && line.includes('_aws'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const metrics = resource('FailuresAlarm')['Metrics'] as { MetricStat?: { Metric: never } }[];
    const watched = metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);
    expect(watched).toContainEqual({
      Namespace: 'WukongLifecycle',
      MetricName: 'Failures',
      Dimensions: [
        { Name: 'service', Value: emitted[0]?.['service'] },
        { Name: 'function', Value: emitted[0]?.['function'] },
      ],
    });
  });

  it('names only the poison of a batch, and does the others', async () => {
    const [one, two] = [await vm(), await vm()];
    const { kind, body } = await stop.invoke({
      Records: [
        record('m-1', busEvent(one, 'event-2')),
        record('m-2', '{"detail-type": "Wukong VM Stop Requested", "detail": {"target"'),
        record('m-3', { target: { namespace, name: two } }),
        record('m-4', busEvent(one, 'event-3', { gracePeriodSeconds: 'soon' })),
      ],
    });
    expect(kind).toBe('response');
    expect(body).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-2' }, { itemIdentifier: 'm-4' }] });
    expect([phaseOf(one), phaseOf(two)]).toEqual([undefined, undefined]);
    expect(stateOf(two)).toMatchObject({ requestId: 'queue:m-3', trigger: 'queue' });
  });

  it('answers over HTTP; the same key is the same request', async () => {
    const name = await vm();
    const path = `/namespaces/${namespace}/wukongs/${name}/stop`;
    const request = httpEvent(
      'POST',
      path,
      { namespace, name },
      {
        headers: { 'idempotency-key': 'key-1' },
        body: JSON.stringify({ reason: 'by hand' }),
      },
    );
    const first = (await stop.invoke(request)).body as HttpAnswer;
    expect(first.statusCode).toBe(200);
    expect(JSON.parse(first.body)).toMatchObject({
      outcome: 'Stopped',
      requestId: expect.stringMatching(/^http:.+:key-1$/),
    });
    const again = (await stop.invoke(request)).body as HttpAnswer;
    expect(again.statusCode).toBe(200);
    expect(JSON.parse(again.body)).toMatchObject({ reason: 'Duplicate', state: { state: 'Stopped' } });
    const wrong = { ...request, body: JSON.stringify({ force: 'yes', waitSeconds: 5, gracePeriodSeconds: -1 }) };
    const refused = (await stop.invoke(wrong)).body as HttpAnswer;
    expect(refused.statusCode).toBe(400);
    const { fields } = JSON.parse(refused.body) as { fields: { field: string }[] };
    expect(fields.map(({ field }) => field)).toEqual(['force', 'gracePeriodSeconds', 'waitSeconds']);
  });

  it('is back with InProgress before its time is up; reconcileState goes on', async () => {
    const name = await vm({ guest: { 'shutdown-seconds': '6' } });
    const path = `/namespaces/${namespace}/wukongs/${name}/stop`;
    const { kind, body, leftMs } = await stop.invoke(httpEvent('POST', path, { namespace, name }), { limitMs: 12_000 });
    expect(kind).toBe('response');
    expect(body).toMatchObject({ statusCode: 202, headers: { location: path.replace('/stop', '') } });
    expect(leftMs).toBeGreaterThan(1_000);
    expect(phaseOf(name)).toBe('Running');
    expect(await tickUntilTold()).toMatchObject([{ name, outcome: 'Stopped' }]);
    expect(phaseOf(name)).toBeUndefined();
    expect(outcomesOf(name)).toHaveLength(1);
  });
});

describe('getState as packaged', () => {
  it('answers one and a fleet over HTTP, and 404', async () => {
    const name = await vm({ labels: { fleet: 'one' } });
    const look = deploy('getState');
    const path = `/namespaces/${namespace}/wukongs`;
    const one = (await look.invoke(httpEvent('GET', `${path}/${name}`, { namespace, name }))).body as HttpAnswer;
    expect([one.statusCode, JSON.parse(one.body)]).toMatchObject([200, { name, state: 'Running' }]);
    const many = (
      await look.invoke(httpEvent('GET', path, { namespace }, { queryStringParameters: { selector: 'fleet=one' } }))
    ).body as HttpAnswer;
    expect(JSON.parse(many.body)).toMatchObject({ items: [{ name }] });
    const none = (await look.invoke(httpEvent('GET', `${path}/nope`, { namespace, name: 'nope' }))).body as HttpAnswer;
    expect(none.statusCode).toBe(404);
  });
});

describe('a process that dies of a rejection that nobody handles', () => {
  it('is started again for the same event, and the VM comes to the one outcome', async () => {
    const stray = join(folder, 'stray.mjs');
    // Once, half a second after the guest was asked to go: as if something in the process had been forgotten.
    writeFileSync(
      stray,
      `import { existsSync, writeFileSync } from 'node:fs';
       const mark = ${JSON.stringify(join(folder, 'died'))};
       if (!existsSync(mark)) setTimeout(() => { writeFileSync(mark, ''); Promise.reject(new Error('stray')); }, 1500);`,
    );
    const name = await vm({ guest: { 'shutdown-seconds': '3' } });
    const { Variables } = resource('StopVmLambdaFunction')['Environment'] as { Variables: Record<string, string> };
    const stop = deploy('stopVm', {
      NODE_OPTIONS: `${Variables['NODE_OPTIONS']} --import ${pathToFileURL(stray).href}`,
    });
    const event = busEvent(name, 'event-9');
    const died = await stop.invoke(event, { id: 'invocation-9' });
    expect(died).toMatchObject({ kind: 'exit', body: { code: 1 } });
    expect(stop.written.join('')).toContain('Error: stray');
    expect(phaseOf(name)).toBe('Running');
    // Delivered again, the same request is known; what it left behind comes to its end.
    const again = await stop.invoke(event, { id: 'invocation-9' });
    expect(again).toMatchObject({
      kind: 'response',
      body: { outcomes: [{ outcome: 'Skipped', reason: 'Duplicate' }] },
    });
    expect(await tickUntilTold()).toMatchObject([{ name, outcome: 'Stopped', requestId: 'event:event-9' }]);
    expect(stateOf(name)).toMatchObject({ state: 'Stopped', outcome: 'Stopped', requestId: 'event:event-9' });
    expect(outcomesOf(name)).toHaveLength(1);
  });
});

describe('credentials from AWS, in the bundle', () => {
  const region = 'eu-central-1';

  it('are a kubeconfig in Secrets Manager', async () => {
    const moto = process.env['MOTO_URL'] ?? '';
    const call = {
      service: 'secretsmanager',
      region,
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.CreateSecret' },
      body: JSON.stringify({ Name: 'wukong/edge', SecretString: sim.kubeconfig(), ClientRequestToken: 'x'.repeat(36) }),
    } as const;
    const login = () => Promise.resolve({ accessKeyId: 'testing', secretAccessKey: 'testing' });
    await callAws(call, login, { clock: systemClock, env: { AWS_ENDPOINT_URL: moto } });
    const CLUSTERS = 'edge=secret:wukong/edge,other=secret:wukong/none';
    const stop = deploy('stopVm', { CLUSTERS, KUBECONFIG: '', AWS_ENDPOINT_URL_SECRETS_MANAGER: moto });
    const name = await vm();
    const { body } = await stop.invoke({ cluster: 'edge', target: { namespace, name } });
    expect(body).toMatchObject({ outcomes: [{ name, outcome: 'Stopped' }] });
    expect(outcomesOf(name)).toMatchObject([{ cluster: 'edge', outcome: 'Stopped' }]);
    const { body: unnamed } = await stop.invoke({ target: { namespace, name } });
    expect(unnamed).toMatchObject({
      outcomes: [{ reason: 'InvalidAction', message: expect.stringContaining('edge, other') }],
    });
    const { body: none } = await stop.invoke({ cluster: 'other', target: { namespace, name } });
    expect(none).toMatchObject({
      outcomes: [{ reason: 'Denied', message: expect.stringContaining('GetSecretValue') }],
    });
  });

  it('are a token for EKS, which this cluster does not take', async () => {
    const eks = createServer((_request, answer) => {
      const data = Buffer.from(sim.caPem).toString('base64');
      answer.end(JSON.stringify({ cluster: { endpoint: sim.url, certificateAuthority: { data } } }));
    });
    await new Promise<void>((ready) => eks.listen(0, '127.0.0.1', ready));
    const endpoint = `http://127.0.0.1:${(eks.address() as AddressInfo).port}`;
    const stop = deploy('stopVm', { CLUSTERS: 'prod=eks:prod', KUBECONFIG: '', AWS_ENDPOINT_URL_EKS: endpoint });
    const { body } = await stop.invoke({ target: { namespace, name: 'any' } });
    expect(body).toMatchObject({ outcomes: [{ reason: 'Denied', message: expect.stringContaining('401') }] });
    eks.closeAllConnections();
    await new Promise((closed) => eks.close(closed));
  });
});

describe('secrets', () => {
  it('are in nothing that was written: logs, answers, errors, events, Events', () => {
    const written = functions.flatMap((one) => one.written).join('\n') + JSON.stringify(bus.entries);
    const onObjects = JSON.stringify([sim.list('events'), sim.list('wukongs')]);
    expect(written.length).toBeGreaterThan(5_000);
    expect(written + onObjects).not.toContain(sim.adminToken);
    expect(written + onObjects).not.toMatch(/bearer |k8s-aws-v1\.|X-Amz-Signature/i);
  });
});
