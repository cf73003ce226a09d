/** What a step comes to, while its `=>` is being written. */
import type { TreeCursor } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import { formatOutcome } from '../run/outcome.ts';
import type { ScenarioUnit } from '../scenario/program.ts';
import type { DocumentView } from '../view.ts';
import { lineStart } from './cursor.ts';
import { instructionAt, runThrough, tryEdits } from './trial.ts';

/** A list is wanted at once: what is run for it, and of the scenario that are lowered. */
const WORK = 60_000;
const LONGEST = 3000;

/**
 * Canonical outcome of the step that begins at `offset`, at its first execution; undefined if that is not to be had quickly. Whatever stands behind its `=>`
 * does not count.
 */
export function happened(view: DocumentView, unit: ScenarioUnit, offset: number): string | undefined {
  if (unit.code.length > LONGEST) return undefined;
  const { text } = view.analysis;
  const end = endOfLine(text, offset);
  const arrow = outcomeClause(view, offset, end) ?? text.indexOf('=>', offset);
  const edits = arrow < 0 || arrow > end ? [] : [{ from: arrow, to: end, text: ' '.repeat(end - arrow) }];
  const trial = tryEdits(view, unit, edits);
  const pc = trial && instructionAt(trial.unit, offset - unit.start);
  if (trial === undefined || pc === undefined) return undefined;
  const instance = runThrough(trial, pc, { left: WORK });
  const outcome = instance === undefined ? undefined : trial.replay.run.outcome(instance);
  return outcome === undefined || outcome.trap !== undefined ? undefined : formatOutcome(outcome);
}

/** Start of the clause of the step that begins here. */
function outcomeClause(view: DocumentView, offset: number, end: number): number | undefined {
  const cursor: TreeCursor = view.analysis.tree.cursorAt(offset, 1);
  for (let node: ReturnType<TreeCursor['node']['getChild']> = cursor.node; node !== null; node = node.parent) {
    if (node.type.id !== t.Step) continue;
    const clause = node.getChild(t.OutcomeClause);
    if (clause === null) return undefined;
    // A step over several lines ends on the last of them.
    return clause.from <= end || lineStart(view.analysis.text, clause.from) > offset ? clause.from : undefined;
  }
  return undefined;
}

function endOfLine(text: string, at: number): number {
  const match = /[\r\n]/g;
  match.lastIndex = at;
  return match.exec(text)?.index ?? text.length;
}
