import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { lambda } from '../../shared/entry/entry.ts';
import { liveTable } from '../terminal/liveTable.ts';
import { showOutcome } from './outcomeLine.ts';
import type { Scene } from './scenes.ts';
import { countRequests, type Handler, invoke, type View } from './stage.ts';
import type { Voice } from './voice.ts';

/** Who plays the scenes: the real handlers on a counted transport, in front of what is seen by the demo's own watches. */
export interface Player {
  voice: Voice;
  view: View;
  counted: ReturnType<typeof countRequests>;
  handlers: Record<Scene['handler'], Handler>;
  /** Ends a drawing that is under way. */
  signal: AbortSignal;
  /** How many scenes have begun: each is shown with its number. */
  begun: number;
}

export function playerOf(own: World, given: Pick<Player, 'voice' | 'view' | 'signal'>): Player {
  const counted = countRequests(own.transport);
  const world: World = { ...own, transport: counted.transport };
  const handlers = {
    startVm: lambda('startVm', startVm, async () => world) as Handler,
    stopVm: lambda('stopVm', stopVm, async () => world) as Handler,
    reconcileState: lambda('reconcileState', reconcileState, async () => world) as Handler,
  };
  return { ...given, counted, handlers, begun: 0 };
}

/** One scene, while it is seen. @throws LifecycleError when the handler answers nothing, the signal's reason */
export async function play(scene: Scene, player: Player): Promise<Outcome[]> {
  const { voice, view, counted, handlers, signal } = player;
  signal.throwIfAborted();
  voice.say();
  voice.say(voice.bold(`${++player.begun}. ${scene.title}`));
  counted.reset();
  const table = voice.drawn ? liveTable(process.stdout, view.rows, voice.colour) : changes(view, voice);
  const stop = () => table.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const outcomes = await invoke(handlers[scene.handler], scene.event, `${scene.name}-invocation`);
    stop();
    for (const outcome of outcomes.toSorted((a, b) => a.finishedAt - b.finishedAt)) {
      const requests = counted.of(outcome.name, outcomes.length);
      showOutcome(voice, outcome, { scene: scene.name, requests, keyWidth: view.keyWidth });
    }
    return outcomes;
  } finally {
    stop();
    signal.removeEventListener('abort', stop);
  }
}

/** Not a terminal: a line for each change of state. */
function changes(view: View, voice: Voice): { stop(): void } {
  const begin = Date.now();
  const known = new Map(view.rows().map((row) => [`${row.namespace}/${row.name}`, row.state]));
  const timer = setInterval(() => {
    for (const { namespace, name, state, waiting } of view.rows()) {
      const key = `${namespace}/${name}`;
      if (known.get(key) === state) continue;
      known.set(key, state);
      const seconds = ((Date.now() - begin) / 1000).toFixed(1).padStart(5);
      voice.say(`  ${seconds} s  ${key.padEnd(view.keyWidth)}  ${state}${waiting ? `, waiting for ${waiting}` : ''}`);
    }
  }, 50);
  return { stop: () => clearInterval(timer) };
}
