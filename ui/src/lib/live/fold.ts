// Folds a subscription's messages into rows by key. Pure: no runes, no clock.

import type { Status, ViewMessage } from '../host/gen';

export interface Keyed {
  key: string;
}

export interface Folded<R extends Keyed> {
  /** Number of the last message; 0 before the first. */
  seq: number;
  /** Rows by key. A row that did not change keeps its identity. */
  byKey: Map<string, R>;
  /** Keys in the host's order. */
  order: string[];
  status: Status | null;
  total: number;
}

export function empty<R extends Keyed>(): Folded<R> {
  return { seq: 0, byKey: new Map(), order: [], status: null, total: 0 };
}

/** `hole`: a message is missing, what was folded can no longer be trusted; subscribe again. */
export type Outcome = 'applied' | 'hole';

/** Applies one message in place. */
export function fold<R extends Keyed>(into: Folded<R>, message: ViewMessage): Outcome {
  if (message.type === 'snapshot') {
    const before = into.byKey;
    into.byKey = new Map();
    into.order = [];
    for (const row of message.rows as unknown as R[]) {
      const known = before.get(row.key);
      into.byKey.set(row.key, known && same(known, row) ? known : row);
      into.order.push(row.key);
    }
    into.status = message.status;
  } else {
    if (into.seq === 0 || message.seq !== into.seq + 1) return 'hole';
    for (const key of message.removes) into.byKey.delete(key);
    for (const row of message.upserts as unknown as R[]) {
      if (!into.byKey.has(row.key) && message.order === null) into.order.push(row.key);
      into.byKey.set(row.key, row);
    }
    if (message.order !== null) into.order = message.order;
    else if (message.removes.length > 0) into.order = into.order.filter((key) => into.byKey.has(key));
    if (message.status !== null) into.status = message.status;
  }
  into.seq = message.seq;
  into.total = message.total;
  return 'applied';
}

/** Rows in order. A key that the order names but no row has is left out rather than invented. */
export function rowsOf<R extends Keyed>(folded: Folded<R>): R[] {
  const rows: R[] = [];
  for (const key of folded.order) {
    const row = folded.byKey.get(key);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
