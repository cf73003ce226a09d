/**
 * What can be asked about a document beyond its verdict: its analysis, what its scenarios run in, and the state of the machine at any step. Made
 * by {@link Checker.view}; it is about one text, and void once the document's text is another.
 */
import type { Environment } from './run/environment.ts';
import type { Replay } from './run/replay.ts';
import type { UnitResult } from './run/report.ts';
import type { Analysis } from './scenario/analyze.ts';
import type { ScenarioUnit } from './scenario/program.ts';

export interface DocumentView {
  readonly analysis: Analysis;
  /** What its scenarios run in; undefined if that is wrong (an unreadable patch, say), so that nothing can run. Compiles C if need be. */
  environment(): Environment | undefined;
  /** What the last check found in a scenario, if it has got there. */
  result(unit: ScenarioUnit): UnitResult | undefined;
  /**
   * A run of a scenario of this document, standing wherever it was left. Kept between calls and between edits, for the scenarios asked about last;
   * undefined where nothing can run.
   */
  replay(unit: ScenarioUnit): Replay | undefined;
}
