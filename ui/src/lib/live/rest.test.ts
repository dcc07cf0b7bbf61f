import { describe, expect, it } from 'vitest';

import { longestRise, RestingOrder } from './rest.svelte';

const row = (key: string, value = 0) => ({ key, value });
const keys = (order: RestingOrder<{ key: string; value: number }>) => order.shown.map((shown) => shown.row.key);

describe('an order that rests', () => {
  it('follows while nobody points', () => {
    let rows = [row('a'), row('b')];
    const order = new RestingOrder(() => rows);
    expect(keys(order)).toEqual(['a', 'b']);
    rows = [row('b'), row('a')];
    expect(keys(new RestingOrder(() => rows))).toEqual(['b', 'a']);
    expect(order.changes).toBe(0);
  });

  it('stays under the pointer while values go on, and counts what waits', () => {
    let rows = [row('a', 1), row('b', 2), row('c', 3)];
    const order = new RestingOrder(() => rows);
    order.hold('pointer', true);
    rows = [row('c', 30), row('d', 4), row('a', 10)];
    expect(keys(order)).toEqual(['a', 'b', 'c', 'd']);
    expect(order.shown.map((shown) => shown.row.value)).toEqual([10, 2, 30, 4]);
    expect(order.shown.map((shown) => shown.gone)).toEqual([false, true, false, false]);
    // b left, d came, and one of a and c has to move.
    expect(order.changes).toBe(3);
  });

  it('moves on at resume, and when pointer and focus are both gone', () => {
    let rows = [row('a'), row('b')];
    const order = new RestingOrder(() => rows);
    order.hold('pointer', true);
    order.hold('focus', true);
    rows = [row('b'), row('a')];
    expect(keys(order)).toEqual(['a', 'b']);
    order.hold('pointer', false);
    expect(order.resting).toBe(true);
    order.resume();
    expect(keys(order)).toEqual(['b', 'a']);
    expect(order.resting).toBe(true);
    order.hold('focus', false);
    expect(order.resting).toBe(false);
  });

  it('counts the fewest rows that have to move', () => {
    expect(longestRise([])).toBe(0);
    expect(longestRise([0, 1, 2, 3])).toBe(4);
    expect(longestRise([3, 0, 1, 2])).toBe(3);
    expect(longestRise([2, 1, 0])).toBe(1);
  });
});
