import { createHash, timingSafeEqual } from 'node:crypto';

import { type Principal, review } from '../cluster/reviews.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import { group, type Place } from '../domain/model.ts';
import { remember } from '../domain/remember.ts';
import { refusal } from './http.ts';

/** What senders that have no token of Kubernetes are called in RBAC: without a RoleBinding they may do nothing. */
const webhook: Principal = { username: 'wukong-lifecycle:webhook', groups: ['system:authenticated'] };
const perSecond = 10;
const burst = 50;
const mostRemembered = 10_000;
const reviewMs = 10_000;

export interface Callers {
  /** For whom tokens of callers have to be. */
  audience: string;
  /** What proves a sender of events that has no token. */
  secret?: string | undefined;
}

export type Access = ReturnType<typeof newAccess>;

/** Who calls, and what they may: the API server says both, for each request. */
export function newAccess(world: Pick<World, 'clock' | 'transport'>, { audience, secret }: Callers) {
  const { clock } = world;
  /** By name or address: the instant at which all that was asked would have been asked at the steady rate. */
  const spent = new Map<string, number>();

  function take(name: string, costMs = 1000 / perSecond) {
    const at = Math.max(clock.now(), spent.get(name) ?? 0) + costMs;
    if (at > clock.now() + (burst * 1000) / perSecond)
      throw refusal(429, 'TooManyRequests', `${name} asks more than ${perSecond} times a second: ask again later`);
    remember(spent, name, at, mostRemembered);
    return () => void spent.set(name, (spent.get(name) ?? 0) - costMs);
  }

  const ask: typeof review = (to, kind, spec) =>
    review(to, kind, spec, { deadline: clock.now() + reviewMs }).catch((thrown: unknown) => {
      const { code, message } = asLifecycleError(thrown);
      // Ours is the right that is missing, not the caller's.
      const advice = code === 'Denied' ? '; its account needs the ClusterRole system:auth-delegator' : '';
      throw new LifecycleError('Unreachable', `this server cannot review callers: ${message}${advice}`);
    });

  return {
    /** Who sends this, for events also by the shared secret. @throws refusal 401, 429; it never has the token in it. */
    async who(authorization: string | undefined, address: string, isEvent = false): Promise<Principal> {
      const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
      if (isEvent && secret !== undefined && timingSafeEqual(digest(token), digest(secret)))
        return (take(webhook.username), webhook);
      const giveBack = take(address); // a guesser of tokens costs the API server no more than that
      const { authenticated, user, audiences, error } =
        token === '' ? {} : await ask(world, 'TokenReview', { token, audiences: [audience] });
      if (!authenticated || !user || !audiences?.includes(audience)) {
        const none = authorization === undefined ? 'no token' : 'Authorization is not one word behind Bearer';
        const why = token === '' ? none : `the token does not hold${error ? ` (${error.slice(0, 200)})` : ''}`;
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
      const { allowed, reason } = await ask(world, 'SubjectAccessReview', { user, ...who, resourceAttributes });
      const where = namespace ? `in ${namespace}${name ? ` on ${name}` : ''}` : 'in all namespaces';
      const says = `${user} may not ${verb} wukongs${sub && `/${sub}`} of ${group} ${where}`;
      if (!allowed) throw new LifecycleError('Denied', reason ? `${says} (${reason})` : says);
    },
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
