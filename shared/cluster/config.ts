import * as z from 'zod';

import { LifecycleError } from '../domain/errors.ts';
import { isLabel, labelExpected } from '../domain/names.ts';
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

const namesIn = (list: string): string[] =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

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

const isWebhook = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? '');
const webhookExpected = 'expected an http:// or https:// address';

const schema = z.object({
  /** How a VM is switched: KubeVirt's subresources, or a patch of its strategy. */
  POWER_METHOD: z.enum(['subresource', 'patch'], { error: 'expected subresource or patch' }).default('subresource'),
  /** A start counts only when the guest agent has connected. */
  REQUIRE_AGENT: flag,
  /** The bus for outcome events and for splitting fleets; without it none are sent. */
  EVENT_BUS_NAME: word,
  /** The namespace of the ConfigMap `wukong-lifecycle` that freezes every schedule. */
  LIFECYCLE_NAMESPACE: z.string().refine(isLabel, labelExpected).default('wukong-lifecycle'),
  /** The zone of schedules that name none, where their namespace says nothing either. */
  DEFAULT_TIME_ZONE: word,
  /** Where reconcileState looks: names separated by commas; all namespaces when left out. */
  WATCH_NAMESPACES: z
    .string()
    .refine((text) => namesIn(text).every(isLabel), `each name: ${labelExpected}`)
    .optional(),
  LOG_LEVEL: z
    .enum(['DEBUG', 'INFO', 'WARN', 'ERROR'], { error: 'expected DEBUG, INFO, WARN or ERROR' })
    .default('INFO'),
  /** Kept back of the function's own time limit, to tell what was reached. */
  RESERVE_SECONDS: count(1, 300, 10),
  /** Power calls a second, below what virt-api allows (KUBEVIRT §1: 200 requests a second, some three a call). */
  POWER_CALLS_PER_SECOND: count(1, 1000, 50),
  /** Told of bad runs, forced guests and stops that are near; from a Secret, as whoever knows it may write there. */
  WEBHOOK_URL: z.string().refine(isWebhook, webhookExpected).optional(),
  /** The id of a secret in AWS Secrets Manager that is that address. */
  WEBHOOK_SECRET: word,
  WEBHOOK_FORMAT: z.enum(['cloudevents', 'slack'], { error: 'expected cloudevents or slack' }).default('cloudevents'),
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
  webhook: { at: { url: string } | { secret: string }; format: 'cloudevents' | 'slack' } | undefined;
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
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secret, WEBHOOK_FORMAT: format } = read.data;
  if (url !== undefined && secret !== undefined)
    throw new LifecycleError('InvalidAction', 'configuration: WEBHOOK_SECRET: expected none, as WEBHOOK_URL is given');
  const at = url !== undefined ? { url } : secret !== undefined ? { secret } : undefined;
  return {
    powerMethod: read.data.POWER_METHOD,
    requireAgent: read.data.REQUIRE_AGENT,
    eventBusName: read.data.EVENT_BUS_NAME,
    lifecycleNamespace: read.data.LIFECYCLE_NAMESPACE,
    ...(read.data.DEFAULT_TIME_ZONE === undefined ? {} : { defaultTimeZone: read.data.DEFAULT_TIME_ZONE }),
    watchNamespaces: read.data.WATCH_NAMESPACES === undefined ? undefined : namesIn(read.data.WATCH_NAMESPACES),
    logLevel: read.data.LOG_LEVEL,
    reserveMs: read.data.RESERVE_SECONDS * 1000,
    powerCallsPerSecond: read.data.POWER_CALLS_PER_SECOND,
    webhook: at && { at, format },
    clusters: read.data.CLUSTERS,
  };
}

/** The address that a secret is. @throws Error for another text, which it does not repeat. */
export function webhookIn(text: string): string {
  if (isWebhook(text.trim())) return text.trim();
  throw new Error(`the secret of WEBHOOK_SECRET: ${webhookExpected}`);
}
