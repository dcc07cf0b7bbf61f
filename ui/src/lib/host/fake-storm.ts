// Ten thousand alerts on the invented floor, told in small messages like the program tells them.

import type { AlertRow, ViewMessage } from './gen';

/** The next alert of a storm: every seventh is late, the later ones stand below. */
function alertOf(index: number, now: number, last: AlertRow): AlertRow {
  return {
    ...last, key: `storm-${index}`, id: `storm-${index}`, rule: index % 3 ? 'Long wait' : 'Reply overdue', severity: index % 7 ? 'warning' : 'critical', state: 'firing', overlays: [],
    subject: { kind: 'queue', id: `s${index}`, name: `Queue ${index}` }, reason: `Somebody waits too long in Queue ${index}.`, since: now, counts_from: now - 130_000, acked_until: null, snoozed_until: null,
  };
}

export interface Storm {
  seq: number;
  on: (message: ViewMessage) => void;
}

/** Adds `count` alerts within `ms`, ten messages a second, critical first. Resolves when the last was told. */
export function storm(watchers: () => Storm[], alerts: AlertRow[], count: number, ms: number): Promise<void> {
  const last = alerts[0];
  if (!last) return Promise.resolve();
  const steps = Math.max(1, Math.round(ms / 100));
  const each = Math.ceil(count / steps);
  let made = 0;
  return new Promise((done) => {
    const timer = setInterval(() => {
      const now = Date.now();
      const upserts: AlertRow[] = [];
      while (upserts.length < each && made < count) upserts.push(alertOf(made++, now, last));
      alerts.push(...upserts);
      const order = [...alerts.filter((row) => row.severity === 'critical'), ...alerts.filter((row) => row.severity !== 'critical')].map((row) => row.key);
      for (const watcher of watchers()) {
        // Through text, as over a socket.
        watcher.on(JSON.parse(JSON.stringify({ type: 'patch', seq: ++watcher.seq, now, status: null, upserts, removes: [], order, total: alerts.length })) as ViewMessage);
      }
      if (made < count) return;
      clearInterval(timer);
      done();
    }, 100);
  });
}
