/**
 * The engine's front door: text in, verdicts out. Used by the language server, the command line and tests alike.
 *
 * A check is cooperative: `start` only notes the work, `advance` does a slice of it, so a server never blocks its event loop and can drop a check
 * when a newer edit arrives. The engine has no clock; the caller decides how large a slice is.
 */
import type { Diagnostic, Range } from './base/diagnostic.ts';
import type { DocumentView } from './view.ts';

/** Reads files for `use source`, `use patch` and `import`. Synchronous; a host without synchronous access preloads. */
export interface FileHost {
  /** Resolve `relative` against the folder of `from`; returns the path or URI used everywhere else. */
  resolve(from: string, relative: string): string;
  /** Text of the file, or why it cannot be had. Must not throw. */
  read(path: string): { text: string } | { error: string };
}

export interface ScenarioVerdict {
  name: string;
  doc: string;
  /** `error`: it could not be run to its end (syntax, trap, budget). */
  status: 'passed' | 'failed' | 'error';
  /** Step instances executed. */
  steps: number;
  range: Range;
}

export interface CheckResult {
  path: string;
  diagnostics: Diagnostic[];
  scenarios: ScenarioVerdict[];
  /** Paths of files it depends on (sources, patches, imports), for watching. */
  dependencies: string[];
}

export interface Check {
  /** Work for about `units` (one unit is about one bytecode instruction); true when finished. */
  advance(units: number): boolean;
  /** The result; only after `advance` returned true. */
  result(): CheckResult;
}

export interface CheckerOptions {
  /** Replace every `use kernel` by this model. */
  kernel?: string;
  /** Add these patches / sources as if the file named them. */
  overrides?: { kind: 'source' | 'patch'; path: string }[];
  /** Step budget of C loops per scenario step. */
  loopBudget?: number;
}

/** Keeps what can be reused between checks of the same files (compiled C, unchanged scenarios). */
export interface Checker {
  start(path: string, text: string, options?: CheckerOptions): Check;
  /**
   * What can be asked about a document with this text, at any time: also before it is checked or while it is. A check of the same text that is started
   * later builds on it.
   */
  view(path: string, text: string, options?: CheckerOptions): DocumentView;
  /** Forget what is cached for a path (closed document). */
  forget(path: string): void;
  /** A file changed on disk or in the editor. */
  fileChanged(path: string): void;
}
