import type { Stretch } from './course.ts';
import type { Size } from './size.ts';

export interface Prices {
  /** Per hour, in `currency`. */
  vcpuHour?: number;
  gibHour?: number;
  /** ISO 4217, such as EUR. */
  currency: string;
}

/** What being off comes to, for one machine or many. */
export interface Saved {
  machines: number;
  onMs: number;
  offMs: number;
  /** Neither: nothing says what was so. */
  unknownMs: number;
  vcpuHours: number;
  gibHours: number;
  /** Machines that do not say what they take: they count for hours alone. */
  sizeless: number;
}

const hourMs = 3_600_000;

export const nothingSaved = (): Saved => ({
  machines: 0,
  onMs: 0,
  offMs: 0,
  unknownMs: 0,
  vcpuHours: 0,
  gibHours: 0,
  sizeless: 0,
});

export function savedBy(stretches: Stretch[], { vcpus, gib }: Size): Saved {
  const saved = { ...nothingSaved(), machines: 1 };
  for (const { from, to, power } of stretches) saved[`${power}Ms`] += to - from;
  const hours = saved.offMs / hourMs;
  if (vcpus === undefined || gib === undefined) saved.sizeless = 1;
  return { ...saved, vcpuHours: hours * (vcpus ?? 0), gibHours: hours * (gib ?? 0) };
}

export const sum = (all: Saved[]): Saved =>
  all.reduce((total, one) => {
    for (const key of Object.keys(total) as (keyof Saved)[]) total[key] += one[key];
    return total;
  }, nothingSaved());

/** Undefined without prices. */
export function costOf({ vcpuHours, gibHours }: Saved, prices: Prices | undefined): number | undefined {
  if (prices?.vcpuHour === undefined && prices?.gibHour === undefined) return undefined;
  return vcpuHours * (prices.vcpuHour ?? 0) + gibHours * (prices.gibHour ?? 0);
}
