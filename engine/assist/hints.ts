/** Hints at the ends of lines: what the steps of a stretch of a document came to. */
import type { ScenarioUnit } from '../scenario/program.ts';
import type { DocumentView } from '../view.ts';
import type { Answer } from './asking.ts';
import { type Block, list, text } from './prose.ts';
import { type Budget, notesOf, type StepNotes } from './step-notes.ts';
import { type ActiveLine, activeLines, hintOf, settledBehind, together } from './step-text.ts';

export type HintDetail = 'outcomes' | 'changes';

export interface Hint {
  unit: ScenarioUnit;
  line: ActiveLine;
  /** `→ 0 · 512 × 4K assigned, head count 511` */
  text: string;
  /** Everything that was counted, for a tooltip that needs no second look at the machine. */
  more: Block[];
}

/**
 * The hints of lines that end in [start, end), in offsets of the document. `final`: those that are known by now.
 */
export function hintsIn(
  view: DocumentView,
  start: number,
  end: number,
  detail: HintDetail,
  budget: Budget,
  final: boolean,
): Answer<Hint[]> {
  const hints: Hint[] = [];
  for (const unit of view.analysis.program.scenarios) {
    if (unit.end < start || unit.start >= end) continue;
    const lines = activeLines(unit).filter((line) => line.end >= start && line.end < end);
    if (lines.length === 0) continue;
    const book = notesOf(view, unit);
    if (book === undefined) return [];
    const { notes } = book;
    const last = settledBehind(
      unit,
      lines.flatMap(({ pcs }) => pcs),
    );
    if (!notes.isSettled(last)) {
      const replay = book.replay();
      if ((replay === undefined || !notes.advance(replay, last, budget)) && !final) return 'later';
    }
    for (const line of lines) {
      const hint = hintOf(unit, notes, line, detail);
      if (hint !== undefined) hints.push({ unit, line, text: hint.text, more: counted(unit, notes, line) });
    }
  }
  return hints;
}

function counted(unit: ScenarioUnit, notes: StepNotes, line: ActiveLine): Block[] {
  const all = together(unit, notes, line.pcs);
  if (all === undefined) return [];
  const lines = all.effects.lines(all.single ?? '');
  return [
    text({ strong: `→ ${all.outcome}` }),
    ...(lines.length === 0
      ? []
      : [list(lines.map(({ what, where }) => (where === '' ? [what] : [what, ' · ', { code: where }])))]),
  ];
}
