import { type Condition, conditionOf, type KubeObject } from './model.ts';
import { adoptedByKey, owningWukongs } from './ownership.ts';
import { fieldsIn, instantIn, listIn, secondsIn, textIn, wholeIn } from './read.ts';
import { isEnded, type VmiView, type VmView } from './vm.ts';

const none: Condition[] = [];

const conditionIn = ({ type, status, reason, message, lastTransitionTime }: Record<string, unknown>): Condition => ({
  type: textIn(type) ?? '',
  status: status === 'True' || status === 'False' ? status : 'Unknown',
  reason: textIn(reason),
  message: textIn(message, 2_000),
  lastTransitionTime: textIn(lastTransitionTime, 64),
});

/** Those that complain: what is well is read from the fields beside them, and would only cost memory. */
function complaintsIn(conditions: Record<string, unknown>[]): Condition[] {
  const complaints = conditions.filter(({ type, status }) => status !== 'True' || type === 'Failure');
  if (complaints.length === 0) return none;
  return complaints.map(conditionIn).map(({ type, status, reason, message }) => ({ type, status, reason, message }));
}

/** A VM of the API, whatever is in it. */
export function readVm(object: KubeObject): VmView {
  const { metadata } = object;
  const { spec = {}, status = {} } = partsOf(object);
  const strategy = textIn(spec['runStrategy'], 64);
  const failure = fieldsIn(status['startFailure']);
  const observedGeneration = wholeIn(status['observedGeneration']);
  const adoptedBy = metadata.annotations?.[adoptedByKey];
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    strategy: strategy ?? (spec['running'] === true ? 'Always' : 'Halted'),
    field: strategy === undefined ? 'running' : 'runStrategy',
    // As it stands there, because a patch tests it: only what is no request is left out.
    queue: listIn(status['stateChangeRequests']).filter(isRequest),
    observed: status['printableStatus'] !== undefined,
    deleting: metadata.deletionTimestamp !== undefined,
    printableStatus: textIn(status['printableStatus']) ?? '',
    conditions: complaintsIn(listIn(status['conditions'])),
    ...(failure
      ? {
          startFailure: {
            failures: wholeIn(failure['consecutiveFailCount']) ?? 1,
            retryAfter: textIn(failure['retryAfterTimestamp'], 64),
          },
        }
      : {}),
    created: status['created'] === true,
    ...(metadata.generation === undefined ? {} : { generation: metadata.generation }),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    owners: owningWukongs(object),
    ...(adoptedBy === undefined ? {} : { adoptedBy }),
  };
}

const isRequest = (one: Record<string, unknown>): one is VmView['queue'][number] => typeof one['action'] === 'string';

/** A VMI of the API, whatever is in it. */
export function readVmi(object: KubeObject): VmiView {
  const { metadata } = object;
  const { spec = {}, status = {} } = partsOf(object);
  const listed = listIn(status['conditions']);
  const conditions = listed.map(conditionIn);
  const condition = (type: string) => conditionOf(conditions, type)?.status;
  const readySince = instantIn(conditionOf(conditions, 'Ready')?.lastTransitionTime);
  const migration = fieldsIn(status['migrationState']);
  const phase = textIn(status['phase']) ?? '';
  const phases = listIn(status['phaseTransitionTimestamps']);
  const reached = (wanted: RegExp) =>
    instantIn(phases.find((one) => wanted.test(textIn(one['phase']) ?? ''))?.['phaseTransitionTimestamp']);
  const deletingSince = instantIn(metadata.deletionTimestamp);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    phase,
    ...(deletingSince === undefined ? {} : { deletingSince }),
    graceSeconds: secondsIn(spec['terminationGracePeriodSeconds']) ?? 30,
    ready: condition('Ready') ?? 'False',
    ...(readySince === undefined ? {} : { readySince }),
    paused: condition('Paused') === 'True',
    agentConnected: condition('AgentConnected') === 'True',
    migrating: Boolean(migration?.['startTimestamp'] && !migration['completed'] && !migration['failed']),
    node: textIn(status['nodeName'], 253),
    finalizers: metadata.finalizers ?? [],
    conditions: complaintsIn(listed),
    ...(status['phaseTransitionTimestamps'] ? { ranAt: reached(/^Running$/) ?? null } : {}),
    ...(isEnded(phase) ? { endedAt: reached(/^(Succeeded|Failed)$/) } : {}),
  };
}

const partsOf = (object: KubeObject) => {
  const { spec, status } = object as { spec?: unknown; status?: unknown };
  return { spec: fieldsIn(spec), status: fieldsIn(status) };
};
