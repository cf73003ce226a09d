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

/** Calls of sequences that an instruction was inlined from, outermost first. */
export const viaOf = (instruction: Instruction | undefined): readonly Span[] =>
  instruction !== undefined && 'via' in instruction ? instruction.via : [];

/** Whether a statement begins here, of the scenario or of C. */
export function isStopPoint(run: ScenarioRun): boolean {
  if (!run.isInCall) return run.state === 'running' && isLine(run.unit.code[run.position]);
  const { vm, thread } = run.machine;
  const { depth } = thread;
  return isStatement(vm.load(thread.functions[depth]).source, thread.pcs[depth]);
}

/** How deep the run is in calls: of sequences, then of C functions. */
export function levelOf(run: ScenarioRun): number {
  const outer = viaOf(run.unit.code[run.position]).length;
  return run.isInCall ? outer + 1 + run.machine.thread.depth : outer;
}

export const sameLine = (a: Location, b: Location): boolean =>
  a.path === b.path && a.range.start.line === b.range.start.line;
