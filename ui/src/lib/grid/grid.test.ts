import { describe, expect, it } from 'vitest';

import { fitting, type Column } from './grid';
import { offsets, slice } from './window';

describe('the rows of a long table', () => {
  const tops = offsets(new Array<number>(1000).fill(34));
  it('draws what the viewport shows and a little more', () => {
    const part = slice(tops, 3400, 680, 5);
    expect(part.from).toBe(95);
    expect(part.to).toBe(126);
    expect(part.before).toBe(95 * 34);
    expect(part.before + (part.to - part.from) * 34 + part.after).toBe(34_000);
  });
  it('holds at both ends, past the end, and without rows', () => {
    expect(slice(tops, 0, 680, 5)).toMatchObject({ from: 0, before: 0 });
    expect(slice(tops, 33_320, 680, 5)).toMatchObject({ to: 1000, after: 0 });
    expect(slice(tops, 99_999, 680, 5)).toMatchObject({ to: 1000, after: 0 });
    expect(slice(offsets([]), 0, 680)).toEqual({ from: 0, to: 0, before: 0, after: 0 });
  });
});

describe('columns', () => {
  const column = (key: string, px: number, drop?: number): Column => ({ key, title: key, px, drop });
  const all = [column('name', 180), column('waiting', 70), column('trend', 100, 5), column('age', 60, 1)];
  it('leave from the least needed on', () => {
    expect(fitting(all, 1000)).toEqual(all);
    expect(fitting(all, 350).map((c) => c.key)).toEqual(['name', 'waiting', 'age']);
    expect(fitting(all, 100).map((c) => c.key)).toEqual(['name', 'waiting']);
  });
  it('all stay where no width is known', () => {
    expect(fitting(all, 0)).toEqual(all);
  });
});
