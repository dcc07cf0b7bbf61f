// A live view: rows that follow the host. Commits at most ten times a second, the first at once, so that a
// busy floor costs the page a bounded amount of drawing.

import type { Status, ViewMessage, ViewSpec } from '../host/gen';
import { asFailure, type AskFailure, type Host, type Unsubscribe } from '../host/host';
import type { Clock } from './clock.svelte';
import { empty, fold, rowsOf, type Keyed } from './fold';

const COMMIT_EVERY = 100;
/** A hole is rare; a host that makes holes all the time must not be hammered. */
const RESUBSCRIBE_AFTER = 250;

export type Phase = 'opening' | 'open' | 'failed';

export class LiveTable<R extends Keyed> {
  /** Replaced as a whole at each commit; unchanged rows keep their identity. */
  rows = $state.raw<R[]>([]);
  status = $state.raw<Status | null>(null);
  total = $state(0);
  phase = $state<Phase>('opening');
  failure = $state.raw<AskFailure | null>(null);

  #host: Host;
  #clock: Clock;
  #spec: ViewSpec;
  #folded = empty<R>();
  #generation = 0;
  #stop: Unsubscribe | null = null;
  #commitTimer: ReturnType<typeof setTimeout> | null = null;
  #againTimer: ReturnType<typeof setTimeout> | null = null;
  #lastCommit = -Infinity;
  #closed = false;

  constructor(host: Host, clock: Clock, spec: ViewSpec) {
    this.#host = host;
    this.#clock = clock;
    this.#spec = spec;
    void this.#open();
  }

  get(key: string): R | undefined {
    return this.#folded.byKey.get(key);
  }

  close(): void {
    this.#closed = true;
    this.#generation++;
    this.#stop?.();
    this.#stop = null;
    if (this.#commitTimer !== null) clearTimeout(this.#commitTimer);
    if (this.#againTimer !== null) clearTimeout(this.#againTimer);
  }

  async #open(): Promise<void> {
    const generation = ++this.#generation;
    try {
      const stop = await this.#host.subscribe(this.#spec, (message) => {
        if (generation === this.#generation) this.#take(message);
      });
      if (generation === this.#generation) this.#stop = stop;
      else stop();
    } catch (thrown) {
      if (generation !== this.#generation) return;
      this.failure = asFailure(thrown);
      this.phase = 'failed';
    }
  }

  #take(message: ViewMessage): void {
    this.#clock.sync(message.now);
    if (fold(this.#folded, message) === 'hole') {
      this.#again();
      return;
    }
    this.#schedule();
  }

  /** Ends this subscription and opens another. What is shown stays until the new snapshot is here. */
  #again(): void {
    this.#generation++;
    this.#stop?.();
    this.#stop = null;
    if (this.#againTimer !== null) return;
    this.#againTimer = setTimeout(() => {
      this.#againTimer = null;
      if (!this.#closed) void this.#open();
    }, RESUBSCRIBE_AFTER);
  }

  #schedule(): void {
    if (this.#commitTimer !== null) return;
    const since = performance.now() - this.#lastCommit;
    if (since >= COMMIT_EVERY) this.#commit();
    else this.#commitTimer = setTimeout(() => this.#commit(), COMMIT_EVERY - since);
  }

  #commit(): void {
    this.#commitTimer = null;
    this.#lastCommit = performance.now();
    this.rows = rowsOf(this.#folded);
    this.status = this.#folded.status;
    this.total = this.#folded.total;
    this.phase = 'open';
    this.failure = null;
  }
}
