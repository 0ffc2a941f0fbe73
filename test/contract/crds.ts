import { readFileSync } from 'node:fs';

import { parse } from 'yaml';

import { type Crd as ShippedCrd, extensionOf, ownCrds, wukongCrd } from '../../cli/commands/crdPatch.ts';
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

/**
 * Installs the CRDs of infra/crds where there are none, and waits until they are served. A Wukong CRD that is there is
 * its operator's: it is extended, and nothing of it is replaced.
 */
export async function installCrds({ send, clock }: Ground): Promise<void> {
  for (const name of [wukongCrd, ...ownCrds]) {
    const there = await send('GET', paths.crd(name));
    if (name === wukongCrd && there.status === 200) await extendCrd(send, there.body as ShippedCrd);
    else await applyCrd(send, name);
    for (let tries = 0; !isEstablished((await send('GET', paths.crd(name))).body as Crd); tries++) {
      if (tries === 100) throw new Error(`CRD ${name} is not established`);
      await new Promise<void>((resolve) => clock.after(100, resolve));
    }
  }
}

const isEstablished = ({ status }: Crd): boolean =>
  status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True') ?? false;

async function extendCrd(send: Ground['send'], found: ShippedCrd): Promise<void> {
  const { patch } = extensionOf(found);
  if (patch.length === 0) return;
  check(wukongCrd, await send('PATCH', paths.crd(wukongCrd), patch, 'application/json-patch+json'));
}

/** As `kubectl apply --server-side` does it. */
async function applyCrd(send: Ground['send'], name: string): Promise<void> {
  const file = parse(readFileSync(new URL(`../../infra/crds/${name}.yaml`, import.meta.url), 'utf8')) as unknown;
  const path = `${paths.crd(name)}?fieldManager=kubectl&force=true`;
  check(name, await send('PATCH', path, file, 'application/apply-patch+yaml'));
}

function check(name: string, { status, body }: { status: number; body: unknown }): void {
  if (status >= 300) throw new Error(`CRD ${name} (${status}): ${JSON.stringify(body).slice(0, 300)}`);
}

export async function putCrd(send: Ground['send'], wanted: Crd): Promise<void> {
  const { name } = wanted.metadata;
  const there = await send('GET', paths.crd(name));
  const { resourceVersion } = there.body.metadata ?? {};
  const sent =
    there.status === 404
      ? await send('POST', paths.crd(), wanted)
      : await send('PUT', paths.crd(name), { ...wanted, metadata: { ...wanted.metadata, resourceVersion } });
  check(name, sent);
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
