import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ViewMessage } from '../host/gen';
import type { Host } from '../host/host';
import { Clock } from './clock.svelte';
import type { Keyed } from './fold';
import { LiveTable } from './table.svelte';

function stage() {
  const opened: Array<{ on: (message: ViewMessage) => void; ended: boolean }> = [];
  const host = {
    ask: () => Promise.reject(new Error('not asked here')),
    subscribe: (_spec: unknown, on: (message: ViewMessage) => void) => {
      const one = { on, ended: false };
      opened.push(one);
      return Promise.resolve(() => (one.ended = true));
    },
    onLink: () => () => undefined,
  } as unknown as Host;
  const table = new LiveTable<Keyed>(host, new Clock(), { view: 'queues' });
  return { opened, table };
}
const snapshot = (...keys: string[]): ViewMessage => ({ type: 'snapshot', seq: 1, now: 5_000, status: null, rows: keys.map((key) => ({ key })) as never, total: keys.length });
const patch = (seq: number, ...keys: string[]): ViewMessage => ({ type: 'patch', seq, now: 5_000, status: null, upserts: keys.map((key) => ({ key })) as never, removes: [], order: null, total: 0 });

describe('a live table', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('shows the first message at once and later ones within a tenth of a second', async () => {
    const { opened, table } = stage();
    await Promise.resolve();
    opened[0]!.on(snapshot('a'));
    expect(table.phase).toBe('open');
    expect(table.rows.map((row) => row.key)).toEqual(['a']);
    opened[0]!.on(patch(2, 'b'));
    opened[0]!.on(patch(3, 'c'));
    expect(table.rows).toHaveLength(1);
    vi.advanceTimersByTime(100);
    expect(table.rows.map((row) => row.key)).toEqual(['a', 'b', 'c']);
  });

  it('subscribes again at a hole and shows the last rows until then', async () => {
    const { opened, table } = stage();
    await Promise.resolve();
    await Promise.resolve();
    opened[0]!.on(snapshot('a'));
    opened[0]!.on(patch(7, 'lost'));
    expect(opened[0]!.ended).toBe(true);
    expect(table.rows.map((row) => row.key)).toEqual(['a']);
    vi.advanceTimersByTime(300);
    expect(opened).toHaveLength(2);
    opened[0]!.on(patch(2, 'late'));
    opened[1]!.on(snapshot('b'));
    vi.advanceTimersByTime(100);
    expect(table.rows.map((row) => row.key)).toEqual(['b']);
  });

  it('ends its subscription when it is closed', async () => {
    const { opened, table } = stage();
    await Promise.resolve();
    await Promise.resolve();
    table.close();
    expect(opened[0]!.ended).toBe(true);
    opened[0]!.on(snapshot('a'));
    expect(table.rows).toHaveLength(0);
  });
});
