import { isObjectName } from './names.ts';

/** Objects of the API, as far as this library reads them, and where they stand. */
export const group = 'vm.novasphere.dev';
export const version = 'v1alpha1';
export const annotationPrefix = 'lifecycle.novasphere.dev/';

export type Annotations = Record<string, string>;

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
  };
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  observedGeneration?: number;
}

export const stateNames = ['Running', 'Stopped', 'Starting', 'Stopping', 'Paused', 'Failed', 'Unknown'] as const;
export type StateName = (typeof stateNames)[number];

export interface LifecycleState {
  state?: StateName;
  lastAction?: string;
  lastActionTime?: string;
  outcome?: string;
  reason?: string;
  message?: string;
  forced?: boolean;
  forceReason?: string;
  observed?: boolean;
  requestId?: string;
  trigger?: string;
  startedAt?: string;
  finishedAt?: string;
  nextAction?: string;
  nextActionTime?: string;
}

export interface Wukong extends KubeObject {
  spec?: {
    cpu?: number;
    memory?: string;
    startStrategy?: { autoStart?: boolean; runStrategy?: string };
    lifecycleAction?: unknown;
  };
  status?: { vmName?: string; phase?: string; conditions?: Condition[]; lifecycleState?: LifecycleState };
}

export const conditionOf = (conditions: Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);

/** On a Wukong: the VM that it was made for. On a VM: the Wukong that it was given to (who may patch the VM says so). */
export const adoptsKey = `${annotationPrefix}adopts`;
export const adoptedByKey = `${annotationPrefix}adopted-by`;

/** Written by the Wukong operator on every Wukong that it looks after. */
const operatorFinalizer = 'vm.novasphere.dev/finalizer';
export const isOperated = ({ metadata }: KubeObject): boolean =>
  metadata.finalizers?.includes(operatorFinalizer) === true;

/**
 * The name of a Wukong's VM: the one that it adopts, else that of `status.vmName`, where these are names, else by the
 * operator's rule (KUBEVIRT §4). Whether the VM is really its own is asked of the VM.
 */
export function vmNameOf({ metadata, status }: Wukong): string {
  return nameIn(metadata.annotations?.[adoptsKey]) ?? nameIn(status?.vmName) ?? `${metadata.name}-vm`;
}

const nameIn = (said: unknown): string | undefined =>
  typeof said === 'string' && isObjectName(said) ? said : undefined;

/**
 * Whether the intent (`spec.startStrategy.autoStart`) is written beside a record: it keeps the operator from undoing what
 * was done (KUBEVIRT §4). A Wukong that was made for a VM has no operator, so its spec is left as it is.
 */
export const hasIntent = (wukong: Wukong): boolean =>
  wukong.metadata.annotations?.[adoptsKey] === undefined || isOperated(wukong);

/** Where a Wukong stands. */
export interface Place {
  namespace: string;
  name: string;
}

export const placeOf = ({ metadata: { namespace = '', name } }: KubeObject): Place => ({ namespace, name });

/** `namespace/name`, the key of a Wukong or a VM in every map. */
export const keyOf = ({ namespace, name }: { namespace?: string; name: string }): string => `${namespace}/${name}`;
