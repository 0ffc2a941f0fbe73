import { bodyOf } from '../cluster/failure.ts';
import { readObject } from '../cluster/objects.ts';
import { apiPath } from '../cluster/path.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import type { KubeObject, Place } from '../domain/model.ts';
import { sleep } from '../time/wait.ts';

const durationMs = 15_000;
const renewEveryMs = 5_000;
/** Without a renewal for so long one ticks no more: another may begin after `durationMs`. */
const giveUpMs = 10_000;
const askEveryMs = 2_000;

interface Lease extends KubeObject {
  spec?: { holderIdentity?: string; renewTime?: string; leaseTransitions?: number };
}

interface Holding extends Place {
  identity: string;
}

/** How this process takes the Lease, keeps it and gives it back. */
function holderOf(world: World, { namespace, name, identity }: Holding) {
  const { clock, transport, log } = world;
  const what = `Lease ${namespace}/${name}`;
  const pathOf = (one?: string) => apiPath({ api: 'coordination.k8s.io/v1', namespace, kind: 'leases', name: one });
  /** What was seen of another's renewal, and when by our own clock: theirs may be wrong. */
  let seen = { renewal: '', at: 0 };

  /** Takes or renews it, or gives it back, and says whether that was so. @throws LifecycleError */
  async function hold(holder = identity): Promise<boolean> {
    const limits = { deadline: clock.now() + renewEveryMs };
    const lease = await readObject<Lease>(world, pathOf(name), what, limits);
    const { holderIdentity = '', renewTime = '', leaseTransitions = 0 } = lease?.spec ?? {};
    const renewal = `${holderIdentity} ${renewTime}`;
    if (renewal !== seen.renewal) seen = { renewal, at: clock.now() };
    const mine = holderIdentity === identity;
    if (!mine && (holder === '' || (holderIdentity !== '' && clock.now() < seen.at + durationMs))) return false;
    const now = new Date(clock.now()).toISOString().replace('Z', '000Z'); // six digits behind the second (KUBEVIRT §3)
    const spec = {
      ...lease?.spec,
      ...(mine ? {} : { acquireTime: now, leaseTransitions: leaseTransitions + (lease ? 1 : 0) }),
      ...{ renewTime: now, holderIdentity: holder, leaseDurationSeconds: durationMs / 1000 },
    };
    const kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
    const body = { ...kind, metadata: lease?.metadata ?? { namespace, name }, spec };
    const [method, path] = lease ? (['PUT', pathOf(name)] as const) : (['POST', pathOf()] as const);
    const written = await transport.call({ method, path, body, safe: false }, limits);
    if (written.status !== 409) bodyOf(written, what);
    return written.status !== 409;
  }

  return {
    /** Undefined: nobody knows. */
    tryHold: () =>
      hold().catch((thrown: unknown) => {
        log.warn(`the Lease cannot be had: ${asLifecycleError(thrown).message}`, { namespace, name });
        return undefined;
      }),
    giveBack: () => hold('').catch(() => {}),
  };
}

/**
 * Does `work` for as long as this process holds the Lease, again and again until the signal is aborted; its own signal is
 * aborted when the Lease may be another's. A holder that is gone is followed within 20 s. It decides who works, never
 * what is right: two at once do no harm.
 */
export async function lead(
  world: World,
  holding: Holding,
  signal: AbortSignal,
  work: (leading: AbortSignal) => Promise<void>,
): Promise<void> {
  const { clock, log } = world;
  const { tryHold, giveBack } = holderOf(world, holding);
  const pause = (ms: number) => sleep(clock, ms, signal).catch(() => {});

  while (!signal.aborted) {
    if (!(await tryHold())) {
      await pause(askEveryMs);
      continue;
    }
    log.info('this server ticks now', { holder: holding.identity });
    const lost = new AbortController();
    const working = work(AbortSignal.any([signal, lost.signal]));
    const over = working.then(() => true).catch(() => true);
    const isOver = async () => lost.signal.aborted || (await Promise.race([over, pause(renewEveryMs)])) === true;
    for (let held = clock.now(); !(await isOver()) && !signal.aborted;) {
      const still = await tryHold();
      if (still) held = clock.now();
      else if (still === false || clock.now() >= held + giveUpMs)
        lost.abort(new Error('the Lease is another server’s'));
    }
    await working;
    if (!lost.signal.aborted) await giveBack();
  }
}
