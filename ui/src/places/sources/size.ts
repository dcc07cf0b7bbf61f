// Bytes for people.

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];

/** `0 byte`, `12 kB`, `3.4 MB`, in the user's manner. */
export function size(bytes: number, locale: string): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  const format = { style: 'unit', unit: UNITS[unit], unitDisplay: 'short', maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(locale, format).format(value);
}
