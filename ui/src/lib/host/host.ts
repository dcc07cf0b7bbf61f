// The one port between the screen and the program. Three implementations: the window (tauri.ts), the
// browser bridge (web.ts) and an invented floor (fake.ts). Nothing else of the screen knows which one it has.

import type {
  Ask,
  Budget,
  Code,
  ConfiguredSource,
  Diagnostics,
  Exported,
  Failure,
  Hello,
  HistoryPage,
  MetricRow,
  RuleCheck,
  RuleEntry,
  RuleNames,
  RuleTrial,
  TestReport,
  TrialProgress,
  VendorSpec,
  ViewMessage,
  ViewSpec,
} from './gen';

/** What each question is answered with; questions that are not listed are answered with `undefined`. */
interface Answers {
  hello: Hello;
  vendors: VendorSpec[];
  sources: ConfiguredSource[];
  test_source: TestReport;
  diagnostics: Diagnostics;
  rules: RuleEntry[];
  check_rule: RuleCheck;
  try_rule: RuleTrial;
  trial_progress: TrialProgress;
  rule_names: RuleNames;
  alert_history: HistoryPage;
  export_history: Exported;
  metrics: MetricRow[];
  budget: Budget;
}

export type Answer<A extends Ask> = A['ask'] extends keyof Answers ? Answers[A['ask']] : undefined;

/** Ends a subscription. Messages that are under way may still be dropped, never delivered. */
export type Unsubscribe = () => void;

/** Whether the program can be reached. In the window it always can; the bridge can be cut off. */
export type Link = { up: true } | { up: false; since: number };

export interface Host {
  /** Who makes the sound of an alert: the program behind the window, or this page. */
  readonly sounds: 'program' | 'page';
  /** Asks one question. Rejects with an [`AskFailure`]. */
  ask<A extends Ask>(ask: A): Promise<Answer<A>>;
  /** Delivers a snapshot, then patches. After a cut the same subscription starts again with a snapshot. */
  subscribe(spec: ViewSpec, on: (message: ViewMessage) => void): Promise<Unsubscribe>;
  /** Tells at once how the link is, then at every change. */
  onLink(on: (link: Link) => void): Unsubscribe;
}

/** A failure that the program told, or that the way to it had. Branch on `code` only. */
export class AskFailure extends Error implements Failure {
  readonly code: Code;
  readonly sentence: string;
  readonly field: string | null;

  constructor(failure: Failure) {
    super(failure.sentence);
    this.name = 'AskFailure';
    this.code = failure.code;
    this.sentence = failure.sentence;
    this.field = failure.field;
  }
}

function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'code' in value && 'sentence' in value;
}

/** Whatever was thrown, as a failure with a sentence. */
export function asFailure(thrown: unknown): AskFailure {
  if (thrown instanceof AskFailure) return thrown;
  if (isFailure(thrown)) return new AskFailure(thrown);
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new AskFailure({ code: 'internal', sentence: detail, field: null });
}

/** The value inside a reply, or `undefined` for `done`. */
export function valueOf(reply: unknown): unknown {
  if (typeof reply === 'object' && reply !== null && 'value' in reply) return reply.value;
  return undefined;
}
