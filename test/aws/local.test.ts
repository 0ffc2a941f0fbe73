import { afterEach, describe, expect, it } from 'vitest';

import { judge } from '../../cli/commands/deadLetters.ts';
import { type LocalAws, type LocalHandler, startLocalAws } from '../../cli/commands/localAws.ts';
import { getState } from '../../functions/getState/handler.ts';
import { restartVm } from '../../functions/restartVm/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { connect } from '../../shared/entry/connect.ts';
import { lambda } from '../../shared/entry/entry.ts';
import { eventBus, type PutEvents } from '../../shared/report/bus.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { type Sim, startSim } from '../../sim/sim.ts';

let sim: Sim;
let aws: LocalAws;
afterEach(async () => {
  await aws.close();
  await sim.close();
});

const puts = (url: string, body: unknown, target = 'AWSEvents.PutEvents') =>
  fetch(url, { method: 'POST', headers: { 'x-amz-target': target }, body: JSON.stringify(body) });
const entry = (type: string, detail: unknown) => ({
  Source: 'a.team',
  DetailType: type,
  Detail: typeof detail === 'string' ? detail : JSON.stringify(detail),
});

/** The pieces as `wukong aws-local` puts them together, and the next thing that comes out of them. */
async function local() {
  sim = await startSim();
  const guest = { 'boot-seconds': '0.1', 'shutdown-seconds': '0.1' };
  sim.createWukong({ namespace: 'team-a', name: 'web', runStrategy: 'Always', guest });
  const credentials = await credentialsOf(parseKubeConfig(sim.kubeconfig()));
  const world = await connect({ env: {}, log: silentLog, metrics: silentMetrics, credentials });
  const put: PutEvents = async (entries) => {
    const Entries = entries.map((one) => ({ ...one, Time: one.Time.getTime() / 1000 }));
    return (await (await puts(aws.url, { Entries })).json()) as object;
  };
  const open = () => Promise.resolve({ ...world, bus: eventBus('local', put, systemClock) });
  let tell: (out: unknown) => void;
  const next = () => new Promise<unknown>((resolve) => (tell = resolve));
  aws = await startLocalAws(
    {
      start: lambda('startVm', startVm, open) as unknown as LocalHandler,
      stop: lambda('stopVm', stopVm, open) as unknown as LocalHandler,
      restart: lambda('restartVm', restartVm, open) as unknown as LocalHandler,
      getState: lambda('getState', getState, open) as unknown as LocalHandler,
      outcome: (event) => tell(event),
      deadLetter: (body) => tell({ dead: JSON.parse(body) as unknown }),
    },
    0,
    1,
  );
  return { next };
}

describe('wukong aws-local', () => {
  it('stops a VM when it is asked by an event, and says so with one', async () => {
    const { next } = await local();
    const told = next();
    const answer = await puts(aws.url, {
      Entries: [entry('Wukong VM Stop Requested', { target: { namespace: 'team-a', name: 'web' } })],
    });
    expect(await answer.json()).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
    expect(await told).toMatchObject({
      source: 'novasphere.wukong-lifecycle',
      'detail-type': 'Wukong VM Lifecycle Outcome',
      detail: { name: 'web', outcome: 'Stopped', trigger: 'event' },
    });
    expect(sim.get('virtualmachineinstances', 'team-a', 'web-vm')).toBeUndefined();
  });

  it('sets aside what cannot be carried out, after three tries', async () => {
    const { next } = await local();
    const told = next();
    await puts(aws.url, { Entries: [entry('Wukong VM Stop Requested', { target: {} })] });
    expect(await told).toMatchObject({ dead: { detail: { target: {} } } });
  });

  it('refuses entries and calls as EventBridge does', async () => {
    await local();
    const mixed = await puts(aws.url, { Entries: [entry('x', '{'), entry('', {}), entry('x', {})] });
    expect(await mixed.json()).toMatchObject({
      FailedEntryCount: 2,
      Entries: [{ ErrorCode: 'MalformedDetail' }, { ErrorCode: 'InvalidArgument' }, { EventId: expect.any(String) }],
    });
    expect((await puts(aws.url, { Entries: Array(11).fill(entry('x', {})) })).status).toBe(400);
    expect((await puts(aws.url, {}, 'AWSEvents.PutRule')).status).toBe(400);
  });

  it('speaks the HTTP API', async () => {
    await local();
    const at = `${aws.url}/namespaces/team-a/wukongs`;
    const stopped = await fetch(`${at}/web/stop`, { method: 'POST', headers: { 'idempotency-key': 'k' }, body: '{}' });
    expect([stopped.status, await stopped.json()]).toMatchObject([
      200,
      { requestId: 'http:anyone:k', trigger: 'http' },
    ]);
    expect(await (await fetch(`${at}/web`)).json()).toMatchObject({ name: 'web', state: 'Stopped' });
    await fetch(`${at}/web/start`, { method: 'POST' });
    const uid = () => sim.get<KubeObject>('virtualmachineinstances', 'team-a', 'web-vm')?.metadata.uid;
    const before = uid();
    const again = await fetch(`${at}/web/restart`, { method: 'POST', body: '{"waitSeconds":60}' });
    expect([again.status, await again.json()]).toMatchObject([200, { outcome: 'Started', action: 'start' }]);
    expect(uid()).not.toBe(before);
    expect((await fetch(`${at}/web/stop`, { method: 'POST', body: '{"force":1}' })).status).toBe(400);
    expect((await fetch(`${aws.url}/nothing`)).status).toBe(404);
  });
});

describe('a dead letter', () => {
  it('that is a failed call of Lambda has its event inside', async () => {
    sim = await startSim();
    aws = { url: '', close: () => Promise.resolve() };
    const input = { target: { namespace: 'team-a', name: 'web' }, requestId: 'execution-1', trigger: 'schedule' };
    const letter = { version: '1.0', requestContext: { condition: 'RetriesExhausted' }, requestPayload: input };
    expect(judge('m-1', JSON.stringify(letter), 'stop')).toEqual({
      body: JSON.stringify(input),
      asks: 'stop team-a/web, request queue:execution-1',
    });
    expect(judge('m-1', '{"target":{}}', 'stop').problem).toContain('target.name');
  });
});
