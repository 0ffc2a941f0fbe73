import { follow, type Followed } from '../../shared/cluster/informer.ts';
import { runPath } from '../../shared/cluster/objects.ts';
import type { World } from '../../shared/cluster/world.ts';
import { asLifecycleError } from '../../shared/domain/errors.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import type { WukongRun } from '../../shared/domain/run.ts';
import { isGenuine } from '../page/fromRun.ts';
import type { RunsSeen } from '../ui/liveRuns.ts';

/** Changes that come together are shown together. */
const settleMs = 50;
/** What a page shows of the failures of one run. */
const mostFailures = 5;

/**
 * Shows the genuine runs of a scope now and after every change, until the signal is aborted. Runs that cannot be read
 * (no CRD, no permission) are a problem that is shown, and keep nobody from the VMs.
 */
export async function watchRuns(
  world: World,
  namespace: string | undefined,
  signal: AbortSignal,
  show: (seen: RunsSeen) => void,
): Promise<void> {
  let runs: Followed<WukongRun | undefined> | undefined;
  let waiting: (() => void) | undefined;
  const look = () => {
    waiting = undefined;
    try {
      runs?.check();
      show({ runs: (runs?.all() ?? []).filter((run) => run !== undefined) });
    } catch (failure) {
      show({ runs: [], problem: asLifecycleError(failure).message });
    }
  };
  const changed = () => {
    if (runs) waiting ??= world.clock.after(settleMs, look);
  };
  try {
    const limits = { deadline: world.clock.now() + 30_000, signal };
    runs = await follow(world, { path: runPath(namespace), read: seen, changed }, limits);
  } catch (failure) {
    if (!signal.aborted) show({ runs: [], problem: asLifecycleError(failure).message });
    return;
  }
  look();
  const end = () => {
    waiting?.();
    runs?.close();
  };
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
}

/** Of a genuine run what a page shows: a line for each of its VMs may be 64 KB, and there are months of them. */
function seen(object: KubeObject): WukongRun | undefined {
  const run = object as WukongRun;
  if (!isGenuine(run)) return undefined;
  const { name, namespace } = run.metadata;
  const kept = {
    apiVersion: run.apiVersion,
    kind: run.kind,
    metadata: { name, namespace },
    spec: run.spec,
  } as WukongRun;
  if (run.status === undefined) return kept;
  const { vms: _lines, forcedNames: _names, failures, ...status } = run.status;
  const few = Array.isArray(failures) ? failures.slice(0, mostFailures) : [];
  return { ...kept, status: { ...status, failures: few, forcedNames: [] } };
}
