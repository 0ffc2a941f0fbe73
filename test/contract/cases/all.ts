import type { Case } from '../case.ts';
import { adoptCases, adoptionCases, releaseCases } from './adopt.ts';
import { exceptionCases, holidayCases, zoneCases } from './calendars.ts';
import { clusterScheduleCases } from './clusterSchedules.ts';
import { conflictCases } from './conflicts.ts';
import { crdCases } from './crd.ts';
import { declaredCases } from './declared.ts';
import { editCases } from './edits.ts';
import { fleetCases } from './fleets.ts';
import { inUseCases, roomCases } from './inUse.ts';
import { neighbourCases, waveCases } from './neighbours.ts';
import { operatorCases } from './operator.ts';
import { quotaCases } from './quota.ts';
import { rbacCases } from './rbac.ts';
import { restartCases } from './restart.ts';
import { resumeCases } from './resume.ts';
import { runCases } from './runs.ts';
import { scheduleCases } from './schedules.ts';
import { serveCases } from './serve.ts';
import { failureCases, startCases } from './start.ts';
import { stopCases } from './stop.ts';
import { triggerCases } from './triggers.ts';

/** Every case, as the table at the end has them. */
export const allCases: Case[] = [
  ...stopCases,
  ...startCases,
  ...failureCases,
  ...quotaCases,
  ...operatorCases,
  ...conflictCases,
  ...triggerCases,
  ...declaredCases,
  ...scheduleCases,
  ...fleetCases,
  ...rbacCases,
  ...resumeCases,
  ...crdCases,
  ...adoptCases,
  ...adoptionCases,
  ...releaseCases,
  ...runCases,
  ...clusterScheduleCases,
  ...editCases,
  ...serveCases,
  ...exceptionCases,
  ...holidayCases,
  ...zoneCases,
  ...neighbourCases,
  ...waveCases,
  ...restartCases,
  ...inUseCases,
  ...roomCases,
];
