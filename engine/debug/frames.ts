/** The stack of a stopped run. */
import type { Location } from '../base/diagnostic.ts';
import type { Placer } from '../run/report.ts';
import type { Instruction } from '../scenario/program.ts';
import { lineRow } from '../vm/line-table.ts';
import { type FrameView, unwind } from '../vm/unwind.ts';
import { viaOf } from './places.ts';
import type { DebugSession } from './session.ts';

/** One row of a stack. */
export type Frame =
  | { kind: 'c'; name: string; location: Location | undefined; override: boolean; view: FrameView }
  | { kind: 'scenario'; name: string; location: Location; instruction: number };

/** Innermost first: C, then the scenario's line, then the calls of sequences that led to it. */
export function framesOf(session: DebugSession, placer: Placer): Frame[] {
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
  for (const span of [...viaOf(instruction)].reverse()) {
    const source = span.file === undefined ? session.text : session.program.imports[span.file].text;
    const base = span.file === undefined ? unit.start : 0;
    const name = source.slice(base + span.start, base + span.end).replace(/\s+/g, ' ');
    frames.push({ kind: 'scenario', name, location: placer.span(span, unit.start), instruction: number });
  }
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

function nameOf({ unit }: DebugSession, instruction: Instruction): string {
  if ('text' in instruction) return instruction.text;
  if (instruction.kind === 'for' || instruction.kind === 'let')
    return `${instruction.kind} ${unit.variableNames[instruction.variable]}`;
  return instruction.kind;
}
