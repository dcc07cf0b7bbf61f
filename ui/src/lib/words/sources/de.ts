// Die Wörter der Einzelheiten einer Quelle, auf Deutsch.

import { counter } from '../count';
import type { details as english } from './en';

const n = counter('de');

export const details: typeof english = {
  open: 'Einzelheiten',
  title: (name) => `Einzelheiten von ${name}`,
  close: 'Schließen',
  failed: 'Die Einzelheiten konnten nicht gelesen werden:',
  changed: 'Format geändert',
  changedAbout: 'Was dieses System sendet, ist nicht wie erwartet oder nicht wie zuvor. Ein Wert, der nicht lesbar ist, gilt als unbekannt; alles andere läuft weiter. Sagen Sie es denen, die sich hier um Floorwalker kümmern.',
  unchanged: 'Alles, was gelesen wird, hat die erwartete Form.',
  others: (count) => `und ${n(count, 'weitere Stelle', 'weitere Stellen')}`,
  drift: {
    type: 'anderer Typ',
    unit: 'andere Einheit',
    vanished: 'verschwunden',
    word: 'unbekanntes Wort',
    unreadable: 'nicht lesbar',
  },
  times: (count) => n(count, 'Mal', 'Mal'),
  seen: (first, last) => (first === last ? `um ${first}` : `${first} bis ${last}`),
  asked: 'Regelmäßig gefragt',
  every: (span) => `alle ${span}`,
  pushed: 'Dieses System meldet sich von selbst; es wird nichts regelmäßig gefragt.',
  places: 'Was bisher gefragt wurde',
  place: 'Wo',
  requests: 'Anfragen',
  failures: 'Fehlgeschlagen',
  status: 'Letzte Antwort',
  noAnswer: 'keine',
  openNow: 'offen',
  took: 'Dauer',
  size: 'Empfangen',
  messages: (count) => n(count, 'Nachricht', 'Nachrichten'),
  last: 'Zuletzt',
  nothing: 'Es wurde noch nichts gefragt.',
  about: 'Seit dem letzten Start dieser Quelle. Adressen stehen ohne Kennungen da, und kein Inhalt wird behalten.',
};
