import type { LifecycleState } from '../../shared/domain/model.ts';
import type { WukongRun } from '../../shared/domain/run.ts';
import { nameOf } from './wideActs.ts';
import { claimsFor, isHarmed, isMixed, isSlow, lastingMs } from './wideClaims.ts';
import type { WideHistory } from './wideHistory.ts';
import { keyOfWide, type WideTale } from './wideStory.ts';
import { inTime, sureDues } from './wideTime.ts';
import { isFinal, type Told, wordsOf } from './wideWitness.ts';

const prefix = 'lifecycle.novasphere.dev/';

/** What must be true of every wide history once quiet has returned; each sentence says what is not. */
export function wideVerdict(history: WideHistory, tale: WideTale): string[] {
  if (!tale.quiet) return [`never came to rest; last problems: ${tale.problems.join('; ')}`, ...tale.thrown];
  return [
    ...tale.thrown,
    ...writtenAtRest(history, tale),
    ...tale.witness.lies,
    ...leftBehind(history, tale),
    ...forcedEarly(history, tale),
    ...toldOnce(history, tale),
    ...failedForNothing(history, tale),
    ...runsAreTrue(history, tale),
    ...history.wukongs.flatMap((_, index) => wished(history, tale, index)),
    ...inTime(history, tale),
  ];
}

/** A guest that crashes and is started again and again is seen so. */
const writtenAtRest = (history: WideHistory, { written }: WideTale): string[] => {
  const restless = history.wukongs.flatMap(({ guest, space }, index) =>
    guest === 'crashes' ? [`/namespaces/${space}/wukongs/${nameOf(index)}/`] : [],
  );
  return written
    .filter((what) => !restless.some((path) => what.includes(path)))
    .map((what) => `written at rest: ${what}`);
};

const leftBehind = (history: WideHistory, { wukongs }: WideTale): string[] =>
  wukongs.flatMap(({ metadata, spec, status }) => {
    const { name, annotations } = metadata;
    const said = status?.lifecycleState?.outcome;
    return [
      ...(annotations?.[`${prefix}operation`] ? [`${name}: an operation record is left behind`] : []),
      ...(spec?.lifecycleAction === undefined ? [] : [`${name}: a declared action is left behind`]),
      ...(said === 'InProgress' ? [`${name}: the status still says InProgress`] : []),
      ...otherThanRecord(history, name, status?.lifecycleState, annotations?.[`${prefix}last-operation`]),
    ];
  });

/** Status and record tell the same of the same request; unless the VM was switched before the end was told (decision 101). */
function otherThanRecord(
  { steps, wukongs }: WideHistory,
  name: string,
  said: LifecycleState | undefined,
  record: string | undefined,
): string[] {
  const last = record === undefined ? undefined : (JSON.parse(record) as { requestId: string; outcome: string });
  if (!last || said?.requestId !== last.requestId || said.outcome === last.outcome) return [];
  const switches =
    steps.some(({ do: act }) => act === 'hand' || act === 'guest') || wukongs.some((one) => one.guest === 'crashes');
  if (said.outcome === 'Superseded' && switches) return [];
  return [`${name}: the status says ${said.outcome} of ${last.requestId}, which came to ${last.outcome}`];
}

function forcedEarly(history: WideHistory, { witness, asked }: WideTale): string[] {
  const found = witness.podsDeleted > 0 ? ['a launcher pod was deleted and nobody had allowed it'] : [];
  for (const { key, verb, grace, at, sight, older } of witness.power) {
    if (verb !== 'stop' || older) continue;
    const index = history.wukongs.findIndex((_, i) => keyOfWide(history, i) === key);
    if (history.wukongs[index]?.protected) found.push(`${key} is protected and was asked to stop`);
    const hard = asked.some(
      ({ step, whom, at: since }) => step.do === 'ask' && step.force && whom.includes(index) && since <= at,
    );
    const vmi = sight.get(key);
    if (grace === undefined || hard || !vmi) continue;
    if (vmi.deletion === undefined ? grace < vmi.grace - 1 : grace === 0 && at < vmi.deletion + vmi.grace * 1000)
      found.push(`${key} was forced before its grace was over`);
  }
  return found;
}

