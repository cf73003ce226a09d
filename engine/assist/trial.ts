/**
 * What would come of a scenario if its text were another: the change is lowered in the surroundings that the document has, and run on the scenario's own
 * replay from the first instruction that differs. Says what stands behind `=>` before anything is written there, and whether a fix is one.
 */

import type { Replay } from '../run/replay.ts';
import { lowerScenario } from '../scenario/lower-scenario.ts';
import { changeBetween, parse } from '../scenario/parse.ts';
import type { Instruction, ScenarioUnit } from '../scenario/program.ts';
import type { DocumentView } from '../view.ts';

/** Replaces a stretch, absolute in the document. */
export interface TextEdit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Instructions of the scenario and of C run at once. */
const SLICE = 1 << 14;

export interface Trial {
  readonly unit: ScenarioUnit;
  readonly replay: Replay;
}

/** Edits in order of their places, none overlapping another. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = text;
  for (const edit of [...edits].sort((a, b) => b.from - a.from || b.to - a.to))
    result = result.slice(0, edit.from) + edit.text + result.slice(edit.to);
  return result;
}

/** What may still be spent on running, about one for an instruction of C. Shared by what is asked about at once. */
export interface Work {
  left: number;
}

/** What an instruction of the scenario costs beside the C that it runs: rules are held against it. */
const PER_INSTANCE = 200;

/** Runs to the end, or until `isThere`, or until the work is used up. False in the last case. */
export function runOn({ run }: Replay, work: Work, isThere: () => boolean = () => false): boolean {
  while (run.state === 'running' && !isThere()) {
    if (work.left <= 0) return false;
    work.left -= run.tick(Math.max(1, Math.min(SLICE, Math.floor(work.left)))) + (run.isInCall ? 0 : PER_INSTANCE);
  }
  return true;
}

/** The same with a third of the work: to know how a scenario ends is worth less than to know what a fix does. */
export function runOnSome(replay: Replay, work: Work, isThere?: () => boolean): boolean {
  const some = { left: work.left / 3 };
  const is = runOn(replay, some, isThere);
  work.left -= Math.max(0, work.left / 3 - some.left);
  return is;
}

/** The scenario with edits within it, ready to run; undefined where nothing can run. What it does to the replay is undone when that is next asked for. */
export function tryEdits(view: DocumentView, unit: ScenarioUnit, edits: readonly TextEdit[]): Trial | undefined {
  const { analysis } = view;
  const text = applyEdits(analysis.text, edits);
  const replay = view.replay(unit);
  if (replay === undefined) return undefined;
  const { tree } = parse(text, analysis.state.parsed);
  // What stays in its place is taken over as it is: the statements themselves are shared, and nothing of them is moved.
  const record = text.length === analysis.text.length ? analysis.state.records.get(unit) : undefined;
  const change = changeBetween(analysis.text, text);
  const earlier = record && { unit, record, change };
  const changed = lowerScenario(text, tree, unit.start, analysis.declarations, earlier).unit;
  replay.adopt(changed);
  return { unit: changed, replay };
}

/** The instruction that an offset relative to its scenario lies in; for what a sequence did, where the sequence is called. */
export function instructionAt(unit: ScenarioUnit, offset: number): number | undefined {
  const at = unit.code.findIndex((instruction) => {
    const { start, end } = placeOf(instruction);
    return (instruction.kind === 'step' || instruction.kind === 'expect') && offset >= start && offset <= end;
  });
  return at < 0 ? undefined : at;
}

/** Where an instruction stands in the scenario itself. */
export function placeOf(instruction: Instruction): { start: number; end: number } {
  return 'via' in instruction && instruction.via.length > 0 ? instruction.via[0] : instruction.span;
}

/** Runs until an instruction has been executed once. The instance; undefined if it is not reached with so much work. */
export function runThrough({ replay }: Pick<Trial, 'replay'>, pc: number, work: Work): number | undefined {
  const { run } = replay;
  const known = (): number | undefined => {
    const [found] = replay.instancesOf(pc, 1);
    return found !== undefined && (found < run.executed - 1 || !run.isInCall) ? found : undefined;
  };
  const found = known();
  if (found !== undefined) return found;
  runOn(replay, work, () => !run.isInCall && run.executed > 0 && run.positionOf(run.executed - 1) === pc);
  return known();
}
