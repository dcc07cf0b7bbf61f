// Rows do not jump under the pointer or the keyboard focus. While somebody points at a table its order
// rests; values go on changing, rows that left stay as "gone", new ones come last, and the number of
// changes that wait is told.

import type { Keyed } from './fold';

export interface Shown<R extends Keyed> {
  row: R;
  /** Its source no longer has it; shown until the order moves on. */
  gone: boolean;
  /** Section it stands in; rests together with the order. */
  group: string;
}

interface Held<R> {
  rows: R[];
  groups: Map<string, string>;
}

export class RestingOrder<R extends Keyed> {
  #rows: () => R[];
  #group: (row: R) => string;
  #held = $state.raw<Held<R> | null>(null);
  /** Counts what holds the order: pointer, focus. */
  #holds = new Set<string>();

  constructor(rows: () => R[], group: (row: R) => string = () => '') {
    this.#rows = rows;
    this.#group = group;
  }

  hold(what: string, on: boolean): void {
    if (on) this.#holds.add(what);
    else this.#holds.delete(what);
    if (this.#holds.size > 0) this.#held ??= this.#grasp();
    else this.#held = null;
  }

  /** Takes the order of now, and rests again if somebody still points. */
  resume(): void {
    this.#held = this.#holds.size > 0 ? this.#grasp() : null;
  }

  get resting(): boolean {
    return this.#held !== null;
  }

  get shown(): Shown<R>[] {
    return this.#shown;
  }
  #shown = $derived.by(() => {
    const now = this.#rows();
    const held = this.#held;
    if (!held) return now.map((row) => ({ row, gone: false, group: this.#group(row) }));
    const byKey = new Map(now.map((row) => [row.key, row]));
    const shown: Shown<R>[] = held.rows.map((row) => {
      const fresh = byKey.get(row.key);
      byKey.delete(row.key);
      return { row: fresh ?? row, gone: fresh === undefined, group: held.groups.get(row.key) ?? '' };
    });
    const last = shown[shown.length - 1]?.group ?? '';
    for (const row of byKey.values()) shown.push({ row, gone: false, group: last });
    return shown;
  });

  /** Rows that would move, come or go at `resume`. */
  get changes(): number {
    return this.#changes;
  }
  #changes = $derived.by(() => {
    const held = this.#held;
    if (!held) return 0;
    const now = this.#rows();
    const place = new Map(now.map((row, index) => [row.key, index]));
    const kept: number[] = [];
    let changes = 0;
    for (const row of held.rows) {
      const at = place.get(row.key);
      if (at === undefined) changes++;
      else kept.push(at);
    }
    changes += now.length - kept.length;
    return changes + kept.length - longestRise(kept);
  });

  #grasp(): Held<R> {
    const rows = this.#rows();
    return { rows, groups: new Map(rows.map((row) => [row.key, this.#group(row)])) };
  }
}

/** Length of the longest rising run that can be picked out: the rows that need not move. */
export function longestRise(values: number[]): number {
  const tails: number[] = [];
  for (const value of values) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((tails[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    tails[low] = value;
  }
  return tails.length;
}
