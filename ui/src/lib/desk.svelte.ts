// What the whole screen shares: the host, the clock, the words, the live views that every place needs,
// where one is and what is selected. One object a window, handed down by context.

import { getContext, setContext } from 'svelte';

import { queueKey } from './format/alert';
import { formats, systemLocale, usable, usableZone, type Formats } from './format/locale';
import type { AlertRow, Ask, Budget, Hello, Preferences, QueueRow, SourceRow, VendorSpec, ViewSpec } from './host/gen';
import { asFailure, type Answer, type AskFailure, type Host, type Link } from './host/host';
import { Clock } from './live/clock.svelte';
import type { Keyed } from './live/fold';
import { LiveTable } from './live/table.svelte';
import { catalogue, en, type Words } from './words';

export const PLACES = ['floor', 'agents', 'conversations', 'alerts', 'sources', 'settings'] as const;
export type Place = (typeof PLACES)[number];

/** The parts of the alerts' place. */
export const PARTS = ['active', 'history', 'rules'] as const;
export type Part = (typeof PARTS)[number];

/** The tense of what is shown, with the link to the program taken into account. */
export type Tense =
  | { mode: 'live' }
  | { mode: 'connecting' }
  | { mode: 'empty' }
  | { mode: 'offline'; since: number; lastData: number | null; unreachable: boolean };

/** What the selected row of a place offers to the keys. */
export interface Handles {
  /** Moves the selection by so many rows. */
  move(by: number): void;
  open(): void;
  /** True when there was something to close. */
  close(): boolean;
  resume(): void;
  focusFilter(): void;
  /** The alert that `a` and `s` are about; null: the worst one. */
  alert(): AlertRow | null;
}

export class Desk {
  readonly host: Host;
  readonly clock = new Clock();
  readonly status: LiveTable<Keyed>;
  readonly queues: LiveTable<QueueRow>;
  readonly alerts: LiveTable<AlertRow>;
  readonly sources: LiveTable<SourceRow>;

  hello = $state.raw<Hello | null>(null);
  helloFailure = $state.raw<AskFailure | null>(null);
  vendors = $state.raw<VendorSpec[]>([]);
  words = $state.raw<Words>(en);
  link = $state.raw<Link>({ up: true });
  place = $state<Place>('floor');
  /** Which part of the alerts is shown. */
  part = $state<Part>('active');
  /** Id of an alert that somebody wants to see; the list of active ones takes it. */
  alert = $state<string | null>(null);
  /** Name of a rule that somebody wants to see; the rules take it. */
  rule = $state<string | null>(null);
  /** How loud the rules were in the last hour. */
  budget = $state.raw<Budget | null>(null);
  /** Key of the queue that the drawer shows. */
  queue = $state<string | null>(null);
  /** Sentences that stay until they are dismissed. */
  notices = $state.raw<string[]>([]);
  /** Opens the add form at once when the place is entered. */
  adding = $state(false);
  /** The alert whose snooze menu the keyboard asked for. */
  snoozing = $state<string | null>(null);
  systemDark = $state(false);
  /** A row that the palette found, for the place that is entered. */
  seek = $state<string | null>(null);
  handles: Handles | null = null;

  #closers: Array<() => void> = [];
  /** Notices of the program that were shown once; dismissed ones stay away. */
  readonly #told = new Set<string>();

  constructor(host: Host) {
    this.host = host;
    this.status = this.live<Keyed>({ view: 'status' });
    this.queues = this.live<QueueRow>({ view: 'queues' });
    this.alerts = this.live<AlertRow>({ view: 'alerts' });
    this.sources = this.live<SourceRow>({ view: 'sources' });
    this.#closers.push(this.clock.start());
    let wasUp = true;
    this.#closers.push(
      host.onLink((link) => {
        this.link = link;
        if (link.up && !wasUp) void this.greet();
        wasUp = link.up;
      }),
    );
    this.#watchScheme();
    void this.greet();
    const news = setInterval(() => void this.#news(), 10_000);
    this.#closers.push(() => clearInterval(news));
    void this.#count();
  }

