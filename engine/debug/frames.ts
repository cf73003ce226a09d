/** The stack of a stopped run. */
import type { Location } from '../base/diagnostic.ts';
import type { Placer } from '../run/report.ts';
import type { Instruction, Span } from '../scenario/program.ts';
import { lineRow } from '../vm/line-table.ts';
import { type FrameView, unwind } from '../vm/unwind.ts';
import { viaOf } from './places.ts';
import type { DebugSession } from './session.ts';

/** One row of a stack. */
export type Frame =
  | { kind: 'c'; name: string; location: Location | undefined; override: boolean; view: FrameView }
  | { kind: 'scenario'; name: string; location: Location; instruction: number };

/**
 * Innermost first: C, then the scenario's line, then the calls of sequences that led to it.
 * @param pending calls that are only about to be made: what they lead to is no frame yet
 */
export function framesOf(session: DebugSession, placer: Placer, pending: number): Frame[] {
  const { unit } = session;
  const frames = framesInC(session);
  const number = session.shownInstruction;
  const instruction = unit.code[number];
  if (instruction === undefined) {
    // The line after the last, where a run that is over stands.
    const location = { path: session.path, range: placer.range(unit.end - 1, unit.end) };
    frames.push({ kind: 'scenario', name: `end of "${unit.name}"`, location, instruction: number });
    return frames;
  }
  frames.push({
    kind: 'scenario',
    name: nameOf(session, instruction),
    location: session.locationOf(instruction),
    instruction: number,
  });
  for (const span of [...viaOf(instruction)].reverse())
    frames.push({
      kind: 'scenario',
      name: sourceOf(session, span),
      location: placer.span(span, unit.start),
      instruction: number,
    });
  frames.splice(0, pending);
  return frames;
}

function framesInC({ run, machine }: DebugSession): Frame[] {
  if (!run.isInCall) return [];
  return unwind(machine.vm, machine.thread).map((view) => ({
    kind: 'c',
    name: `${view.name}()`,
    location: machine.program.location((lineRow(view.code, view.pc) ?? view.code).origin),
    override: machine.program.describe(view.function).override,
    view,
  }));
}

/** The text of a place, on one line. */
function sourceOf({ text, program, unit }: DebugSession, { start, end, file }: Span): string {
  const source = file === undefined ? text : program.imports[file].text;
  const base = file === undefined ? unit.start : 0;
  return source.slice(base + start, base + end).replace(/\s+/g, ' ');
}

function nameOf(session: DebugSession, instruction: Instruction): string {
  if ('text' in instruction) return instruction.text;
  if (instruction.kind === 'for') return `for ${session.unit.variableNames[instruction.variable]}`;
  if (instruction.kind !== 'let') return instruction.kind;
  // The arguments of a call are evaluated as variables of what it calls; the line is the call's.
  const source = sourceOf(session, instruction.span);
  return source.startsWith('let') ? `let ${session.unit.variableNames[instruction.variable]}` : source;
}
