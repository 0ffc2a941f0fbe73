import * as z from 'zod';

import { LifecycleError } from '../domain/errors.ts';
import type { Limits } from '../time/wait.ts';
import { bodyOf } from './failure.ts';
import { apiPath } from './path.ts';
import type { Cluster } from './world.ts';

/** Of nobody that anybody knows there are more. */
const mostExtra = 1_000;
/** Said of the whole list: zod would make a problem of each of its entries. */
const isTexts = (one: unknown): one is string[] => Array.isArray(one) && one.every((each) => typeof each === 'string');
const texts = z.custom<string[]>(isTexts);
const isExtra = (given: unknown): given is Record<string, string[]> => {
  if (typeof given !== 'object') return false;
  const values = Object.values(given ?? {});
  return values.length <= mostExtra && values.every(isTexts);
};

const principal = z.object({
  username: z.string().min(1),
  uid: z.string().optional(),
  groups: texts.optional(),
  extra: z.custom<Record<string, string[]>>(isExtra).optional(),
});
/** Who asks, as the API server knows them. */
export type Principal = z.output<typeof principal>;

const token = z.object({
  authenticated: z.boolean().optional(),
  /** Empty for who is nobody. */
  user: principal.optional().catch(undefined),
  audiences: texts.optional(),
  error: z.string().optional(),
});
const access = z.object({ allowed: z.boolean(), reason: z.string().optional() });

interface Statuses {
  TokenReview: z.output<typeof token>;
  SubjectAccessReview: z.output<typeof access>;
  SelfSubjectAccessReview: z.output<typeof access>;
}
const kinds: { [K in keyof Statuses]: { api: string; status: z.ZodType<Statuses[K]> } } = {
  TokenReview: { api: 'authentication.k8s.io/v1', status: token },
  SubjectAccessReview: { api: 'authorization.k8s.io/v1', status: access },
  SelfSubjectAccessReview: { api: 'authorization.k8s.io/v1', status: access },
};

/** Asks the API server whose a token is, or what somebody may. @throws LifecycleError when it does not say. */
export async function review<K extends keyof Statuses>(
  { transport }: Pick<Cluster, 'transport'>,
  kind: K,
  spec: object,
  limits: Partial<Limits> = {},
): Promise<Statuses[K]> {
  const { api, status } = kinds[kind];
  const path = apiPath({ api, kind: `${kind.toLowerCase()}s` });
  const call = { method: 'POST', path, body: { apiVersion: api, kind, spec }, safe: true } as const;
  const read = status.safeParse(bodyOf(await transport.call<{ status?: unknown } | null>(call, limits), kind)?.status);
  if (read.success) return read.data;
  throw new LifecycleError('Unreachable', `the API server's answer to a ${kind} is none`);
}
