import { describe, expect, it } from 'vitest';

import { quoted, read, subjectOf, unquoted, write } from './condition';

describe('a condition in the form', () => {
  it.each([
    'queue.longest_wait > 60s',
    'queue.waiting_per_agent > 1 and queue.agents_online > 0',
    'queue.abandonment_rate@30m > 5%',
    'agent.presence == away or agent.presence_label == "On lunch"',
  ])('reads and writes %s', (text) => {
    const condition = read(text);
    expect(condition).not.toBeNull();
    expect(write(condition!)).toBe(text);
  });
  it('can stand half written', () => {
    for (const text of ['queue.waiting >', 'queue.waiting > and queue.open > 3', 'queue.waiting > 4 and queue.open ==']) {
      expect(write(read(text)!)).toBe(text);
    }
  });
  it.each(['', 'queue.waiting > 4 and (queue.open > 1)', 'queue.waiting > 4 and queue.open > 1 or queue.open > 9', 'queue.waiting', 'waiting > 3', 'queue.waiting > 3 and'])(
    'leaves to the text: %s',
    (text) => expect(read(text)).toBeNull(),
  );
  it('knows what is spoken of, and when a word needs quotes', () => {
    expect(subjectOf('(total.waiting > 3)')).toBe('total');
    expect(subjectOf('nothing')).toBeNull();
    expect(quoted('On lunch')).toBe('"On lunch"');
    expect(quoted('away')).toBe('away');
    expect(unquoted('"On lunch"')).toBe('On lunch');
  });
});
