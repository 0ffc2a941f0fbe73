import { createHash, timingSafeEqual } from 'node:crypto';

import * as z from 'zod';

import { answerFailure } from '../cluster/failure.ts';
import { apiPath } from '../cluster/path.ts';
import type { World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { group, type Place } from '../domain/model.ts';
import { remember } from '../domain/remember.ts';
import { refusal } from './http.ts';

/** Of nobody that anybody knows there are more. */
const mostExtra = 1_000;
/** Said of the whole list: zod would make a problem of each of its entries. */
const isTexts = (one: unknown): one is string[] => Array.isArray(one) && one.every((each) => typeof each === 'string');
const texts = z.custom<string[]>(isTexts);
const isExtra = (given: unknown): given is Record<string, string[]> => {
  const values = typeof given === 'object' && given !== null ? Object.values(given) : [];
  return typeof given === 'object' && values.length <= mostExtra && values.every(isTexts);
};

const principal = z.object({
  username: z.string().min(1),
  uid: z.string().optional(),
  groups: texts.optional(),
  extra: z.custom<Record<string, string[]>>(isExtra).optional(),
});
/** Who asks, as the API server knows them. */
export type Principal = z.output<typeof principal>;

const tokenReviewed = z.object({
  authenticated: z.boolean().optional(),
  /** Empty for who is nobody. */
  user: principal.optional().catch(undefined),
  audiences: texts.optional(),
  error: z.string().optional(),
});
const accessReviewed = z.object({ allowed: z.boolean(), reason: z.string().optional() });

/** What senders that have no token of Kubernetes are called in RBAC: without a RoleBinding they may do nothing. */
const webhook = { username: 'wukong-lifecycle:webhook', groups: ['system:authenticated'] };
const perSecond = 10;
const burst = 50;
const mostRemembered = 10_000;
const reviewMs = 10_000;

export type Access = ReturnType<typeof newAccess>;

/** Who calls, and what they may: the API server says both, for each request. */
export function newAccess({ clock, transport }: World, { audience, secret }: { audience: string; secret?: string }) {
  /** By name or address: the instant at which all that was asked would have been asked at the steady rate. */
  const spent = new Map<string, number>();

  function take(name: string, costMs = 1000 / perSecond) {
    const at = Math.max(clock.now(), spent.get(name) ?? 0) + costMs;
    if (at > clock.now() + (burst * 1000) / perSecond)
      throw refusal(429, 'TooManyRequests', `${name} asks more than ${perSecond} times a second: ask again later`);
    remember(spent, name, at, mostRemembered);
    return () => void spent.set(name, (spent.get(name) ?? 0) - costMs);
  }

  async function review<T>(api: string, kind: string, spec: object, expected: z.ZodType<T>): Promise<T> {
    const apiVersion = `${api}.k8s.io/v1`;
    const path = apiPath({ api: apiVersion, kind: `${kind.toLowerCase()}s` });
    const call = { method: 'POST', path, body: { apiVersion, kind, spec }, safe: true } as const;
    const answer = await transport.call<{ status?: unknown } | null>(call, { deadline: clock.now() + reviewMs });
    if (answer.status === 201 || answer.status === 200) {
      const read = expected.safeParse(answer.body?.status);
      if (read.success) return read.data;
      throw new LifecycleError('Unreachable', `the API server's answer about a caller (${kind}) is none`);
    }
    const { message } = answerFailure(answer, `this server cannot review callers (${kind})`);
    // Ours is the right that is missing, not the caller's.
    throw new LifecycleError('Unreachable', `${message}; its account needs the ClusterRole system:auth-delegator`);
  }

  return {
    /** Who sends this, for events also by the shared secret. @throws refusal 401, 429; it never has the token in it. */
    async who(authorization: string | undefined, address: string, isEvent = false): Promise<Principal> {
      const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
      if (isEvent && secret !== undefined && timingSafeEqual(digest(token), digest(secret)))
        return (take(webhook.username), webhook);
      const giveBack = take(address); // a guesser of tokens costs the API server no more than that
      const spec = { token, audiences: [audience] };
      const { authenticated, user, audiences, error }: z.output<typeof tokenReviewed> =
        token === '' ? {} : await review('authentication', 'TokenReview', spec, tokenReviewed);
      if (!authenticated || !user || !audiences?.includes(audience)) {
        const why = token === '' ? 'no token' : `the token does not hold${error ? ` (${error.slice(0, 200)})` : ''}`;
        const says = `${why}: expected Authorization: Bearer with one for the audience ${audience}`;
        throw refusal(401, 'Unauthenticated', says, { 'www-authenticate': 'Bearer' });
      }
      take(user.username);
      giveBack();
      return user;
    },

    /** @throws LifecycleError Denied saying which right is missing. */
    async may({ username: user, ...who }: Principal, verb: string, { namespace, name }: Partial<Place>, sub = '') {
      const resourceAttributes = { group, resource: 'wukongs', subresource: sub, verb, namespace, name };
      const spec = { user, ...who, resourceAttributes };
      const { allowed, reason } = await review('authorization', 'SubjectAccessReview', spec, accessReviewed);
      const where = namespace ? `in ${namespace}${name ? ` on ${name}` : ''}` : 'in all namespaces';
      const says = `${user} may not ${verb} wukongs${sub && `/${sub}`} of ${group} ${where}`;
      if (!allowed) throw new LifecycleError('Denied', reason ? `${says} (${reason})` : says);
    },
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
