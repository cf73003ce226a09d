/**
 * A run of a scenario for looking at: it can be taken to the state before or after any executed instruction, in any order. Hovers, hints and the
 * memory map read machines through it, so that the run that verdicts come from is left alone.
 *
 * Going back undoes the journal; going forward runs. When the scenario is edited, what ran before the first difference is kept.
 */
import type { ScenarioUnit } from '../scenario/program.ts';
import type { Machine } from './machine.ts';
import { ScenarioRun } from './run.ts';
import { sameInstruction } from './same-instruction.ts';

/** Instructions of C to run at once. */
const SLICE = 1 << 16;

export class Replay {
  readonly run: ScenarioRun;
  /** Ticks that the last {@link goTo} took. */
  used = 0;

  constructor(machine: Machine, unit: ScenarioUnit) {
    this.run = new ScenarioRun(machine, unit);
  }

  get machine(): Machine {
    return this.run.machine;
  }

  get unit(): ScenarioUnit {
    return this.run.unit;
  }

  /** The machine stands before this instance, behind all earlier ones. */
  get now(): number {
    return this.run.executed;
  }

  get isOver(): boolean {
    return this.run.state !== 'running';
  }

  /**
   * Go to the state before instance `instance` (an execution of one instruction, counted from 0), which is the state after the one before it.
   * Returns where it landed: less than `instance` if the run ends before, or if `ticks` (instructions of the scenario and of C) are used up.
   */
  goTo(instance: number, ticks = Number.POSITIVE_INFINITY): number {
    const { run } = this;
    if (instance < run.executed) run.backTo(instance);
    this.used = 0;
    while ((run.isInCall || run.executed < instance) && run.state === 'running' && this.used < ticks)
      this.used += run.tick(Math.min(SLICE, ticks - this.used));
    return run.isInCall ? run.executed - 1 : run.executed;
  }

  /** Run to the end of the scenario. False if `ticks` did not suffice. */
  toEnd(ticks = Number.POSITIVE_INFINITY): boolean {
    this.goTo(Number.POSITIVE_INFINITY, ticks);
    return this.isOver;
  }

  /** The instances that instruction `pc` made so far, the first `limit`. */
  instancesOf(pc: number, limit = Number.POSITIVE_INFINITY): number[] {
    const found: number[] = [];
    for (let i = 0; i < this.run.executed && found.length < limit; i++)
      if (this.run.positionOf(i) === pc) found.push(i);
    return found;
  }

  /** Go on with an edited scenario. */
  adopt(unit: ScenarioUnit): void {
    const old = this.run.unit;
    if (old !== unit) this.run.adopt(unit, (i) => sameInstruction(old.code[i], old, unit.code[i], unit));
  }
}
