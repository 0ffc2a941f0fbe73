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

/** The name of a Wukong's VM: in `status.vmName` where that is a name, else by the operator's rule (KUBEVIRT §4). */
export function vmNameOf({ metadata, status }: Wukong): string {
  const named: unknown = status?.vmName;
  return typeof named === 'string' && isObjectName(named) ? named : `${metadata.name}-vm`;
}

/** Where a Wukong stands. */
export interface Place {
  namespace: string;
  name: string;
}

export const placeOf = ({ metadata: { namespace = '', name } }: KubeObject): Place => ({ namespace, name });

/** `namespace/name`, the key of a Wukong or a VM in every map. */
export const keyOf = ({ namespace, name }: { namespace?: string; name: string }): string => `${namespace}/${name}`;
