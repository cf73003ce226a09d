/** What a question about a place in a scenario comes with, and how far an answer may go. */
import { LineIndex } from '../base/line-index.ts';
import { resolveSteps } from '../run/mention.ts';
import type { Replay } from '../run/replay.ts';
import { outermost } from '../run/report.ts';
import type { Instruction, ScenarioUnit, Span } from '../scenario/program.ts';
import type { DocumentView } from '../view.ts';
import type { Link } from './prose.ts';
import type { Budget, StepNotes } from './step-notes.ts';
import { instructionText } from './step-text.ts';

/** An answer, or that it needs more ticks than were left: ask again. */
export type Answer<T> = T | 'later';

export class Asking {
  readonly view: DocumentView;
  readonly budget: Budget;
  /** There is no more time: what is not known yet is left out. */
  readonly final: boolean;
  private readonly indexes = new Map<string, LineIndex>();

  constructor(view: DocumentView, budget: Budget, final: boolean) {
    this.view = view;
    this.budget = budget;
    this.final = final;
  }

  /** A place as a link. `base`: where the unit begins that the span is relative to. */
  link(span: Span, base: number): Link {
    const { analysis } = this.view;
    const file = span.file === undefined ? undefined : analysis.program.imports[span.file];
    const path = file?.path ?? analysis.path;
    return {
      path,
      line: this.lines(path, file?.text ?? analysis.text).position(span.start + (file === undefined ? base : 0)).line,
    };
  }

  /** The line, from 0, of an offset of the document. */
  line(offset: number): number {
    return this.lines(this.view.analysis.path, this.view.analysis.text).position(offset).line;
  }

  private lines(path: string, text: string): LineIndex {
    let lines = this.indexes.get(path);
    if (lines === undefined) {
      lines = new LineIndex(text);
      this.indexes.set(path, lines);
    }
    return lines;
  }

  /** The step of a noted instance, as messages mention it. */
  step(unit: ScenarioUnit, notes: StepNotes, instance: number): { link: Link; text: string } {
    const instruction = unit.code[notes.pcOf(instance) ?? -1] as Instruction | undefined;
    if (instruction === undefined)
      return { link: { path: this.view.analysis.path, line: this.line(unit.start) }, text: '' };
    return { link: this.link(outermost(instruction), unit.start), text: instructionText(instruction) };
  }

  /** A message of a run, which mentions steps by instance, with their lines. */
  resolved(unit: ScenarioUnit, notes: StepNotes, message: string): string {
    return resolveSteps(message, (instance) => {
      const { link, text } = this.step(unit, notes, instance);
      const operation = text.replace(/\(.*$/s, '');
      return `line ${link.line + 1}${operation === '' ? '' : ` (${operation})`}`;
    });
  }

  /** Take a replay to the state after an instance, then to the one before it; undefined if the budget does not reach that far. */
  around<T>(replay: Replay, instance: number, read: () => T): { before: T; after: T } | undefined {
    if (this.goTo(replay, instance + 1) === undefined) return undefined;
    const after = read();
    replay.goTo(instance);
    return { before: read(), after };
  }

  /** Take a replay to the state before an instance; undefined if the budget does not reach that far. */
  goTo(replay: Replay, instance: number): true | undefined {
    const at = replay.goTo(instance, Math.max(1, this.budget.ticks));
    this.budget.ticks -= replay.used;
    return at === instance && !replay.run.isInCall ? true : undefined;
  }
}
