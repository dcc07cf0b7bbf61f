// A condition as the form shows it: comparisons joined by one word. What is more than that (parentheses,
// both words) stays a line of text.

export const OPS = ['>', '>=', '<', '<=', '==', '!='] as const;
export type Op = (typeof OPS)[number];

export interface Comparison {
  subject: string;
  metric: string;
  /** `30m`; null: the figure of now. */
  window: string | null;
  op: Op;
  /** As written: `60s`, `80%`, `available`. Empty while it is being written. */
  value: string;
}

export interface Simple {
  join: 'and' | 'or';
  parts: Comparison[];
}

const PART =
  /^\s*([a-z]+)\.([a-z0-9_]+)(?:@([a-z0-9]+))?\s*(>=|<=|==|!=|>|<)(?:\s*((?!(?:and|or)(?![\w]))(?:"[^"]*"|'[^']*'|[^\s()"']+)))?/;
const JOIN = /^\s*(and|or)(?=\s)/;

/** The comparisons of a condition; null when it is more than a row of them. */
export function read(text: string): Simple | null {
  const parts: Comparison[] = [];
  let join: Simple['join'] | null = null;
  let rest = text;
  for (;;) {
    const part = PART.exec(rest);
    if (!part) return null;
    const [whole, subject = '', metric = '', window, op, value = ''] = part;
    parts.push({ subject, metric, window: window ?? null, op: op as Op, value });
    rest = rest.slice(whole.length);
    if (rest.trim() === '') return { join: join ?? 'and', parts };
    const word = JOIN.exec(rest);
    if (!word) return null;
    const next = word[1] as Simple['join'];
    if (join !== null && next !== join) return null;
    join = next;
    rest = rest.slice(word[0].length);
  }
}

export function write(condition: Simple): string {
  return condition.parts
    .map(({ subject, metric, window, op, value }) => `${subject}.${metric}${window === null ? '' : `@${window}`} ${op} ${value}`.trimEnd())
    .join(` ${condition.join} `);
}

/** The subject that a condition speaks of, as far as it can be seen. */
export function subjectOf(text: string): string | null {
  return /\b(queue|agent|conversation|source|total|floor)\./.exec(text)?.[1] ?? null;
}

/** A value of a vendor's own words stands in quotes. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_.%-]+$/.test(text) || text === '' ? text : `"${text.replaceAll('"', '')}"`;
}

export function unquoted(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}
