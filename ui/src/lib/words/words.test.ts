import { describe, expect, it } from 'vitest';

import { catalogue, LANGUAGES } from '.';

/** All texts of a catalogue, functions called with something harmless. */
function texts(value: unknown, path = ''): Array<[string, string]> {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') return [[path, String((value as (...all: unknown[]) => unknown)(2, 3, 4))]];
  return Object.entries(value as object).flatMap(([key, one]) => texts(one, `${path}.${key}`));
}

describe('the catalogue', () => {
  it.each(LANGUAGES.map(([code]) => code))('%s has a word for everything', async (code) => {
    const words = await catalogue(code);
    for (const [path, text] of texts(words)) {
      if (path !== '.certainty.known') expect(text, path).not.toBe('');
      expect(text, path).not.toMatch(/undefined|\[object/);
    }
    const english = new Map(texts(await catalogue('en')));
    expect(texts(words).map(([path]) => path).sort()).toEqual([...english.keys()].sort());
  });

  it('is English for a language that it does not have', async () => {
    expect((await catalogue('fi-FI')).name).toBe('English');
  });

  it('counts by the rules of the language', async () => {
    const [en, fr] = [await catalogue('en'), await catalogue('fr-CA')];
    expect(en.say.late(0)).toBe('0 queues late');
    expect(en.say.late(1)).toBe('1 queue late');
    expect(fr.say.late(0)).toBe('0 file en retard');
    expect(fr.say.late(2)).toBe('2 files en retard');
  });
});
