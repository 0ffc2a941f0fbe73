import type { Cell } from './cell.ts';
import type { Misfortune } from './harms.ts';
import type { Story } from './stories.ts';
import { faultsOf } from './verdict.ts';

/** A cell that ends otherwise than its story, on purpose. What it ends with instead is held just as strictly. */
export interface Explanation {
  letter: string;
  because: string;
  /** Which cells. */
  story?: RegExp;
  call: RegExp;
  faults: string[];
  /** What is wrong with a cell that has this explanation; nothing when it is as explained. */
  check(story: Story, cell: Cell, plain: Cell): string[];
}

const unless = (holds: boolean, words: string): string[] => (holds ? [] : [words]);

/** Told as that failure; nothing was called, nothing is left, the VM is as it was. */
const nothingDone = (answer: string) => (story: Story, cell: Cell, plain: Cell) => [
  // A server answers nobody.
  ...unless(
    cell.answer === answer || cell.answer === `tick: ${answer}` || /server/.test(story.name),
    `answered ${cell.answer}, not ${answer}`,
  ),
  ...unless(cell.accepted === 0, 'KubeVirt was asked'),
  ...unless(!cell.record, 'a record was left behind'),
  ...unless(
    story.expected.state === 'Running' ? cell.guests < plain.guests : cell.state !== story.expected.state,
    `it came to ${cell.state} all the same`,
  ),
  ...unless(
    cell.events.every((event) => event === answer.replace('/', '')),
    `Events: ${cell.events.join(', ')}`,
  ),
];

/** As its story, but for that. */
const except =
  (...lacking: RegExp[]) =>
  (story: Story, cell: Cell, plain: Cell) =>
    faultsOf(story, cell, plain).filter((wrong) => !lacking.some((one) => one.test(wrong)));

/** Of several VMs those that were not claimed yet: told as that failure, and as they were; the others are at their end. */
const partly =
  (...answers: string[]) =>
  (story: Story, cell: Cell, plain: Cell) => {
    const wrong = faultsOf(story, cell, plain);
    if (wrong.length === 0) return []; // it was tried again, and all are at their end
    // Who puts commands on the bus does not hear what came of them; the answer may be that of another VM.
    const isTold =
      [...answers, plain.answer].some((one) => one.replace('tick: ', '') === cell.answer.replace('tick: ', '')) ||
      /over the bus/.test(story.name);
    return [
      ...unless(isTold, `answered ${cell.answer}, not ${answers.join(' or ')}`),
      ...wrong.filter((one) => !untouched.some((form) => form.test(one))),
    ];
  };
const untouched = [
  /^state (Running|Stopped|undefined), not /,
  /^status says (undefined|Failed), not /,
  /^strategy \w+, not /,
  /^Events: (none|Failed\w+)$/,
  /^\d outcomes on the bus, not /,
  /^\d guests, not /,
  / is (Running|Stopped|undefined), (none|Failed)$/,
  / has 0 Events$/,
  // A boundary that was refused comes again.
  /^Events: (Failed\w+, Stopped|Stopped, Failed\w+)$/,
  / has 2 Events$/,
  /^the run says Incomplete, [12] done of 3$/,
];

export const explanations: Explanation[] = [
  {
    letter: 'd',
    because:
      'An Event that the API server refuses is not tried again; status, log and bus tell the outcome all the same.',
    call: /^POST Event$/,
    faults: ['409', '422'],
    check: except(/^Events: none$/, / has 0 Events$/),
  },
  {
    letter: 'f',
    because:
      'Of several VMs one is refused, or the token expires, before its claim: that one is Failed/Refused or Failed/Denied and as it was, the others are at their end.',
    story: /fleet|command line|of three|over the bus/,
    call: /./,
    faults: ['token', '422', '409'],
    check: partly('Failed/Refused', 'Failed/Denied'),
  },
  {
    letter: 'h',
    because:
      'A token that expires in a tick, before its claim or its step: told as Failed/Denied, which has a name of its own on the bus; what is declared or recorded stays, and the next tick carries it out.',
    story: /^(declared stop|resume of a stop)$/,
    call: /^(GET (schedules|cluster schedules|namespace)|WATCH VMI?|PATCH Wukong)$/,
    faults: ['token'],
    check: except(/^2 outcomes on the bus, not 1$/),
  },
  {
    letter: 'a',
    because:
      'A token that expires before the claim: Failed/Denied, which says what to renew. Nothing was called, so nothing goes on.',
    call: /^(GET namespace|GET Wukong|WATCH VMI?|PATCH Wukong)$/,
    faults: ['token'],
    check: nothingDone('Failed/Denied'),
  },
  {
    letter: 'b',
    because:
      'A read that is answered like a refused write, which no API server does: Failed/Refused, nothing was called.',
    call: /^GET (namespace|Wukong)$/,
    faults: ['409', '422'],
    check: nothingDone('Failed/Refused'),
  },
  {
    letter: 'c',
    because: 'A claim that admission refuses will be refused again: Failed/Refused with its words, nothing was called.',
    call: /^PATCH Wukong$/,
    faults: ['422'],
    check: nothingDone('Failed/Refused'),
  },
  {
    letter: 'e',
    because:
      'The queue was cleared and its answer lost, or the token went in between: the VM is off and stays off (KUBEVIRT §1), but reads CrashLoopBackOff, as its strategy was not set to Halted.',
    story: /Start queued/,
    call: /^PATCH VM/,
    faults: ['after', 'cut', 'token'],
    check: except(/^strategy RerunOnFailure, not Halted$/),
  },
  {
    letter: 'g',
    because:
      'A stop that reaches KubeVirt half a minute after it was given up and asked again ends the guest that came after it: no call of KubeVirt names the guest that is meant. The status says so.',
    story: /^restart$/,
    call: /^stop$/,
    faults: ['delay'],
    check: except(/^state Stopped, not Running$/, /^strategy Halted, not Always$/),
  },
];

/** The explanation of one cell, where it has one. */
export const explained = (story: Story, call: string, { short }: Misfortune): Explanation | undefined =>
  explanations.find(
    (one) => (one.story?.test(story.name) ?? true) && one.call.test(call) && one.faults.includes(short),
  );
