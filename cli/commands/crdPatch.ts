import { readFileSync } from 'node:fs';

import { parse } from 'yaml';

import type { JsonPatchStep } from '../../shared/cluster/objects.ts';
import { type KubeObject, version } from '../../shared/domain/model.ts';
import { differences, laidOver } from './crdDifference.ts';

interface Schema {
  properties?: Record<string, Schema>;
}
export interface Crd extends KubeObject {
  spec: {
    versions: {
      name: string;
      schema?: { openAPIV3Schema?: Schema };
      additionalPrinterColumns?: { name: string; jsonPath: string }[];
    }[];
  };
}

export const wukongCrd = 'wukongs.vm.novasphere.dev';
export const scheduleCrd = 'wukongschedules.vm.novasphere.dev';
export const runCrd = 'wukongruns.vm.novasphere.dev';
/** Those that are all ours, and applied whole. */
export const ownCrds = [scheduleCrd, 'clusterwukongschedules.vm.novasphere.dev', runCrd] as const;

const shipped = (file: string): string => readFileSync(new URL(`../../infra/crds/${file}`, import.meta.url), 'utf8');
export const shippedCrd = (name: string): Crd => parse(shipped(`${name}.yaml`)) as Crd;
/** Without the test on the version's name, which is for kubectl: here the version is looked up by it. */
const shippedPatch = (file: string): JsonPatchStep[] =>
  (JSON.parse(shipped(file)) as JsonPatchStep[]).filter(({ op }) => op !== 'test');

export interface Extension {
  /** False where it does not serve the version that we know. */
  served: boolean;
  /** Fields that are added. */
  adds: string[];
  /** Names of columns that are added. */
  columns: string[];
  /** Our fields that are there, but not as they are shipped. */
  renews: string[];
  patch: JsonPatchStep[];
  notes: string[];
}

/**
 * The patch that teaches an installed Wukong CRD our two fields, and nothing else: everything of its own is kept, inside
 * our fields too. Columns are added where it has none, or with `columns` behind its own.
 */
export function extensionOf(crd: Crd, { columns = false } = {}): Extension {
  const index = crd.spec.versions.findIndex(({ name }) => name === version);
  const served = crd.spec.versions[index];
  const found: Extension = { served: served !== undefined, adds: [], columns: [], renews: [], patch: [], notes: [] };
  if (!served) return { ...found, notes: [`it has no version ${version}, so it cannot be extended`] };
  const at = (path: string) => path.replace('/versions/0/', `/versions/${index}/`);
  for (const step of shippedPatch('wukongs-extension.json')) {
    const [part = '', field = ''] = /properties\/(\w+)\/properties\/(\w+)$/.exec(step.path)?.slice(1) ?? [];
    const there = served.schema?.openAPIV3Schema?.properties?.[part]?.properties?.[field];
    const differs = there === undefined ? [] : differences(step.value, there, `${part}.${field}`);
    if (there !== undefined && differs.length === 0) continue;
    found.patch.push({ ...step, path: at(step.path), value: laidOver(there, step.value) });
    if (there === undefined) found.adds.push(`${part}.${field}`);
    else found.renews.push(...differs);
  }
  addColumns(found, served.additionalPrinterColumns ?? [], at, columns);
  if (found.patch.length > 0 && crd.metadata.resourceVersion)
    found.patch.unshift({ op: 'test', path: '/metadata/resourceVersion', value: crd.metadata.resourceVersion });
  return found;
}

function addColumns(
  found: Extension,
  own: { name: string; jsonPath: string }[],
  at: (path: string) => string,
  wanted: boolean,
) {
  const [step] = shippedPatch('wukongs-columns.json');
  const ours = (step?.value ?? []) as { name: string; jsonPath: string }[];
  const missing = ours.filter(
    (one) => !own.some(({ name, jsonPath }) => name === one.name || jsonPath === one.jsonPath),
  );
  if (!step || missing.length === 0) return;
  if (own.length > 0 && !wanted) {
    found.notes.push('its own columns are kept as they are; --columns adds State, Last Action and Next behind them');
    return;
  }
  found.patch.push({ ...step, path: at(step.path), value: [...own, ...missing] });
  found.columns.push(...missing.map(({ name }) => name));
}

/** What an installed CRD lacks of what is shipped, for people; empty where it is as it must be. */
export function faultOf(crd: Crd | undefined, name: string): { found: string; next: string } | undefined {
  if (!crd) return { found: 'is not installed', next: 'wukong crd install' };
  if (name !== wukongCrd)
    return differing(differences(shippedCrd(name).spec, crd.spec, '', { whole: true }), 'wukong crd install');
  const { served, adds, renews } = extensionOf(crd);
  if (!served) return { found: `does not serve ${version}`, next: 'install an operator that serves it' };
  if (adds.length > 0) return { found: `lacks ${adds.join(' and ')}`, next: 'wukong crd patch' };
  return differing(renews, 'wukong crd patch');
}

function differing(paths: string[], next: string) {
  if (paths.length === 0) return undefined;
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : '';
  return { found: `differs from what is shipped at ${paths[0]}${more}`, next };
}
