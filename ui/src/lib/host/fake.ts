// An invented floor: for tests, for design, and behind the demo door. It moves by itself, answers like the
// program, and connects to nothing. Its people and queues do not exist.

import { cell, floorAt, type Invented, type Scene } from './fake-floor';
import { FakeRules, METRICS } from './fake-rules';
import { storm } from './fake-storm';
import { diagnostics } from './fake-diagnostics';
import { VENDORS } from './fake-vendors';
import type { Ask, ConfiguredSource, Hello, Row, Status, ViewMessage, ViewSpec } from './gen';
import { AskFailure, type Answer, type Host, type Link, type Unsubscribe } from './host';

export interface FakeOptions {
  /** `live` moves; the others are states of the screen. */
  scene?: Scene;
  /** Whether the floor moves by itself. */
  moving?: boolean;
  /** More alerts in the last hour than a person can take. */
  loud?: boolean;
  /** Warnings that the desktop's do-not-disturb keeps waiting. */
  withheld?: number;
  /** Instant of the first snapshot; the real clock when absent. */
  now?: () => number;
  hello?: Partial<Hello>;
  preferences?: Partial<Hello['preferences']>;
}

interface Watcher {
  spec: ViewSpec;
  on: (message: ViewMessage) => void;
  seq: number;
  sent: Map<string, string>;
  order: string;
}

const PREFERENCES: Hello['preferences'] = {
  theme: 'system',
  density: 'normal',
  language: 'system',
  zone: 'system',
  sound: 'all',
  sound_tones: 'two',
  sound_volume: 70,
  mute: [],
  shift_ends: ['16:00', '23:00'],
  close_to_tray: true,
  retention_days: 90,
  hide_empty_personal: false,
};

