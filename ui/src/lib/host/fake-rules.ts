// The rules of the invented floor: enough of the rule language to try the editor on. The real one is the
// program's; here a text is read line by line.

import type { Invented } from './fake-floor';
import type {
  AlertRow, FiredRow, HistoryLine, HistoryPage, HistoryQuery, MetricRow, NoteRow, OverrideForm, Preview, QueueRow, RuleCheck, RuleEntry,
  RuleFault, RuleForm, RuleTrial, SubjectKind, Transition,
} from './gen';
import { quoted, read, subjectOf } from '../rules/condition';

const metric = (subject: SubjectKind, name: string, unit: string, formula: string, direction = 'more', windows: string[] = [], words: string[] = []): MetricRow => ({
  subject, name, unit, formula, direction, windows, words,
});
const WINDOWS = ['15m', '30m', '60m', 'today'];
export const METRICS: MetricRow[] = [
  metric('queue', 'waiting', 'count', 'people waiting'),
  metric('queue', 'longest_wait', 'seconds', 'now - oldest waiting_since; 0 when nobody waits'),
  metric('queue', 'waiting_per_agent', 'ratio', 'waiting / agents_online; infinite when nobody is online'),
  metric('queue', 'agents_online', 'count', 'agents neither offline nor unknown', 'less'),
  metric('queue', 'free_slots', 'count', 'conversations that can be taken now', 'less'),
  metric('queue', 'open_hours', 'name', 'whether the queue is open by [[hours]]', 'neutral', [], ['true', 'false']),
  metric('queue', 'waiting', 'count', 'people waiting', 'more', WINDOWS),
  metric('queue', 'service_level', 'ratio', 'answered in time / (offered - short abandons)', 'less', WINDOWS),
  metric('queue', 'abandonment_rate', 'ratio', 'abandoned / offered in the window, n = offered', 'more', WINDOWS),
  metric('agent', 'presence', 'name', 'what the agent is doing', 'neutral', [], ['available', 'busy', 'idle', 'away', 'offline', 'unknown']),
  metric('agent', 'presence_label', 'text', 'the vendor’s own word for it', 'neutral'),
  metric('agent', 'time_in_presence', 'seconds', 'now - presence_since'),
  metric('conversation', 'reply_age', 'seconds', 'now - last customer message with no agent message after it; 0 when answered'),
  metric('source', 'data_age', 'seconds', 'now - last_data_at'),
  metric('source', 'denied', 'name', 'credentials or permission refused', 'neutral', [], ['true', 'false']),
  metric('total', 'slot_utilisation', 'ratio', 'open / capacity; capacity 0 is unknown'),
  metric('floor', 'waiting', 'count', 'people waiting'),
];

export const BLANK: RuleForm = {
  name: '', when: '', critical: null, scope: { source: [], queue: [], group: [], agent: [] }, for: null, clear: null, keep: null, repeat: null,
  min_n: null, active: [], zone: null, severity: null, notify: null, enabled: true, overrides: [],
};
const NO_OVERRIDE: OverrideForm = { queue: [], group: [], source: [], when: null, critical: null, for: null, clear: null, keep: null, repeat: null, enabled: null };
const DEFAULTS: Array<Partial<RuleForm>> = [
  { name: 'Long wait', when: 'queue.longest_wait > 60s', critical: 'queue.longest_wait > 120s', for: '0s', keep: '30s', repeat: '5m' },
  { name: 'Waiting per agent', when: 'queue.waiting_per_agent > 1 and queue.agents_online > 0', critical: 'queue.waiting_per_agent > 2 and queue.agents_online > 0', for: '20s', keep: '60s', repeat: '5m' },
  { name: 'Nobody online', when: 'queue.agents_online == 0 and queue.waiting > 0 and queue.open_hours == true', severity: 'critical', for: '15s', keep: '0s', repeat: '2m' },
  { name: 'No free slot', when: 'queue.free_slots == 0 and queue.waiting > 0 and (queue.agents_online > 0 or queue.waiting > 9)', severity: 'critical', for: '30s', keep: '30s', repeat: '5m' },
  { name: 'Reply overdue', when: 'conversation.reply_age > 120s', critical: 'conversation.reply_age > 300s', for: '0s', keep: '0s', repeat: '5m' },
  { name: 'Service level', when: 'queue.service_level@30m < 80%', critical: 'queue.service_level@30m < 70%', for: '2m', keep: '5m', repeat: '15m', min_n: 10 },
  { name: 'Source not live', when: 'source.data_age > 15s', critical: 'source.data_age > 60s', for: '0s', keep: '0s', repeat: '5m' },
];

