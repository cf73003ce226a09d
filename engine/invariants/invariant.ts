/**
 * What an invariant is: a statement about the machine, judged when a step has come to rest. One file per rule; the catalogue lists them.
 *
 * Two kinds of checks, often both in one rule:
 *  - on state: only the pages that the step touched are looked at; a page that was already in violation is not reported again;
 *  - on behaviour: what the kernel's C did in this step, from the trace.
 */
import type { Severity } from '../base/diagnostic.ts';
import type { Run } from '../base/runs.ts';
import type { StepView } from './step-view.ts';

export interface RuleInfo {
  /** Stable id, as in `allow ATTR-RMP "…"`. */
  id: string;
  /** Id in the invariant catalogue; empty for rules that are not invariants. */
  spec: string;
  severity: Severity;
  /** The rule in one sentence. */
  statement: string;
  /** Manual section, kernel function or message the rule follows from. */
  source: string;
  /** What it means, when it is judged and what to do about it: a few paragraphs for its page. */
  explanation?: string;
}

/** One violation. */
export interface Finding {
  message: string;
  /** The trace event that did it: its C site becomes the second place where the violation is shown. */
  event?: number;
  /** A C place that is no event's (a loop, a function). */
  site?: { site: number; stack: number };
  /** An earlier event the violation follows from: "since line …". */
  since?: number;
  /** Plain data for quick fixes. */
  data?: unknown;
  /** Where it is not the rule's own. */
  severity?: Severity;
  /** System frames that it is about, for {@link Invariant.repeats}. */
  pages?: readonly Run[];
  /** It says why the step came to its outcome: when that outcome is reported as unexpected, the message goes with the report. */
  explainsOutcome?: boolean;
}

export interface Invariant extends RuleInfo {
  explanation: string;
  /**
   * Rules that say the same of the same cause: a finding is dropped when one of theirs in the same step is about the same event or about all of its
   * pages. The page counts as violating nevertheless, so nothing is said later either.
   */
  repeats?: readonly string[];
  /** Look at a finished step; returns what the step newly violates. */
  check(step: StepView): Finding[];
}
