import { readFileSync } from 'node:fs';

import { loadYaml } from '@kubernetes/client-node';

import { paths } from './client.ts';
import type { Ground } from './ground.ts';

export interface Crd {
  metadata: { name: string; resourceVersion?: string };
  spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
  status?: { conditions?: { type: string; status: string }[] };
}
interface Schema {
  properties?: Record<string, Schema>;
}

const files = ['infra/crds/wukongs.vm.novasphere.dev.yaml', 'infra/crds/wukongschedules.vm.novasphere.dev.yaml'];

/** Installs the CRDs of infra/crds, or brings those that are there up to date, and waits until they are served. */
export async function installCrds({ send, clock }: Ground): Promise<void> {
  for (const file of files) {
    const wanted = loadYaml<Crd>(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
    await putCrd(send, wanted);
    const { name } = wanted.metadata;
    for (let tries = 0; ; tries++) {
      const { body } = await send('GET', paths.crd(name));
      if (
        body.status?.conditions?.some(
          (one: { type: string; status: string }) => one.type === 'Established' && one.status === 'True',
        )
      )
        break;
      if (tries === 100) throw new Error(`CRD ${name} is not established`);
      await new Promise<void>((resolve) => clock.after(100, resolve));
    }
  }
}

export async function putCrd(send: Ground['send'], wanted: Crd): Promise<void> {
  const { name } = wanted.metadata;
  const there = await send('GET', paths.crd(name));
  const { resourceVersion } = there.body.metadata ?? {};
  const sent =
    there.status === 404
      ? await send('POST', paths.crd(), wanted)
      : await send('PUT', paths.crd(name), { ...wanted, metadata: { ...wanted.metadata, resourceVersion } });
  if (sent.status >= 300) throw new Error(`CRD ${name} (${sent.status}): ${JSON.stringify(sent.body).slice(0, 300)}`);
}

/** The Wukong CRD without the lifecycle fields, as an operator that does not know them ships it. */
export function withoutExtension(crd: Crd): Crd {
  const { status: _status, ...plain } = structuredClone(crd);
  for (const { schema } of plain.spec.versions) {
    delete schema.openAPIV3Schema.properties?.['spec']?.properties?.['lifecycleAction'];
    delete schema.openAPIV3Schema.properties?.['status']?.properties?.['lifecycleState'];
  }
  return plain;
}

/** @throws Error saying what to do, where the CRDs are not there. */
export async function checkServed({ send }: Ground): Promise<void> {
  for (const [path, name] of [
    ['/apis/kubevirt.io/v1/virtualmachines?limit=1', 'KubeVirt'],
    ['/apis/vm.novasphere.dev/v1alpha1/wukongs?limit=1', 'the CRD of Wukong (--install-crds installs it)'],
    [
      '/apis/vm.novasphere.dev/v1alpha1/wukongschedules?limit=1',
      'the CRD of WukongSchedule (--install-crds installs it)',
    ],
  ] as const) {
    const { status, body } = await send('GET', path);
    if (status !== 200)
      throw new Error(`this cluster does not serve ${name}: ${status} ${JSON.stringify(body).slice(0, 200)}`);
  }
}
