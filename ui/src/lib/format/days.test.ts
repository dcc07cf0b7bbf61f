import { describe, expect, it } from 'vitest';

import { bands, days, midnight } from './days';

const HOUR = 3_600_000;
const at = (text: string) => Date.parse(text);

describe('days of a zone', () => {
  it('begin at its midnight', () => {
    expect(midnight(at('2026-11-22T08:00:00Z'), 'Europe/Helsinki')).toBe(at('2026-11-21T22:00:00Z'));
    expect(midnight(at('2026-11-22T22:00:00Z'), 'Europe/Helsinki')).toBe(at('2026-11-22T22:00:00Z'));
    expect(midnight(at('2026-06-01T03:00:00Z'), 'America/New_York')).toBe(at('2026-05-31T04:00:00Z'));
  });
  it('have 23 and 25 hours when the clock is set', () => {
    const spring = days(at('2026-03-28T12:00:00Z'), at('2026-03-30T12:00:00Z'), 'Europe/Helsinki');
    expect(spring.map((day) => (day.until - day.from) / HOUR)).toEqual([24, 23, 24]);
    const autumn = days(at('2026-10-24T12:00:00Z'), at('2026-10-26T12:00:00Z'), 'Europe/Helsinki');
    expect(autumn.map((day) => (day.until - day.from) / HOUR)).toEqual([24, 25, 24]);
  });
  it('touch each other and are no more than asked for', () => {
    const week = days(at('2026-10-20T12:00:00Z'), at('2026-10-27T12:00:00Z'), 'UTC');
    expect(week).toHaveLength(8);
    week.slice(1).forEach((day, index) => expect(day.from).toBe(week[index]!.until));
    expect(days(0, at('2026-10-27T12:00:00Z'), 'UTC')).toHaveLength(31);
  });
});

describe('bands', () => {
  const day = { from: 0, until: 1000 };
  it('join what cannot be told apart; a critical is never drawn over', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => ({ from: index % 1000, until: (index % 1000) + 3, critical: index === 500 }));
    const drawn = bands(many, day, 100);
    expect(drawn).toHaveLength(3);
    expect(drawn[1]).toMatchObject({ left: 0.5, critical: true });
  });
  it('show the shortest one, and nothing outside the day', () => {
    expect(bands([{ from: 10, until: 10, critical: false }], day, 10)).toEqual([{ left: 0, width: 0.1, critical: false }]);
    expect(bands([{ from: 2000, until: 3000, critical: false }], day, 10)).toEqual([]);
  });
});
