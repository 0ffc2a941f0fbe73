import assert from 'node:assert/strict';

import { paths } from './client.ts';
import type { Stage } from './stage.ts';

/** `spec.template` of a VirtualMachine. */
export interface Template {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: Record<string, unknown>;
}

export const plainTemplate: Template = {
  spec: {
    architecture: 'amd64',
    terminationGracePeriodSeconds: 30,
    domain: { devices: {}, resources: { requests: { memory: '64Mi' } } },
  },
};

/** How guests are told to behave (DESIGN §12): keys and units are exact. */
export type Guest = Partial<
  Record<
    | 'boot-seconds'
    | 'shutdown-seconds'
    | 'ignore-acpi'
    | 'hang'
    | 'crash-after-seconds'
    | 'poweroff-after-seconds'
    | 'unschedulable'
    | 'agent-after-seconds'
    | 'users',
    string
  >
>;

/** How a machine switches: by its strategy, or by the legacy field. */
export type Switch = { runStrategy: 'Always' | 'Once' | 'Manual' | 'RerunOnFailure' | 'Halted' } | { running: boolean };

/** What is waited for before the case begins; `made`: nothing. */
export type Situation =
  'made' | 'on' | 'off' | 'starting' | 'stopping' | 'Failed' | 'Succeeded' | 'crashing' | 'restarting';

export interface Making {
  by: Switch;
  as: Situation;
  guest?: Guest;
  graceSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** Merged into the template's spec. */
  template?: Record<string, unknown>;
  wukong?: string;
}

export interface Made {
  wukong: string;
  vm: string;
  /** Of the VMI that was there when the case began. */
  uid: string | undefined;
}

const guestPrefix = 'sim.novasphere.dev/';
let made = 0;

/** A Wukong with its VM, as the operator would have made them, brought into a situation by KubeVirt's own calls. */
export async function makeWukong(stage: Stage, template: Template, how: Making): Promise<Made> {
  const wukong = how.wukong ?? `w${++made}`;
  const { send, namespace } = stage;
  const autoStart = 'running' in how.by ? how.by.running : !['Halted', 'Manual'].includes(how.by.runStrategy);
  const head = { namespace, labels: how.labels, annotations: how.annotations };
  const owner = await created(
    send('POST', paths.wukong(namespace), {
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'Wukong',
      metadata: { ...head, name: wukong },
      spec: { cpu: 1, memory: '64Mi', startStrategy: { autoStart } },
    }),
  );
  const told = Object.entries(how.guest ?? {}).map(([key, value]) => [guestPrefix + key, value]);
  const annotations = { ...template.metadata?.annotations, ...Object.fromEntries(told) };
  const grace = how.graceSeconds === undefined ? {} : { terminationGracePeriodSeconds: how.graceSeconds };
  const one: Made = { wukong, vm: `${wukong}-vm`, uid: undefined };
  const { apiVersion, kind } = owner;
  await created(
    send('POST', paths.vm(namespace), {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata: {
        ...head,
        annotations: undefined,
        name: one.vm,
        ownerReferences: [{ apiVersion, kind, name: wukong, uid: owner.metadata.uid }],
      },
      spec: {
        ...how.by,
        template: {
          metadata: { ...template.metadata, annotations },
          spec: { ...template.spec, ...grace, ...how.template },
        },
      },
    }),
  );
  await bring(stage, one, how);
  one.uid = (await vmiOf(stage, one))?.metadata.uid;
  return one;
}

async function created(sent: ReturnType<Stage['send']>) {
  const { status, body } = await sent;
  assert.equal(status, 201, `it could not be made: ${JSON.stringify(body).slice(0, 500)}`);
  return body;
}

async function bring(stage: Stage, one: Made, { by, as }: Making): Promise<void> {
  const observed = () => vmOf(stage, one).then((vm) => vm?.status?.printableStatus !== undefined);
  if (as === 'made') return;
  await stage.until('KubeVirt to look at the VM', observed);
  const [manual, halted] =
    'runStrategy' in by ? [by.runStrategy === 'Manual', by.runStrategy === 'Halted'] : [false, !by.running];
  if (as === 'off') return manual || halted ? undefined : switchOff(stage, one);
  if (manual || halted) assert.equal((await stage.power(one, 'start')).status, 202);
  if (as === 'crashing') return deathOf(stage, one, 2);
  const phase = async () => (await vmiOf(stage, one))?.status?.phase;
  if (as === 'starting')
    return void (await stage.until('a VMI', async () => /^(Scheduling|Scheduled)$/.test((await phase()) ?? '')));
  if (as === 'Failed' || as === 'Succeeded')
    return void (await stage.until(`VMI ${as}`, async () => (await phase()) === as));
  await stage.until('the guest to be up', () => isUp(stage, one));
  if (as === 'on') return;
  assert.equal((await stage.power(one, as === 'stopping' ? 'stop' : 'restart')).status, 202);
  await stage.until('the shutdown to begin', async () => (await vmiOf(stage, one))?.metadata.deletionTimestamp);
}

async function switchOff(stage: Stage, one: Made): Promise<void> {
  await stage.until('the guest to be up', () => isUp(stage, one));
  assert.equal((await stage.power(one, 'stop')).status, 202);
  await stage.until('the guest to go', async () => !(await vmiOf(stage, one)));
}

/** Waits until so many guests of this VM have come and gone. */
async function deathOf(stage: Stage, one: Made, times: number): Promise<void> {
  const uids = new Set<string>();
  await stage.until('the guest to die again and again', async () => {
    const vmi = await vmiOf(stage, one);
    if (vmi) uids.add(vmi.metadata.uid);
    return uids.size > times;
  });
}

const bodyIf = async (sent: ReturnType<Stage['send']>) => {
  const { status, body } = await sent;
  return status === 200 ? body : undefined;
};
export const wukongOf = ({ send, namespace }: Stage, { wukong }: Made) =>
  bodyIf(send('GET', paths.wukong(namespace, wukong)));
export const vmOf = ({ send, namespace }: Stage, { vm }: Made) => bodyIf(send('GET', paths.vm(namespace, vm)));
export const vmiOf = ({ send, namespace }: Stage, { vm }: Made) => bodyIf(send('GET', paths.vmi(namespace, vm)));

export const conditionOf = (
  object: { status?: { conditions?: { type: string; status: string }[] } } | undefined,
  wanted: string,
): string | undefined => object?.status?.conditions?.find(({ type }) => type === wanted)?.status;

/** Its VMI's guest runs and is ready, and is not going. */
export async function isUp(stage: Stage, one: Made): Promise<boolean> {
  const vmi = await vmiOf(stage, one);
  return (
    vmi?.status?.phase === 'Running' &&
    conditionOf(vmi, 'Ready') === 'True' &&
    vmi.metadata.deletionTimestamp === undefined
  );
}

export const strategyOf = (vm: { spec: { runStrategy?: string; running?: boolean } }): string | boolean | undefined =>
  vm.spec.runStrategy ?? vm.spec.running;
