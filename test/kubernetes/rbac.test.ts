import { describe, expect, it } from 'vitest';

import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import { asLifecycleError } from '../../shared/domain/errors.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { type Outcome, reasonOf } from '../../shared/domain/outcome.ts';
import type { WukongRun } from '../../shared/domain/run.ts';
import { silentLog } from '../../shared/report/log.ts';
import type { RequestRecord } from '../../sim/sim.ts';
import { boundTo, type Extra, type FunctionName, type Rule, shippedRules, single } from '../flow/roles.ts';
import { type Scene, scene } from '../flow/scene.ts';
import { stories, type Story } from './stories.ts';

interface Played {
  /** What was asked for, as `words` says it. */
  asked: Set<string>;
  /** Calls that were answered 403. */
  refused: string[];
  /** What came of it, on the objects and for people. */
  tale: string;
}

/** Plays a story with just these rules. */
async function play(story: Story, rules: Rule[]): Promise<Played> {
  const at = await scene({}, story.env);
  await story.given(at);
  at.sim.addToken('of-the-role', 'system:serviceaccount:wukong-lifecycle:under-test', rules);
  const credentials = await credentialsOf(parseKubeConfig(at.sim.kubeconfig('of-the-role')), at.sim.inProcess());
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const { bus: _bus, ...rest } = at.world;
  const world: World = {
    ...rest,
    log: { ...silentLog, info: say, warn: say, error: say },
    transport: transportTo(credentials, at.clock, at.world.random),
  };
  const answer = await at
    .run(() => story.when(at, { ...at.invocation('the-request'), world }))
    .catch((thrown: unknown) => ({ threw: asLifecycleError(thrown).code }));
  const mine = at.sim.requests.filter(({ user }) => user.endsWith('under-test'));
  const asked = new Set(mine.map(askedBy));
  const refused = mine.filter(({ status }) => status === 403).map(({ method, path }) => `${method} ${path}`);
  const tale = JSON.stringify({ answer: gist(answer), said, objects: objectsOf(at) });
  await at.sim.close();
  return { asked, refused, tale };
}

/** The permission that a request needs, in the same words. */
function askedBy({ method, path, watch }: RequestRecord): string {
  const [, core, inner = ''] = /^\/(api\/v1|apis\/[^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
  const group = core === 'api/v1' ? '' : (core?.split('/')[1] ?? '');
  const [plural = '', name, sub] = inner.replace(/^namespaces\/[^/]+\/(?=.)/, '').split('/');
  const verbs: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
  const verb = watch ? 'watch' : (verbs[method] ?? (name === undefined ? 'list' : 'get'));
  return words({ apiGroups: [group], resources: [sub ? `${plural}/${sub}` : plural], verbs: [verb] });
}

/** Of an answer what does not differ from run to run. */
function gist(answer: unknown): unknown {
  const { outcomes = [], problems = [], ...more } = answer as { outcomes?: Outcome[]; problems?: string[] };
  const { threw, states } = more as { threw?: string; states?: { state: string; last?: object }[] };
  return { threw, states, problems, outcomes: outcomes.map((one) => [one.outcome, reasonOf(one), one.forced]) };
}

function objectsOf({ sim }: Scene): unknown {
  const status = ({ status }: KubeObject & { status?: unknown }) => {
    const { lifecycleState, lastHandled } = (status ?? {}) as {
      lifecycleState?: Record<string, unknown>;
      lastHandled?: string;
    };
    return { outcome: lifecycleState?.['outcome'], state: lifecycleState?.['state'], lastHandled };
  };
  return {
    wukongs: sim.list<KubeObject>('wukongs').map((one) => [Object.keys(one.metadata.annotations ?? {}), status(one)]),
    runs: sim
      .list<WukongRun>('wukongruns')
      .map(({ metadata, spec, status }) => [
        ...[Object.keys(metadata.labels ?? {}).length, spec.dueAt, status?.phase, status?.targets],
      ]),
    schedules: ['wukongschedules', 'clusterwukongschedules'].map((kind) => sim.list<KubeObject>(kind).map(status)),
    namespaces: sim.list<KubeObject>('namespaces').map(({ metadata }) => metadata.annotations),
    running: sim.list<KubeObject>('virtualmachineinstances').length,
    events: sim.list<{ reason: string }>('events').map(({ reason }) => reason),
  };
}

const rulesFor = ({ by, extras = [] }: Story): Rule[] => single(shippedRules([by, ...extras]));
const words = ({ apiGroups, resources, verbs }: Rule): string =>
  `${verbs[0]} ${resources[0]}${apiGroups[0] ? `.${apiGroups[0]}` : ''}`;

const whole = new Map<Story, Promise<Played>>();
const playedWhole = (story: Story): Promise<Played> => {
  const played = whole.get(story) ?? play(story, rulesFor(story));
  whole.set(story, played);
  return played;
};

describe('the Roles that are shipped are enough', () => {
  it.each(stories)('for $name ($by)', async (story) => expect((await playedWhole(story)).refused).toEqual([]));
});

const roles: (FunctionName | Extra)[] = [
  'stop',
  'start',
  'reconcile',
  'state',
  'all-namespaces',
  'cluster-schedules',
  'stuck-pods',
  'skip-next',
  'serve',
];
const each = roles.flatMap((role) => single(shippedRules([role])).map((rule) => ({ role, rule: words(rule) })));

describe('the extra Roles are bound to the functions that need them', () => {
  const needs = stories.flatMap(({ by, extras = [] }) => extras.map((extra) => ({ by, extra })));
  it.each(needs)('$extra to $by', ({ by, extra }) => {
    expect(boundTo(`infra/rbac/${extra}/role.yaml`, extra)).toContain(`wukong-${by}`);
    if (extra === 'all-namespaces' || extra === 'cluster-schedules')
      expect(boundTo('infra/aws/rbac/bindings.yaml', extra)).toContain(`wukong-${by}`);
  });
});

describe('the Roles that are shipped are not more than enough', () => {
  it.each(each)('$role: without $rule a story ends otherwise', async ({ role, rule }) => {
    const mine = stories.filter(({ by, extras }) => by === role || extras?.includes(role as Extra));
    let refused = 0;
    for (const story of mine) {
      const before = await playedWhole(story);
      if (!before.asked.has(rule)) continue;
      const fewer = rulesFor(story).filter((one) => words(one) !== rule);
      const played = await play(story, fewer);
      refused += played.refused.length;
      if (played.refused.length > 0 && played.tale !== before.tale) return;
    }
    expect.fail(refused > 0 ? `${rule} is asked for, and nobody misses it` : `nothing needs ${rule}`);
  });
});

describe('what a Role lacks is told', () => {
  it.each([
    ['a stop that deletes the pod', 'delete pods', '["Failed","Denied",false]'],
    ['a declared stop', 'update virtualmachines/stop.subresources.kubevirt.io', '["Failed","Denied",false]'],
    ['a schedule in a frozen cluster', 'get configmaps', 'ConfigMap team-a/wukong-lifecycle cannot be read: '],
    ['a namespace whose next stop is to be skipped', 'patch namespaces', 'remove it by hand'],
    [
      'a schedule whose namespace is to keep running',
      'get namespaces',
      'annotations of namespace team-a are not known',
    ],
  ])('in %s without %s', async (name, rule, told) => {
    const story = stories.find((one) => one.name === name);
    if (!story) throw new Error(`no story ${name}`);
    const played = await play(
      story,
      rulesFor(story).filter((one) => words(one) !== rule),
    );
    expect(played.tale).toContain(told);
  });
});
