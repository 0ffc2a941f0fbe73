import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseAllDocuments } from 'yaml';

import type { Cluster } from './cluster.ts';
import { at, clone, type Fields, isFields, type Thing } from './object.ts';
import { type PrinterColumn, type Resource } from './resources.ts';
import type { Schema } from './schema.ts';

interface CrdVersion {
  name: string;
  served: boolean;
  storage: boolean;
  schema?: { openAPIV3Schema?: Schema };
  subresources?: { status?: Fields };
  additionalPrinterColumns?: PrinterColumn[];
  selectableFields?: { jsonPath: string }[];
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** The kind that a CustomResourceDefinition defines; its storage version is the one served. */
export function resourceOf(crd: Thing): Resource | undefined {
  const names = at(crd, 'spec', 'names') as
    | {
        kind: string;
        plural: string;
        singular?: string;
        listKind?: string;
        shortNames?: string[];
        categories?: string[];
      }
    | undefined;
  const versions = (at(crd, 'spec', 'versions') as CrdVersion[] | undefined) ?? [];
  const version = versions.find((one) => one.storage && one.served) ?? versions[0];
  if (!names || !version) return undefined;
  return {
    group: String(at(crd, 'spec', 'group')),
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
    namespaced: at(crd, 'spec', 'scope') !== 'Cluster',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    status: version.subresources?.status !== undefined,
    custom: {
      schema: version.schema?.openAPIV3Schema ?? {},
      columns: version.additionalPrinterColumns ?? [age],
      selectable: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, '')),
    },
  };
}

/** Serves what is defined, as long as it is defined. */
export function followCrds(cluster: Cluster): void {
  const crds = cluster.registry.named('customresourcedefinitions');
  cluster.store.subscribe(crds, ({ type, object }) => {
    const resource = resourceOf(object);
    if (!resource) return;
    if (type === 'DELETED') {
      for (const thing of [...cluster.store.each(resource)]) cluster.store.delete(resource, thing);
      cluster.registry.remove(resource);
      return;
    }
    cluster.registry.add(resource);
    if (at(object, 'status', 'acceptedNames') === undefined) establish(cluster, crds, object);
  });
}

function establish(cluster: Cluster, crds: Resource, crd: Thing): void {
  const lastTransitionTime = crd.metadata.creationTimestamp;
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime,
  });
  cluster.store.put(crds, {
    ...crd,
    status: {
      acceptedNames: at(crd, 'spec', 'names'),
      storedVersions: [resourceOf(crd)?.version],
      conditions: [
        condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
        condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
      ],
    },
  });
}

/** By their text: every cluster of a process begins with the same ones, and reading them takes longest of all. */
const read = new Map<string, Thing[]>();

/** The definitions in a file, not to be changed. */
export function readCrds(file: string): Thing[] {
  const text = readFileSync(file, 'utf8');
  let crds = read.get(text);
  if (!crds) {
    crds = [...parseAllDocuments(text)]
      .map((document) => document.toJS() as Thing)
      .filter((thing) => isFields(thing) && thing.kind === 'CustomResourceDefinition');
    read.set(text, crds);
  }
  return crds;
}

const root = join(import.meta.dirname, '../..');
const original = join(root, 'test/data/wukong-crd-original.yaml');

/** The CRDs of infra/crds, and the Wukong one as its operator ships it, or extended by what we need. */
export function ownCrds(kind: 'extended' | 'original'): Thing[] {
  const found = crdFiles().flatMap(readCrds);
  const others = found.filter((crd) => crd.metadata.name !== 'wukongs.vm.novasphere.dev');
  if (kind === 'original') return [...others, ...readCrds(original)];
  const extended = found.find((crd) => crd.metadata.name === 'wukongs.vm.novasphere.dev');
  return [...others, extended ?? extend(readCrds(original)[0] as Thing)];
}

function crdFiles(): string[] {
  try {
    const folder = join(root, 'infra/crds');
    return readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** The two places that the lifecycle needs, kept as they are sent. */
function extend(crd: Thing): Thing {
  const copy = clone(crd);
  const [version] = at(copy, 'spec', 'versions') as CrdVersion[];
  const properties = version?.schema?.openAPIV3Schema?.properties;
  const open: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  if (properties?.['spec']?.properties) properties['spec'].properties['lifecycleAction'] = open;
  if (properties?.['status']?.properties) properties['status'].properties['lifecycleState'] = open;
  return copy;
}

const column = (name: string, type: string, jsonPath: string, priority?: number): PrinterColumn => ({
  name,
  type,
  jsonPath,
  ...(priority ? { priority } : {}),
});
const ready = column('Ready', 'string', ".status.conditions[?(@.type=='Ready')].status");

/** KubeVirt's own kinds, without their schemas: nothing is pruned from them. */
export function kubevirtCrds(): Thing[] {
  const define = (kind: string, shortNames: string[], status: boolean, columns: PrinterColumn[]): Thing => {
    const singular = kind.toLowerCase();
    const plural = `${singular}s`;
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.kubevirt.io`, uid: '', resourceVersion: '', creationTimestamp: '' },
      spec: {
        group: 'kubevirt.io',
        names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ['all'] },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            ...(status ? { subresources: { status: {} } } : {}),
            additionalPrinterColumns: columns,
          },
        ],
      },
    };
  };
  return [
    define('VirtualMachine', ['vm', 'vms'], true, [age, column('Status', 'string', '.status.printableStatus'), ready]),
    define('VirtualMachineInstance', ['vmi', 'vmis'], false, [
      age,
      column('Phase', 'string', '.status.phase'),
      column('IP', 'string', '.status.interfaces[0].ipAddress'),
      column('NodeName', 'string', '.status.nodeName'),
      ready,
      column('Live-Migratable', 'string', ".status.conditions[?(@.type=='LiveMigratable')].status", 1),
      column('Paused', 'string', ".status.conditions[?(@.type=='Paused')].status", 1),
    ]),
    define('VirtualMachineInstanceMigration', ['vmim', 'vmims'], true, [
      column('Phase', 'string', '.status.phase'),
      column('VMI', 'string', '.spec.vmiName'),
    ]),
    define('KubeVirt', ['kv', 'kvs'], true, [age, column('Phase', 'string', '.status.phase')]),
  ];
}
