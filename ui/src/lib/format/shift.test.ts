import { describe, expect, it } from 'vitest';

import { nextShiftEnd } from './shift';

describe('the end of the shift', () => {
  const at = Date.parse('2026-11-22T13:30:00Z');
  it('is the next one in the desk’s zone, else the first of tomorrow', () => {
    expect(nextShiftEnd(['23:00', '16:00'], at, 'Europe/Helsinki')).toBe('16:00');
    expect(nextShiftEnd(['14:00', '07:00'], at, 'Europe/Helsinki')).toBe('07:00');
    expect(nextShiftEnd(['8:00', '16:00'], at, 'UTC')).toBe('16:00');
  });
  it('is not known where none is set', () => {
    expect(nextShiftEnd([], at, undefined)).toBeNull();
    expect(nextShiftEnd(['late'], at, undefined)).toBeNull();
  });
});
