import type { Case } from '../case.ts';
import { adoptCases } from './adopt.ts';
import { conflictCases } from './conflicts.ts';
import { crdCases } from './crd.ts';
import { declaredCases } from './declared.ts';
import { fleetCases } from './fleets.ts';
import { operatorCases } from './operator.ts';
import { quotaCases } from './quota.ts';
import { rbacCases } from './rbac.ts';
import { resumeCases } from './resume.ts';
import { scheduleCases } from './schedules.ts';
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
];
