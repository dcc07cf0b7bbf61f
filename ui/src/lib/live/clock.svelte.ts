// The host's clock, ticking once a second. Instants are data; this is the only thing that moves by itself.

/** How much the estimate may run ahead of a message's clock before the host's clock was set anew. */
const JUMP = 1_500;

export class Clock {
  /** Milliseconds since 1970 in the host's clock, at the last tick. */
  now = $state(Date.now());

  #offset: number | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Learns the host's clock from a message. A message can only be late, so the largest offset is nearest. */
  sync(hostNow: number): void {
    const offset = hostNow - Date.now();
    if (this.#offset === null || offset > this.#offset || this.#offset - offset > JUMP) {
      const first = this.#offset === null;
      const jumped = !first && Math.abs(offset - (this.#offset ?? 0)) > JUMP;
      this.#offset = offset;
      if (first || jumped) this.#read();
    }
  }

  /** The exact instant, for what is computed once. */
  exact(): number {
    return Date.now() + (this.#offset ?? 0);
  }

  start(): () => void {
    const tick = () => {
      this.#read();
      // Aligned to the full second of the host's clock, so that all waits turn together.
      this.#timer = setTimeout(tick, 1_000 - (this.exact() % 1_000) + 5);
    };
    tick();
    return () => {
      if (this.#timer !== null) clearTimeout(this.#timer);
    };
  }

  #read(): void {
    this.now = this.exact();
  }
}
