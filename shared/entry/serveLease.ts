import { bodyOf } from '../cluster/failure.ts';
import { ours } from '../cluster/ours.ts';
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
  spec?: { holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string; leaseTransitions?: number };
}

/** Exactly six digits behind the second (KUBEVIRT §3). */
const micro = (instant: number): string => new Date(instant).toISOString().replace('Z', '000Z');

/**
 * Does `work` for as long as this process holds the Lease, again and again until the signal is aborted; its own signal is
 * aborted when the Lease may be another's. A holder that is gone is followed within 20 s. It decides who works, never
 * what is right: two at once do no harm.
 */
export async function lead(
  world: World,
  { namespace, name, identity }: Place & { identity: string },
  signal: AbortSignal,
  work: (leading: AbortSignal) => Promise<void>,
): Promise<void> {
  const { clock, transport, log } = world;
  const leases = { api: 'coordination.k8s.io/v1', namespace, kind: 'leases' };
  const path = apiPath({ ...leases, name });
  /** What was seen of another's renewal, and when by our own clock: theirs may be wrong. */
  let seen = { what: '', at: 0 };

  /** Takes or renews it. @throws LifecycleError when the API server does not let it. */
  async function hold(): Promise<boolean> {
    const limits = { deadline: clock.now() + renewEveryMs };
    const answer = await transport.call<Lease>({ method: 'GET', path, safe: true }, limits);
    const lease = answer.status === 404 ? undefined : ours<Lease>(bodyOf(answer, `Lease ${namespace}/${name}`));
    const { holderIdentity = '', renewTime = '', leaseTransitions = 0, leaseDurationSeconds } = lease?.spec ?? {};
    const what = `${holderIdentity} ${renewTime}`;
    if (what !== seen.what) seen = { what, at: clock.now() };
    const mine = holderIdentity === identity;
    const lasts = Math.min(durationMs, (leaseDurationSeconds ?? 0) * 1000 || durationMs);
    if (lease && !mine && holderIdentity !== '' && clock.now() < seen.at + lasts) return false;
    const spec = {
      ...lease?.spec,
      ...(mine ? {} : { acquireTime: micro(clock.now()), leaseTransitions: leaseTransitions + (lease ? 1 : 0) }),
      ...{ holderIdentity: identity, leaseDurationSeconds: durationMs / 1000, renewTime: micro(clock.now()) },
    };
    return write(lease, spec, limits.deadline);
  }

  async function write(lease: Lease | undefined, spec: object, deadline: number): Promise<boolean> {
    const kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
    const { resourceVersion } = lease?.metadata ?? {};
    const body = { ...kind, metadata: { namespace, name, ...(lease ? { resourceVersion } : {}) }, spec };
    const method = lease ? 'PUT' : 'POST';
    const written = await transport.call(
      { method, path: lease ? path : apiPath(leases), body, safe: false },
      { deadline },
    );
    if (written.status === 409) return false;
    bodyOf(written, `Lease ${namespace}/${name}`);
    return true;
  }

  const tryHold = () =>
    hold().catch((thrown: unknown) => {
      log.warn(`the Lease cannot be had: ${asLifecycleError(thrown).message}`, { namespace, name });
      return undefined;
    });
  const pause = (ms: number) => sleep(clock, ms, signal).catch(() => {});

  while (!signal.aborted) {
    if (!(await tryHold())) {
      await pause(askEveryMs);
      continue;
    }
    log.info('this server ticks now', { holder: identity });
    const lost = new AbortController();
    let over = false;
    const working = work(AbortSignal.any([signal, lost.signal])).finally(() => (over = true));
    working.catch(() => {});
    for (let held = clock.now(); !over && !lost.signal.aborted;) {
      await Promise.race([pause(renewEveryMs), working.catch(() => {})]);
      if (over || signal.aborted) break;
      const still = await tryHold();
      if (still) held = clock.now();
      if (still === false || clock.now() >= held + giveUpMs) lost.abort(new Error('the Lease is another server’s'));
    }
    await working;
    if (!lost.signal.aborted) await release().catch(() => {});
  }

  /** Who comes next need not wait for it to run out. */
  async function release(): Promise<void> {
    const deadline = clock.now() + askEveryMs;
    const answer = await transport.call<Lease>({ method: 'GET', path, safe: true }, { deadline });
    const lease = bodyOf(answer, `Lease ${namespace}/${name}`);
    if (lease?.spec?.holderIdentity === identity)
      await write(lease, { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 }, deadline);
  }
}
