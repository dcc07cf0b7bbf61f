// A figure of an alert with its unit, and when it was.

import type { Formats } from './locale';
import { amount } from './alert';

/** An instant of the log: to the second when it is of this half day, else with its date. */
export function stamp(at: number, now: number, f: Formats): string {
  return now - at < 43_200_000 ? f.time(at) : f.dayTime(at);
}

export function valueOf(value: number | null, unit: string, f: Formats): string {
  return value === null ? '–' : amount(value, unit, f);
}
