// A stretch of time cut into the days of a zone. A day in which the clock is set has 23 or 25 hours.

export interface Day {
  /** Midnight, and the next one. */
  from: number;
  until: number;
}

const DAY = 86_400_000;

/** How far the zone is ahead of UTC at an instant, ms. */
function ahead(at: number, zone: string | undefined): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  }).formatToParts(at);
  const get = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second')) - Math.floor(at / 1000) * 1000;
}

/** The last midnight at or before an instant. */
export function midnight(at: number, zone: string | undefined): number {
  const local = at + ahead(at, zone);
  const begin = Math.floor(local / DAY) * DAY;
  // The offset at midnight may differ from the one of now.
  const guess = begin - ahead(at, zone);
  return begin - ahead(guess, zone);
}

/** The days that a stretch touches, oldest first; at most `most` of the newest. */
export function days(from: number, until: number, zone: string | undefined, most = 31): Day[] {
  const all: Day[] = [];
  let end = midnight(until, zone) === until ? until : midnight(midnight(until, zone) + DAY + DAY / 2, zone);
  while (end > from && all.length < most) {
    const begin = midnight(end - DAY / 2, zone);
    all.unshift({ from: begin, until: end });
    end = begin;
  }
  return all;
}

export interface Stretch {
  from: number;
  until: number;
  critical: boolean;
}
export interface Band {
  /** Shares of the track, 0–1. */
  left: number;
  width: number;
  critical: boolean;
}

/** Stretches as bands on a track of so many steps: as few as can be told apart, however many there are. */
export function bands(stretches: Stretch[], day: Day, steps = 480): Band[] {
  const track = new Uint8Array(steps);
  const long = day.until - day.from;
  for (const one of stretches) {
    if (one.until < day.from || one.from >= day.until) continue;
    const first = Math.max(0, Math.floor(((one.from - day.from) / long) * steps));
    const last = Math.min(steps - 1, Math.floor(((one.until - day.from) / long) * steps));
    for (let at = first; at <= last; at++) track[at] = Math.max(track[at] ?? 0, one.critical ? 2 : 1);
  }
  const found: Band[] = [];
  for (let at = 0; at < steps; at++) {
    const value = track[at] ?? 0;
    if (value === 0) continue;
    let end = at;
    while (end + 1 < steps && track[end + 1] === value) end++;
    found.push({ left: at / steps, width: (end - at + 1) / steps, critical: value === 2 });
    at = end;
  }
  return found;
}
