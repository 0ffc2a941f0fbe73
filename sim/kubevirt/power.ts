import { type Answer, type Call, json, type Scope, text } from '../apiserver/call.ts';
import type { Fields, Thing } from '../apiserver/object.ts';
import { jsonPatch, type Operation } from '../apiserver/patch.ts';
import type { Access } from '../apiserver/rbac.ts';
import { badRequest, conflict, internalError, noSuchPath, notFound, PatchTestFailed } from '../apiserver/refusal.ts';
import type { Resource } from '../apiserver/resources.ts';
import { migrate, toldByAgent } from './guestcalls.ts';
import { type ChangeRequest, isFinal, strategyOf, type Vm, type Vmi } from './kubevirt.ts';
import { pause } from './pause.ts';
import { acceptsAnything, isDryRun, optionsOf } from './poweroptions.ts';
import { requesting } from './requesting.ts';

const vmNamed = { group: 'kubevirt.io', plural: 'virtualmachine', kind: 'VirtualMachine' };

/** How a power call may be slowed: virt-api talks to the API server at a limited rate. */
export interface Pace {
  wait(sleep: (ms: number) => Promise<void>): Promise<void>;
}

interface Asked {
  /** Read when its turn comes: a start looks at the VM first. @throws Refusal 400 */
  options: () => Fields;
  sleep: (ms: number) => Promise<void>;
}

const betweenReadAndWriteMs = 8;
const notAcceptable = '406: Not Acceptable\n\nAvailable representations: ';
const versions = ['v1', 'v1alpha3'];
const kubevirtVersion = { gitVersion: 'v1.9.0', gitTreeState: 'clean', goVersion: 'go1.24.6', platform: 'linux/amd64' };

/** virt-api's subresources (KubeVirt's pkg/virt-api/rest/lifecycle.go, v1.9). */
export class Power {
  #scope: Scope;
  #access: Access;
  #pace: Pace;

  constructor(scope: Scope, access: Access, pace: Pace) {
    this.#scope = scope;
    this.#access = access;
    this.#pace = pace;
  }

  async answer(call: Call, parts: string[]): Promise<Answer> {
    const [, group = '', version, spaces, namespace = '', plural = '', name = '', verb = ''] = parts;
    if (!versions.includes(version ?? '')) throw noSuchPath();
    if (spaces === 'version') return json(200, kubevirtVersion);
    if (spaces !== 'namespaces') throw noSuchPath();
    const update = call.method === 'GET' ? 'get' : 'update';
    const attributes = { verb: update, group, resource: plural, subresource: verb, namespace, name };
    this.#access.check(call.user, attributes);
    if (this.#scope.cluster.virtApiDown)
      return text(503, 'error trying to reach service: dial tcp 10.96.0.10:443: connect: connection refused\n');
    if (plural === 'virtualmachineinstances' && call.method === 'GET') {
      const told = toldByAgent(this.#scope.cluster, { namespace, name, verb }, `${group}/${version}`);
      if (told) return told;
    }
    const action = this.#actions[`${plural}/${verb}`];
    if (!action) return text(404, '404: Page Not Found\n');
    if (call.method !== 'PUT') return text(405, '405: Method Not Allowed\n', { Allow: 'PUT' });
    if (!acceptsAnything(call.headers['accept'])) return text(406, notAcceptable);
    await this.#pace.wait(call.sleep);
    await action(namespace, name, { options: () => optionsOf(call), sleep: call.sleep });
    // What virt-handler does at once is 200; what a controller will do is accepted.
    return { status: plural === 'virtualmachines' ? 202 : 200, body: '' };
  }

  readonly #actions: Record<string, (namespace: string, name: string, asked: Asked) => Promise<void>> = {
    'virtualmachines/start': (namespace, name, asked) => this.#start(namespace, name, asked),
    'virtualmachines/stop': (namespace, name, asked) => this.#stop(namespace, name, asked),
    'virtualmachines/restart': (namespace, name, asked) => this.#restart(namespace, name, asked),
    'virtualmachines/migrate': async (namespace, name, { options }) =>
      migrate(this.#scope.cluster, namespace, name, isDryRun(options())),
    'virtualmachineinstances/pause': async (namespace, name, { options }) =>
      pause(this.#scope.cluster, namespace, name, true, isDryRun(options())),
    'virtualmachineinstances/unpause': async (namespace, name, { options }) =>
      pause(this.#scope.cluster, namespace, name, false, isDryRun(options())),
  };

  async #start(namespace: string, name: string, asked: Asked): Promise<void> {
    const vm = this.#vm(namespace, name);
    const vmi = this.#vmi(namespace, name);
    const phase = vmi?.status?.phase;
    if (vmi && !isFinal(vmi) && phase && phase !== 'Unknown') throw conflict(vmNamed, name, 'VM is already running');
    const body = asked.options();
    const strategy = strategyOf(vm);
    const data = body['paused'] === true ? { paused: 'true' } : undefined;
    const request: ChangeRequest = { action: 'Start', ...(data ? { data } : {}) };
    switch (strategy) {
      case 'Halted':
        if (data) return this.#request(vm, [request], asked);
        return this.#setRunning(vm, true, asked);
      case 'RerunOnFailure':
      case 'Manual': {
        const again = strategy === 'Manual' ? vmi && isFinal(vmi) : phase === 'Succeeded';
        if (vmi && again) return this.#request(vm, [{ action: 'Stop', uid: vmi.metadata.uid }, request], asked);
        if (strategy === 'RerunOnFailure' && phase === 'Failed')
          throw conflict(vmNamed, name, 'RerunOnFailure does not support starting VM from failed state');
        return this.#request(vm, [request], asked);
      }
      default:
        throw conflict(vmNamed, name, `${strategy} does not support manual start requests`);
    }
  }

  async #stop(namespace: string, name: string, asked: Asked): Promise<void> {
    const body = asked.options();
    const vm = this.#vm(namespace, name);
    const vmi = this.#vmi(namespace, name);
    const alive = vmi !== undefined && !isFinal(vmi);
    const grace = body['gracePeriod'] as number | undefined;
    const before = vmi?.spec.terminationGracePeriodSeconds;
    if (alive && grace !== undefined && !isDryRun(body)) this.#setGrace(vmi, before, grace);
    switch (strategyOf(vm)) {
      case 'Halted':
        if (!alive) throw conflict(vmNamed, name, 'VM is not running');
        if (grace === undefined || (before !== undefined && grace >= before))
          throw conflict(vmNamed, name, 'Halted only supports manual stop requests with a shorter graceperiod');
        return this.#request(vm, [{ action: 'Stop', uid: vmi.metadata.uid }], asked);
      case 'RerunOnFailure':
      case 'Manual':
        if (!alive) throw conflict(vmNamed, name, 'VM is not running');
        return this.#request(vm, [{ action: 'Stop', uid: vmi.metadata.uid }], asked);
      default:
        return this.#setRunning(vm, false, asked);
    }
  }

  async #restart(namespace: string, name: string, asked: Asked): Promise<void> {
    const body = asked.options();
    const seconds = body['gracePeriodSeconds'];
    if (typeof seconds === 'number' && seconds > 0)
      throw badRequest('For force restart, only gracePeriod=0 is supported for now');
    if (typeof seconds === 'number' && seconds < 0) throw badRequest('gracePeriod has to be greater or equal to 0');
    const vm = this.#vm(namespace, name);
    const strategy = strategyOf(vm);
    if (strategy === 'Halted' || strategy === 'Once')
      throw conflict(vmNamed, name, `RunStategy ${strategy} does not support manual restart requests`);
    const vmi = this.#vmi(namespace, name);
    if (!vmi) throw conflict(vmNamed, name, 'VM is not running: Halted');
    await this.#request(vm, [{ action: 'Stop', uid: vmi.metadata.uid }, { action: 'Start' }], asked);
    if (seconds !== 0 || isDryRun(body)) return;
    const { cluster } = this.#scope;
    const pods = cluster.registry.named('pods');
    const pod = cluster.store
      .list(pods, namespace)
      .find(({ metadata }) => metadata.labels?.['kubevirt.io/created-by'] === vmi.metadata.uid);
    if (pod) cluster.remove(pods, namespace, pod.metadata.name, { gracePeriodSeconds: 1 });
  }

  /** Adds to the queue that virt-controller works off; a Stop replaces whatever is in it. */
  async #request(vm: Vm, changes: ChangeRequest[], asked: Asked): Promise<void> {
    await this.#patch(vm, requesting(vm, changes), asked);
  }

