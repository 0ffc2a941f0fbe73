import * as z from 'zod';

import { LifecycleError } from '../domain/errors.ts';
import { type Clusters, parseClusters } from './clusters.ts';

const flag = z
  .enum(['true', 'false'], { error: 'expected true or false' })
  .default('false')
  .transform((text) => text === 'true');
const count = (low: number, high: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, `expected a whole number from ${low} to ${high}`)
    .transform(Number)
    .refine((value) => value >= low && value <= high, `expected a whole number from ${low} to ${high}`)
    .default(fallback);
const word = z.string().min(1, 'expected a value, or leave the variable out').optional();

const clusters = z
  .string()
  .optional()
  .transform((text, context) => {
    if (text === undefined) return undefined;
    try {
      return parseClusters(text);
    } catch (wrong) {
      context.addIssue({ code: 'custom', message: (wrong as Error).message });
      return z.NEVER;
    }
  });

const schema = z.object({
  /** How a VM is switched: KubeVirt's subresources, or a patch of its strategy. */
  POWER_METHOD: z.enum(['subresource', 'patch'], { error: 'expected subresource or patch' }).default('subresource'),
  /** A start counts only when the guest agent has connected. */
  REQUIRE_AGENT: flag,
  /** The bus for outcome events and for splitting fleets; without it none are sent. */
  EVENT_BUS_NAME: word,
  /** The namespace of the ConfigMap `wukong-lifecycle` that freezes every schedule. */
  LIFECYCLE_NAMESPACE: z.string().min(1).default('wukong-lifecycle'),
  /** The zone of schedules that name none, where their namespace says nothing either. */
  DEFAULT_TIME_ZONE: word,
  /** Where reconcileState looks: names separated by commas; all namespaces when left out. */
  WATCH_NAMESPACES: word,
  LOG_LEVEL: z
    .enum(['DEBUG', 'INFO', 'WARN', 'ERROR'], { error: 'expected DEBUG, INFO, WARN or ERROR' })
    .default('INFO'),
  /** Kept back of the function's own time limit, to tell what was reached. */
  RESERVE_SECONDS: count(1, 300, 10),
  /** Power calls a second, below what virt-api allows (KUBEVIRT §1: 200 requests a second, some three a call). */
  POWER_CALLS_PER_SECOND: count(1, 1000, 50),
  /** The clusters by name and where their credentials are; without it KUBECONFIG or the pod's own account counts. */
  CLUSTERS: clusters,
});

export interface Config {
  powerMethod: 'subresource' | 'patch';
  requireAgent: boolean;
  eventBusName: string | undefined;
  lifecycleNamespace: string;
  defaultTimeZone?: string | undefined;
  watchNamespaces: string[] | undefined;
  logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  reserveMs: number;
  powerCallsPerSecond: number;
  clusters: Clusters | undefined;
}

/**
 * The configuration from environment variables.
 * @throws LifecycleError InvalidAction naming every wrong variable and what was expected.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const read = schema.safeParse(env);
  if (!read.success) {
    const wrong = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new LifecycleError('InvalidAction', `configuration: ${wrong.join('; ')}`);
  }
  const names = read.data.WATCH_NAMESPACES?.split(',').map((name) => name.trim());
  return {
    powerMethod: read.data.POWER_METHOD,
    requireAgent: read.data.REQUIRE_AGENT,
    eventBusName: read.data.EVENT_BUS_NAME,
    lifecycleNamespace: read.data.LIFECYCLE_NAMESPACE,
    ...(read.data.DEFAULT_TIME_ZONE === undefined ? {} : { defaultTimeZone: read.data.DEFAULT_TIME_ZONE }),
    watchNamespaces: names?.filter((name) => name !== ''),
    logLevel: read.data.LOG_LEVEL,
    reserveMs: read.data.RESERVE_SECONDS * 1000,
    powerCallsPerSecond: read.data.POWER_CALLS_PER_SECOND,
    clusters: read.data.CLUSTERS,
  };
}
