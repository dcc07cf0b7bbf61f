// Spans of time as text. Running waits are m:ss, from an hour on h:mm:ss; ages of data are "8 s".

/** Milliseconds as `m:ss` or `h:mm:ss`; never negative, since a wait cannot be. */
export function wait(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor((all % 3600) / 60);
  const seconds = String(all % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

/** Seconds as `m:ss`. */
export function waitOfSeconds(seconds: number): string {
  return wait(seconds * 1000);
}

/** The age of data: `8 s`, `4 min`, `2 h 5 min`, `3 d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}
