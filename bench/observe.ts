import type { Credentials } from '../shared/cluster/credentials.ts';
import { transportTo } from '../shared/cluster/transport.ts';
import { type KubeObject } from '../shared/domain/model.ts';
import { lastKey } from '../shared/domain/operation.ts';
import { readVmi } from '../shared/domain/readVm.ts';
import { systemClock } from '../shared/time/clock.ts';

export interface Observed {
  begin(): void;
  recordMs(): number[];
  end(): void;
}

/** Watches from outside when VMIs become ready or go, and when the outcome of that is on the Wukong. */
export function observe(credentials: Credentials): Observed {
  const transport = transportTo(credentials, systemClock, Math.random);
  const closing = new AbortController();
  let settled = new Map<string, number>();
  let recorded = new Map<string, number>();
  const follow = async (path: string, see: (type: string, object: KubeObject, now: number) => void) => {
    const { lines } = await transport.stream(`${path}?watch=true&timeoutSeconds=2000`, closing.signal);
    for await (const line of lines) {
      const now = performance.now();
      const { type, object } = JSON.parse(line) as { type: string; object: KubeObject };
      see(type, object, now);
    }
  };
  const key = ({ metadata }: KubeObject) => `${metadata.namespace}/${metadata.name.replace(/-vm$/, '')}`;
  const told = new Map<string, string>();
  const watching = [
    follow('/apis/kubevirt.io/v1/virtualmachineinstances', (type, object, now) => {
      const is = readVmi(object);
      const up = type !== 'DELETED' && is.ready === 'True' && is.deletingSince === undefined;
      if (type === 'DELETED' || (up && !settled.has(key(object)))) settled.set(key(object), now);
    }),
    follow('/apis/vm.novasphere.dev/v1alpha1/wukongs', (_type, object, now) => {
      const last = object.metadata.annotations?.[lastKey];
      if (last === undefined || told.get(key(object)) === last) return;
      told.set(key(object), last);
      recorded.set(key(object), now);
    }),
  ];
  for (const one of watching) one.catch(() => {});
  return {
    begin() {
      settled = new Map();
      recorded = new Map();
    },
    recordMs: () =>
      [...recorded]
        .flatMap(([name, at]) => (settled.has(name) ? [at - (settled.get(name) as number)] : []))
        .sort((a, b) => a - b),
    end: () => closing.abort(),
  };
}
