// Las palabras de los detalles de una fuente, en español.

import { counter } from '../count';
import type { details as english } from './en';

const n = counter('es');

export const details: typeof english = {
  open: 'Detalles',
  title: (name) => `Detalles de ${name}`,
  close: 'Cerrar',
  failed: 'No se pudieron leer los detalles:',
  changed: 'Formato cambiado',
  changedAbout: 'Lo que envía este sistema no es lo esperado, o no es como era. Un valor que no se puede leer se muestra como desconocido; lo demás sigue. Avise a quien se ocupa de Floorwalker aquí.',
  unchanged: 'Todo lo que se lee tiene la forma esperada.',
  others: (count) => `y ${n(count, 'lugar más', 'lugares más')}`,
  drift: {
    type: 'otro tipo',
    unit: 'otra unidad',
    vanished: 'desaparecido',
    word: 'palabra desconocida',
    unreadable: 'no se puede leer',
  },
  times: (count) => n(count, 'vez', 'veces'),
  seen: (first, last) => (first === last ? `a las ${first}` : `${first} a ${last}`),
  asked: 'Se pregunta con regularidad',
  every: (span) => `cada ${span}`,
  pushed: 'Este sistema avisa por sí mismo; no se pregunta nada con regularidad.',
  places: 'Lo preguntado hasta ahora',
  place: 'Dónde',
  requests: 'Peticiones',
  failures: 'Fallidas',
  status: 'Última respuesta',
  noAnswer: 'ninguna',
  openNow: 'abierta',
  took: 'Tardó',
  size: 'Recibido',
  messages: (count) => n(count, 'mensaje', 'mensajes'),
  last: 'Última',
  nothing: 'Aún no se ha preguntado nada.',
  about: 'Desde el último inicio de esta fuente. Las direcciones se muestran sin identificadores y no se guarda contenido.',
};
