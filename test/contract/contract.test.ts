import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { type Sim, startSim } from '../../sim/sim.ts';
import { shippedRules } from '../flow/roles.ts';
import type { Case } from './case.ts';
import { allCases } from './cases/all.ts';
import { clientOf } from './client.ts';
import * as functions from './functions.ts';
import { bearer, type Ground, kept } from './ground.ts';
import { plainTemplate } from './making.ts';
import { type Result, runCases } from './run.ts';

let sim: Sim;
let results: Result[];

/** Each function may do what its own Role and the optional ones say, and no more. */
const beyond = ['all-namespaces', 'cluster-schedules', 'stuck-pods', 'skip-next'] as const;
const roleOf = { stopVm: 'stop', startVm: 'start', reconcileState: 'reconcile', getState: 'state' } as const;

/** All of them once, eight at a time, as on any cluster; but here an hour passes in a moment. */
beforeAll(async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true); // what lambda() logs of bad input
  const clock = new VirtualClock('2026-11-23T20:00:10Z');
  sim = await startSim({ clock });
  const running = runCases(allCases, await virtualGround(clock), { template: plainTemplate, atOnce: 8 });
  results = await clock.run(running, { sims: [sim], limitMs: 3_600_000 });
}, 120_000);
afterAll(async () => {
  vi.restoreAllMocks();
  await sim.close();
});

async function virtualGround(clock: VirtualClock): Promise<Ground> {
  const admin = await credentialsOf(parseKubeConfig(sim.kubeconfig()), sim.dispatcher());
  const as = (token: string) => ({ ...admin, headers: bearer(token) });
  for (const [name, role] of Object.entries(roleOf)) sim.addToken(`of-${name}`, name, shippedRules([role, ...beyond]));
  const serverRules = shippedRules(['reconcile', 'stop', 'start', 'serve', ...beyond]);
  sim.addToken('of-server', 'system:serviceaccount:wukong-lifecycle:server', serverRules);
  const { connect, silentLog: log, silentMetrics: metrics } = functions;
  return {
    send: clientOf(admin),
    clock,
    functions,
    obedient: true,
    mayChangeCrds: true,
    open: kept((name, env, token = `of-${name}`) =>
      connect({ env, clock, log, metrics, credentials: token === 'of-person' ? admin : as(token) }),
    ),
  };
}

/** Killed processes live by the machine's clock: `.ci/contract.sh` has them. */
const expected = ({ process: own }: Case) => (own ? 'not applicable' : 'passed');

it.each(allCases.map((each) => ({ ...each, expected: expected(each) })))('$area: $name: $expected', (each) => {
  const { result, message } = results.find(({ area, name }) => area === each.area && name === each.name) as Result;
  expect({ result, message: result === 'failed' ? message : undefined }).toEqual({ result: each.expected });
});