export class FakeHost implements Host {
  readonly sounds = 'page' as const;
  /** Every question asked, for tests. */
  readonly asked: Ask[] = [];
  readonly floor: Invented;
  readonly rules: FakeRules;
  #options: FakeOptions;
  #hello: Hello;
  #watchers = new Set<Watcher>();
  #links = new Set<(link: Link) => void>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #configured: ConfiguredSource[] = [];

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.floor = floorAt(this.now(), options.scene ?? 'live');
    this.rules = new FakeRules(this.floor);
    this.#hello = {
      version: '0.1.0',
      demo: true,
      config_path: 'floorwalker.toml',
      config_error:
        options.scene === 'config-error'
          ? 'Line 4: `venodr` is not a key of a source; did you mean `vendor`?'
          : null,
      notices: [],
      zone: 'Europe/Helsinki',
      ...options.hello,
      preferences: { ...PREFERENCES, ...options.preferences },
    };
    this.#configured = this.floor.sources.map((row) => ({
      form: {
        id: row.id,
        name: row.name,
        vendor: row.vendor,
        enabled: row.health !== 'disabled',
        url: 'https://chat.example.com',
        ca_file: null,
        proxy: null,
        poll: null,
        secret_env: null,
        console_url: null,
        keys: {},
      },
      secret: 'keychain',
    }));
    if (options.moving) this.#timer = setInterval(() => this.step(), 1_000);
  }

  /** For design builds: `?scene=offline&theme=dark&density=compact&language=de&still`. */
  static fromAddress(address: URL): FakeHost {
    const get = (name: string) => address.searchParams.get(name);
    const preferences: Partial<Hello['preferences']> = {};
    for (const key of ['theme', 'density', 'language'] as const) {
      const value = get(key);
      if (value) preferences[key] = value;
    }
    return new FakeHost({
      scene: (get('scene') ?? 'live') as Scene,
      moving: get('still') === null,
      loud: get('loud') !== null,
      preferences,
      hello: { demo: get('demo') !== null, notices: get('notice') ? [String(get('notice'))] : [] },
    });
  }

  now(): number {
    return this.#options.now?.() ?? Date.now();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#watchers.clear();
  }

  async ask<A extends Ask>(ask: A): Promise<Answer<A>> {
    this.asked.push(ask);
    await Promise.resolve();
    return this.#answer(ask) as Answer<A>;
  }

  subscribe(spec: ViewSpec, on: (message: ViewMessage) => void): Promise<Unsubscribe> {
    const watcher: Watcher = { spec, on, seq: 0, sent: new Map(), order: '' };
    this.#watchers.add(watcher);
    queueMicrotask(() => this.#send(watcher));
    return Promise.resolve(() => this.#watchers.delete(watcher));
  }

  onLink(on: (link: Link) => void): Unsubscribe {
    this.#links.add(on);
    on({ up: true });
    return () => this.#links.delete(on);
  }

  /** Cuts or restores the link, for tests. */
  setLink(link: Link): void {
    for (const on of this.#links) on(link);
  }

  /** Ten thousand alerts in ten seconds; the floor stands still meanwhile. */
  storm(count = 10_000, ms = 10_000): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    return storm(() => [...this.#watchers].filter((one) => one.spec.view === 'alerts'), this.floor.alerts, count, ms);
  }

  /** Lets the floor move by one step and tells everybody. */
  step(): void {
    this.floor.step(this.now());
    this.push();
  }

  /** Sends what changed; tests change `floor` and call this. */
  push(): void {
    for (const watcher of [...this.#watchers]) this.#send(watcher);
  }

  #answer(ask: Ask): unknown {
    const { floor } = this;
    switch (ask.ask) {
      case 'hello':
        return this.#hello;
      case 'vendors':
        return VENDORS;
      case 'sources':
        return this.#configured;
      case 'diagnostics':
        return diagnostics(this.now());
      case 'set_preferences':
        this.#hello = { ...this.#hello, preferences: ask.preferences };
        return undefined;
      case 'acknowledge':
      case 'unacknowledge': {
        const alert = floor.alerts.find((row) => row.id === ask.alert);
        if (!alert) throw notFound('This alert is over already; nothing was changed.');
        alert.state = ask.ask === 'acknowledge' ? 'acked' : 'firing';
        alert.acked_until = ask.ask === 'acknowledge' ? this.now() + 600_000 : null;
        this.rules.record(ask.alert, ask.ask === 'acknowledge' ? 'acked' : 'unacked');
        for (const queue of floor.queues) {
          if (queue.source === alert.source && queue.id === alert.subject.id) queue.acked = alert.state === 'acked';
        }
        this.push();
        return undefined;
      }
      case 'snooze':
      case 'unsnooze': {
        const alert = floor.alerts.find((row) => row.id === ask.alert);
        if (!alert) throw notFound('This alert is over already; nothing was changed.');
        alert.overlays = ask.ask === 'snooze' ? ['snoozed'] : [];
        const minutes = ask.ask === 'snooze' ? (ask.shift_end ? 180 : ask.minutes) : null;
        alert.snoozed_until = minutes === null ? null : this.now() + minutes * 60_000;
        this.rules.record(ask.alert, ask.ask === 'snooze' ? 'snoozed' : 'unsnoozed');
        this.push();
        return undefined;
      }
      case 'rules':
        return this.rules.entries;
      case 'metrics':
        return METRICS;
      case 'check_rule':
        return this.rules.check(ask.text, ask.form, ask.replaces);
      case 'save_rule': {
        const fault = this.rules.save(ask.text, ask.replaces);
        if (fault) throw new AskFailure({ code: 'invalid_field', sentence: fault.sentence, field: fault.field });
        return undefined;
      }
      case 'remove_rule':
        this.rules.remove(ask.name);
        return undefined;
      case 'set_rule_enabled':
        this.rules.enable(ask.name, ask.enabled);
        return undefined;
      case 'try_rule':
        return this.rules.trial(ask.text, ask.from, ask.to);
      case 'stop_trial':
        return undefined;
      case 'trial_progress':
        return { running: false, done: 0 };
      case 'rule_names':
        return { webhooks: ['teams-floor'], groups: ['Billing', 'Night'] };
      case 'export_history':
        throw new AskFailure({ code: 'not_here', sentence: 'The invented floor writes no files.', field: null });
      case 'alert_history':
        return this.rules.history(ask.query);
      case 'add_note':
        this.rules.notes.push({ id: this.rules.notes.length + 1, at: new Date(this.now()).toISOString(), actor: 'you', alert: ask.alert, text: ask.text });
        return undefined;
      case 'budget': {
        const loud = this.#options.loud ?? false;
        return { last_hour: loud ? 14 : 4, limit: 10, noisiest: loud ? { rule: 'Long wait', fired: 9 } : null, sentence: loud ? '14 alerts in the last hour; “Long wait” fired 9 of them.' : null,
          quiet_until: this.#hello.preferences.mute.length > 0 ? new Date(this.now() + 3_600_000).toISOString() : null, withheld: this.#options.withheld ?? 0 };
      }
      case 'test_source':
        if (ask.form.url?.includes('wrong')) {
          return {
            health: 'denied',
            sentence: 'The address answers, but the key was refused; make a new key there and paste it here.',
            queues: 0, agents: 0, conversations: 0, gaps: [], took_ms: 212,
          };
        }
        return {
          health: 'live',
          sentence: 'It works: queues, agents and waiting people can be read.',
          queues: 4, agents: 12, conversations: 7, gaps: [], took_ms: 184,
        };
      case 'save_source': {
        if (ask.form.url === '') throw new AskFailure({ code: 'invalid_field', sentence: 'The address is missing; write it with https:// in front.', field: 'url' });
        const rest = this.#configured.filter((c) => c.form.id !== ask.form.id && c.form.id !== ask.replaces);
        this.#configured = [...rest, { form: ask.form, secret: 'keychain' }];
        floor.addSource(ask.form, this.now());
        this.push();
        return undefined;
      }
      case 'remove_source':
        this.#configured = this.#configured.filter((c) => c.form.id !== ask.id);
        floor.removeSource(ask.id);
        this.push();
        return undefined;
      default:
        return undefined;
    }
  }

  #rows(spec: ViewSpec): Row[] {
    const { floor } = this;
    const at = (row: { source: string; queue_id?: string | null }, key: { source: string; id: string }) =>
      row.source === key.source && (row.queue_id ?? key.id) === key.id;
    switch (spec.view) {
      case 'status':
        return [];
      case 'queues':
        return floor.sortedQueues();
      case 'agents':
        return floor.agents.filter((row) => spec.queue === null || row.source === spec.queue.source);
      case 'conversations': {
        const { queue } = spec;
        const rows = floor.conversations.filter((row) => queue === null || at(row, queue));
        return rows.slice(0, spec.limit);
      }
      case 'alerts':
        return floor.alerts;
      case 'sources':
        return floor.sources;
    }
  }

  #send(watcher: Watcher): void {
    if (!this.#watchers.has(watcher)) return;
    const rows = this.#rows(watcher.spec);
    const status: Status | null = watcher.spec.view === 'status' ? this.floor.status(this.now()) : null;
    const order = rows.map((row) => row.key);
    const text = new Map(rows.map((row) => [row.key, JSON.stringify(row)]));
    watcher.seq++;
    if (watcher.seq === 1) {
      const copies = rows.map((row) => structuredClone(row));
      watcher.on({ type: 'snapshot', seq: 1, now: this.now(), status, rows: copies, total: rows.length });
    } else {
      watcher.on({
        type: 'patch',
        seq: watcher.seq,
        now: this.now(),
        status,
        upserts: rows.filter((row) => watcher.sent.get(row.key) !== text.get(row.key)).map((row) => structuredClone(row)),
        removes: [...watcher.sent.keys()].filter((key) => !text.has(key)),
        order: order.join('\n') === watcher.order ? null : order,
        total: rows.length,
      });
    }
    watcher.sent = text;
    watcher.order = order.join('\n');
  }
}

function notFound(sentence: string): AskFailure {
  return new AskFailure({ code: 'not_found', sentence, field: null });
}

export { cell };
