import fc from 'fast-check';

import { parseCommand } from '../../shared/domain/command.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { lastOf, newestDone, operationOf, settledOf, write } from '../../shared/domain/operation.ts';
import { readVm, readVmi } from '../../shared/domain/readVm.ts';
import { type Machine } from '../../shared/domain/vm.ts';
import { admit, already } from '../../shared/lifecycle/plan.ts';
import { statusFor, taskFor } from '../../shared/reconcile/reconcileWukong.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import type { Surroundings } from '../../shared/schedule/selecting.ts';
import { nextFor, timetable } from '../../shared/schedule/timetable.ts';
import { mutate, type Mutation, mutation } from './hostile.ts';
import * as right from './templates.ts';

export const now = Date.parse('2026-11-23T20:00:30Z');
export const origin = { requestId: 'invocation-1', requestedAt: now };
export const running: Machine = { vm: readVm(right.vm), vmi: readVmi(right.vmi) };

export const mutated = (from: unknown): fc.Arbitrary<unknown> =>
  fc.array(mutation, { minLength: 1, maxLength: 3 }).map((all: Mutation[]) => all.reduce(mutate, from));
/** Every decision that is made from what stands on a Wukong. */
export function decideAll(
  wukong: Wukong,
  schedules: WukongSchedule[],
  { machine = running, ...more }: Partial<Surroundings> & { machine?: Machine } = {},
): void {
  const op = operationOf(wukong);
  if (op) write(op);
  for (const done of [lastOf(wukong), settledOf(wukong), newestDone(wukong)]) if (done) write(done);
  taskFor(wukong, machine, now, false);
  JSON.stringify(statusFor(wukong, machine, {}));
  const command = parseCommand({ target: right.command.target }, { ...origin, action: 'stop', trigger: 'direct' });
  admit(command, wukong, now);
  already(command, wukong, machine, false);
  const around = { schedules, findText: () => '2026-12-25', namespaces: new Map(), ...more };
  nextFor(
    timetable([wukong], () => machine, around, now),
    wukong,
    now,
  );
}
