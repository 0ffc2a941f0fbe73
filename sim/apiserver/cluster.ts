import { randomUUID } from 'node:crypto';

import type { Timers } from '../timers.ts';
import { admit, webhookDown } from './admission.ts';
import type { Cel } from './cel.ts';
import { equal, isFields, type Metadata, stamp, type Thing } from './object.ts';
import { checkPolicies } from './policies.ts';
import { newFaults } from './ratcheting.ts';
import { alreadyExists, conflict, invalid, modified, notFound, otherName, Refusal } from './refusal.ts';
import { apiVersionOf, builtinResources, Registry, type Resource } from './resources.ts';
import { prune, withDefaults } from './schema.ts';
import { checkFinalizers, checkLabels, keptMetadata, nameOf, otherNamespace, separated } from './separation.ts';
import { Store } from './store.ts';
import { crdFaults } from './structural.ts';
import type { User } from './user.ts';

/** How a write is asked for, beside the object. */
export interface WriteOptions {
  subresource?: string | undefined;
  dryRun?: boolean;
  /** Asked under the kind's second group, which has rules of its own. */
  alias?: boolean;
  /** `fieldValidation=Strict`: what the schema does not know is an error, not a warning. */
  strict?: (unknown: string[]) => Refusal;
  /** The cluster's own controllers: webhooks do not stop them. */
  internal?: boolean;
  /** As a CRD of an older version let it in: what the schema limits is stored as it is. */
  unchecked?: boolean;
  /** Who asks; without one no policy is asked. */
  user?: User;
  warn?: (text: string) => void;
}

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: string;
  dryRun?: boolean;
}

/** A deletion that has begun asks the owner of a grace period how long it takes: Pods have one. */
export type GraceRule = (thing: Thing, options: DeleteOptions) => number | undefined;

const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** The API server's rules around the store: what every write must satisfy, whoever makes it. */
export class Cluster {
  readonly store = new Store();
  readonly registry = new Registry(builtinResources);
  readonly clock: Timers;
  /** Evaluates rules of CRDs and policies; undefined where there is no evaluator. */
  cel: Cel | undefined;
  /** Set while virt-api is down: its webhooks fail. */
  virtApiDown = false;
  readonly graceRules = new Map<string, GraceRule>();
  /** Asked before an object is made by somebody, and before pods and VMIs are, whoever makes them. */
  readonly createRules: ((resource: Resource, thing: Thing) => void)[] = [];

  constructor(clock: Timers) {
    this.clock = clock;
  }

  get(resource: Resource, namespace: string | undefined, name: string): Thing {
    const found = this.store.get(resource, namespace, name);
    if (!found) throw notFound(resource, name);
    return found;
  }

  create(resource: Resource, namespace: string | undefined, body: Thing, options: WriteOptions = {}): Thing {
    const metadata = nameOf(resource, namespace, body);
    this.#checkNamespace(resource, namespace);
    const fresh: Thing = {
      ...body,
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: {
        ...metadata,
        uid: randomUUID(),
        resourceVersion: '',
        ...(resource.custom || body.spec !== undefined ? { generation: 1 } : {}),
        creationTimestamp: stamp(this.clock.now()),
      },
    };
    if (resource.status && !options.internal) delete fresh.status;
    const next = this.#admitted(resource, undefined, fresh, options);
    if (this.store.get(resource, namespace, next.metadata.name)) throw alreadyExists(resource, next.metadata.name);
    if (!options.internal || ['pods', 'virtualmachineinstances'].includes(resource.plural))
      for (const rule of this.createRules) rule(resource, next);
    return options.dryRun ? next : this.store.put(resource, next);
  }

  update(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    body: Thing,
    options: WriteOptions = {},
  ): Thing {
    const old = this.get(resource, namespace, name);
    const sent: Partial<Metadata> = isFields(body.metadata) ? body.metadata : {};
    if (sent.name !== undefined && sent.name !== name) throw otherName(sent.name, name);
    if (sent.namespace && sent.namespace !== namespace) throw otherNamespace();
    if (sent.uid && sent.uid !== old.metadata.uid)
      throw conflict(
        resource,
        name,
        `Precondition failed: UID in precondition: ${sent.uid}, UID in object meta: ${old.metadata.uid}`,
      );
    if (!options.subresource) checkFinalizers(resource, old.metadata, sent);
    if (sent.resourceVersion && sent.resourceVersion !== old.metadata.resourceVersion) throw modified(resource, name);
    const metadata = keptMetadata(old.metadata, sent, options);
    const fresh = separated(resource, old, { ...body, metadata }, options);
    const next = this.#admitted(resource, old, fresh, options);
    const { resourceVersion } = old.metadata;
    if (equal(old, { ...next, metadata: { ...next.metadata, resourceVersion } })) return old;
    if (options.dryRun) return next;
    const stored = this.store.put(resource, next);
    return this.#finished(resource, stored);
  }

