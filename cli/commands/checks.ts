import { request } from 'undici';

import { bodyOf } from '../../shared/cluster/failure.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import { connectionFailure, shownServer } from '../../shared/cluster/unreachable.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { plain } from '../../shared/report/plain.ts';
import { troubleLines } from '../../shared/schedule/timetable.ts';
import { tzVersion, tzWarning } from '../../shared/time/tzData.ts';
import { spoken } from '../terminal/duration.ts';
import { readCrd } from './crd.ts';
import { faultOf, ownCrds, wukongCrd } from './crdPatch.ts';
import type { Check, Finding } from './finding.ts';
import { checkGuests } from './guests.ts';
import { checkPermissions } from './permissions.ts';
import { lookAtSchedules } from './scheduleTroubles.ts';

/** More than this, and instants of the cluster cannot be held against ours. */
const skewMs = 5_000;

/** Who answers, in which version, and by which clock: the Date header has whole seconds. */
const reach: Check = async ({ credentials, world }) => {
  const { server } = credentials;
  const shown = shownServer(server);
  let sent = world.clock.now();
  try {
    const headers = { ...(await credentials.headers()), accept: 'application/json' };
    const { dispatcher } = credentials;
    sent = world.clock.now();
    const answer = await request(`${server}/version`, { dispatcher, headers, headersTimeout: 15_000 });
    const got = world.clock.now();
    const version = (await answer.body.json().catch(() => ({}))) as { gitVersion?: string };
    if (answer.statusCode === 401)
      return [
        {
          level: 'FAIL',
          check: 'cluster',
          found: `${shown} does not accept the token (401)`,
          next: 'renew the credentials',
        },
      ];
    const said = Date.parse(String(answer.headers['date'] ?? ''));
    const reached: Finding = {
      level: 'OK',
      check: 'cluster',
      found: `${shown} answers in ${spoken(got - sent)}, ${plain(version.gitVersion ?? 'version not told', 100)}`,
    };
    return [reached, clockOf(said, sent, got)];
  } catch (thrown) {
    return [{ level: 'FAIL', check: 'cluster', found: connectionFailure(thrown, credentials).message }];
  }
};

function clockOf(said: number, sent: number, got: number): Finding {
  if (Number.isNaN(said)) return { level: 'WARN', check: 'clock', found: 'the API server does not say its time' };
  // Somewhere in [said, said + 1 s), and between sending and getting.
  const behind = Math.max(0, sent - (said + 1_000));
  const ahead = Math.max(0, said - got);
  const skew = Math.max(behind, ahead);
  const found = skew === 0 ? 'the same as here' : `${spoken(skew)} ${ahead > 0 ? 'ahead of' : 'behind'} this machine`;
  if (skew <= skewMs) return { level: 'OK', check: 'clock', found };
  return {
    level: 'WARN',
    check: 'clock',
    found,
    next: 'let both follow NTP; grace periods and schedules are off by that',
  };
}

const kubevirt: Check = async ({ world }) => {
  const path = apiPath({ api: 'kubevirt.io/v1', kind: 'kubevirts' });
  const answer = await world.transport.call<{ items?: KubeObject[] }>({ method: 'GET', path, safe: true });
  if (answer.status === 404)
    return [{ level: 'FAIL', check: 'KubeVirt', found: 'is not installed', next: 'install KubeVirt' }];
  if (answer.status === 403)
    return [
      {
        level: 'WARN',
        check: 'KubeVirt',
        found: 'its version may not be read',
        next: 'that is fine for the functions',
      },
    ];
  const [one] = bodyOf(answer, 'list of KubeVirts').items ?? [];
  const { phase, observedKubeVirtVersion: version } =
    (one as { status?: Record<string, string> } | undefined)?.status ?? {};
  if (!one)
    return [{ level: 'FAIL', check: 'KubeVirt', found: 'there is no KubeVirt object', next: 'install KubeVirt' }];
  const well = phase === 'Deployed';
  return [
    {
      level: well ? 'OK' : 'WARN',
      check: 'KubeVirt',
      found: `${version ?? 'version not told'}, ${phase ?? 'no phase'}`,
    },
  ];
};

const subresources: Check = async ({ world }) => {
  const path = apiPath({ api: 'subresources.kubevirt.io/v1' });
  const answer = await world.transport.call<{ resources?: { name: string }[] }>(
    { method: 'GET', path, safe: true },
    { deadline: world.clock.now() + 5_000 },
  );
  const names = new Set(answer.status === 200 ? (answer.body.resources ?? []).map(({ name }) => name) : []);
  const missing = ['start', 'stop'].filter((verb) => !names.has(`virtualmachines/${verb}`));
  if (missing.length === 0) return [{ level: 'OK', check: 'power calls', found: 'start and stop are served' }];
  const next =
    'look at the virt-api pods; until then POWER_METHOD=patch switches gracefully, and force is not possible';
  return [
    { level: 'FAIL', check: 'power calls', found: `${missing.join(' and ')} not served (${answer.status})`, next },
  ];
};

const crds: Check = async ({ world }) => {
  const found: Finding[] = [];
  for (const name of [wukongCrd, ...ownCrds]) {
    try {
      const crd = await readCrd(world, name);
      const fault = faultOf(crd, name);
      const level = !fault ? 'OK' : !crd && name !== wukongCrd ? 'WARN' : 'FAIL';
      const said = `${name} ${fault?.found ?? 'is as it must be'}`;
      found.push({ level, check: 'CRDs', found: said, ...(fault ? { next: fault.next } : {}) });
    } catch (thrown) {
      found.push({
        level: 'WARN',
        check: 'CRDs',
        found: (thrown as Error).message,
        next: 'ask somebody who may read CRDs',
      });
    }
  }
  return found;
};

const schedules: Check = async ({ world, namespace }) => {
  const check = 'schedules';
  try {
    const { count, troubles, problems } = await lookAtSchedules(world, namespace);
    const unread = problems.map((found): Finding => ({ level: 'WARN', check, found: plain(found) }));
    if (troubles.length === 0 && unread.length === 0)
      return [{ level: 'OK', check, found: count === 0 ? 'there is none' : `${count} can be evaluated` }];
    const next = 'mend it; docs/schedules.md has the rules';
    const bad = troubleLines(troubles).map((line): Finding => ({ level: 'WARN', check, found: plain(line), next }));
    return [...bad, ...unread];
  } catch (thrown) {
    return [{ level: 'WARN', check, found: plain((thrown as Error).message) }];
  }
};

/** Of this program: the functions have those of their own deployment. */
const zones: Check = ({ world }) => {
  const check = 'time zones';
  const old = tzWarning(world.clock.now());
  const found = old ?? `tz database ${tzVersion}, younger than half a year`;
  return Promise.resolve([{ level: old ? 'WARN' : 'OK', check, found }]);
};

/** In the order in which one depends on another. */
export const checks: Check[] = [reach, kubevirt, subresources, crds, schedules, zones, checkPermissions, checkGuests];