/** A read that is answered like a refused write, which no API server does. */
const isMisread = ({ steps }: WideHistory): boolean =>
  steps.some((step) => step.do === 'fault' && step.harm.kind === 'status' && [409, 422].includes(step.harm.status));

/** One end for each request of a VM, and the same one wherever it is told. */
function toldOnce(history: WideHistory, { witness, events, spans }: WideTale): string[] {
  const found: string[] = [];
  /** One that was made anew under the same name is another. */
  const lifeOf = ({ key, startedAt }: Told) =>
    new Set(
      spans.flatMap(({ index, uid, from }) => (keyOfWide(history, index) === key && from <= startedAt ? uid : [])),
    ).size;
  const of = (some: Told[]) =>
    Map.groupBy(some.filter(isFinal), (told) => `${told.key} (${lifeOf(told)}) ${told.requestId}`);
  const [onBus, counted] = [of(witness.onBus), of(witness.counted)];
  for (const id of new Set([...onBus.keys(), ...counted.keys()])) {
    const all = [...(onBus.get(id) ?? []), ...(counted.get(id) ?? [])].map(wordsOf);
    const ends = new Set(isMisread(history) ? all.filter((words) => words !== 'FailedRefused') : all);
    if (ends.size > 1) found.push(`${id} has several outcomes: ${[...ends].join(', ')}`);
    if (isHarmed(history) || isMixed(history)) continue;
    for (const some of [onBus.get(id) ?? [], counted.get(id) ?? []])
      if (isApart(some)) found.push(`${id} was told ${some.length} times`);
    if (!counted.has(id)) found.push(`${id} was told on the bus and not counted`);
    const [one] = counted.get(id) ?? [];
    if (!one) continue;
    const said = events.filter(
      ({ message, involvedObject: { namespace, name } }) =>
        `${namespace}/${name}` === one.key && message.includes(`request ${one.requestId})`),
    );
    if (said.length > 0 && !said.some(({ reason }) => reason === wordsOf(one)))
      found.push(`${id} came to ${wordsOf(one)}, and its Event says ${said.map(({ reason }) => reason).join(', ')}`);
  }
  return found;
}

const sound = new Set(['plain', 'slow', 'slowBoot', 'deaf']);
const byHand = new Set(['hand', 'guest', 'recreate', 'relabel']);
/** Where there is no fault, and nobody does anything at the VM itself, a sound guest is no reason to fail. */
function failedForNothing(history: WideHistory, { witness, asked }: WideTale): string[] {
  if (isHarmed(history)) return [];
  const failed = witness.counted.filter(({ outcome, older }) => outcome === 'Failed' && !older);
  return failed.flatMap(({ key, requestId, reason }) => {
    const index = history.wukongs.findIndex((_, i) => keyOfWide(history, i) === key);
    const touched = asked.some(({ step, whom }) => byHand.has(step.do) && whom.includes(index));
    if (touched || !sound.has(history.wukongs[index]?.guest ?? '')) return [];
    return [`${key} ${requestId} failed (${reason}) although nothing was wrong`];
  });
}

/** What was skipped may be told again; a tick that comes between an end and its telling tells it too: at least once. */
function isApart(some: Told[]): boolean {
  if (some.length < 2 || some[0]!.outcome === 'Skipped' || some[0]!.outcome === 'Superseded') return false;
  const times = some.map(({ at }) => at);
  return Math.max(...times) - Math.min(...times) > 5_000;
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, one) => all + one, 0);

function runsAreTrue(history: WideHistory, tale: WideTale): string[] {
  const found: string[] = [];
  for (const { metadata, spec, status } of tale.runs) {
    const { name, namespace } = metadata;
    if (!status) continue;
    const { targets, done, already, forced, failed, skipped, inProgress, phase } = status;
    if (phase === 'Running') found.push(`run ${namespace}/${name} is Running for ever`);
    if (targets !== done + already + forced + failed + inProgress + sum(skipped))
      found.push(`run ${namespace}/${name}: its counts are not its targets`);
    if (spec.schedule === undefined || isHarmed(history) || isSlow(history) || isMixed(history)) continue;
    found.push(...differences(tale, { metadata, spec, status } as WukongRun));
  }
  for (const due of sureDues(history, tale)) {
    const { version, at, action } = due;
    if (version.spec.space === 'cluster' || version.to !== Infinity) continue;
    const dueAt = new Date(at).toISOString().replace('.000', '');
    const run = tale.runs.find(
      ({ spec, metadata }) =>
        metadata.namespace === version.spec.space &&
        spec.schedule === `plan-${version.index}` &&
        spec.dueAt === dueAt &&
        spec.action === action,
    );
    if (!run) found.push(`no run tells of plan-${version.index} ${action} ${dueAt}`);
    else if (!(run.status?.vms ?? []).some((line) => line.startsWith(nameOf(due.span.index))))
      found.push(`the run of plan-${version.index} ${action} ${dueAt} says nothing of ${nameOf(due.span.index)}`);
  }
  return [...new Set(found)];
}

