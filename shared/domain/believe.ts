import type { StateName } from './model.ts';
import type { Last } from './operation.ts';

type Claim = Pick<Last, 'action' | 'outcome'>;

/**
 * Whether what a record claims to have come of an operation is so. Whoever may patch a Wukong may write one: an end is
 * told only where the live VM agrees.
 */
export function isBelievable({ action, outcome }: Claim, state: StateName): boolean {
  switch (outcome) {
    case 'Started':
    case 'AlreadyOn':
      return state === 'Running';
    case 'Stopped':
    case 'ForcedOff':
    case 'AlreadyOff':
      return state === 'Stopped';
    case 'Failed':
      return state !== (action === 'start' ? 'Running' : 'Stopped');
    case 'Skipped': // says nothing of the VM
      return true;
    default:
      return false;
  }
}

/** Whether the live VM says the opposite: a watch may lag, so what is between on and off says nothing against it. */
export const isContradicted = (claim: Claim, state: StateName): boolean =>
  (state === 'Running' || state === 'Stopped') && !isBelievable(claim, state);
