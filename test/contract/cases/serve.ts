import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { eventsOf, is, isOffNow, isToldTrue } from '../looking.ts';
import { isUp, type Made, strategyOf, vmiOf, vmOf, wukongOf } from '../making.ts';
import { begun, callerWith, serving } from '../serving.ts';
import type { Stage } from '../stage.ts';
import { annotate, cronAt, declare, laterOn, off, on, prefix, schedule, toldOf } from '../timing.ts';

/** Long before a tick of every minute would come. */
const soonMs = 20_000;
const isTold = (stage: Stage, made: Made, outcome: string) =>
  stage.until(`the outcome ${outcome}`, async () => (await toldOf(stage, made)).outcome === outcome, soonMs);
const pathOf = ({ namespace }: Stage, { wukong }: Made, verb = '') =>
  `/namespaces/${namespace}/wukongs/${wukong}${verb && `/${verb}`}`;
const lease = async ({ send, namespace }: Stage) =>
  (await send('GET', `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/wukong-lifecycle`)).body.spec ?? {};

export const serveCases = cases('the server', [
  {
    name: 'wakes for an action that is declared, and carries it out at once',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await serving(stage, async () => {
        await stage.sleep(3_000);
        await declare(stage, made, 'stop');
        await isTold(stage, made, 'Stopped');
        await isOffNow(stage, made);
        assert.equal((await wukongOf(stage, made)).spec.lifecycleAction, undefined);
        await declare(stage, made, 'start');
        await isTold(stage, made, 'Started');
      });
      await isToldTrue(stage, made, 'Running', 'Started');
    },
  },
  {
    name: 'carries out a boundary when it comes, of a schedule that was made meanwhile',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await serving(stage, async () => {
        const at = laterOn(stage);
        await schedule(stage, { stop: cronAt(at) });
        await stage.until('the stop', async () => (await toldOf(stage, made)).outcome === 'Stopped');
        const { startedAt } = await toldOf(stage, made);
        assert.ok(Math.abs(Date.parse(startedAt) - at) < 10_000, startedAt);
      });
      await isOffNow(stage, made);
    },
  },
  {
    name: 'serves a Wukong that was made meanwhile, and is not harmed by one that goes',
    alone: true,
    async run(stage) {
      const gone = await stage.make(on);
      await serving(stage, async () => {
        await stage.send('DELETE', paths.wukong(stage.namespace, gone.wukong));
        const made = await stage.make(on);
        await declare(stage, made, 'stop');
        await isTold(stage, made, 'Stopped');
      });
    },
  },
  {
    name: 'goes on with what an earlier process has left under way',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'shutdown-seconds': '8' } });
      is(await stage.stop(made, {}, { leftMs: 13_000 }), 'InProgress');
      await serving(stage, () => isTold(stage, made, 'Stopped').then(() => {}));
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      assert.equal((await eventsOf(stage, made)).filter(({ reason }) => reason === 'Stopped').length, 1);
    },
  },
  {
    name: 'a guest that hangs keeps nobody else waiting',
    alone: true,
    guests: true,
    async run(stage) {
      const bad = await stage.make({ ...on, guest: { hang: 'true' }, graceSeconds: 60 });
      const good = await stage.make(on);
      await serving(stage, async () => {
        await declare(stage, bad, 'stop');
        await stage.until('the shutdown to begin', async () => (await vmiOf(stage, bad))?.metadata.deletionTimestamp);
        await declare(stage, good, 'stop');
        await isTold(stage, good, 'Stopped');
        assert.ok(await vmiOf(stage, bad));
      });
    },
  },
  {
    name: 'a caller who may update wukongs/stop switches a VM off, and gets the answer of the function',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const token = await callerWith(stage, ['stop', 'get']);
      await serving(stage, async ({ ask }) => {
        const { status, body } = await ask('POST', pathOf(stage, made, 'stop'), { token, body: { reason: 'lunch' } });
        assert.deepEqual([status, body.outcome, body.trigger], [200, 'Stopped', 'http']);
        const look = await ask('GET', pathOf(stage, made), { token });
        assert.deepEqual([look.status, look.body.state], [200, 'Stopped']);
      });
      await isOffNow(stage, made);
    },
  },
  {
    name: 'a caller who may only stop is refused a start, and told which right is missing',
    alone: true,
    async run(stage) {
      const made = await stage.make(off);
      const token = await callerWith(stage, ['stop']);
      await serving(stage, async ({ ask }) => {
        const { status, body } = await ask('POST', pathOf(stage, made, 'start'), { token, body: {} });
        assert.equal(status, 403);
        assert.match(body.message, /may not update wukongs\/start/);
        assert.equal((await ask('GET', pathOf(stage, made), { token })).status, 403);
      });
      await isOffNow(stage, made);
    },
  },
  {
    name: 'who has no token, one of nobody, or one for another audience is nobody',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const foreign = await callerWith(stage, ['stop'], ['https://kubernetes.default.svc']);
      await serving(stage, async ({ ask }) => {
        for (const token of [undefined, 'eyJhbGciOiJIUzI1NiJ9.e30.x', foreign]) {
          const { status, body } = await ask('POST', pathOf(stage, made, 'stop'), {
            ...(token ? { token } : {}),
            body: {},
          });
          assert.equal(status, 401, JSON.stringify(body));
        }
      });
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'asked twice with one Idempotency-Key it does so once',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const token = await callerWith(stage, ['stop']);
      await serving(stage, async ({ ask }) => {
        const more = { token, headers: { 'idempotency-key': 'lunch-1' }, body: {} };
        assert.equal((await ask('POST', pathOf(stage, made, 'stop'), more)).body.outcome, 'Stopped');
        const { body } = await ask('POST', pathOf(stage, made, 'stop'), more);
        assert.deepEqual([body.outcome, body.reason], ['Skipped', 'Duplicate']);
      });
    },
  },
  {
    name: 'restarts a VM: another guest is up when it answers, and the strategy stays',
    alone: true,
    async run(stage) {
      const made = await stage.make({ ...on, by: { runStrategy: 'RerunOnFailure' } });
      const token = await callerWith(stage, ['stop', 'start']);
      await serving(stage, async ({ ask }) => {
        const { body } = await ask('POST', pathOf(stage, made, 'restart'), { token, body: {} });
        assert.equal(body.outcome, 'Started', JSON.stringify(body));
      });
      assert.notEqual((await vmiOf(stage, made)).metadata.uid, made.uid);
      assert.equal(strategyOf(await vmOf(stage, made)), 'RerunOnFailure');
    },
  },
  {
    name: 'a restart needs both rights: who may only stop is refused, and the guest runs on',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const token = await callerWith(stage, ['stop']);
      await serving(stage, async ({ ask }) => {
        assert.equal((await ask('POST', pathOf(stage, made, 'restart'), { token, body: {} })).status, 403);
      });
      assert.equal((await vmiOf(stage, made)).metadata.uid, made.uid);
    },
  },
  {
    name: 'a CloudEvent that is sent twice switches a VM off once',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const token = await callerWith(stage, ['stop']);
      const event = {
        ...{ specversion: '1.0', type: 'dev.novasphere.wukong.stop', source: '/office/door', id: `e-${made.wukong}` },
        ...{ datacontenttype: 'application/json', data: { target: { namespace: stage.namespace, name: made.wukong } } },
      };
      const headers = { 'content-type': 'application/cloudevents+json' };
      await serving(stage, async ({ ask }) => {
        for (let time = 0; time < 2; time++)
          assert.equal((await ask('POST', '/events', { token, headers, body: event })).status, 202);
      });
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      assert.equal((await eventsOf(stage, made)).filter(({ reason }) => reason === 'Stopped').length, 1);
    },
  },
  {
    name: 'what stands on a Wukong holds for callers too',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await annotate(stage, made, `${prefix}protected`, 'true');
      const token = await callerWith(stage, ['stop']);
      await serving(stage, async ({ ask }) => {
        const { body } = await ask('POST', pathOf(stage, made, 'stop'), { token, body: { force: true } });
        assert.deepEqual([body.outcome, body.reason], ['Skipped', 'Protected']);
      });
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: '/metrics counts what came of it, /healthz and /readyz say ok, and none of them asks for a token',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await serving(stage, async ({ ask }) => {
        await declare(stage, made, 'stop');
        await isTold(stage, made, 'Stopped');
        const { status, body } = await ask('GET', '/metrics');
        assert.equal(status, 200);
        assert.match(body, /outcome="Stopped"[^\n]* 1\n/);
        assert.match(body, /^wukong_leader 1$/m);
        for (const path of ['/healthz', '/readyz']) assert.equal((await ask('GET', path)).status, 200, path);
      });
    },
  },
  {
    name: 'of two, the one with the Lease ticks; when it ends, the other does within half a minute',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const first = await begun(stage, 'one');
      try {
        await stage.until('the Lease', async () => (await lease(stage)).holderIdentity === 'one');
        await serving(
          stage,
          async () => {
            await stage.sleep(5_000);
            assert.equal((await lease(stage)).holderIdentity, 'one');
            assert.match((await lease(stage)).renewTime, /\.\d{6}Z$/);
            await first.end();
            await stage.until(
              'the other to hold it',
              async () => (await lease(stage)).holderIdentity === 'two',
              30_000,
            );
            await declare(stage, made, 'stop');
            await isTold(stage, made, 'Stopped');
          },
          'two',
        );
      } finally {
        await first.end();
      }
    },
  },
]);
