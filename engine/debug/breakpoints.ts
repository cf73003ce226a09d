/** The breakpoints of a session: what the user asked for, where it lies, and whether a place is one of them. */
import type { Machine } from '../run/machine.ts';
import type { CodeBreaks } from './code-breaks.ts';
import type { CodePlace } from './code-places.ts';
import { changes, type Watched, watchedValue } from './data-watch.ts';
import type { Hit, Strategy } from './strategy.ts';

export type Target =
  /** `pending`: on the line of a call, so many calls out from the instruction. */
  | { kind: 'scenario'; pc: number; pending?: number }
  | { kind: 'code'; place: CodePlace }
  | { kind: 'data'; watched: Watched }
  /** Not found, or not running: it never stops. */
  | { kind: 'nowhere' };

export interface Breakpoint {
  id: number;
  target: Target;
  strategies: readonly Strategy[];
}

/** Sets of breakpoints by their owner (a source, the functions, the data); setting one replaces the owner's. */
export class Breakpoints {
  private readonly sets = new Map<string, Breakpoint[]>();
  private all: Breakpoint[] = [];
  private variables: {
    breakpoint: Breakpoint;
    watched: Extract<Watched, { kind: 'c' }>;
    before: string | undefined;
  }[] = [];

  set(owner: string, breakpoints: Breakpoint[]): void {
    if (breakpoints.length === 0) this.sets.delete(owner);
    else this.sets.set(owner, breakpoints);
    this.all = [...this.sets.values()].flat();
    this.variables = this.all.flatMap((breakpoint) =>
      breakpoint.target.kind === 'data' && breakpoint.target.watched.kind === 'c'
        ? [{ breakpoint, watched: breakpoint.target.watched, before: undefined }]
        : [],
    );
  }

  get watchesVariables(): boolean {
    return this.variables.length > 0;
  }

  get watchesPages(): boolean {
    return this.all.some(({ target }) => target.kind === 'data' && target.watched.kind !== 'c');
  }

  arm(breaks: CodeBreaks): void {
    for (const { target } of this.all) if (target.kind === 'code') breaks.add(target.place.function, target.place.pc);
  }

  atScenario(pc: number): Breakpoint[] {
    return this.all.filter(({ target }) => target.kind === 'scenario' && target.pc === pc);
  }

  atCode(functionIndex: number, pc: number): Breakpoint[] {
    return this.all.filter(
      ({ target }) => target.kind === 'code' && target.place.function === functionIndex && target.place.pc === pc,
    );
  }

  /** Those that watch what an event changed. */
  atEvent(machine: Machine, event: number): Breakpoint[] {
    return this.all.filter(({ target }) => target.kind === 'data' && changes(machine, event, target.watched));
  }

  /** Note what the watched variables hold before an instruction. */
  remember(machine: Machine): void {
    for (const one of this.variables) one.before = watchedValue(machine, one.watched);
  }

  /** Those whose variable has changed since. One whose frame came or went has not. */
  changed(machine: Machine): Breakpoint[] {
    return this.variables
      .filter((one) => {
        const now = watchedValue(machine, one.watched);
        return one.before !== undefined && now !== undefined && now !== one.before;
      })
      .map(({ breakpoint }) => breakpoint);
  }
}

/** Which of these stop, and what those that only say something say. */
export function consult(
  breakpoints: readonly Breakpoint[],
  hit: Hit,
  decide: (strategies: readonly Strategy[], hit: Hit) => { stop: boolean; text: string | undefined },
): { stopping: number[]; complaints: string[]; logs: string[] } {
  const stopping: number[] = [];
  const complaints: string[] = [];
  const logs: string[] = [];
  for (const { id, strategies } of breakpoints) {
    const { stop, text } = decide(strategies, hit);
    if (stop) stopping.push(id);
    if (text !== undefined) (stop ? complaints : logs).push(text);
  }
  return { stopping, complaints, logs };
}
