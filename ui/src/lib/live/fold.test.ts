import { describe, expect, it } from 'vitest';

import type { Row, ViewMessage } from '../host/gen';
import { empty, fold, rowsOf, type Keyed } from './fold';

interface Pair extends Keyed {
  value: number;
}
const rows = (...pairs: Array<[string, number]>): Row[] => pairs.map(([key, value]) => ({ key, value }) as unknown as Row);
const snapshot = (seq: number, list: Row[]): ViewMessage => ({ type: 'snapshot', seq, now: 0, status: null, rows: list, total: list.length });
const patch = (seq: number, change: Partial<Extract<ViewMessage, { type: 'patch' }>>): ViewMessage => ({
  type: 'patch', seq, now: 0, status: null, upserts: [], removes: [], order: null, total: 0, ...change,
});

describe('folding a subscription', () => {
  it('takes a snapshot in its order', () => {
    const state = empty<Pair>();
    expect(fold(state, snapshot(1, rows(['b', 2], ['a', 1])))).toBe('applied');
    expect(rowsOf(state).map((row) => row.key)).toEqual(['b', 'a']);
  });

  it('changes only what a patch names, and keeps the identity of the rest', () => {
    const state = empty<Pair>();
    fold(state, snapshot(1, rows(['a', 1], ['b', 2])));
    const [a] = rowsOf(state);
    fold(state, patch(2, { upserts: rows(['b', 3]) }));
    const [a2, b2] = rowsOf(state);
    expect(a2).toBe(a);
    expect(b2?.value).toBe(3);
  });

  it('removes, adds at the end, and reorders', () => {
    const state = empty<Pair>();
    fold(state, snapshot(1, rows(['a', 1], ['b', 2])));
    fold(state, patch(2, { removes: ['a'], upserts: rows(['c', 3]) }));
    expect(rowsOf(state).map((row) => row.key)).toEqual(['b', 'c']);
    fold(state, patch(3, { order: ['c', 'b'] }));
    expect(rowsOf(state).map((row) => row.key)).toEqual(['c', 'b']);
  });

  it('sees a hole, a message twice, and a patch before any snapshot', () => {
    const state = empty<Pair>();
    expect(fold(state, patch(2, {}))).toBe('hole');
    fold(state, snapshot(1, rows(['a', 1])));
    expect(fold(state, patch(3, { upserts: rows(['a', 9]) }))).toBe('hole');
    expect(fold(state, patch(1, {}))).toBe('hole');
    expect(rowsOf(state)[0]?.value).toBe(1);
  });

  it('keeps identity over a second snapshot where nothing changed', () => {
    const state = empty<Pair>();
    fold(state, snapshot(1, rows(['a', 1], ['b', 2])));
    const [a] = rowsOf(state);
    fold(state, snapshot(1, rows(['a', 1], ['b', 5])));
    expect(rowsOf(state)[0]).toBe(a);
    expect(rowsOf(state)[1]?.value).toBe(5);
  });

  it('gives the same rows by snapshot and patches as by one later snapshot, for any run of changes', () => {
    let seed = 11;
    const dice = (sides: number) => (seed = (seed * 16807) % 2147483647) % sides;
    for (let round = 0; round < 40; round++) {
      const truth = new Map<string, number>();
      for (let i = 0; i < 5; i++) truth.set(`k${i}`, i);
      const state = empty<Pair>();
      fold(state, snapshot(1, rows(...truth)));
      for (let seq = 2; seq < 30; seq++) {
        const key = `k${dice(9)}`;
        const removes = dice(3) === 0 && truth.delete(key) ? [key] : [];
        const upserts = removes.length === 0 ? rows([key, seq]) : [];
        if (removes.length === 0) truth.set(key, seq);
        const order = dice(4) === 0 ? [...truth.keys()].sort() : null;
        if (order) {
          const copy = new Map(truth);
          truth.clear();
          for (const name of order) truth.set(name, copy.get(name) ?? -1);
        }
        expect(fold(state, patch(seq, { removes, upserts, order }))).toBe('applied');
      }
      expect(rowsOf(state).map((row) => [row.key, row.value])).toEqual([...truth]);
    }
  });
});
