// The catalogue of one language, loaded when it is needed. English is always there.

import { en, type Words } from './en';

export type { Words };
export { en };

/** Codes that the settings offer, with the language's own name. */
export const LANGUAGES: ReadonlyArray<readonly [code: string, name: string]> = [
  ['en', 'English'],
  ['de', 'Deutsch'],
  ['es', 'Español'],
  ['fr', 'Français'],
];

/** The catalogue for a language tag; English for one that we do not have. */
export async function catalogue(tag: string): Promise<Words> {
  switch (tag.split('-')[0]) {
    case 'de':
      return (await import('./de')).de;
    case 'es':
      return (await import('./es')).es;
    case 'fr':
      return (await import('./fr')).fr;
    default:
      return en;
  }
}
