import { readFileSync } from 'node:fs';

import { loadYaml } from '@kubernetes/client-node';

import type { JsonPatchStep } from '../../shared/cluster/objects.ts';
import { type KubeObject, version } from '../../shared/domain/model.ts';

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

const shipped = (file: string): string => readFileSync(new URL(`../../infra/crds/${file}`, import.meta.url), 'utf8');
export const shippedCrd = (name: string): Crd => loadYaml<Crd>(shipped(`${name}.yaml`));
const shippedPatch = (file: string): JsonPatchStep[] => JSON.parse(shipped(file)) as JsonPatchStep[];

export interface Extension {
  /** What is added, for people. */
  adds: string[];
  patch: JsonPatchStep[];
  notes: string[];
}

/**
 * The patch that teaches an installed Wukong CRD our two fields, and nothing else: what is there already is not added,
 * and everything of its own is kept. Columns are added where it has none, or with `columns` behind its own.
 */
export function extensionOf(crd: Crd, { columns = false } = {}): Extension {
  const index = crd.spec.versions.findIndex(({ name }) => name === version);
  const served = crd.spec.versions[index];
  if (!served) return { adds: [], patch: [], notes: [`it has no version ${version}, so it cannot be extended`] };
  const found: Extension = { adds: [], patch: [], notes: [] };
  const at = (path: string) => path.replace('/versions/0/', `/versions/${index}/`);
  for (const step of shippedPatch('wukongs-extension.json')) {
    const [part = '', field = ''] = /properties\/(\w+)\/properties\/(\w+)$/.exec(step.path)?.slice(1) ?? [];
    if (served.schema?.openAPIV3Schema?.properties?.[part]?.properties?.[field]) continue;
    found.patch.push({ ...step, path: at(step.path) });
    found.adds.push(`${part}.${field}`);
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
  found.adds.push(`columns ${missing.map(({ name }) => name).join(', ')}`);
}
