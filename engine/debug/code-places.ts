/**
 * From lines of source to instructions: in C, those at which the statements of a line begin; in scenarios, the instructions that a line was lowered
 * to, those of sequences included.
 */
import type { Location } from '../base/diagnostic.ts';
import type { CProgram } from '../c/program.ts';
import { Placer } from '../run/report.ts';
import type { Instruction, ScenarioProgram, ScenarioUnit } from '../scenario/program.ts';
import { callsBegunAt, isLineAt, viaOf } from './places.ts';

export interface CodePlace {
  function: number;
  pc: number;
  location: Location;
}

/** The C of a program by file: functions are compiled when a file is first asked for. */
export class CPlaces {
  private readonly program: CProgram;
  private readonly byPath = new Map<string, CodePlace[]>();
  private names: Map<string, string[]> | undefined;

  constructor(program: CProgram) {
    this.program = program;
  }

  /** Places of a file in the order of their lines, one for each line and function. */
  of(path: string): readonly CodePlace[] {
    let places = this.byPath.get(path);
    if (places === undefined) {
      places = (this.functionsOf().get(path) ?? []).flatMap((name) => this.placesIn(name, path));
      places.sort((a, b) => a.location.range.start.line - b.location.range.start.line || a.function - b.function);
      this.byPath.set(path, places);
    }
    return places;
  }

  /** Functions by the file that defines them. Natives and stubs stand in none. */
  private functionsOf(): Map<string, string[]> {
    if (this.names !== undefined) return this.names;
    this.names = new Map();
    for (const name of this.program.names()) {
      const path = this.program.find(name)?.location.path;
      if (path === undefined || path === '') continue;
      const list = this.names.get(path);
      if (list === undefined) this.names.set(path, [name]);
      else list.push(name);
    }
    return this.names;
  }

  private placesIn(name: string, path: string): CodePlace[] {
    const found = this.program.find(name);
    if (found === undefined) return [];
    const first = new Map<number, CodePlace>();
    for (const row of this.program.functionCode(found.index).lines) {
      if (!row.statement) continue;
      const location = this.program.location(row.origin);
      const { line } = location.range.start;
      // A function of a header may be built from several files' macros.
      if (location.path === path && !first.has(line)) first.set(line, { function: found.index, pc: row.pc, location });
    }
    return [...first.values()];
  }

  /** Where a function's first statement begins; undefined if nobody defines it in C. */
  entryOf(name: string): CodePlace | undefined {
    const found = this.program.find(name);
    if (found === undefined) return undefined;
    const row = this.program.functionCode(found.index).lines.find((one) => one.statement);
    if (row === undefined) return undefined;
    return { function: found.index, pc: row.pc, location: this.program.location(row.origin) };
  }

  /** Paths that hold C which can be run. */
  paths(): string[] {
    return [...this.functionsOf().keys()];
  }
}

export interface ScenarioPlace {
  /** Instruction of the unit. */
  pc: number;
  /** Of a line that calls a sequence: so many calls out from the instruction, which is the first of what is called. */
  pending?: number;
  location: Location;
}

/** Every place in a unit at which a line begins: instructions, and the calls of sequences in front of their first instruction. */
export function scenarioPlaces(
  path: string,
  text: string,
  program: ScenarioProgram,
  unit: ScenarioUnit,
): ScenarioPlace[] {
  const placer = new Placer(path, text, program);
  const places: ScenarioPlace[] = [];
  for (const [pc, instruction] of unit.code.entries()) {
    if (!isLineAt(unit.code, pc)) continue;
    places.push({ pc, location: placer.span(shown(instruction), unit.start) });
    const via = viaOf(instruction);
    for (let pending = callsBegunAt(unit.code, pc); pending > 0; pending--)
      places.push({ pc, pending, location: placer.span(via[via.length - pending], unit.start) });
  }
  return places;
}

export const shown = (instruction: Instruction): Instruction['span'] =>
  instruction.kind === 'step' ? instruction.callSpan : instruction.span;
