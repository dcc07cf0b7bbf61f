// Number and time formats of the user. A desktop without a language setting reports "C", which Intl refuses
// with an exception; then English is used.

export function usable(tag: string | undefined | null): string | null {
  if (!tag || tag === 'C' || tag === 'POSIX' || tag.startsWith('C.')) return null;
  try {
    return Intl.getCanonicalLocales(tag.replace('_', '-'))[0] ?? null;
  } catch {
    return null;
  }
}

/** The first usable of the system's languages, else `en`. */
export function systemLocale(): string {
  for (const tag of [...(navigator.languages ?? []), navigator.language]) {
    const found = usable(tag);
    if (found) return found;
  }
  return 'en';
}

/** A zone that Intl knows, else the page's own. */
export function usableZone(zone: string | null | undefined): string | undefined {
  if (!zone || zone === 'system') return undefined;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone;
  } catch {
    return undefined;
  }
}

export interface Formats {
  /** Language tag in use. */
  locale: string;
  count(value: number): string;
  /** At most one digit behind the point. */
  decimal(value: number): string;
  /** 0.784 → 78 % in the user's manner. */
  share(value: number): string;
  /** 14:05:20, or 14:05. */
  time(ms: number): string;
  minute(ms: number): string;
  /** For instants of another day. */
  dayTime(ms: number): string;
}

export function formats(locale: string, zone: string | undefined): Formats {
  const count = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  const clock = { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const time = new Intl.DateTimeFormat(locale, { ...clock, second: '2-digit' });
  const minute = new Intl.DateTimeFormat(locale, clock);
  const dayTime = new Intl.DateTimeFormat(locale, { ...clock, day: 'numeric', month: 'short' });
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: zone });
  return {
    locale,
    count: (value) => count.format(value),
    decimal: (value) => decimal.format(value),
    share: (value) => share.format(value),
    time: (ms) => time.format(ms),
    minute: (ms) => minute.format(ms),
    dayTime: (ms) => (day.format(ms) === day.format(Date.now()) ? minute.format(ms) : dayTime.format(ms)),
  };
}