  /** Reads, edits, writes: for controllers and for the sim's callers. */
  change(resource: Resource, namespace: string | undefined, name: string, edit: (old: Thing) => Thing): Thing {
    const old = this.get(resource, namespace, name);
    const next = edit(old);
    const generation = resource.custom && !equal(old.spec, next.spec) ? (old.metadata.generation ?? 1) + 1 : undefined;
    const metadata = { ...next.metadata, ...(generation ? { generation } : {}) };
    const { resourceVersion } = old.metadata;
    if (equal(old, { ...next, metadata: { ...metadata, resourceVersion } })) return old;
    return this.#finished(resource, this.store.put(resource, { ...next, metadata }));
  }

  remove(resource: Resource, namespace: string | undefined, name: string, options: DeleteOptions = {}): Thing {
    const old = this.get(resource, namespace, name);
    const { uid, resourceVersion } = options.preconditions ?? {};
    const failed = (what: string, wanted: string, found: string) =>
      conflict(
        resource,
        name,
        `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`,
      );
    if (uid && uid !== old.metadata.uid) throw failed('UID', uid, old.metadata.uid);
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion)
      throw failed('ResourceVersion', resourceVersion, old.metadata.resourceVersion);
    if (resource.plural === 'namespaces' && immortal.has(name))
      throw new Refusal(403, 'Forbidden', `namespaces "${name}" is forbidden: this namespace may not be deleted`, {
        details: { name, kind: resource.plural },
      });
    if (options.dryRun) return old;
    const graceSeconds = this.graceRules.get(resource.plural)?.(old, options);
    const held =
      (old.metadata.finalizers?.length ?? 0) > 0 || resource.plural === 'namespaces' || (graceSeconds ?? 0) > 0;
    if (!held) return this.store.delete(resource, old);
    const shorter = (graceSeconds ?? 0) < (old.metadata.deletionGracePeriodSeconds ?? 0);
    if (old.metadata.deletionTimestamp && !shorter) return old;
    const seconds = graceSeconds ?? 0;
    const deletionTimestamp = stamp(this.clock.now() + seconds * 1000);
    const metadata = { ...old.metadata, deletionTimestamp, deletionGracePeriodSeconds: seconds };
    if (resource.custom) metadata.generation = (metadata.generation ?? 1) + 1;
    return this.store.put(resource, { ...old, metadata });
  }

  /** An object that was waiting for its last finalizer goes when it is taken off. */
  #finished(resource: Resource, stored: Thing): Thing {
    const { deletionTimestamp, finalizers, deletionGracePeriodSeconds = 0 } = stored.metadata;
    const done = deletionTimestamp && !finalizers?.length && deletionGracePeriodSeconds === 0;
    if (done && resource.plural !== 'namespaces') this.store.delete(resource, stored);
    return stored;
  }

  /** Whether new things are taken in it: it is there, and not going. */
  takesNew(namespace: string | undefined): boolean {
    const home = this.store.get(this.registry.named('namespaces'), undefined, namespace ?? '');
    return home !== undefined && home.metadata.deletionTimestamp === undefined;
  }

  #checkNamespace(resource: Resource, namespace: string | undefined): void {
    if (!resource.namespaced || !namespace) return;
    const namespaces = this.registry.named('namespaces');
    const home = this.store.get(namespaces, undefined, namespace);
    if (!home) throw notFound(namespaces, namespace);
    if (home.metadata.deletionTimestamp)
      throw new Refusal(
        403,
        'Forbidden',
        `${resource.plural} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
        {
          details: {
            causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated` }],
          },
        },
      );
  }

  #admitted(resource: Resource, old: Thing | undefined, next: Thing, options: WriteOptions): Thing {
    const { internal = false, alias = false, subresource, warn = () => undefined } = options;
    checkLabels(resource, next);
    const schema = resource.custom?.schema ?? resource.typed;
    if (schema) {
      const unknown: string[] = [];
      next = withDefaults(schema, prune(schema, next, unknown)) as Thing;
      if (unknown.length > 0 && options.strict) throw options.strict(unknown);
      for (const field of unknown) warn(`unknown field "${field}"`);
      const errors = resource.custom ? newFaults(this.cel, schema, { old, next }, options) : crdFaults(next, this.cel);
      if (errors.length > 0) throw invalid(resource, next.metadata.name, errors);
    }
    if (!internal && this.virtApiDown && resource.group === 'kubevirt.io' && resource.plural !== 'kubevirts')
      throw webhookDown(resource);
    const operation = old ? 'UPDATE' : 'CREATE';
    const admitted = admit({ resource, operation, subresource, old, next, alias, internal, warn, cel: this.cel });
    const { user, dryRun = false } = options;
    if (user) checkPolicies(this, { resource, operation, subresource, old, next: admitted, user, dryRun, warn });
    return admitted;
  }
}
