import { readWukong } from '../../shared/cluster/objects.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import type { World } from '../../shared/cluster/world.ts';
import { lifecycleStateOf } from '../../shared/domain/lifecycleState.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { plain } from '../../shared/report/plain.ts';
import { widest } from '../terminal/columns.ts';

interface KubeEvent extends KubeObject {
  type: string;
  reason: string;
  message: string;
  lastTimestamp?: string;
  source?: { component?: string };
  involvedObject: { kind: string; name: string };
}

/** Status and Events of a Wukong, laid out as `kubectl describe` does. */
export async function describeWukong(world: World, namespace: string, name: string): Promise<string> {
  const wukong: Wukong = await readWukong(world, { namespace, name }, {});
  const query = { fieldSelector: `involvedObject.name=${name},involvedObject.kind=Wukong` };
  const path = apiPath({ api: 'v1', namespace, kind: 'events', query });
  const answer = await world.transport.call<{ items?: KubeEvent[] }>({ method: 'GET', path, safe: true });
  const events = (answer.body.items ?? [])
    .filter(({ involvedObject }) => involvedObject.name === name && involvedObject.kind === 'Wukong')
    .sort((a, b) => timeOf(a) - timeOf(b));
  const state = lifecycleStateOf(wukong) ?? {};
  const lines = [`Name:         ${name}`, `Namespace:    ${namespace}`, 'Status:', '  Lifecycle State:'];
  for (const [key, value] of Object.entries(state).filter(([, value]) => value !== undefined))
    lines.push(`    ${`${titled(key)}:`.padEnd(18)} ${plain(String(value))}`);
  lines.push('Events:');
  const rows = [
    ['Type', 'Reason', 'Age', 'From', 'Message'],
    ['----', '------', '----', '----', '-------'],
  ];
  for (const { type, reason, lastTimestamp, source, message } of events)
    rows.push(
      [type, reason, ageOf(lastTimestamp, world.clock.now()), source?.component ?? '', message].map((cell) =>
        plain(cell),
      ),
    );
  const widths = rows[0]?.map((_cell, i) => widest(rows.map((row) => row[i] ?? ''))) ?? [];
  for (const row of rows)
    lines.push(`  ${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ')}`);
  return lines.join('\n');
}

/** The oldest comes first, as kubectl has it. */
const timeOf = ({ lastTimestamp }: KubeEvent): number => Date.parse(lastTimestamp ?? '') || 0;

const titled = (key: string): string =>
  key.replace(/^[a-z]/, (c) => c.toUpperCase()).replace(/([a-z])([A-Z])/g, '$1 $2');

const ageOf = (time: string | undefined, now: number): string =>
  time ? `${Math.max(0, Math.round((now - Date.parse(time)) / 1000))}s` : '';