  async #setRunning(vm: Vm, on: boolean, asked: Asked): Promise<void> {
    const [path, old, value] =
      vm.spec.runStrategy != null
        ? ['/spec/runStrategy', vm.spec.runStrategy, on ? 'Always' : 'Halted']
        : ['/spec/running', vm.spec.running, on];
    await this.#patch(
      vm,
      [
        { op: 'test', path, value: old },
        { op: 'replace', path, value },
      ],
      asked,
    );
  }

  /** The write comes a moment after the read, so that of several calls at once all but one lose. */
  async #patch(vm: Vm, operations: Operation[], { options, sleep }: Asked): Promise<void> {
    const dryRun = isDryRun(options());
    await sleep(betweenReadAndWriteMs);
    const { cluster } = this.#scope;
    const vms = cluster.registry.named('virtualmachines');
    const { namespace, name } = vm.metadata;
    try {
      const next = jsonPatch(cluster.get(vms, namespace, name), operations) as Thing;
      if (!dryRun) cluster.change(vms, namespace, name, () => next);
    } catch (error) {
      if (error instanceof PatchTestFailed) throw internalError(error.message);
      throw error;
    }
  }

  #setGrace(vmi: Vmi, before: number | undefined, seconds: number): void {
    const { namespace, name } = vmi.metadata;
    this.#scope.cluster.change(this.#vmis(), namespace, name, (old) => {
      if ((old.spec as Vmi['spec']).terminationGracePeriodSeconds !== before)
        throw internalError(new PatchTestFailed().message);
      return { ...old, spec: { ...old.spec, terminationGracePeriodSeconds: seconds } };
    });
  }

  #vmis(): Resource {
    return this.#scope.cluster.registry.named('virtualmachineinstances');
  }

  #vm(namespace: string, name: string): Vm {
    const { cluster } = this.#scope;
    const vm = cluster.store.get(cluster.registry.named('virtualmachines'), namespace, name);
    if (!vm) throw notFound(vmNamed, name);
    return vm as unknown as Vm;
  }

  #vmi(namespace: string, name: string): Vmi | undefined {
    return this.#scope.cluster.store.get(this.#vmis(), namespace, name) as Vmi | undefined;
  }
}
