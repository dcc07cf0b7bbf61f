// The invented floor itself: a few queues, agents and people who come, wait and are helped.

import type {
  AgentRow, AlertRow, Card, Cell, Certainty, ConversationRow, Need, Presence, QueueKind, QueueRow, SourceForm,
  SourceRow, Status, Vendor,
} from './gen';

export type Scene = 'live' | 'empty' | 'connecting' | 'offline' | 'config-error' | 'big' | 'personal';
interface Talk extends ConversationRow {
  queue_id: string | null;
}

const SEP = '\u001f';

export function cell(value: number | null, certainty: Certainty = value === null ? 'unknown' : 'known', n: number | null = null): Cell {
  return { value, certainty, origin: certainty === 'not_given' ? null : 'derived', n };
}
const none = (): Cell => cell(null, 'not_given');

/** Repeatable chance, so that every run of a test sees the same floor. */
function dice(seed: number): () => number {
  let state = seed;
  return () => ((state = (state * 16807) % 2147483647) / 2147483647);
}

interface Plan {
  source: string; vendor: Vendor; name: string; kind: QueueKind; waits: number[]; free: number | null; slots: number | null;
  online: number; sl: [number, number] | null; left: number | null; rise: number;
}
const PLAN: Plan[] = [
  { source: 'shop', vendor: 'comm100', name: 'Billing EU', kind: 'department', waits: [252, 185, 151, 104, 62, 48, 40, 31, 12], free: 0, slots: 24, online: 6, sl: [0.58, 71], left: 5, rise: 14 },
  { source: 'care', vendor: 'pingstreams', name: 'Service desk', kind: 'department', waits: [91, 80, 62, 44, 30, 12, 5], free: 2, slots: 20, online: 5, sl: [0.81, 38], left: null, rise: 6 },
  { source: 'nord', vendor: 'pingstreams', name: 'Nordic shop', kind: 'department', waits: [70, 33, 20, 4], free: 3, slots: 14, online: 4, sl: null, left: null, rise: 1 },
  { source: 'shop', vendor: 'comm100', name: 'Cards & loans', kind: 'department', waits: [38, 10], free: 5, slots: 30, online: 10, sl: [0.91, 64], left: 2, rise: 0 },
  { source: 'care', vendor: 'pingstreams', name: 'Onboarding', kind: 'department', waits: [22], free: 4, slots: 12, online: 4, sl: [0.88, 17], left: null, rise: 0 },
  { source: 'shop', vendor: 'comm100', name: 'Returns', kind: 'department', waits: [], free: 11, slots: 32, online: 8, sl: [0.96, 52], left: 1, rise: 0 },
  { source: 'care', vendor: 'pingstreams', name: 'Technical', kind: 'department', waits: [], free: 2, slots: 9, online: 3, sl: [0.75, 4], left: null, rise: 0 },
  { source: 'shop', vendor: 'comm100', name: 'Wholesale', kind: 'department', waits: [], free: 8, slots: 8, online: 2, sl: null, left: 0, rise: 0 },
  { source: 'shop', vendor: 'comm100', name: 'Insurance', kind: 'department', waits: [], free: 4, slots: 12, online: 4, sl: [1, 12], left: 0, rise: 0 },
  { source: 'care', vendor: 'pingstreams', name: 'خدمة العملاء', kind: 'department', waits: [], free: null, slots: null, online: 2, sl: null, left: null, rise: 0 },
  { source: 'shop', vendor: 'comm100', name: 'Partner integrations, marketplace sellers and everything else that has no name', kind: 'department', waits: [], free: 6, slots: 18, online: 5, sl: [0.94, 33], left: 0, rise: 0 },
];
const PEOPLE = ['Marta L.', 'visitor 88 201', 'Юрій К.', 'visitor 88 214', 'A. Okafor', 'Chen W.', 'visitor 88 230', 'R. Silva', 'visitor 88 241'];
const STAFF: Array<[string, Presence, string | null, number, number, number, 'observed' | 'at_least']> = [
  ['Ines Roth', 'busy', null, 4, 4, 760, 'at_least'], ['Tom Baker', 'busy', null, 4, 4, 362, 'observed'], ['Priya N.', 'available', null, 3, 4, 75, 'observed'],
  ['Jo Lund', 'away', 'Lunch', 0, 4, 1290, 'observed'], ['Mika Saar', 'available', null, 1, 3, 5025, 'at_least'], ['Ana Reyes', 'idle', null, 0, 4, 410, 'observed'],
  ['Bo Diaz', 'available', null, 0, 3, 52, 'observed'], ['Kim Oda', 'offline', null, 0, 4, 9000, 'at_least'], ['Lea Brandt', 'unknown', 'custom-7', 0, 4, 30, 'observed'],
];

