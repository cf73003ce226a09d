/** Where a run stands, and where a debugger may stop. */
import type { Location } from '../base/diagnostic.ts';
import type { ScenarioRun } from '../run/run.ts';
import type { Instruction, Span } from '../scenario/program.ts';
import { isStatement } from '../vm/line-table.ts';

/** Instructions of the scenario that stand on a line of their own; the others happen between lines. */
export function isLine(instruction: Instruction | undefined): boolean {
  switch (instruction?.kind) {
    case 'step':
    case 'expect':
    case 'let':
    case 'for':
      return true;
    default:
      return false;
  }
}

/** Whether a line begins with an instruction. The arguments of a call are on one line, whatever their number. */
export function isLineAt(code: readonly Instruction[], pc: number): boolean {
  const [before, instruction] = [code[pc - 1], code[pc]];
  if (before?.kind === 'let' && instruction?.kind === 'let' && sameSpan(before.span, instruction.span)) return false;
  return isLine(instruction);
}

/** Calls of sequences that an instruction was inlined from, outermost first. */
export const viaOf = (instruction: Instruction | undefined): readonly Span[] =>
  instruction !== undefined && 'via' in instruction ? instruction.via : [];

/** Whether a statement begins here, of the scenario or of C. */
export function isStopPoint(run: ScenarioRun): boolean {
  if (!run.isInCall) return run.state === 'running' && isLineAt(run.unit.code, run.position);
  const { vm, thread } = run.machine;
  const { depth } = thread;
  return isStatement(vm.load(thread.functions[depth]).source, thread.pcs[depth]);
}

/** How deep the run is in calls: of sequences, then of C functions. */
export function levelOf(run: ScenarioRun): number {
  const outer = viaOf(run.unit.code[run.position]).length;
  return run.isInCall ? outer + 1 + run.machine.thread.depth : outer;
}

/**
 * How many calls of sequences begin with an instruction: its line is reached by way of theirs. What stands before it in the code tells, but for the
 * evaluation of their arguments, which shows the line of the call itself.
 */
export function callsBegunAt(code: readonly Instruction[], pc: number): number {
  const via = viaOf(code[pc]);
  const before = code[pc - 1];
  const outer = viaOf(before);
  let shared = 0;
  while (shared < via.length && sameSpan(via[shared], outer[shared])) shared++;
  const isArgument = before?.kind === 'let' && sameSpan(before.span, via[shared]);
  return Math.max(0, via.length - shared - (isArgument ? 1 : 0));
}

const sameSpan = (a: Span | undefined, b: Span | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.start === b.start && a.end === b.end && a.file === b.file);

/**
 * Where a step may come to rest: how deep in calls, and how many of the innermost calls of sequences are only about to be made. A line that calls a
 * sequence has no instruction of its own: one rests there in front of the first instruction of what it calls.
 * @param deepest the level wanted: of calls that begin here, those that lead no deeper are taken for made
 * @returns undefined where no statement begins
 */
export function restAt(run: ScenarioRun, deepest: number): { level: number; pending: number } | undefined {
  if (!isStopPoint(run)) return undefined;
  const level = levelOf(run);
  const begun = run.isInCall ? 0 : callsBegunAt(run.unit.code, run.position);
  const pending = Math.min(begun, Math.max(0, level - deepest));
  return { level: level - pending, pending };
}

export const sameLine = (a: Location, b: Location): boolean =>
  a.path === b.path && a.range.start.line === b.range.start.line;
