import { type Condition, type Fields, type Metadata, stamp, type Thing } from '../apiserver/object.ts';

export type Strategy = 'Always' | 'Halted' | 'Manual' | 'RerunOnFailure' | 'Once' | 'WaitAsReceiver';
export type Phase =
  'Pending' | 'Scheduling' | 'Scheduled' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown' | 'WaitingForSync';

export interface ChangeRequest {
  action: 'Start' | 'Stop';
  uid?: string;
  data?: Record<string, string>;
}

interface Template {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: VmiSpec;
}

export interface VmiSpec extends Fields {
  terminationGracePeriodSeconds?: number;
  volumes?: { name: string; persistentVolumeClaim?: { claimName: string }; dataVolume?: { name: string } }[];
}

export interface StartFailure {
  consecutiveFailCount: number;
  lastFailedVMIUID: string;
  retryAfterTimestamp: string;
}

export interface VmStatus {
  created?: boolean;
  ready?: boolean;
  printableStatus?: string;
  runStrategy?: Strategy;
  stateChangeRequests?: ChangeRequest[];
  startFailure?: StartFailure;
  conditions?: Condition[];
  desiredGeneration?: number;
  observedGeneration?: number;
}

export interface Vm {
  metadata: Metadata;
  spec: { running?: boolean | null; runStrategy?: Strategy | null; template: Template };
  status?: VmStatus;
}

export interface VmiStatus {
  phase?: Phase;
  conditions?: Condition[];
  nodeName?: string;
  phaseTransitionTimestamps?: { phase: Phase; phaseTransitionTimestamp: string }[];
  interfaces?: { name: string; ipAddress: string }[];
  activePods?: Record<string, string>;
  migrationState?: { startTimestamp?: string; completed?: boolean; failed?: boolean };
}

export interface Vmi {
  metadata: Metadata;
  spec: VmiSpec;
  status?: VmiStatus;
}

export const strategyOf = ({ spec }: Vm): Strategy => spec.runStrategy ?? (spec.running ? 'Always' : 'Halted');

export const isFinal = (vmi: Vmi): boolean => vmi.status?.phase === 'Succeeded' || vmi.status?.phase === 'Failed';

export const everRan = (vmi: Vmi): boolean =>
  vmi.status?.phaseTransitionTimestamps?.some(({ phase }) => phase === 'Running') ?? false;

export const conditionOf = (conditions: Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);

/** The conditions with this one in it; its transition time moves only when its status does. */
export function withCondition(conditions: Condition[] | undefined, next: Condition, now: number): Condition[] {
  const old = conditionOf(conditions, next.type);
  const same = old?.status === next.status;
  const entry = {
    ...next,
    lastProbeTime: next.lastProbeTime ?? null,
    lastTransitionTime: next.lastTransitionTime ?? (same ? (old.lastTransitionTime ?? null) : stamp(now)),
  };
  if (!old) return [...(conditions ?? []), entry];
  return (conditions ?? []).map((condition) => (condition === old ? entry : condition));
}

export const isMigrating = ({ status }: Vmi): boolean =>
  status?.migrationState?.startTimestamp !== undefined && !status.migrationState.completed;

export const isPaused = (vmi: Vmi): boolean => conditionOf(vmi.status?.conditions, 'Paused')?.status === 'True';

export const withoutCondition = (conditions: Condition[] | undefined, type: string): Condition[] =>
  (conditions ?? []).filter((condition) => condition.type !== type);

const prefix = 'sim.novasphere.dev/';

/** How a guest is told to behave, by annotations on the VM's template (or on the VM itself). */
export interface GuestAnnotations {
  'boot-seconds'?: string;
  'shutdown-seconds'?: string;
  'ignore-acpi'?: string;
  hang?: string;
  'crash-after-seconds'?: string;
  'poweroff-after-seconds'?: string;
  unschedulable?: string;
  'pvc-missing'?: string;
  'pvc-unbound'?: string;
  'vmi-refused'?: string;
  'never-running'?: string;
  quota?: string;
  image?: string;
  'datavolume-error'?: string;
  'agent-after-seconds'?: string;
  'migration-seconds'?: string;
  /** Who is logged in, as the guest agent says: names with commas. */
  users?: string;
  /** As the recorder's node side says them: never-running, hang, and the two ends of `image`. */
  'fail-early'?: string;
  'stuck-pod'?: string;
  'err-image-pull'?: string;
  'image-pull-backoff'?: string;
}

export type GuestKey = keyof GuestAnnotations;

/** Other names of the same, as the recorder's node side knows them. */
const aliases: Partial<Record<GuestKey, GuestKey>> = { 'never-running': 'fail-early', hang: 'stuck-pod' };

/** True for `true` and the empty string; any other text is true as well for keys that take a message. */
export function told(thing: { metadata: Metadata }, key: GuestKey): string | undefined {
  const other = aliases[key];
  const value = thing.metadata.annotations?.[prefix + key] ?? (other && thing.metadata.annotations?.[prefix + other]);
  return value === undefined || value === 'false' ? undefined : value;
}

export function toldSeconds(thing: { metadata: Metadata }, key: GuestKey): number | undefined {
  const value = told(thing, key);
  const seconds = value === undefined ? NaN : Number(value);
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** The message that an annotation carries, or a usual one where it only says true. */
export const meaning = (value: string, usual: string): string => (value === '' || value === 'true' ? usual : value);

export const guestAnnotations = (guest: GuestAnnotations): Record<string, string> =>
  Object.fromEntries(Object.entries(guest).map(([key, value]) => [prefix + key, value as string]));

export const isGuestKey = (key: string): boolean => key.startsWith(prefix);

/** The status, typed, back as a stored object. */
export const asThing = (object: Vm | Vmi): Thing => object as unknown as Thing;
