// A figure of an alert with its unit.

import type { Formats } from './locale';
import { amount } from './alert';

export function valueOf(value: number | null, unit: string, f: Formats): string {
  return value === null ? '–' : amount(value, unit, f);
}
