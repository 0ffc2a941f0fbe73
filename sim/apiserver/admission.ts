import type { Cel } from './cel.ts';
import { changedEventFaults, eventFaults, newEventFaults } from './events.ts';
import { forbidden, unsupported, wrong } from './fielderror.ts';
import { at, equal, type Fields, isFields, type Thing } from './object.ts';
import { bindingFaults, policyFaults } from './policyfaults.ts';
import { badRequest, type FieldError, invalid, Refusal } from './refusal.ts';
import type { Resource } from './resources.ts';

export interface Writing {
  resource: Resource;
  operation: 'CREATE' | 'UPDATE';
  subresource: string | undefined;
  old: Thing | undefined;
  next: Thing;
  /** Asked under the kind's second group: that of Events is stricter. */
  alias: boolean;
  /** Controllers of the cluster itself, whom webhooks do not stop. */
  internal: boolean;
  warn: (text: string) => void;
  cel: Cel | undefined;
}

/** Rules of the built-in kinds and of KubeVirt's webhooks. @throws Refusal */
export function admit(writing: Writing): Thing {
  const { resource, next, internal } = writing;
  switch (`${resource.group}/${resource.plural}`) {
    case 'kubevirt.io/virtualmachines':
      if (!internal && !writing.subresource) validateVm(writing);
      break;
    case 'kubevirt.io/virtualmachineinstances':
      if (!internal && writing.operation === 'UPDATE' && !equal(writing.old?.spec, next.spec))
        throw denied('virtualmachineinstances-update-validator.kubevirt.io', 'update of VMI object is restricted');
      break;
    case 'coordination.k8s.io/leases':
      validateLease(resource, next);
      break;
    case 'admissionregistration.k8s.io/validatingadmissionpolicies':
      if (!writing.subresource) refuse(resource, next, policyFaults(next, writing.cel));
      break;
    case 'admissionregistration.k8s.io/validatingadmissionpolicybindings':
      refuse(resource, next, bindingFaults(next));
      break;
    case '/configmaps':
      validateConfigMap(writing);
      break;
    case '/namespaces':
      return writing.operation === 'CREATE' ? newNamespace(next) : next;
    case '/events':
      return validateEvent(writing);
  }
  return next;
}

function refuse(resource: Resource, { metadata }: Thing, errors: FieldError[]): void {
  if (errors.length > 0) throw invalid(resource, metadata.name, errors);
}