export class Invented {
  queues: QueueRow[] = [];
  agents: AgentRow[] = [];
  conversations: Talk[] = [];
  alerts: AlertRow[] = [];
  sources: SourceRow[] = [];
  #scene: Scene;
  #started: number;
  #dice = dice(7);

  constructor(now: number, scene: Scene) {
    this.#scene = scene;
    this.#started = now;
    if (scene === 'empty' || scene === 'config-error') return;
    this.sources = [
      this.#source('shop', 'Contoso shop', 'comm100', now), this.#source('care', 'Customer care', 'pingstreams', now),
      { ...this.#source('nord', 'Nordic shop', 'pingstreams', now), health: 'retrying', health_since: now - 52_000, last_data_at: now - 52_000, last_error: 'The server answered 502; it is busy or restarting.', retry_at: now + 8_000 },
    ];
    if (scene === 'connecting') {
      this.sources = this.sources.map((row) => ({ ...row, health: 'connecting', last_data_at: null, last_error: null, retry_at: null, queues: 0, agents: 0, conversations: 0 }));
      return;
    }
    PLAN.forEach((plan, index) => this.#addQueue(plan, index, now));
    if (scene === 'big') for (let i = 0; i < 489; i++) this.#addQueue({ ...PLAN[3 + (i % 7)]!, name: `Queue ${i + 12}`, waits: i % 5 ? [] : [i % 50] }, i + 11, now);
    if (scene === 'personal') STAFF.forEach(([name], i) => this.#addQueue({ ...PLAN[5]!, name, kind: 'personal', source: i % 4 === 3 ? 'nord' : 'shop', waits: i === 2 ? [35] : [], sl: null, left: null, slots: 4, free: 4, online: 1 }, i + 11, now));
    const staff = scene === 'big' ? 5_000 : STAFF.length * 2;
    for (let i = 0; i < staff; i++) this.#addAgent(i, now);
    this.#addAlerts(now);
    if (scene === 'offline') this.#age(now);
    this.#count();
  }

  sortedQueues(): QueueRow[] {
    const rank: Record<Need, number> = { critical: 0, warning: 1, stale: 2, normal: 3 };
    return [...this.queues].sort((a, b) => rank[a.need] - rank[b.need] || (a.waiting_since ?? Infinity) - (b.waiting_since ?? Infinity)
      || (b.waiting.value ?? 0) - (a.waiting.value ?? 0) || a.name.localeCompare(b.name));
  }

  status(now: number): Status {
    const known = this.queues.filter((row) => row.live || this.#scene === 'offline');
    const sum = (pick: (row: QueueRow) => number | null) => known.reduce((all, row) => all + (pick(row) ?? 0), 0);
    const waiting = sum((row) => row.waiting.value);
    const oldest = known.reduce<number | null>((old, row) => (row.waiting_since !== null && row.waiting_since < (old ?? Infinity) ? row.waiting_since : old), null);
    const longest = oldest === null ? 0 : (now - oldest) / 1000;
    const online = this.agents.filter((row) => row.presence !== 'offline' && row.presence !== 'unknown').length;
    const offline = this.#scene === 'offline';
    const worst = this.sortedQueues()[0];
    const trend = (up: number) => Array.from({ length: 60 }, (_, i) => Math.max(0, 4 + 2 * Math.sin(i / 4 + up) + up * (i / 60) ** 3));
    const card = (kind: Card['kind'], value: number | null, target: number | null, of: number | null, need: Need, up: number, extra: Partial<Card> = {}): Card => ({
      kind, cell: cell(value, offline ? 'stale' : undefined), since: null, of, target, need: offline ? 'stale' : need,
      sources_known: 2, sources_all: this.sources.length, trend: trend(up), formula: 'as in the dictionary', ...extra,
    });
    const mode = this.#scene === 'empty' || this.#scene === 'config-error' ? 'empty' : this.#scene === 'connecting' ? 'connecting' : 'live';
    return {
      floor: offline ? { mode: 'offline', since: this.#started - 300_000, last_data_at: this.#started - 313_000 } : { mode: this.sources.length === 0 ? 'empty' : mode },
      queues_late: this.queues.filter((row) => row.need === 'critical').length,
      queues_slow: this.queues.filter((row) => row.need === 'warning').length,
      sources_not_live: this.sources.filter((row) => row.health !== 'live').length,
      alerts_firing: this.alerts.filter((row) => row.state === 'firing').length,
      critical_firing: this.alerts.filter((row) => row.state === 'firing' && row.severity === 'critical').length,
      waiting: offline ? null : waiting, agents_online: offline ? null : online, agents: this.agents.length, queues: this.queues.length,
      worst_queue: worst && worst.need !== 'normal' && worst.need !== 'stale' ? worst : null,
      cards: mode !== 'live' ? [] : [
        card('waiting', waiting, 15, null, waiting > 15 ? 'warning' : 'normal', 6),
        card('longest', longest, 120, null, longest > 120 ? 'critical' : longest > 60 ? 'warning' : 'normal', 9, { since: oldest }),
        card('free_slots', sum((row) => row.free.value), null, sum((row) => row.capacity.value), 'normal', -2),
        card('service_level', 0.78, 0.8, null, 'warning', -1, { cell: cell(0.78, offline ? 'stale' : 'known', 212) }),
        card('abandoned', 8, null, null, 'normal', 1),
        card('online', online, null, this.agents.length, 'normal', 0, { sources_known: 3 }),
      ],
      changes_per_minute: offline ? 0 : 138,
      last_change_at: offline ? this.#started - 313_000 : now - 400,
    };
  }

  /** Somebody comes, somebody is helped. */
  step(now: number): void {
    if (this.#scene === 'offline' || this.sources.length === 0 || this.queues.length === 0) return;
    for (const row of this.queues) {
      if (!row.live) continue;
      row.data_at = now - Math.floor(this.#dice() * 3_000);
      const waiting = this.conversations.filter((talk) => talk.queue_id === row.id && talk.state === 'waiting');
      if (row.name !== 'Billing EU' && waiting.length > 0 && this.#dice() < 0.05) this.#help(waiting[0]!, now);
      if (this.#dice() < 0.02) this.#arrive(row, now);
      this.#judge(row, now);
    }
    for (const row of this.sources) if (row.health === 'live') row.last_data_at = now - Math.floor(this.#dice() * 2_000);
    this.#count();
  }

  addSource(form: SourceForm, now: number): void {
    this.removeSource(form.id);
    this.sources.push({ ...this.#source(form.id, form.name, form.vendor, now), health: 'connecting', last_data_at: null });
  }

  removeSource(id: string): void {
    this.sources = this.sources.filter((row) => row.id !== id);
    this.queues = this.queues.filter((row) => row.source !== id);
    this.agents = this.agents.filter((row) => row.source !== id);
    this.conversations = this.conversations.filter((row) => row.source !== id);
    this.alerts = this.alerts.filter((row) => row.source !== id);
  }

  #source(id: string, name: string, vendor: Vendor, now: number): SourceRow {
    return { key: id, id, name, vendor, health: 'live', health_since: now - 3_600_000, last_data_at: now - 1_500, last_error: null, retry_at: null,
      clock_skew_s: 0.3, gaps: [], queues: 0, agents: 0, conversations: 0, changes_per_minute: 64 };
  }

  #addQueue(plan: Plan, index: number, now: number): void {
    const live = plan.source !== 'nord';
    const sure: Certainty = live ? 'known' : 'stale';
    const id = `q${index}`;
    const wait = plan.waits[0];
    const row: QueueRow = {
      key: plan.source + SEP + id, source: plan.source, id, name: plan.name, kind: plan.kind, vendor: plan.vendor,
      source_name: this.sources.find((s) => s.id === plan.source)?.name ?? plan.source, need: 'normal', acked: false,
      waiting: cell(plan.waits.length, sure), waiting_since: wait === undefined ? null : now - wait * 1000, longest: sure,
      expected_at: plan.waits.length > 3 && live ? now + plan.waits.length * 40_000 : null,
      open: cell(plan.slots === null || plan.free === null ? null : plan.slots - plan.free, sure),
      capacity: plan.slots === null ? none() : cell(plan.slots, sure), free: plan.free === null ? none() : cell(plan.free, sure), online: cell(live ? plan.online : null, live ? 'known' : 'unknown'),
      service_level: plan.sl ? cell(plan.sl[0], sure, plan.sl[1]) : cell(null, live ? 'not_given' : 'unknown'),
      abandoned: plan.left === null ? none() : cell(plan.left, sure), average_wait: none(),
      trend: Array.from({ length: 60 }, (_, i) => (index === 7 && i < 20 ? null : Math.max(0, Math.round(1.2 + plan.waits.length / 6 + Math.sin(i / 4 + index) + this.#dice() * 1.5 + plan.rise * (i / 60) ** 3)))),
      data_at: live ? now - 2_000 : now - 52_000, live, console_url: index === 0 ? 'https://console.example.com/q0' : null,
    };
    this.queues.push(row);
    plan.waits.forEach((seconds, i) => this.#talk(row, PEOPLE[i % PEOPLE.length]!, now - seconds * 1000, 'waiting', null));
    if (live) for (let i = 0; i < 2; i++) this.#talk(row, `visitor 77 ${100 + index * 3 + i}`, now - 400_000 - i * 90_000, 'active', now - 300_000);
    this.#judge(row, now);
  }

  #addAgent(i: number, now: number): void {
    const [name, presence, label, open, all, seconds, kind] = STAFF[i % STAFF.length]!;
    const source = i < STAFF.length ? 'shop' : 'care';
    const named = i < STAFF.length * 2 ? name + (i < STAFF.length ? '' : ' (night)') : `${name} ${i}`;
    this.agents.push({ key: `${source}${SEP}a${i}`, source, id: `a${i}`, name: named, vendor: source === 'shop' ? 'comm100' : 'pingstreams',
      source_name: source === 'shop' ? 'Contoso shop' : 'Customer care', presence, presence_label: label, flags: null, presence_since: now - seconds * 1000, presence_since_kind: kind,
      logged_in_at: i % 2 ? null : now - 5 * 3_600_000, open: cell(open), capacity: i % 7 === 6 ? none() : cell(all), need: 'normal', acked: false, live: true, data_at: now - 2_000 });
  }

  #addAlerts(now: number): void {
    const alert = (id: string, row: Partial<AlertRow>): AlertRow => ({
      key: id, id, rule: 'Long wait', severity: 'warning', state: 'firing', overlays: [], source: 'shop', source_name: 'Contoso shop', vendor: 'comm100',
      subject: { kind: 'queue', id: 'q0', name: 'Billing EU' }, metric: 'longest_wait', value: 252, limit: 120, unit: 'seconds',
      reason: 'Somebody has waited 4:12 in Billing EU; the limit is 2:00.', since: now - 132_000, acked_until: null, snoozed_until: null, flapping: false, counts_from: null, ...row });
    this.alerts = [
      alert('e1', { severity: 'critical', counts_from: now - 252_000 }),
      alert('e2', { rule: 'Waiting per agent', source: 'care', source_name: 'Customer care', vendor: 'pingstreams', subject: { kind: 'queue', id: 'q1', name: 'Service desk' }, metric: 'waiting_per_agent', value: 1.4, limit: 1, unit: 'count', reason: '7 people wait for 5 agents online.', since: now - 48_000 }),
      alert('e3', { rule: 'Source not live', source: 'nord', source_name: 'Nordic shop', vendor: 'pingstreams', subject: { kind: 'source', id: 'nord', name: 'Nordic shop' }, metric: 'data_age', value: 52, limit: 15, unit: 'seconds', reason: 'No data for 52 s; the last figures are old.', since: now - 37_000 }),
      alert('e4', { source: 'nord', source_name: 'Nordic shop', vendor: 'pingstreams', subject: { kind: 'queue', id: 'q2', name: 'Nordic shop' }, overlays: ['inhibited', 'unknown'], value: null, since: now - 20_000, reason: 'Not known now: Nordic shop is not live.' }),
    ];
  }

  #talk(row: QueueRow, who: string, since: number, state: 'waiting' | 'active', answered: number | null): void {
    const id = `c${this.conversations.length + 1}-${Math.floor(this.#dice() * 1e6)}`;
    this.conversations.push({ key: row.source + SEP + id, source: row.source, id, vendor: row.vendor, source_name: row.source_name, state, title: who, queue_name: row.name, queue_id: row.id,
      agent_names: state === 'active' ? [STAFF[this.conversations.length % 4]![0]] : [], waiting_since: since, answered_at: answered,
      last_customer_message_at: state === 'active' ? since + 250_000 : since, last_agent_message_at: state === 'active' ? since + (this.conversations.length % 2 ? 300_000 : 200_000) : null,
      channel: row.vendor === 'comm100' ? 'chat' : null, started_via: null, started_via_label: null, created_at: since, expected_at: null,
      need: 'normal', live: row.live });
    this.conversations.sort((a, b) => (a.state === b.state ? (a.waiting_since ?? 0) - (b.waiting_since ?? 0) : a.state === 'waiting' ? -1 : 1));
  }

  #arrive(row: QueueRow, now: number): void {
    this.#talk(row, `visitor ${90_000 + Math.floor(this.#dice() * 9_000)}`, now, 'waiting', null);
  }

  #help(talk: Talk, now: number): void {
    talk.state = 'active';
    talk.answered_at = now;
    talk.agent_names = ['Priya N.'];
  }

  #judge(row: QueueRow, now: number): void {
    const waits = this.conversations.filter((talk) => talk.queue_id === row.id && talk.state === 'waiting');
    row.waiting = cell(waits.length, row.live ? 'known' : 'stale');
    row.waiting_since = waits[0]?.waiting_since ?? null;
    for (const talk of waits) {
      const seconds = (now - (talk.waiting_since ?? now)) / 1000;
      talk.need = !row.live ? 'stale' : seconds > 120 ? 'critical' : seconds > 90 ? 'warning' : 'normal';
    }
    row.need = waits[0]?.need ?? (row.live ? 'normal' : 'stale');
    row.trend = [...row.trend.slice(0, -1), Math.max(row.trend.at(-1) ?? 0, waits.length)];
  }

  #age(now: number): void {
    this.sources = this.sources.map((row) => ({ ...row, health: 'retrying', health_since: now - 300_000, last_data_at: now - 313_000, last_error: 'This computer has no network; trying again by itself.', retry_at: now + 12_000 }));
    const old = (c: Cell): Cell => (c.certainty === 'known' ? { ...c, certainty: 'stale' } : c);
    this.queues = this.queues.map((row) => ({ ...row, need: 'stale', live: false, data_at: now - 313_000, waiting: old(row.waiting), longest: 'stale', expected_at: null,
      waiting_since: row.waiting_since === null ? null : row.waiting_since - 313_000, free: old(row.free), online: old(row.online), service_level: old(row.service_level), abandoned: old(row.abandoned), capacity: old(row.capacity) }));
    this.agents = this.agents.map((row) => ({ ...row, live: false, need: 'stale', data_at: now - 313_000, open: old(row.open), capacity: old(row.capacity) }));
    this.conversations = this.conversations.map((row) => ({ ...row, live: false, need: 'stale' }));
    this.alerts = this.alerts.map((row) => ({ ...row, overlays: ['unknown'] }));
  }

  #count(): void {
    for (const row of this.sources) {
      row.queues = this.queues.filter((q) => q.source === row.id).length;
      row.agents = this.agents.filter((a) => a.source === row.id).length;
      row.conversations = this.conversations.filter((c) => c.source === row.id).length;
    }
  }
}

export function floorAt(now: number, scene: Scene): Invented {
  return new Invented(now, scene);
}
