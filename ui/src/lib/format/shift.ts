// When the shift ends next, as the program will compute it: the next of the times of day in the desk's zone.

/** `16:00`; null when no end is set. */
export function nextShiftEnd(ends: string[], now: number, zone: string | undefined): string | null {
  const sorted = ends.map((end) => end.trim()).filter((end) => /^\d{1,2}:\d{2}$/.test(end)).map((end) => end.padStart(5, '0')).sort();
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(now);
  return sorted.find((end) => end > clock) ?? sorted[0] ?? null;
}