/** Texts by names of files; what is immutable stays as it is. */
function validateConfigMap({ resource, old, next }: Writing): void {
  const data = next['data'] ?? {};
  for (const value of Object.values(data)) {
    if (typeof value !== 'string')
      throw badRequest(
        `ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal ${typeof value === 'boolean' ? 'bool' : typeof value} into Go struct field ConfigMap.data of type string`,
      );
  }
  const names = Object.keys(data).filter((name) => name.length > 253 || !/^[-._a-zA-Z0-9]+$/.test(name));
  const isFixed = old?.['immutable'] === true;
  const changed = ['immutable', 'data', 'binaryData'].filter((field) => !equal(old?.[field], next[field]));
  refuse(resource, next, [
    ...names.map((name) =>
      wrong(`data[${name}]`, name, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"),
    ),
    ...(isFixed ? changed.map((field) => forbidden(field, 'field is immutable when `immutable` is set')) : []),
  ]);
}

const newNamespace = (namespace: Thing): Thing => {
  const labels = { 'kubernetes.io/metadata.name': namespace.metadata.name, ...namespace.metadata.labels };
  return {
    ...namespace,
    metadata: { ...namespace.metadata, labels },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
};

/** Where virt-api is down, its webhooks fail every write to a VM (KubeVirt's failurePolicy is Fail). */
export const webhookDown = (resource: Resource): Refusal => {
  const name =
    resource.plural === 'virtualmachines' ? 'virtualmachine-validator' : 'virtualmachineinstances-update-validator';
  return new Refusal(
    500,
    'InternalError',
    `Internal error occurred: failed calling webhook "${name}.kubevirt.io": failed to call webhook: Post "https://virt-api.kubevirt.svc:443/${resource.plural}-validate?timeout=10s": no endpoints available for service "virt-api"`,
    { details: { causes: [{ message: 'failed calling webhook' }] } },
  );
};

export function denied(webhook: string, message: string, field?: string): Refusal {
  const causes = field ? [{ reason: 'FieldValueInvalid', message, field }] : [];
  return new Refusal(422, 'Invalid', `admission webhook "${webhook}" denied the request: ${message}`, {
    details: { causes },
  });
}

const unmarshalled = (field: string, value: unknown, type: string): string =>
  `json: cannot unmarshal ${typeof value} into Go struct field VirtualMachineSpec.spec.${field} of type ${type}`;
const strategies = ['Halted', 'Manual', 'Always', 'RerunOnFailure', 'Once'];

function validateVm({ next, warn }: Writing): void {
  const spec: Fields = next.spec ?? {};
  const webhook = 'virtualmachine-validator.kubevirt.io';
  const { running, runStrategy } = spec;
  if (running != null && typeof running !== 'boolean')
    throw denied(webhook, unmarshalled('running', running, 'bool'), 'spec.running');
  if (runStrategy != null && typeof runStrategy !== 'string')
    throw denied(webhook, unmarshalled('runStrategy', runStrategy, 'v1.VirtualMachineRunStrategy'), 'spec.runStrategy');
  if (!isFields(spec['template'])) throw denied(webhook, 'missing virtual machine template.', 'spec.template');
  if (running != null && runStrategy != null)
    throw denied(
      webhook,
      'Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy instead',
      'spec.running',
    );
  if (running == null && runStrategy == null) throw denied(webhook, 'RunStrategy must be specified', 'spec.running');
  if (runStrategy === 'WaitAsReceiver')
    throw denied(
      webhook,
      'Invalid RunStrategy (WaitAsReceiver), DecentralizedLiveMigration feature gate is not enabled in kubevirt resource',
      'spec.runStrategy',
    );
  if (runStrategy != null && !strategies.includes(runStrategy))
    throw denied(webhook, `Invalid RunStrategy (${runStrategy})`, 'spec.runStrategy');
  if (running != null) warn('spec.running is deprecated, please use spec.runStrategy instead.');
}

/** MicroTime. */
const sixDigits = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;

const badTime = (kind: string, version: string, value: unknown): Refusal =>
  badRequest(
    `${kind} in version "${version}" cannot be handled as a ${kind}: parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05.000000Z07:00": cannot parse ${JSON.stringify(value)} as ".000000"`,
  );

const leaseNumbers: [string, number, string][] = [
  ['leaseDurationSeconds', 1, 'must be greater than 0'],
  ['leaseTransitions', 0, 'must be greater than or equal to 0'],
];

/** A field of another type than it has is not even read (Go's encoding/json). */
const unreadable = (field: string, value: unknown, type: string): Refusal => {
  const is = Array.isArray(value) ? 'array' : typeof value;
  return badRequest(
    `Lease in version "v1" cannot be handled as a Lease: json: cannot unmarshal ${is === 'boolean' ? 'bool' : is} into Go struct field LeaseSpec.spec.${field} of type ${type}`,
  );
};

function validateLease(resource: Resource, lease: Thing): void {
  for (const field of ['acquireTime', 'renewTime']) {
    const value = at(lease, 'spec', field);
    if (value != null && !(typeof value === 'string' && sixDigits.test(value))) throw badTime('Lease', 'v1', value);
  }
  for (const field of ['holderIdentity', 'strategy', 'preferredHolder']) {
    const value = at(lease, 'spec', field);
    if (value != null && typeof value !== 'string') throw unreadable(field, value, 'string');
  }
  const errors = leaseNumbers.flatMap(([field, least, rule]) => {
    const value = at(lease, 'spec', field);
    if (value == null) return [];
    if (!Number.isInteger(value)) throw unreadable(field, value, 'int32');
    return (value as number) >= least ? [] : [wrong(`spec.${field}`, value, rule)];
  });
  const strategy = at(lease, 'spec', 'strategy');
  if (strategy && !String(strategy).includes('/') && strategy !== 'OldestEmulationVersion')
    errors.push(unsupported('spec.strategy.strategy', strategy, ['OldestEmulationVersion']));
  if (at(lease, 'spec', 'preferredHolder') && !strategy)
    errors.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  refuse(resource, lease, errors);
}

function validateEvent({ resource, old, next, alias }: Writing): Thing {
  const time = next['eventTime'];
  if (time != null && !(typeof time === 'string' && sixDigits.test(time))) throw badTime('Event', 'v1', time);
  for (const field of ['firstTimestamp', 'lastTimestamp']) {
    const value = next[field];
    if (value != null && !(typeof value === 'string' && Number.isFinite(Date.parse(value))))
      throw badRequest(`Event in version "v1" cannot be handled as a Event: parsing time ${JSON.stringify(value)}`);
  }
  const stricter = !alias ? [] : old ? changedEventFaults(next, old) : newEventFaults(next);
  refuse(resource, next, [...eventFaults(next), ...stricter]);
  return next;
}
