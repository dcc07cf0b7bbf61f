// The shape of a table of live rows: its columns, and its items under their headings.

import type { Shown } from '../live/rest.svelte';
import type { Keyed } from '../live/fold';

export interface Column {
  key: string;
  title: string;
  /** Width in CSS pixels; the column that is `wide` takes what is left. */
  px: number;
  wide?: boolean;
  /** Figures: to the right. */
  num?: boolean;
  /** Names the row for a screen reader. */
  head?: boolean;
  /** Takes the colour of the row's need. */
  hot?: boolean;
  shape?: boolean;
  /** Told to screen readers only. */
  hideTitle?: boolean;
  /** Left out first when there is no room: the highest goes first; none: never. */
  drop?: number;
  /** What the figure means, as the heading's tooltip. */
  about?: string;
  sort?: 'ascending' | 'descending' | 'none';
  onsort?: () => void;
}

export type GridItem<R extends Keyed> =
  | { kind: 'group'; key: string; title: string }
  | ({ kind: 'row'; key: string } & Shown<R>);

/** The columns that fit, the least needed left out first. */
export function fitting(columns: Column[], width: number): Column[] {
  if (width <= 0) return columns;
  let kept = columns;
  let need = kept.reduce((sum, column) => sum + column.px, 0);
  while (need > width) {
    let last: Column | null = null;
    for (const column of kept) {
      if (column.drop !== undefined && (last?.drop === undefined || column.drop > last.drop)) last = column;
    }
    if (last === null) break;
    const dropped = last;
    need -= dropped.px;
    kept = kept.filter((column) => column !== dropped);
  }
  return kept;
}
