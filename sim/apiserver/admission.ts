import { at, equal, type Fields, isFields, type Thing } from './object.ts';
import { badRequest, invalid, Refusal } from './refusal.ts';
import type { Resource } from './resources.ts';

export interface Writing {
  resource: Resource;
  operation: 'CREATE' | 'UPDATE';
  subresource: string | undefined;
  old: Thing | undefined;
  next: Thing;
  /** Controllers of the cluster itself, whom webhooks do not stop. */
  internal: boolean;
  warn: (text: string) => void;
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
    case '/namespaces':
      return writing.operation === 'CREATE' ? newNamespace(next) : next;
    case '/events':
      return validateEvent(writing);
  }
  return next;
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

const strategies = ['Halted', 'Manual', 'Always', 'RerunOnFailure', 'Once', 'WaitAsReceiver'];

function validateVm({ next, warn, operation }: Writing): void {
  const spec: Fields = next.spec ?? {};
  const webhook = 'virtualmachine-validator.kubevirt.io';
  const { running, runStrategy } = spec;
  if (!isFields(spec['template'])) throw denied(webhook, 'missing virtual machine template.', 'spec.template');
  if (running != null && runStrategy != null)
    throw denied(
      webhook,
      'Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy instead',
      'spec.running',
    );
  if (running == null && runStrategy == null) throw denied(webhook, 'RunStrategy must be specified', 'spec.running');
  if (runStrategy != null && !strategies.includes(runStrategy as string))
    throw denied(webhook, `Invalid RunStrategy (${String(runStrategy)})`, 'spec.runStrategy');
  if (running != null && typeof running !== 'boolean')
    throw denied(
      webhook,
      `json: cannot unmarshal ${typeof running} into Go struct field VirtualMachineSpec.spec.running of type bool`,
      'spec.running',
    );
  if (operation === 'CREATE' && runStrategy === 'WaitAsReceiver')
    throw denied(
      webhook,
      'RunStrategy WaitAsReceiver is only set by a decentralized live migration',
      'spec.runStrategy',
    );
  if (running != null) warn('spec.running is deprecated, please use spec.runStrategy instead.');
}

/** MicroTime. */
export const sixDigits = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;

const badTime = (kind: string, version: string, value: unknown): Refusal =>
  badRequest(
    `${kind} in version "${version}" cannot be handled as a ${kind}: parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05.000000Z07:00": cannot parse ${JSON.stringify(value)} as ".000000"`,
  );

const leaseNumbers: [string, number, string][] = [
  ['leaseDurationSeconds', 1, 'must be greater than 0'],
  ['leaseTransitions', 0, 'must be greater than or equal to 0'],
];

function validateLease(resource: Resource, lease: Thing): void {
  for (const field of ['acquireTime', 'renewTime']) {
    const value = at(lease, 'spec', field);
    if (value != null && !(typeof value === 'string' && sixDigits.test(value))) throw badTime('Lease', 'v1', value);
  }
  const errors = leaseNumbers.flatMap(([field, least, rule]) => {
    const value = at(lease, 'spec', field);
    if (typeof value !== 'number' || value >= least) return [];
    return [{ field: `spec.${field}`, message: `Invalid value: ${value}: ${rule}` }];
  });
  if (errors.length > 0) throw invalid(resource, lease.metadata.name, errors);
}

function validateEvent({ resource, next }: Writing): Thing {
  const time = next['eventTime'];
  if (time != null && !(typeof time === 'string' && sixDigits.test(time))) throw badTime('Event', 'v1', time);
  const involved = isFields(next['involvedObject']) ? next['involvedObject'] : {};
  const { name, namespace } = next.metadata;
  const home = (involved['namespace'] as string | undefined) ?? '';
  if (home !== (namespace ?? '') && !(home === '' && namespace === 'default'))
    throw invalid(resource, name, [
      {
        field: 'involvedObject.namespace',
        message: `Invalid value: ${JSON.stringify(home)}: does not match event.namespace`,
      },
    ]);
  for (const field of ['firstTimestamp', 'lastTimestamp']) {
    const value = next[field];
    if (value != null && !(typeof value === 'string' && Number.isFinite(Date.parse(value))))
      throw badRequest(`Event in version "v1" cannot be handled as a Event: parsing time ${JSON.stringify(value)}`);
  }
  return next;
}
