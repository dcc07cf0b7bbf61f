import { describe, expect, it } from 'vitest';

import type { AlertRow, Cell } from '../host/gen';
import { en } from '../words';
import { needOf, why } from './alert';
import { figure, longest, rate } from './figure';
import { find } from './find';
import { formats, usable, usableZone } from './locale';
import { age, wait } from './span';

const cell = (value: number | null, certainty: Cell['certainty'], n: number | null = null): Cell => ({ value, certainty, origin: null, n });
const f = formats('en-GB', 'Europe/Helsinki');

describe('waits and ages', () => {
  it.each([[0, '0:00'], [999, '0:00'], [59_999, '0:59'], [60_000, '1:00'], [252_000, '4:12'], [3_599_999, '59:59'], [3_600_000, '1:00:00'], [36_061_000, '10:01:01'], [-5_000, '0:00']])('%i ms waits %s', (ms, text) => {
    expect(wait(ms)).toBe(text);
  });
  it.each([[0, '0 s'], [8_400, '8 s'], [119_000, '119 s'], [120_000, '2 min'], [3_600_000, '1 h'], [3_900_000, '1 h 5 min'], [3 * 86_400_000, '3 d'], [-1, '0 s']])('%i ms is %s old', (ms, text) => {
    expect(age(ms)).toBe(text);
  });
});

describe('a figure and how sure it is', () => {
  it('tells zero, not given and not known apart', () => {
    expect(figure(cell(0, 'known'), f.count).text).toBe('0');
    expect(figure(cell(null, 'not_given'), f.count).text).toBe('–');
    expect(figure(cell(null, 'unknown'), f.count).text).toBe('?');
    expect(figure(cell(null, 'stale'), f.count).text).toBe('?');
    expect(figure(cell(4, 'stale'), f.count)).toMatchObject({ text: '4', certainty: 'stale' });
  });
  it('never shows a value that is marked as not given', () => {
    expect(figure(cell(7, 'not_given'), f.count).text).toBe('–');
  });
  it('shows the sample in place of a rate over few', () => {
    expect(rate(cell(0.75, 'known', 4), f.share)).toMatchObject({ text: 'n=4', small: true });
    expect(rate(cell(0.75, 'known', 40), f.share).text).toBe('75%');
    expect(rate(cell(null, 'unknown', 4), f.share).text).toBe('?');
  });
});

describe('the longest wait', () => {
  it('is 0:00 when nobody waits, and that is knowledge', () => {
    expect(longest(null, 'known', 1_000, 9_000).text).toBe('0:00');
  });
  it('ticks while live and stands still when old', () => {
    expect(longest(1_000, 'known', 5_000, 61_000).text).toBe('1:00');
    expect(longest(1_000, 'stale', 31_000, 999_000).text).toBe('0:30');
    expect(longest(null, 'stale', 31_000, 999_000).text).toBe('?');
    expect(longest(null, 'stale', 31_000, 999_000, 0).text).toBe('0:00');
    expect(longest(null, 'stale', 31_000, 999_000, 3).text).toBe('?');
  });
  it('says what is not told', () => {
    expect(longest(null, 'not_given', null, 0).text).toBe('–');
    expect(longest(null, 'unknown', null, 0).text).toBe('?');
  });
});

describe('the user’s formats', () => {
  it.each([undefined, null, '', 'C', 'POSIX', 'C.UTF-8', 'not a tag!'])('refuses the language %s', (tag) => {
    expect(usable(tag)).toBeNull();
  });
  it('takes a tag as desktops write it', () => {
    expect(usable('de_AT')).toBe('de-AT');
  });
  it('refuses a zone that is not one', () => {
    expect(usableZone('system')).toBeUndefined();
    expect(usableZone('Mars/Olympus')).toBeUndefined();
    expect(usableZone('Europe/Helsinki')).toBe('Europe/Helsinki');
  });
  it('shows instants in the zone that was chosen', () => {
    expect(f.time(Date.UTC(2026, 0, 31, 12, 5, 20))).toBe('14:05:20');
  });
});

describe('what an alert says', () => {
  const alert: AlertRow = {
    key: 'e', id: 'e', rule: 'Long wait', severity: 'critical', state: 'firing', overlays: [], source: 's', source_name: 'S', vendor: 'comm100',
    subject: { kind: 'queue', id: 'q', name: 'Billing' }, metric: 'longest_wait', value: 200, limit: 120, unit: 'seconds', reason: 'the sentence',
    since: 0, acked_until: null, snoozed_until: null, flapping: false, counts_from: 10_000,
  };
  it('ticks a running wait beside its limit', () => {
    expect(why(alert, en, f, 262_000)).toBe('4:12, limit 2:00');
  });
  it('stops ticking when the figure is not known', () => {
    const text = why({ ...alert, overlays: ['unknown'] }, en, f, 262_000);
    expect(text).toContain('not known now');
    expect(text).not.toContain('4:12');
    expect(needOf({ ...alert, overlays: ['unknown'] })).toBe('stale');
  });
  it('names the figure where it is no wait, and falls back to the sentence', () => {
    expect(why({ ...alert, metric: 'queue.waiting_per_agent', unit: 'count', value: 1.4, limit: 1, counts_from: null }, en, f, 0)).toBe('waiting per agent 1.4, limit 1');
    expect(why({ ...alert, value: null, counts_from: null }, en, f, 0)).toBe('the sentence');
    const source = { ...alert, subject: { kind: 'source', id: 's', name: 'Shop' }, reason: 'Shop: no fresh data' } as AlertRow;
    expect(why(source, en, f, 0)).toBe('no fresh data');
    expect(why({ ...source, metric: 'data_age', counts_from: 10_000 }, en, f, 62_000)).toBe('no data for 52 s');
    expect(why({ ...alert, metric: 'free_slots', unit: 'count', value: 0, limit: 0, counts_from: null }, en, f, 0)).toBe('free slots 0');
  });
});

describe('finding by name', () => {
  const entry = (title: string) => ({ key: title, group: '', title, hint: '', run: () => undefined });
  it('prefers beginnings, ignores case and accents', () => {
    const all = [entry('Rebilling'), entry('EU Billing'), entry('Billing EU'), entry('Élan')];
    expect(find(all, 'bill', 9).map((e) => e.title)).toEqual(['Billing EU', 'EU Billing', 'Rebilling']);
    expect(find(all, 'elan', 9).map((e) => e.title)).toEqual(['Élan']);
    expect(find(all, 'zzz', 9)).toEqual([]);
  });
});
