import { describe, expect, it } from 'vitest';

import type { Job, Work } from '../../shared/execute/job.ts';
import { claimOwn } from '../../shared/reconcile/busy.ts';

const job = (name: string, work: Work['do'] = 'command') =>
  ({ place: { namespace: 'team-a', name }, work: { do: work } }) as unknown as Job;

describe('the jobs of a tick, beside what its process carries out already', () => {
  it('are those of the VMs that nobody is at, which are its own from then on', () => {
    const busy = new Set(['team-a/db']);
    const own = claimOwn([job('web'), job('db'), job('mail', 'declared')], busy);
    expect(own.jobs.map(({ place }) => place.name)).toEqual(['web', 'mail']);
    expect(busy).toEqual(new Set(['team-a/db', 'team-a/web', 'team-a/mail']));
  });

  it('have to come back where a schedule wants something of a VM that somebody else is at, and only there', () => {
    const own = claimOwn([job('db'), job('web', 'declared'), job('mail')], new Set(['team-a/db', 'team-a/web']));
    expect(own.elsewhere).toEqual([{ namespace: 'team-a', name: 'db' }]);
    expect(own.underWay).toEqual(new Set(['team-a/mail', 'team-a/db']));
  });

  it('hold no VM that another process is at, although they wait for it', () => {
    const busy = new Set<string>();
    const own = claimOwn([job('web', 'await')], busy);
    expect([own.jobs.length, busy, own.underWay]).toEqual([1, new Set(), new Set(['team-a/web'])]);
  });

  it('let go of those that are over, then of all, and never of what is not theirs', () => {
    const busy = new Set(['team-a/db']);
    const own = claimOwn([job('web'), job('mail')], busy);
    own.release(['team-a/web', 'team-a/db']);
    expect(busy).toEqual(new Set(['team-a/db', 'team-a/mail']));
    busy.add('team-a/web'); // another tick has it now
    own.release();
    expect(busy).toEqual(new Set(['team-a/db', 'team-a/web']));
  });
});