/** Between a run and what was counted of its request; a Wukong that is gone may be in neither. */
function differences({ witness, asked }: WideTale, { metadata, spec, status }: WukongRun): string[] {
  if (asked.some(({ step }) => step.do === 'recreate')) return [];
  const ofCluster = metadata.ownerReferences?.[0]?.kind === 'ClusterWukongSchedule';
  const requestId = `schedule:${ofCluster ? '' : `${metadata.namespace}/`}${spec.schedule}@${spec.dueAt}`;
  const due = Date.parse(spec.dueAt);
  const counted = witness.counted.filter((told) => told.key.startsWith(`${metadata.namespace}/`) && isFinal(told));
  // What was under way for the same when it was due is what the boundary came to, too.
  const isIn = ({ key }: Told) => status!.vms?.some((line) => line.startsWith(`${key.split('/')[1]} `));
  const spans = ({ action, startedAt, at }: Told) => action === spec.action && startedAt < due && at >= due;
  const joined = counted.filter((told) => spans(told) && isIn(told));
  const own = counted.filter((told) => told.requestId === requestId);
  const ends = new Map([...joined, ...own].map((told) => [told.key, told]));
  // Where somebody asked for the same after that, what it came to may be told of the boundary, too.
  const same = ({ action, startedAt }: Told) =>
    action === spec.action && startedAt >= due && startedAt < due + lastingMs;
  const after = counted.filter((told) => same(told) && isIn(told) && !ends.has(told.key));
  const count = (some: Iterable<Told>, words: RegExp) => [...some].filter((told) => words.test(wordsOf(told))).length;
  const { done, forced, failed } = status!;
  const pairs = [
    ['done', done, /^(Started|Stopped)$/],
    ['forced', forced, /^ForcedOff/],
    ['failed', failed, /^Failed/],
  ] as const;
  return pairs.flatMap(([what, said, words]) => {
    const [least, more] = [count(ends.values(), words), count(after, words)];
    if (said >= least && said <= least + more) return [];
    return [`run ${metadata.namespace}/${metadata.name} says ${said} ${what}, and ${least} were counted`];
  });
}

/** The newest valid wish holds, and the status says so. */
function wished(history: WideHistory, tale: WideTale, index: number): string[] {
  const key = keyOfWide(history, index);
  const wukong = tale.wukongs.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === key);
  if (!wukong || ['hangs', 'crashes', 'unschedulable'].includes(history.wukongs[index]!.guest)) return [];
  const power = tale.last.get(key)?.power ?? 'off';
  const said = wukong.status?.lifecycleState?.state;
  const truth = { on: 'Running', off: 'Stopped', between: undefined }[power];
  const found =
    truth === undefined || said === truth ? [] : [`${key}: the status says ${said}, and the VM is ${power}`];
  const claims = claimsFor(history, tale, index);
  const possible = claims.filter((one) => !claims.some((other) => !other.weak && other.low > one.high));
  const since = Math.max(...possible.filter(({ weak }) => !weak).map(({ low }) => low), -Infinity);
  const failed = tale.witness.counted.some((told) => told.key === key && told.outcome === 'Failed' && told.at >= since);
  if (failed || possible.some(({ action }) => (action === 'start' ? 'on' : 'off') === power)) return found;
  const newest = possible.map(({ action, what }) => `${action} (${what})`).join(' or ');
  return [...found, `${key} is ${power}, and the newest valid wish is ${newest}`];
}
