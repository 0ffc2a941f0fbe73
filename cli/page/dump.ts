import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';

import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { clusterKind } from '../../shared/schedule/ruling.ts';
import { UsageError } from '../command.ts';
import type { ConfigMap, Manifests } from '../commands/manifest.ts';
import { fromRun } from './fromRun.ts';
import { fromDetail, fromEvent, type Happening } from './happening.ts';

export interface Dump {
  manifests: Manifests;
  happenings: Happening[];
}

/**
 * What files hold of a cluster: Kubernetes objects or Lists of them as `kubectl get -o json` prints them, and outcome
 * events, one a line, as the event bus delivers them or the log has them. What is neither is passed over.
 * @throws UsageError when a file cannot be opened.
 */
export async function readDumps(files: string[]): Promise<Dump> {
  const manifests: Manifests = {
    schedules: [],
    configMaps: [],
    wukongs: [],
    namespaces: [],
    problems: [],
    warnings: [],
  };
  const dump: Dump = { manifests, happenings: [] };
  for (const file of files) {
    const values = parse(await open(file), file, manifests.problems);
    const before = manifests.problems.length;
    const taken = values.filter((value) => take(value, file, dump)).length;
    if (taken === 0 && manifests.problems.length === before)
      manifests.problems.push(`${file}: expected Wukongs, schedules, Events or outcome events, found none`);
  }
  return dump;
}

async function open(file: string): Promise<string> {
  try {
    return (file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (wrong) {
    const code = (wrong as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UsageError(`--from-file ${file}: cannot be read (${code})`, { cause: wrong });
  }
}

/** One JSON value, or one a line. A line that is none is named, and the others are read. */
function parse(text: string, file: string, problems: string[]): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch (whole) {
    const lines = text.split('\n');
    const found: unknown[] = [];
    const bad: number[] = [];
    lines.forEach((line, i) => {
      if (line.trim() === '') return;
      try {
        found.push(JSON.parse(line));
      } catch {
        bad.push(i + 1);
      }
    });
    if (found.length === 0) problems.push(`${file}: expected JSON: ${(whole as Error).message.slice(0, 120)}`);
    else if (bad.length > 0)
      problems.push(`${file}: line ${bad.slice(0, 5).join(', ')}${bad.length > 5 ? ', …' : ''}: expected JSON`);
    return found;
  }
}

/** Whether there was anything in it. */
function take(value: unknown, file: string, dump: Dump): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.map((one) => take(one, file, dump)).includes(true);
  const { kind = '', items } = value as { kind?: string; items?: unknown };
  if (Array.isArray(items)) {
    const single = /^(.+)List$/.exec(String(kind))?.[1];
    return items.map((item: object) => take(single ? { kind: single, ...item } : item, file, dump)).includes(true);
  }
  const object = value as KubeObject;
  const named = typeof object.metadata?.name === 'string';
  const { manifests, happenings } = dump;
  if (kind === 'Wukong' && named) manifests.wukongs.push(object as Wukong);
  else if ((kind === 'WukongSchedule' || kind === clusterKind) && named)
    manifests.schedules.push({ object, from: file });
  else if (kind === 'ConfigMap' && named) manifests.configMaps.push(object as ConfigMap);
  else if (kind === 'Namespace' && named) manifests.namespaces.push(object);
  else if (kind === 'WukongRun' && named) for (const one of fromRun(object)) happenings.push(one);
  else {
    const found = kind === 'Event' ? fromEvent(object) : fromDetail(value);
    if (found) happenings.push(found);
    return found !== undefined || kind === 'Event';
  }
  return true;
}
