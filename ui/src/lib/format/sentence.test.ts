import { describe, expect, it } from 'vitest';

import type { QueueRow, Status } from '../host/gen';
import { en } from '../words';
import { formats } from './locale';
import { sentence } from './sentence';

const f = formats('en-GB', 'UTC');
const status = (change: Partial<Status> = {}): Status => ({
  floor: { mode: 'live' }, queues_late: 0, queues_slow: 0, sources_not_live: 0, alerts_firing: 0, critical_firing: 0, waiting: 0,
  agents_online: 41, agents: 58, queues: 26, worst_queue: null, cards: [], changes_per_minute: 0, last_change_at: null, ...change,
});
const say = (change: Partial<Status>, live = true) => sentence(status(change), live, en, f, 252_000);

describe('the state sentence', () => {
  it('says that all is well', () => {
    expect(say({})).toEqual({ head: 'All queues within limits', rest: ['nobody waits', '41 of 58 agents online'] });
  });
  it('counts what is wrong, singular and plural', () => {
    expect(say({ queues_late: 2, sources_not_live: 1, waiting: 23 }).head).toBe('2 queues late, 1 source not live');
    expect(say({ queues_late: 1, queues_slow: 3 }).head).toBe('1 queue late, 3 queues slow');
    expect(say({ waiting: 1 }).rest[0]).toBe('1 person waits');
  });
  it('names the worst queue with its running wait', () => {
    const worst = { name: 'Billing EU', longest: 'known', waiting_since: 0 } as QueueRow;
    expect(say({ worst_queue: worst }).rest).toContain('the worst is Billing EU, 4:12');
    expect(say({ worst_queue: { ...worst, longest: 'stale' } }).rest.join()).not.toContain('Billing');
  });
  it('does not take unknown for nobody', () => {
    expect(say({ waiting: null, agents_online: null }).rest).toEqual(['not known how many people wait']);
  });
  it('never looks live when nothing is', () => {
    const said = say({ queues_late: 1, waiting: 9 }, false);
    expect(said.head).toBe('Nothing is live; this is the last floor');
    expect(said.rest.join()).not.toContain('9 people');
  });
  it('has words before anything is known and without sources', () => {
    expect(sentence(null, true, en, f, 0).head).toBe('Connecting to your sources');
    expect(say({ floor: { mode: 'empty' } }).head).toBe('No source yet');
  });
});
