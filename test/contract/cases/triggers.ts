import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { eventsOf, is, isOffNow } from '../looking.ts';
import { isUp, vmiOf, wukongOf } from '../making.ts';

const on = { by: { runStrategy: 'Always' }, as: 'on' } as const;
const http = (method: string, namespace: string, name: string, verb?: string, body?: object) => {
  const path = `/namespaces/${namespace}/wukongs/${name}${verb ? `/${verb}` : ''}`;
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    headers: {},
    pathParameters: { namespace, name },
    requestContext: { requestId: `http-${name}-${verb}`, http: { method, path } },
    ...(body ? { body: JSON.stringify(body) } : {}),
  };
};

export const triggerCases = cases('triggers', [
  {
    name: 'an EventBridge event; delivered again it is the same request',
    async run(stage) {
      const made = await stage.make(on);
      const detail = { target: { namespace: stage.namespace, name: made.wukong } };
      const time = new Date(stage.ground.clock.now()).toISOString();
      const event = {
        version: '0',
        id: `event-${made.wukong}`,
        'detail-type': 'Wukong VM Stop Requested',
        time,
        detail,
      };
      is((await stage.invoke('stopVm', event)).outcomes[0], 'Stopped');
      is((await stage.invoke('stopVm', event)).outcomes[0], 'Skipped', 'Duplicate');
    },
  },
  {
    name: 'a batch of a queue: each message on its own, the bad one is named',
    async run(stage) {
      const made = await stage.make(on);
      const record = (messageId: string, body: string) => ({ messageId, body, eventSource: 'aws:sqs', attributes: {} });
      const target = { namespace: stage.namespace, name: made.wukong };
      const Records = [record('good', JSON.stringify({ target })), record('bad', '{"target":{}}')];
      const answer = await stage.invoke('stopVm', { Records });
      assert.deepEqual(answer.batchItemFailures, [{ itemIdentifier: 'bad' }]);
      await isOffNow(stage, made);
    },
  },
  {
    name: 'HTTP: a stop is answered 200 with its outcome, a look with the state',
    async run(stage) {
      const made = await stage.make(on);
      const stopped = await stage.invoke('stopVm', http('POST', stage.namespace, made.wukong, 'stop', {}));
      assert.equal(stopped.statusCode, 200);
      assert.equal(JSON.parse(stopped.body).outcome, 'Stopped');
      const look = await stage.invoke('getState', http('GET', stage.namespace, made.wukong));
      assert.equal(look.statusCode, 200);
      assert.equal(JSON.parse(look.body).state, 'Stopped');
    },
  },
  {
    name: 'HTTP: a Wukong that is not there is 404, a wrong field 400 with its name',
    async run(stage) {
      const missing = await stage.invoke('startVm', http('POST', stage.namespace, 'nobody', 'start'));
      assert.equal(missing.statusCode, 404);
      const wrong = await stage.invoke(
        'startVm',
        http('POST', stage.namespace, 'nobody', 'start', { waitSeconds: 'long' }),
      );
      assert.equal(wrong.statusCode, 400);
      assert.equal(JSON.parse(wrong.body).fields[0].field, 'waitSeconds');
    },
  },
  {
    name: 'a wrong command names every wrong field, and nothing is touched',
    async run(stage) {
      const made = await stage.make(on);
      const before = (await wukongOf(stage, made)).metadata.resourceVersion;
      const target = { namespace: stage.namespace, name: made.wukong };
      const answer = await stage.invoke('stopVm', { target, gracePeriodSeconds: -1, force: 'yes', surprise: 1 });
      assert.equal(answer.reason, 'InvalidAction');
      for (const field of ['gracePeriodSeconds', 'force', 'surprise']) assert.match(answer.message, new RegExp(field));
      assert.equal((await wukongOf(stage, made)).metadata.resourceVersion, before);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'a command that comes after its notAfter does nothing',
    async run(stage) {
      const made = await stage.make(on);
      const notAfter = new Date(stage.ground.clock.now() - 1_000).toISOString();
      is(await stage.stop(made, { notAfter }), 'Skipped', 'Stale');
      assert.equal((await vmiOf(stage, made)).metadata.uid, made.uid);
    },
  },
  {
    name: 'a dry run says what KubeVirt would say, and changes nothing',
    async run(stage) {
      const made = await stage.make(on);
      const before = (await wukongOf(stage, made)).metadata.resourceVersion;
      const outcome = await stage.stop(made, { dryRun: true });
      is(outcome, 'Skipped', 'DryRun');
      assert.match(outcome.message, /accepted/);
      await stage.sleep(1_000);
      assert.ok(await isUp(stage, made));
      assert.equal((await wukongOf(stage, made)).metadata.resourceVersion, before);
      assert.deepEqual(await eventsOf(stage, made), []);
    },
  },
  {
    name: 'a protected Wukong is left alone, also by force, and says why',
    async run(stage) {
      const made = await stage.make({ ...on, annotations: { 'lifecycle.novasphere.dev/protected': 'true' } });
      is(await stage.stop(made, { force: true }), 'Skipped', 'Protected');
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'a function whose time is over answers InProgress; a tick comes to the end',
    guests: true,
    alone: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'shutdown-seconds': '8' } });
      is(await stage.stop(made, {}, { leftMs: 13_000, env: { RESERVE_SECONDS: '10' } }), 'InProgress');
      assert.match((await wukongOf(stage, made)).status.lifecycleState.outcome, /InProgress/);
      await stage.until('the guest to go', async () => !(await vmiOf(stage, made)));
      await stage.tick();
      assert.equal((await wukongOf(stage, made)).status.lifecycleState.outcome, 'Stopped');
    },
  },
  {
    name: 'the state of one, and of all that a selector finds',
    async run(stage) {
      const labels = { contract: 'state' };
      const made = await stage.make({ ...on, labels });
      await stage.make({ by: { runStrategy: 'Halted' }, as: 'off', labels });
      const one = await stage.invoke('getState', { namespace: stage.namespace, name: made.wukong });
      assert.equal(one.states[0].state, 'Running');
      const all = await stage.invoke('getState', { namespace: stage.namespace, selector: 'contract=state' });
      assert.deepEqual(all.states.map(({ state }: { state: string }) => state).sort(), ['Running', 'Stopped']);
    },
  },
]);
