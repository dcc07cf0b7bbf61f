// Les mots des détails d’une source, en français.

import { counter } from '../count';
import type { details as english } from './en';

const n = counter('fr');

export const details: typeof english = {
  open: 'Détails',
  title: (name) => `Détails de ${name}`,
  close: 'Fermer',
  failed: 'Les détails n’ont pas pu être lus :',
  changed: 'Format modifié',
  changedAbout: 'Ce que ce système envoie n’est pas ce qui est attendu, ou n’est plus comme avant. Une valeur illisible est montrée comme inconnue ; le reste continue. Prévenez la personne qui s’occupe de Floorwalker ici.',
  unchanged: 'Tout ce qui est lu a la forme attendue.',
  others: (count) => `et ${n(count, 'autre endroit', 'autres endroits')}`,
  drift: {
    type: 'autre type',
    unit: 'autre unité',
    vanished: 'disparu',
    word: 'mot inconnu',
    unreadable: 'illisible',
  },
  times: (count) => n(count, 'fois', 'fois'),
  seen: (first, last) => (first === last ? `à ${first}` : `${first} à ${last}`),
  asked: 'Demandé régulièrement',
  every: (span) => `toutes les ${span}`,
  pushed: 'Ce système prévient de lui-même ; rien n’est demandé régulièrement.',
  places: 'Ce qui a été demandé jusqu’ici',
  place: 'Où',
  requests: 'Demandes',
  failures: 'Échouées',
  status: 'Dernière réponse',
  noAnswer: 'aucune',
  openNow: 'ouverte',
  took: 'Durée',
  size: 'Reçu',
  messages: (count) => n(count, 'message', 'messages'),
  last: 'Dernière',
  nothing: 'Rien n’a encore été demandé.',
  about: 'Depuis le dernier démarrage de cette source. Les adresses sont montrées sans identifiants et aucun contenu n’est conservé.',
};
