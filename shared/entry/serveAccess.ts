import { createHash, timingSafeEqual } from 'node:crypto';

import * as z from 'zod';

import { answerFailure } from '../cluster/failure.ts';
import { apiPath } from '../cluster/path.ts';
import type { World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { group, type Place } from '../domain/model.ts';

/** Of nobody that anybody knows there are more. */
const mostExtra = 1_000;
const isExtra = (given: unknown): given is Record<string, string[]> => {
  const values = typeof given === 'object' && given !== null ? Object.values(given) : [];
  const isTexts = (one: unknown) => Array.isArray(one) && one.every((each) => typeof each === 'string');
  return typeof given === 'object' && values.length <= mostExtra && values.every(isTexts);
};

const principal = z.object({
  username: z.string().min(1),
  uid: z.string().optional(),
  groups: z.array(z.string()).optional(),
  extra: z.custom<Record<string, string[]>>(isExtra).optional(),
});
/** Who asks, as the API server knows them. */
export type Principal = z.output<typeof principal>;

const tokenReviewed = z.object({
  authenticated: z.boolean().optional(),
  /** Empty for who is nobody. */
  user: principal.optional().catch(undefined),
  audiences: z.array(z.string()).optional(),
  error: z.string().optional(),
});
const accessReviewed = z.object({ allowed: z.boolean(), reason: z.string().optional() });

/** Nobody is known to ask. The message says what is missing; never the token. */
export class Unauthenticated extends Error {}
/** Asked too often. */
export class TooMany extends Error {}

export interface Access {
  /** Who sends this. `secret`: whether the shared secret of webhooks is a proof here. @throws Unauthenticated, TooMany. */
  who(authorization: string | undefined, address: string, secret?: boolean): Promise<Principal>;
  /** @throws LifecycleError Denied saying which right is missing. */
  mayPower(who: Principal, action: 'start' | 'stop', place: Partial<Place>): Promise<void>;
  mayRead(who: Principal, place: Partial<Place>): Promise<void>;
}

/** What senders that have no token of Kubernetes are called in RBAC: without a RoleBinding they may do nothing. */
export const webhookUser = 'wukong-lifecycle:webhook';

const perSecond = 10;
const burst = 50;
const rememberedMs = 10_000;
const mostRemembered = 10_000;
const reviewMs = 10_000;

export function newAccess(
  world: World,
  { audience, secret }: { audience: string; secret?: string | undefined },
): Access {
  const { clock, transport } = world;
  const buckets = new Map<string, { tokens: number; at: number }>();
  const known = new Map<string, { who: Principal | Unauthenticated; until: number }>();

  function take(name: string) {
    const now = clock.now();
    const { tokens, at } = buckets.get(name) ?? { tokens: burst, at: now };
    const left = Math.min(burst, tokens + ((now - at) / 1000) * perSecond);
    buckets.delete(name);
    buckets.set(name, { tokens: Math.max(0, left - 1), at: now });
    forgetOldest(buckets);
    if (left < 1) throw new TooMany(`${name} asks more than ${perSecond} times a second: ask again later`);
  }

  async function review<T>(api: string, kind: string, spec: object, expected: z.ZodType<T>): Promise<T> {
    const path = apiPath({ api: `${api}/v1`, kind: `${kind.toLowerCase()}s` });
    const body = { apiVersion: `${api}/v1`, kind, spec };
    const limits = { deadline: clock.now() + reviewMs };
    const answer = await transport.call<{ status?: unknown } | null>(
      { method: 'POST', path, body, safe: true },
      limits,
    );
    const read = expected.safeParse(answer.body?.status);
    if (answer.status === 201 || answer.status === 200) {
      if (read.success) return read.data;
      throw new LifecycleError('Unreachable', `the API server's answer about a caller (${kind}) is none`);
    }
    const { message } = answerFailure(answer, `this server cannot review callers (${kind})`);
    // Ours is the right that is missing, not the caller's.
    throw new LifecycleError('Unreachable', `${message}; its account needs the ClusterRole system:auth-delegator`);
  }

  async function tokenHolder(token: string): Promise<Principal | Unauthenticated> {
    const spec = { token, audiences: [audience] };
    const answer = await review('authentication.k8s.io', 'TokenReview', spec, tokenReviewed);
    if (answer.authenticated && answer.user && answer.audiences?.includes(audience)) return answer.user;
    const why = answer.error ? ` (${answer.error.slice(0, 200)})` : '';
    return new Unauthenticated(`the token does not hold${why}: expected one for the audience ${audience}`);
  }

  async function may(who: Principal, attributes: object, what: string): Promise<void> {
    const { username: user, ...rest } = who;
    const spec = { user, ...rest, resourceAttributes: { group, resource: 'wukongs', ...attributes } };
    const { allowed, reason } = await review('authorization.k8s.io', 'SubjectAccessReview', spec, accessReviewed);
    if (!allowed) throw new LifecycleError('Denied', `${user} may not ${what}${reason ? ` (${reason})` : ''}`);
  }
  const where = ({ namespace, name }: Partial<Place>) =>
    namespace === undefined ? 'in all namespaces' : `in ${namespace}${name === undefined ? '' : ` on ${name}`}`;

  return {
    async who(authorization, address, webhook = false) {
      const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
      if (token === undefined) {
        take(address);
        throw new Unauthenticated(`no token: expected Authorization: Bearer with one for the audience ${audience}`);
      }
      if (webhook && secret !== undefined && equal(token, secret)) {
        take(webhookUser);
        return { username: webhookUser, groups: ['system:authenticated'] };
      }
      const key = createHash('sha256').update(token).digest('base64');
      let found = known.get(key);
      if (!found || found.until < clock.now()) {
        take(address); // a guesser of tokens costs the API server no more than that
        found = { who: await tokenHolder(token), until: clock.now() + rememberedMs };
        known.delete(key);
        known.set(key, found);
        forgetOldest(known);
      }
      if (found.who instanceof Unauthenticated) throw found.who;
      take(found.who.username);
      return found.who;
    },
    mayPower: (who, action, place) =>
      may(
        who,
        { ...place, subresource: action, verb: 'update' },
        `update wukongs/${action} of ${group} ${where(place)}`,
      ),
    mayRead: (who, place) => {
      const verb = place.name === undefined ? 'list' : 'get';
      return may(who, { ...place, verb }, `${verb} wukongs of ${group} ${where(place)}`);
    },
  };
}

const equal = (given: string, wanted: string): boolean => {
  const [one, other] = [given, wanted].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(one!, other!);
};

function forgetOldest(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= mostRemembered) return;
    map.delete(key);
  }
}
