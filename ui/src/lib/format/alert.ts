// What an alert says, in the user's language where its figure is known, else the program's own sentence.

import type { AlertRow, Need } from '../host/gen';
import type { Words } from '../words';
import type { Formats } from './locale';
import { age, wait, waitOfSeconds } from './span';

export function amount(value: number, unit: string, f: Formats): string {
  if (unit === 'seconds') return waitOfSeconds(value);
  if (unit === 'ratio') return f.share(value);
  return f.decimal(value);
}

/** `4:12, limit 2:00`. A running wait ticks, unless its source is not live. */
export function why(alert: AlertRow, w: Words, f: Formats, now: number, reachable = true): string {
  if (alert.subject.kind === 'source' && alert.metric.endsWith('data_age') && alert.counts_from !== null) {
    return w.alerts.noData(age(now - alert.counts_from));
  }
  if (alert.subject.kind === 'source' || alert.limit === null || alert.unit === 'name') return reason(alert);
  const unknown = !reachable || alert.overlays.includes('unknown') || alert.overlays.includes('inhibited');
  const label = w.metric[alert.metric.split('@')[0]?.split('.').pop() ?? ''];
  const limit = amount(alert.limit, alert.unit, f);
  let value: string;
  if (unknown) value = w.alerts.unknown;
  else if (alert.counts_from !== null) value = wait(now - alert.counts_from);
  else if (alert.value !== null) value = amount(alert.value, alert.unit, f);
  else return reason(alert);
  // A figure that stands at its limit says it by itself: "free slots 0".
  if (label && alert.value === alert.limit && alert.counts_from === null) return `${label} ${value}`;
  const isWait = alert.unit === 'seconds' && alert.counts_from !== null;
  return w.alerts.limit(isWait || !label ? value : `${label} ${value}`, limit);
}

/** The program's sentence without the name that stands beside it already. */
export function reason(alert: AlertRow): string {
  const prefix = `${alert.subject.name}: `;
  return alert.reason.startsWith(prefix) ? alert.reason.slice(prefix.length) : alert.reason;
}

/** State and what lies over it, with the times that they end at. */
export function stateWords(row: AlertRow, w: Words, f: Formats): string {
  const parts: string[] = [w.alerts[row.state]];
  for (const overlay of row.overlays) {
    parts.push(overlay === 'snoozed' && row.snoozed_until !== null ? `${w.alerts.snoozed} ${w.alerts.until(f.minute(row.snoozed_until))}` : w.alerts[overlay]);
  }
  if (row.state === 'acked' && row.acked_until !== null) parts.push(w.alerts.until(f.minute(row.acked_until)));
  if (row.flapping) parts.push(w.alerts.flapping);
  return parts.join(' · ');
}

/** The shape of an alert: what is not known now is old, not late, and so is a source that is not live. */
export function needOf(alert: AlertRow, reachable = true): Need {
  const old = alert.subject.kind === 'source' || alert.overlays.includes('unknown') || !reachable;
  return old ? 'stale' : alert.severity;
}

/** The key of the queue row that an alert is about. */
export function queueKey(alert: AlertRow): string | null {
  if (alert.subject.kind !== 'queue' || alert.source === null) return null;
  return `${alert.source}\u001f${alert.subject.id}`;
}
