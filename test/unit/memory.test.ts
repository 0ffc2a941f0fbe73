import { describe, expect, it } from 'vitest';

import { type Memory, readMemory, writeMemory } from '../../shared/schedule/memory.ts';
import { at } from './schedules.ts';

const memoryKey = 'lifecycle.novasphere.dev/schedule-memory';
const now = at('2026-11-23T19:00:00Z');
const full: Memory = { skipped: now - 3_000, withheld: now - 2_000, handled: now - 1_000 };
const of = (text?: string, uid?: string) => ({
  metadata: { name: 'db', uid, ...(text === undefined ? {} : { annotations: { [memoryKey]: text } }) },
});

describe('what is remembered of a Wukong', () => {
  it('is read as it was written, in RFC 3339', () => {
    expect(readMemory(of(writeMemory(full)))).toEqual(full);
    expect(writeMemory(full, 'one')).toBe(
      '{"wukongUid":"one","skipped":"2026-11-23T18:59:57Z","withheld":"2026-11-23T18:59:58Z","handled":"2026-11-23T18:59:59Z"}',
    );
    expect(writeMemory({})).toBe('{}');
  });

  it('is only what is there, and can be read', () => {
    expect(readMemory(of('{"skipped":"2026-11-23T18:59:57Z","withheld":"soon","handled":7}'))).toStrictEqual({
      skipped: full.skipped,
    });
    expect([readMemory(of()), readMemory({ metadata: { name: 'db' } }), readMemory(of('{}'))]).toEqual([{}, {}, {}]);
    expect([readMemory(of('{')), readMemory(of('null')), readMemory(of('7'))]).toEqual([{}, {}, {}]);
  });

  it('is that of this Wukong, not of one that it was copied from', () => {
    const text = writeMemory(full, 'one');
    expect([readMemory(of(text, 'one')), readMemory(of(text, 'two'))]).toEqual([full, {}]);
    expect(readMemory(of(writeMemory(full), 'two'))).toEqual(full);
  });

  it('is nothing that is yet to come, but for a minute between two clocks', () => {
    const text = writeMemory({ skipped: now + 60_000, handled: now + 61_000 });
    expect(readMemory(of(text), now)).toStrictEqual({ skipped: now + 60_000 });
    expect(readMemory(of(text))).toEqual({ skipped: now + 60_000, handled: now + 61_000 });
  });
});