  /** How loud the rules are. A face that does not count leaves it unsaid. */
  async #count(): Promise<void> {
    try {
      this.budget = await this.host.ask({ ask: 'budget' });
    } catch {
      this.budget = null;
    }
  }

  /** What came up since the greeting: a desktop that shows no notifications, a store that broke. */
  async #news(): Promise<void> {
    try {
      const { notices } = await this.host.ask({ ask: 'hello' });
      notices.filter((sentence) => !this.#told.has(sentence)).forEach((sentence) => this.#tell(sentence));
      await this.#count();
    } catch {
      // The program is out of reach; the link says so already.
    }
  }

  #tell(sentence: string): void {
    this.#told.add(sentence);
    this.notice(sentence);
  }

  /** Opens a live view that ends with the desk at the latest; close it earlier when a place is left. */
  live<R extends Keyed>(spec: ViewSpec): LiveTable<R> {
    const table = new LiveTable<R>(this.host, this.clock, spec);
    this.#closers.push(() => table.close());
    return table;
  }

  close(): void {
    for (const close of this.#closers.splice(0)) close();
  }

  async greet(): Promise<void> {
    try {
      const hello = await this.host.ask({ ask: 'hello' });
      const first = this.hello === null;
      this.hello = hello;
      this.helloFailure = null;
      if (first) hello.notices.forEach((sentence) => this.#tell(sentence));
      await this.#useWords(hello.preferences.language);
      this.vendors = await this.host.ask({ ask: 'vendors' });
    } catch (thrown) {
      this.helloFailure = asFailure(thrown);
    }
  }

  /** Asks, and says a failure in the notices. For actions that have no place of their own for it. */
  async act<A extends Ask>(ask: A): Promise<Answer<A> | undefined> {
    try {
      return await this.host.ask(ask);
    } catch (thrown) {
      this.notice(asFailure(thrown).sentence);
      return undefined;
    }
  }

  notice(sentence: string): void {
    if (!this.notices.includes(sentence)) this.notices = [...this.notices, sentence].slice(-4);
  }

  dismiss(sentence: string): void {
    this.notices = this.notices.filter((other) => other !== sentence);
  }

  /** Takes effect at once; a choice that could not be kept is said and taken back. */
  async prefer(preferences: Preferences): Promise<boolean> {
    const hello = this.hello;
    if (!hello) return false;
    const before = hello.preferences;
    this.hello = { ...hello, preferences };
    try {
      await this.host.ask({ ask: 'set_preferences', preferences });
      void this.#count();
      if (before.language !== preferences.language) await this.#useWords(preferences.language);
      return true;
    } catch (thrown) {
      this.hello = { ...hello, preferences: before };
      this.notice(asFailure(thrown).sentence);
      return false;
    }
  }

  go(place: Place): void {
    this.place = place;
  }

  showPart(part: Part): void {
    this.part = part;
    this.place = 'alerts';
  }

  /** The row that an alert is about, else the alert itself, also when it is over meanwhile. */
  showAlert(id: string): void {
    const row = this.alerts.rows.find((one) => one.id === id);
    const key = row ? queueKey(row) : null;
    if (key !== null && this.queues.get(key)) {
      this.showQueue(key);
      return;
    }
    this.alert = id;
    this.showPart('active');
  }

  showRule(name: string): void {
    this.rule = name;
    this.showPart('rules');
  }

  showQueue(key: string): void {
    this.place = 'floor';
    this.queue = key;
  }

  get formats(): Formats {
    return this.#formats;
  }
  #formats = $derived.by(() => {
    const wanted = this.hello?.preferences.language ?? 'system';
    const system = systemLocale();
    const locale = wanted === 'system' ? system : (usable(wanted) ?? system);
    // The system's own variant (en-GB) wins over the bare language that was chosen.
    const best = system.split('-')[0] === locale.split('-')[0] ? system : locale;
    return formats(best, this.zone);
  });

  get zone(): string | undefined {
    return usableZone(this.hello?.preferences.zone) ?? usableZone(this.hello?.zone);
  }

  get tense(): Tense {
    return this.#tense;
  }
  #tense: Tense = $derived.by(() => {
    const floor = this.status.status?.floor;
    if (!this.link.up) {
      const last = this.sources.rows.reduce<number | null>(
        (newest, row) => (row.last_data_at !== null && row.last_data_at > (newest ?? 0) ? row.last_data_at : newest),
        null,
      );
      return { mode: 'offline', since: this.link.since, lastData: last, unreachable: true };
    }
    if (!floor) return { mode: 'connecting' };
    if (floor.mode === 'offline') {
      return { mode: 'offline', since: floor.since, lastData: floor.last_data_at, unreachable: false };
    }
    return { mode: floor.mode };
  });

  get theme(): 'light' | 'dark' {
    const wanted = this.hello?.preferences.theme;
    if (wanted === 'light' || wanted === 'dark') return wanted;
    return this.systemDark ? 'dark' : 'light';
  }

  /** When a row's source last told something. The source's own row moves with every answer; a quiet row does not. */
  dataAt(row: { source: string; data_at: number | null }): number | null {
    const told = this.#toldAt.get(row.source) ?? null;
    return told === null ? row.data_at : Math.max(told, row.data_at ?? 0);
  }
  #toldAt = $derived.by(() => new Map(this.sources.rows.map((row) => [row.id, row.last_data_at])));

  /** Alerts that ask for somebody now: firing, and nothing over them. */
  get asking(): AlertRow[] {
    return this.#asking;
  }
  #asking = $derived.by(() =>
    this.alerts.rows.filter((row) => row.state === 'firing' && row.overlays.every((o) => o === 'unknown')),
  );

  vendor(name: string): VendorSpec | undefined {
    return this.vendors.find((spec) => spec.vendor === name);
  }

  acknowledge(alert: AlertRow): void {
    void this.act({ ask: 'acknowledge', alert: alert.id });
  }

  /** For minutes, until it is over, or until the shift ends. */
  snooze(alert: AlertRow, until: number | 'clear' | 'shift'): void {
    const minutes = typeof until === 'number' ? until : null;
    void this.act({ ask: 'snooze', alert: alert.id, minutes, ...(until === 'shift' ? { shift_end: true } : {}) });
  }

  async #useWords(language: string): Promise<void> {
    this.words = await catalogue(language === 'system' ? systemLocale() : language);
  }

  #watchScheme(): void {
    const query = window.matchMedia('(prefers-color-scheme: dark)');
    this.systemDark = query.matches;
    const on = (event: MediaQueryListEvent) => (this.systemDark = event.matches);
    query.addEventListener('change', on);
    this.#closers.push(() => query.removeEventListener('change', on));
  }
}

const DESK = Symbol('desk');

export function provideDesk(desk: Desk): void {
  setContext(DESK, desk);
}

export function useDesk(): Desk {
  return getContext<Desk>(DESK);
}
