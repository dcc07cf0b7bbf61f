// The state sentence: is anything wrong, in one line. Also the window's title and what the tray's menu says.

import type { Status } from '../host/gen';
import type { Words } from '../words';
import type { Formats } from './locale';
import { wait } from './span';

export interface Sentence {
  head: string;
  rest: string[];
}

export function sentence(status: Status | null, live: boolean, w: Words, f: Formats, now: number): Sentence {
  if (status === null || status.floor.mode === 'connecting') return { head: w.say.connecting, rest: [] };
  if (status.floor.mode === 'empty') return { head: w.say.empty, rest: [] };
  const wrong: string[] = [];
  if (status.queues_late > 0) wrong.push(w.say.late(status.queues_late));
  if (status.queues_slow > 0) wrong.push(w.say.slow(status.queues_slow));
  if (!live) return { head: w.say.offline, rest: wrong };
  if (status.sources_not_live > 0) wrong.push(w.say.notLive(status.sources_not_live));
  return { head: wrong.length > 0 ? wrong.join(', ') : w.say.allWell, rest: details(status, w, f, now) };
}

function details(status: Status, w: Words, f: Formats, now: number): string[] {
  const rest: string[] = [];
  if (status.waiting === null) rest.push(w.say.peopleUnknown);
  else rest.push(status.waiting === 0 ? w.say.nobody : w.say.people(status.waiting));
  if (status.agents_online !== null) {
    rest.push(w.say.online(f.count(status.agents_online), f.count(status.agents)));
  }
  const worst = status.worst_queue;
  if (worst && worst.longest === 'known' && worst.waiting_since !== null) {
    rest.push(w.say.worst(worst.name, wait(now - worst.waiting_since)));
  }
  return rest;
}
