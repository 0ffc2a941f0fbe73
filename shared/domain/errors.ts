/** Why a command failed: the closed set of DESIGN. Each code has one row in `failures`, which docs/errors.md prints. */
export const failureCodes = [
  'NotFound',
  'Denied',
  'Unreachable',
  'Refused',
  'Unschedulable',
  'StorageNotReady',
  'ImageUnavailable',
  'NetworkNotReady',
  'GuestCrashLoop',
  'NodeLost',
  'NotAccepted',
  'TimedOut',
  'Stuck',
  'RestartedItself',
  'InvalidAction',
  'CrdNotExtended',
  'NotOwned',
  'Unknown',
] as const;
export type FailureCode = (typeof failureCodes)[number];

export interface FailureRow {
  /** Whether the same command may succeed when it is sent again without anybody doing anything. */
  retryable: boolean;
  means: string;
  next: string;
}

export const failures: Record<FailureCode, FailureRow> = {
  NotFound: {
    retryable: false,
    means: 'The Wukong, its VM or the namespace does not exist.',
    next: 'Check name and namespace (kubectl get wukong -A). If the VM is still being made, send the command again.',
  },
  Denied: {
    retryable: false,
    means: 'The API server refused the credentials or the permission.',
    next: 'Renew the token, or grant the verb named in the message (infra/rbac has the whole Role).',
  },
  Unreachable: {
    retryable: true,
    means: 'The API server or virt-api could not be reached, or did not answer in time.',
    next: 'Check the server address, the CA, the route and the virt-api pods; reconcileState goes on by itself.',
  },
  Refused: {
    retryable: false,
    means: 'The cluster answered, and will not do it: admission, quota or an invalid object.',
    next: 'Read the message of the webhook or quota, mend the VM or raise the quota, send the command again.',
  },
  Unschedulable: {
    retryable: true,
    means: 'No node has room for the VM, or none fits its selectors.',
    next: 'Free or add capacity; the VM starts by itself as soon as a node fits.',
  },
  StorageNotReady: {
    retryable: true,
    means: 'A disk of the VM is missing, not bound, or still being imported.',
    next: 'Look at the PVC or DataVolume that the message names.',
  },
  ImageUnavailable: {
    retryable: true,
    means: 'A container image of the VM cannot be pulled.',
    next: 'Check the image name, the registry and the pull secret.',
  },
  NetworkNotReady: {
    retryable: true,
    means: 'A network of the VM is not configured.',
    next: 'Look at the condition NetworksConfigured of the Wukong and at the NetworkAttachmentDefinition.',
  },
  GuestCrashLoop: {
    retryable: true,
    means: 'The guest dies again and again soon after its start.',
    next: 'Look at the guest console and the virt-launcher log; KubeVirt retries with a growing pause.',
  },
  NodeLost: {
    retryable: true,
    means: 'The node that runs the VM does not answer, so nobody can say whether the guest runs.',
    next: 'Look at the node; fence it before the VM is started elsewhere.',
  },
  NotAccepted: {
    retryable: true,
    means: 'KubeVirt accepted the request twice and began nothing within 120 s each time.',
    next: 'Look at the virt-controller pods; send the command again when they work.',
  },
  TimedOut: {
    retryable: true,
    means: 'The VM was not ready in time and shows no known cause.',
    next: 'Look at the conditions of the VM (kubectl describe vm); the wish to run stays.',
  },
  Stuck: {
    retryable: false,
    means: 'The guest was forced and is still there.',
    next: 'Look at the node and the virt-handler there. If the guest surely runs nowhere else: deletePodWhenStuck.',
  },
  RestartedItself: {
    retryable: true,
    means: 'The VM was off and came back by itself, more often than we stop it again.',
    next: 'Find who starts it: the events of the VM, an operator, a GitOps tool.',
  },
  InvalidAction: {
    retryable: false,
    means: 'The command is not valid; nothing was called.',
    next: 'Mend the fields named in the message.',
  },
  CrdNotExtended: {
    retryable: false,
    means: 'The installed Wukong CRD does not know the lifecycle fields, so the result cannot be kept in its status.',
    next: 'Run: kubectl patch crd wukongs.vm.novasphere.dev --type=json --patch-file infra/crds/wukongs-extension.json',
  },
  NotOwned: {
    retryable: false,
    means: 'The VM is not this Wukong’s: neither owned by it nor given to it.',
    next: 'If it is to be: kubectl annotate vm <vm> lifecycle.novasphere.dev/adopted-by=<wukong>; else mend status.vmName or the name.',
  },
  Unknown: {
    retryable: true,
    means: 'Something that this program does not know.',
    next: 'Read the message; report it if the runbook does not know it either.',
  },
};

/** The one error class. What is expected is an outcome; this is for what ends a command. */
export class LifecycleError extends Error {
  override readonly name = 'LifecycleError';
  readonly code: FailureCode;
  /** The HTTP status that led here, where there was one. */
  readonly status: number | undefined;
  /** What to do, where it is known better than by the code. */
  readonly next: string | undefined;

  constructor(code: FailureCode, message: string, options: { cause?: unknown; status?: number; next?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.next = options.next;
  }
}

/** Any thrown thing as a LifecycleError; what is not one already becomes Unknown, with its cause kept. */
export function asLifecycleError(thrown: unknown): LifecycleError {
  if (thrown instanceof LifecycleError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new LifecycleError('Unknown', message, { cause: thrown });
}
