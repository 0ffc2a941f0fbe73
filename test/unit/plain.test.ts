import { describe, expect, it, vi } from 'vitest';

import type { Outcome } from '../../shared/domain/outcome.ts';
import { eventOf } from '../../shared/report/events.ts';
import { jsonLog } from '../../shared/report/log.ts';
import { plain } from '../../shared/report/plain.ts';
import { detailOf } from '../../shared/report/report.ts';
import { stateAfter } from '../../shared/report/status.ts';

const forged =
  'no quota\nStopped  1s  wukong-lifecycle  all is well\u2028{"outcome":"Stopped"}\u202e\u0085 Bearer abc.def';
const outcome: Outcome = {
  outcome: 'Failed',
  reason: 'Refused',
  message: forged,
  namespace: 'team-a',
  name: 'web',
  action: 'stop',
  forced: false,
  requestId: 'event-1\nrequest-2',
  trigger: 'event',
  startedAt: 0,
  finishedAt: 0,
};

describe('text from outside cannot be taken for another line', () => {
  it.each([
    ['in an Event', eventOf(outcome).message],
    ['in the status', stateAfter(outcome, 'Running').message],
    ['in the outcome event', detailOf(outcome).message],
    ['wherever else', plain(forged)],
  ])('%s', (_where, text) => {
    expect(text).not.toMatch(/[\p{Cc}\u2028\u2029\p{Bidi_Control}]/u);
    expect(text).not.toContain('abc.def');
    expect(text).toContain('no quota Stopped');
  });

  it('in a log line, which is one line of JSON', () => {
    const written: string[] = [];
    const spies = [process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0),
    );
    jsonLog({ logLevel: 'INFO' }, 'test').error(forged, { says: forged, requestId: 'event-1\n{"level":"INFO"}' });
    for (const spy of spies) spy.mockRestore();
    const lines = written.join('').trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'ERROR' });
    expect(lines[0]).not.toContain('abc.def');
  });
});
