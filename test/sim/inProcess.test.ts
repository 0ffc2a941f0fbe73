import { describe, expect, it } from 'vitest';

import { play } from '../faults/cell.ts';
import { misfortunes } from '../faults/harms.ts';
import { stories } from '../faults/stories.ts';

const calls = [
  [2, 'GET Wukong'],
  [3, 'WATCH VM'],
  [5, 'PATCH Wukong'],
  [6, 'stop'],
] as const;

describe('a request that is handed to the API server is served as one that came over a connection', () => {
  const story = stories.find(({ name }) => name === 'a guest that ignores ACPI')!;
  it.each([...misfortunes])('$name', async (fault) => {
    for (const [nth, call] of calls) {
      const overWire = await play(story, fault, nth, true);
      expect(overWire.calls[nth - 1]).toBe(call);
      const inProcess = await play(story, fault, nth);
      // Which watches share the connection that is lost is up to the client's pool.
      if (call.startsWith('WATCH')) inProcess.calls = overWire.calls;
      expect(inProcess).toEqual(overWire);
    }
  });
});
