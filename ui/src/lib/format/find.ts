// Finds by name: a beginning counts most, then the beginning of a word, then anywhere.

export interface Entry {
  key: string;
  group: string;
  title: string;
  hint: string;
  run: () => void;
}

function plain(text: string): string {
  // Most names are plain already, and thousands are looked through at each key.
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function score(title: string, wanted: string): number {
  const at = title.indexOf(wanted);
  if (at < 0) return -1;
  if (at === 0) return 3;
  return /[\s\-·.(]/.test(title[at - 1] ?? '') ? 2 : 1;
}

/** The best matches, at most `most`; equal ones stay in their order. */
export function find(entries: Entry[], text: string, most: number): Entry[] {
  const wanted = plain(text.trim());
  const hits: Array<{ entry: Entry; points: number }> = [];
  for (const entry of entries) {
    const points = score(plain(entry.title), wanted);
    if (points > 0) hits.push({ entry, points });
  }
  return hits
    .sort((a, b) => b.points - a.points)
    .slice(0, most)
    .map((hit) => hit.entry);
}
