// A figure as the screen shows it, and how sure it is. The three marks never mix:
// "–" this source never tells it, "?" it tells it but not now, a number is a number, also when it is 0.

import type { Cell, Certainty } from '../host/gen';
import { wait } from './span';

export const NOT_GIVEN = '–';
export const UNKNOWN = '?';

/** Below this a rate says little: its sample size is shown in its place. */
export const SMALL_SAMPLE = 10;

export interface Figure {
  text: string;
  certainty: Certainty;
  /** A sample too small for a rate. */
  small: boolean;
}

function mark(certainty: Certainty): string {
  return certainty === 'not_given' ? NOT_GIVEN : UNKNOWN;
}

export function figure(cell: Cell, show: (value: number) => string): Figure {
  const { value, certainty } = cell;
  if (value === null || certainty === 'not_given' || certainty === 'unknown') {
    return { text: mark(certainty), certainty, small: false };
  }
  return { text: show(value), certainty, small: false };
}

/** A rate: with a small sample `n=4` stands in its place. */
export function rate(cell: Cell, show: (value: number) => string): Figure {
  if (cell.n !== null && cell.n < SMALL_SAMPLE && cell.value !== null) {
    return { text: `n=${cell.n}`, certainty: cell.certainty, small: true };
  }
  return figure(cell, show);
}

/**
 * The longest wait. `since` null with certainty `known`: nobody waits, and that is knowledge.
 * An old wait does not tick: it stays at what it was when its source last told something. `waiting` is how
 * many waited then, where that is known.
 */
export function longest(
  since: number | null,
  certainty: Certainty,
  dataAt: number | null,
  now: number,
  waiting: number | null = null,
): Figure {
  if (certainty === 'not_given' || certainty === 'unknown') {
    return { text: mark(certainty), certainty, small: false };
  }
  if (certainty === 'stale') {
    const then = since !== null && dataAt !== null ? wait(dataAt - since) : null;
    const text = then ?? (waiting === 0 ? wait(0) : UNKNOWN);
    return { text, certainty, small: false };
  }
  return { text: since === null ? wait(0) : wait(now - since), certainty, small: false };
}
