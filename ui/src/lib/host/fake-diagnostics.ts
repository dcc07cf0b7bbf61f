// The details of an invented source: a polled one whose vendor has changed something.

import type { Diagnostics } from './gen';

export function diagnostics(now: number): Diagnostics {
  const at = (seconds: number): string => new Date(now - seconds * 1000).toISOString();
  return {
    endpoints: [
      { name: 'queue', every_s: 15 },
      { name: 'agents', every_s: 30 },
      { name: 'today', every_s: 120 },
    ],
    sharing: null,
    places: [
      { place: 'GET /v4/livechat/realTime/Agents', requests: 42, failures: 0, status: 200, last_at: at(12), took_ms: 184, messages: 0, bytes: 512_400 },
      { place: 'GET /v4/livechat/realTime/Queue', requests: 84, failures: 2, status: 503, last_at: at(4), took_ms: 96, messages: 0, bytes: 88_120 },
      { place: 'WS /…/feed', requests: 1, failures: 0, status: 101, last_at: at(1), took_ms: 41, messages: 1320, bytes: 2_480_000 },
    ],
    notes: [
      { part: 'agents', field: 'currentstatusid', drift: 'word', detail: 'lunch, training-2', count: 14, first: at(3600), last: at(12) },
      { part: 'queue', field: 'currentqueuelength', drift: 'type', detail: 'text, before a number', count: 3, first: at(900), last: at(840) },
      { part: 'today', field: 'avgwaittime', drift: 'vanished', detail: null, count: 9, first: at(600), last: at(15) },
    ],
    others: 0,
  };
}
