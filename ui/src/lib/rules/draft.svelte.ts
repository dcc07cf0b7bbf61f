// A rule while it is edited. Form and text are two views of one thing: whichever was written last is sent to
// the program, and what comes back is the other one, the faults with their places, and what fires now.

import type { RuleCheck, RuleEntry, RuleFault, RuleForm } from '../host/gen';
import { asFailure, type AskFailure, type Host } from '../host/host';

/** Long enough to write a word, short enough to feel alive. */
const REST = 250;
/** "Fires now" is about now: looked at again while nobody writes. */
const AGAIN = 5_000;
/** Characters. No rule is longer, and the way to the program takes no more; it would only be cut. */
const LONGEST = 60_000;

export class RuleDraft {
  form = $state.raw<RuleForm | null>(null);
  text = $state('');
  check = $state.raw<RuleCheck | null>(null);
  /** What was checked last; the preview is as old as this. */
  checkedAt = $state<number | null>(null);
  /** Written, and not yet looked at. */
  waiting = $state(false);
  /** What was checked last is not what stands here. */
  unchecked = $state(false);
  /** The program could not be asked. */
  failure = $state.raw<AskFailure | null>(null);
  /** The text, or the form's text, as it was saved. */
  readonly saved: string;
  readonly entry: RuleEntry | null;
  /** Somebody wrote something. */
  touched = $state(false);

  #host: Host;
  #tooLong: () => string;
  #now: () => number;
  #last: 'form' | 'text';
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(host: Host, now: () => number, tooLong: () => string, entry: RuleEntry | null, blank: RuleForm) {
    this.#host = host;
    this.#tooLong = tooLong;
    this.#now = now;
    this.entry = entry;
    this.form = entry === null ? blank : entry.form;
    this.text = entry?.text ?? '';
    this.saved = this.text;
    this.#last = entry === null ? 'form' : 'text';
    void this.look();
  }

  /** The name of the rule in the file that this one takes the place of. */
  get replaces(): string | null {
    return this.entry?.own ? this.entry.name : null;
  }

  get dirty(): boolean {
    return this.touched && this.text !== this.saved;
  }

  get errors(): RuleFault[] {
    return this.check?.errors ?? [];
  }

  /** Faults of one field of the form: `when`, `scope.queue`, `override.1.when`. */
  faults(field: string): RuleFault[] {
    return this.errors.filter((fault) => fault.field === field);
  }

  editForm(change: Partial<RuleForm>): void {
    if (this.form === null) return;
    this.form = { ...this.form, ...change };
    this.#last = 'form';
    this.#soon();
  }

  editText(text: string): void {
    this.text = text;
    this.#last = 'text';
    this.#soon();
  }

  /** The text once everything written was looked at; null when it cannot be had. */
  async settled(): Promise<string | null> {
    if (this.waiting) await this.look();
    return this.failure === null ? this.text : null;
  }

  close(): void {
    this.#closed = true;
    this.#turn++;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async look(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const turn = ++this.#turn;
    const { text, form } = this;
    const asText = this.#last === 'text' || form === null;
    if ((asText ? text : JSON.stringify(form)).length > LONGEST) {
      const fault: RuleFault = { sentence: this.#tooLong(), line: 1, column: 1, length: 1, field: null, field_at: 0, caret: '' };
      this.check = { text: '', form: asText ? null : form, errors: [fault], fires_now: [], would_be_pending: [], targets: 0, unknown: 0 };
      if (asText) this.form = null;
      this.failure = null;
      this.waiting = this.unchecked = false;
      return;
    }
    try {
      const check = await this.#host.ask({ ask: 'check_rule', text: asText ? text : null, form: asText ? null : form, replaces: this.replaces });
      if (turn !== this.#turn) return;
      this.check = check;
      this.checkedAt = this.#now();
      this.failure = null;
      this.unchecked = false;
      if (asText) this.form = check.form;
      else this.text = check.text;
    } catch (thrown) {
      if (turn !== this.#turn) return;
      this.failure = asFailure(thrown);
    }
    this.waiting = false;
    if (!this.#closed) this.#timer = setTimeout(() => void this.look(), AGAIN);
  }

  #soon(): void {
    this.touched = true;
    this.waiting = true;
    this.unchecked = true;
    this.#turn++;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), REST);
  }
}