const SIMPLE = ['name', 'when', 'critical', 'for', 'clear', 'keep', 'repeat', 'zone', 'severity'] as const;
const list = (all: string[]) => `[${all.map((one) => JSON.stringify(one)).join(', ')}]`;

export function textOf(form: RuleForm): string {
  const lines = ['[[alert]]'];
  for (const key of SIMPLE) if (form[key] !== null && form[key] !== '') lines.push(`${key} = ${JSON.stringify(form[key])}`);
  const scope = (['source', 'queue', 'group', 'agent'] as const).filter((key) => form.scope[key].length > 0);
  if (scope.length > 0) lines.push(`scope = { ${scope.map((key) => `${key} = ${list(form.scope[key])}`).join(', ')} }`);
  if (form.min_n !== null) lines.push(`min_n = ${form.min_n}`);
  if (form.active.length > 0) lines.push(`active = ${list(form.active)}`);
  if (form.notify !== null) lines.push(`notify = ${list(form.notify)}`);
  if (!form.enabled) lines.push('enabled = false');
  for (const one of form.overrides) {
    lines.push('', '[[alert.override]]');
    for (const key of ['queue', 'group', 'source'] as const) if (one[key].length > 0) lines.push(`${key} = ${list(one[key])}`);
    for (const key of ['when', 'critical', 'for', 'clear', 'keep', 'repeat'] as const) if (one[key] !== null) lines.push(`${key} = ${JSON.stringify(one[key])}`);
    if (one.enabled !== null) lines.push(`enabled = ${one.enabled}`);
  }
  return lines.join('\n') + '\n';
}

const strings = (text: string): string[] => [...text.matchAll(/"([^"]*)"/g)].map((found) => found[1] ?? '');
function fault(text: string, line: number, column: number, length: number, sentence: string, field: string | null, field_at = 0): RuleFault {
  const whole = text.split('\n')[line - 1] ?? '';
  return { sentence, line, column, length, field, field_at, caret: `${whole}\n${' '.repeat(column - 1)}${'^'.repeat(length)}` };
}

/** A form of a text; faults where a line is not understood. */
export function formOf(text: string): { form: RuleForm | null; errors: RuleFault[] } {
  const form: RuleForm = structuredClone(BLANK);
  const errors: RuleFault[] = [];
  let into: Record<string, unknown> = form;
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line === '[[alert]]') return;
    if (line === '[[alert.override]]') {
      const one = structuredClone(NO_OVERRIDE);
      form.overrides.push(one);
      into = one;
      return;
    }
    const [, key = '', value = ''] = /^([a-z_]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key === '') errors.push(fault(text, index + 1, 1, Math.max(1, raw.length), 'This is no line of a rule; write key = value.', null));
    else if (key === 'scope') for (const found of value.matchAll(/(source|queue|group|agent)\s*=\s*(\[[^\]]*\])/g)) form.scope[found[1] as 'queue'] = strings(found[2] ?? '');
    else if (!(key in into)) errors.push(fault(text, index + 1, 1, key.length, `\`${key}\` is not a key of a rule.`, null));
    else if (value.startsWith('[')) into[key] = strings(value);
    else if (value === 'true' || value === 'false') into[key] = value === 'true';
    else if (/^\d+$/.test(value)) into[key] = Number(value);
    else if (/^".*"$/.test(value)) into[key] = JSON.parse(value) as string;
    else errors.push(fault(text, index + 1, raw.indexOf(value) + 1, Math.max(1, value.length), 'A text stands in quotes.', key));
  });
  return { form: errors.some((one) => one.field === null) ? null : form, errors };
}

/** The one rule of conditions that the invented program checks: names and units of the metric table. */
function checkConditions(text: string, form: RuleForm): RuleFault[] {
  const errors: RuleFault[] = [];
  for (const field of ['when', 'critical'] as const) {
    const condition = form[field];
    if (condition === null) continue;
    for (const found of condition.matchAll(/([a-z]+)\.([a-z_]+)(?:@[a-z0-9]+)?\s*(?:[<>=!]=?)\s*(\S*)/g)) {
      const [whole, subject, name, value = ''] = found;
      const known = METRICS.find((row) => row.subject === subject && row.name === name);
      const at = found.index;
      const say = (sentence: string, from: number, length: number) => {
        const line = text.split('\n').findIndex((one) => one.startsWith(`${field} =`)) + 1;
        errors.push(fault(text, Math.max(1, line), field.length + 5 + at + from, Math.max(1, length), sentence, field, at + from));
      };
      if (!known) {
        const near = METRICS.find((row) => row.subject === subject && row.name.startsWith((name ?? '').slice(0, 4)));
        say(`There is no \`${subject}.${name}\`${near ? `; did you mean \`${near.subject}.${near.name}\`?` : '.'}`, 0, `${subject}.${name}`.length);
      } else if (value === '') say('A value is missing.', whole.length - 1, 1);
      else if (known.unit === 'seconds' && !/^\d+(ms|s|m|h)/.test(value)) say('A time needs its unit, such as 60s.', whole.length - value.length, value.length);
    }
    if (condition.trim() === '') errors.push(fault(text, 1, 1, 1, 'The condition is missing.', field));
  }
  return errors;
}

function seconds(value: string): number {
  const unit = { s: 1, m: 60, h: 3600 }[value.slice(-1)] ?? 1;
  return Number.parseFloat(value) * unit;
}

export class FakeRules {
  entries: RuleEntry[];
  notes: NoteRow[] = [];
  #floor: Invented;
  #log: HistoryLine[] | null = null;

  constructor(floor: Invented) {
    this.#floor = floor;
    this.entries = DEFAULTS.map((part) => this.#entry({ ...BLANK, ...part }, true, false));
    const own: RuleForm = { ...BLANK, name: 'VIP billing', when: 'queue.waiting > 2', scope: { ...BLANK.scope, queue: ['shop:*billing*'] }, notify: ['desktop', 'webhook:teams-floor'], active: ['mon-fri 08:00-18:00'], zone: 'Europe/Helsinki',
      overrides: [{ ...NO_OVERRIDE, source: ['care'], when: 'queue.waiting > 5' }] };
    const broken = { ...this.#entry({ ...BLANK, name: 'Night shift', when: 'queue.longst_wait > 90s' }, false, true), subject: null };
    broken.error = this.check(broken.text, null).errors[0] ?? null;
    const off = this.#entry({ ...BLANK, name: 'Slow replies', when: 'conversation.reply_age > 90s', enabled: false }, false, true);
    this.entries = [this.#entry(own, false, true), broken, off, ...this.entries];
  }

  #entry(form: RuleForm, isDefault: boolean, own: boolean): RuleEntry {
    return { name: form.name, text: textOf(form), form, default: isDefault, own, enabled: form.enabled, subject: subjectOf(form.when) as SubjectKind, error: null };
  }

  check(text: string | null, given: RuleForm | null, replaces: string | null = null): RuleCheck {
    const written = given ? textOf(given) : (text ?? '');
    const { form, errors } = given ? { form: given, errors: [] } : formOf(written);
    if (form) {
      errors.push(...checkConditions(written, form));
      if (form.name.trim() === '') errors.push(fault(written, 1, 1, 1, 'A rule needs a name.', 'name'));
      else if (form.name !== replaces && this.entries?.some((one) => one.own && one.name === form.name)) {
        errors.push(fault(written, 2, 8, form.name.length, `The name "${form.name}" is taken; choose another.`, 'name'));
      }
    }
    const rows = form && errors.length === 0 ? this.#preview(form) : [];
    const pending = form?.for != null && seconds(form.for) > 0;
    return { text: written, form, errors, fires_now: pending ? [] : rows, would_be_pending: pending ? rows : [], targets: this.#floor.queues.length, unknown: this.#floor.queues.filter((row) => !row.live).length };
  }

  /** Only conditions on the longest wait and the number of people are understood here. */
  #preview(form: RuleForm): Preview[] {
    const first = read(form.when)?.parts[0];
    if (!first || first.subject !== 'queue') return [];
    const limit = seconds(first.value);
    const now = Date.now();
    const of = (row: QueueRow): number | null =>
      first.metric === 'longest_wait' ? (row.waiting_since === null ? 0 : (now - row.waiting_since) / 1000) : first.metric === 'waiting' ? row.waiting.value : null;
    const critical = form.critical === null ? null : seconds(read(form.critical)?.parts[0]?.value ?? '');
    return this.#floor.sortedQueues().flatMap((row): Preview[] => {
      const value = of(row);
      if (!row.live || value === null || value <= limit) return [];
      return [{ subject: { kind: 'queue', id: row.id, name: row.name }, source: row.source, severity: critical !== null && value > critical ? 'critical' : (form.severity ?? 'warning'), value,
        unit: first.metric === 'longest_wait' ? 'seconds' : 'count', limit, reason: `${row.name}: ${first.metric} is over ${quoted(first.value)}.`, muted: false, since: null }];
    });
  }

  save(text: string, replaces: string | null): RuleFault | null {
    const { form, errors } = this.check(text, null, replaces);
    if (!form || errors[0]) return errors[0] ?? null;
    const isDefault = DEFAULTS.some((one) => one.name === form.name);
    const fresh = { ...this.#entry(form, isDefault, true), text };
    const at = this.entries.findIndex((one) => one.name === replaces || one.name === form.name);
    if (at >= 0) this.entries = this.entries.map((one, index) => (index === at ? fresh : one));
    else this.entries = [fresh, ...this.entries];
    return null;
  }

  remove(name: string): void {
    const usual = DEFAULTS.find((one) => one.name === name);
    this.entries = this.entries.flatMap((one) => (one.name !== name ? [one] : usual ? [this.#entry({ ...BLANK, ...usual }, true, false)] : []));
  }

  enable(name: string, enabled: boolean): void {
    this.entries = this.entries.map((one) => {
      if (one.name !== name) return one;
      const form = { ...one.form, enabled };
      return { ...one, form, enabled, own: true, text: textOf(form) };
    });
  }

  trial(text: string, from: string | null, to: string | null): RuleTrial {
    const { form, errors } = this.check(text, null, formOf(text).form?.name ?? null);
    if (!form || errors.length > 0) return { report: null, errors, stopped: false };
    const until = to === null ? Date.now() : Date.parse(to);
    const begin = from === null ? until - 86_400_000 : Date.parse(from);
    const limit = seconds(read(form.when)?.parts[0]?.value ?? '60');
    const fired: FiredRow[] = [];
    // The same past for every rule: a rule with half the limit fires about twice as often.
    let state = 77;
    const dice = () => ((state = (state * 16807) % 2147483647) / 2147483647);
    const step = Math.max(600_000, 1_500_000 * (limit / 60));
    for (let at = begin + step * dice(); at < until; at += step * (0.4 + 2.4 * dice())) {
      const hour = new Date(at).getUTCHours();
      const lasted = 30 + 400 * dice() ** 3;
      const queue = this.#floor.queues[Math.floor(dice() * 4)] ?? this.#floor.queues[0];
      if (hour < 6 || hour > 18 || !queue) continue;
      const severity = form.severity ?? (form.critical !== null && lasted > 200 ? 'critical' : 'warning');
      fired.push({ rule: form.name, severity, source: queue.source, subject: { kind: 'queue', id: queue.id, name: queue.name }, from: new Date(at).toISOString(), until: new Date(at + lasted * 1000).toISOString(), lasted_s: lasted, reason: `Somebody waited longer than the limit in ${queue.name}.` });
    }
    const total = fired.reduce((sum, one) => sum + one.lasted_s, 0);
    const rule = { rule: form.name, times: fired.length, total_s: total, longest_s: Math.max(0, ...fired.map((one) => one.lasted_s)), subjects: [...new Set(fired.map((one) => one.subject.name))] };
    return { report: { contract: 1, from: new Date(begin).toISOString(), until: new Date(until).toISOString(), rules: [rule], fired, left_out: 0, not_seen_s: (until - begin) / 1000 > 90_000 ? 5_400 : 0 }, errors: [], stopped: false };
  }

  history(query: HistoryQuery): HistoryPage {
    this.#log ??= this.#invent();
    const size = query.limit === 0 ? 200 : query.limit;
    const fits = this.#log.filter((line) => (query.rule === null || line.rule === query.rule) && (query.source === null || line.source === query.source) && (query.alert === null || line.alert === query.alert)
      && (query.from === null || line.at >= query.from) && (query.to === null || line.at <= query.to) && (query.before === null || line.id < query.before));
    const lines = fits.slice(0, size);
    const alerts = new Set(lines.map((line) => line.alert));
    return { lines, more: fits.length > size, notes: this.notes.filter((note) => note.alert === null || alerts.has(note.alert)), rules: [...new Set(this.#log.map((line) => line.rule))] };
  }

  record(alert: string, transition: Transition): void {
    this.#log ??= this.#invent();
    const row = this.#floor.alerts.find((one) => one.id === alert);
    if (!row) return;
    const { rule, severity, source, subject, metric: name, value, limit, unit, reason } = row;
    this.#log = [{ id: (this.#log[0]?.id ?? 0) + 1, at: new Date().toISOString(), transition, alert, rule, severity, source, subject, metric: name, value, limit, unit, n: null, actor: 'you', source_age_s: 1.2, reason }, ...this.#log];
  }

  #invent(): HistoryLine[] {
    const lines: Array<Omit<HistoryLine, 'id'>> = [];
    const put = (at: number, transition: Transition, from: AlertRow, value: number | null, extra: Partial<HistoryLine> = {}) =>
      lines.push({ at: new Date(at).toISOString(), transition, alert: from.id, rule: from.rule, severity: from.severity, source: from.source, subject: from.subject, metric: from.metric, value, limit: from.limit, unit: from.unit, n: null, actor: null, source_age_s: 0.8, reason: from.reason, ...extra });
    const now = Date.now();
    for (const row of this.#floor.alerts.slice(0, 50)) if (row.since !== null) put(row.since, 'firing', row, row.value);
    const kinds: Transition[] = ['pending', 'firing', 'acked', 'recovering', 'resolved'];
    for (let episode = 0; episode < 160; episode++) {
      const base = this.#floor.alerts[episode % 3];
      if (!base) break;
      const begin = now - 600_000 - episode * 1_130_000;
      const one = { ...base, id: `past-${episode}`, severity: episode % 4 ? ('warning' as const) : ('critical' as const) };
      kinds.forEach((kind, index) => {
        if (kind === 'acked' && episode % 3) return;
        put(begin + index * 42_000, kind, one, one.value === null ? null : one.value * (1 - index / 12), { actor: kind === 'acked' ? 'Sam Field' : null, n: episode % 5 === 0 ? 41 : null, source_age_s: episode % 7 ? 1.4 : 12 });
      });
    }
    this.notes.push({ id: 1, at: new Date(now - 500_000).toISOString(), actor: 'Sam Field', alert: 'past-0', text: 'Two people were ill; the night team helped out.' });
    return lines.sort((a, b) => (a.at < b.at ? 1 : -1)).map((line, index) => ({ ...line, id: lines.length - index }));
  }
}
