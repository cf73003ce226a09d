/**
 * One run as a line of states that can be walked in both directions.
 *
 * A state's name is its *tick*: how many instructions (of the scenario, and of C within its steps) led to it. Going forward is running. Going
 * back is undoing the journal to an *anchor*, a copy of what the journal does not hold, and running the rest again; since a run is
 * deterministic, that lands on the very state, bit for bit. Anchors are a fixed number of ticks apart, and fewer and further between once there
 * are many, so their memory is bounded; the journal's is that of the run itself.
 *
 * A *what-if* is a change that the user makes from outside. It belongs to its tick: who goes back over it and forward again meets it again.
 */
import type { RunSnapshot, ScenarioRun } from '../run/run.ts';
import { NoteKind } from '../vm/bytecode.ts';
import type { Observer } from '../vm/vm.ts';
import type { Breakpoint } from './breakpoints.ts';
import { CodeBreaks } from './code-breaks.ts';

/** Why the timeline stopped going forward. */
export type Halt =
  /** The wanted tick is reached. */
  | 'reached'
  /** Before an instruction at which a break is set. */
  | 'break'
  /** Just after an instruction that recorded an event somebody wants. */
  | 'event'
  /** An instruction of the scenario is done; the next one stands at {@link ScenarioRun.position}. */
  | 'settled'
  /** There is nothing more to run. */
  | 'over';

interface Anchor {
  tick: number;
  run: RunSnapshot;
  /** What-ifs that are in it. */
  applied: number;
}

/** An event that somebody wants to stop at. */
export interface Wanted {
  event: number;
  /** The exception filter that it belongs to. */
  filter: string | undefined;
  /** The data breakpoints that it hits. */
  breakpoints: readonly Breakpoint[];
}

interface WhatIf {
  tick: number;
  apply(): void;
}

/** Ticks from an anchor to the next. What is run again on the way to a tick is less than this, so well under a millisecond. */
const SPACING = 4096;
/** When there are so many anchors, every other one goes and the distance doubles. */
const ANCHORS = 4096;

export class Timeline {
  readonly run: ScenarioRun;
  /** Instructions so far: the name of the present state. */
  now = 0;
  /** The last tick, once a run has come to its end. */
  end: number | undefined;
  /** Where to halt before an instruction of C. */
  readonly breaks: CodeBreaks;
  /** Asked of every event: undefined, or why to halt after the instruction that recorded it. */
  wants: ((event: number) => Wanted | undefined) | undefined;
  /** Wanted events of the last instruction. */
  readonly events: Wanted[] = [];
  /** The tick at which each instance of a scenario instruction began. */
  private readonly starts: number[] = [];
  private readonly anchors: Anchor[] = [];
  private spacing = SPACING;
  private readonly whatIfs: WhatIf[] = [];
  private applied = 0;
  private broke = false;

  constructor(run: ScenarioRun) {
    this.run = run;
    const { machine } = run;
    this.breaks = new CodeBreaks(machine.vm);
    const observer: Observer = {
      note: (kind, value, other, thread) => {
        if (kind === NoteKind.Break) {
          this.broke = true;
          machine.vm.pauseSoon();
        } else machine.note(kind, value, other, thread);
      },
    };
    machine.vm.observer = observer;
    this.anchors.push({ tick: 0, run: run.snapshot(), applied: 0 });
  }

  private readonly observe = (event: number): void => {
    const wanted = this.wants?.(event);
    if (wanted === undefined) return;
    this.events.push(wanted);
    const { vm } = this.run.machine;
    if (vm.running !== undefined) vm.pauseSoon();
  };

  /** Put the machine back as it was before the run, and let go of it. */
  dispose(): void {
    const { machine } = this.run;
    machine.vm.observer = machine;
    this.run.release();
  }

  get isOver(): boolean {
    return this.run.state !== 'running';
  }

  /** The tick at which an instance began; undefined if it has not been run yet. */
  startOf(instance: number): number | undefined {
    return this.starts[instance];
  }

  /**
   * Go forward until tick `target`, or until something else is to be looked at. Breaks count from the second instruction on: the one that the
   * run stands at is executed.
   */
  forward(target: number, quietly = false): Halt {
    const { run } = this;
    this.events.length = 0;
    let armed = false;
    if (!quietly) run.machine.trace.observe = this.observe;
    try {
      for (let first = true; this.now < target; first = false) {
        if (this.isOver) {
          this.end = this.now;
          return 'over';
        }
        const anchor = this.anchors[this.anchors.length - 1];
        if (this.now >= anchor.tick + this.spacing) this.addAnchor();
        const inCall = run.isInCall;
        if (inCall && !first && !quietly && !armed) {
          this.breaks.insert();
          armed = true;
        }
        this.tick(first && !quietly && inCall && !this.breaks.isEmpty ? 1 : this.room(target));
        this.settleWhatIfs();
        if (this.broke) {
          this.broke = false;
          if (!quietly) return 'break';
        }
        if (quietly) continue;
        if (this.events.length > 0) return 'event';
        if (!run.isInCall) return this.isOver ? this.over() : 'settled';
      }
      return 'reached';
    } finally {
      if (armed) this.breaks.remove();
      run.machine.trace.observe = undefined;
    }
  }

  private over(): Halt {
    this.end = this.now;
    return 'settled';
  }

  private tick(limit: number): void {
    const { run } = this;
    const before = run.executed;
    let used = run.tick(limit);
    if (this.broke) {
      // The note stood in the instruction's place: it has not been executed.
      const { thread } = run.machine;
      thread.pcs[thread.depth]--;
      used--;
    }
    if (run.executed !== before) this.starts[before] = this.now;
    this.now += used;
  }

  /** Ticks that may be run at once. */
  private room(target: number): number {
    const anchor = this.anchors[this.anchors.length - 1].tick + this.spacing;
    let end = target;
    if (anchor > this.now) end = Math.min(end, anchor);
    const whatIf = this.whatIfs[this.applied];
    if (whatIf !== undefined && whatIf.tick > this.now) end = Math.min(end, whatIf.tick);
    return Math.max(1, end - this.now);
  }

  /** Land on a tick, before or after the present one. Returns where it landed: the end, if the run does not go so far. */
  goTo(tick: number): number {
    if (tick < this.now) this.restore(tick);
    while (this.now < tick && this.forward(tick, true) !== 'over');
    return this.now;
  }

  /** Go back to the last anchor at or before a tick that lies behind. Returns its tick. */
  backTo(tick: number): number {
    this.restore(Math.min(tick, this.now));
    return this.now;
  }

  /** Go back to the last anchor at or before a tick. Those behind it are void: how the journal is cut into records depends on where it was marked. */
  private restore(tick: number): void {
    const { anchors } = this;
    let low = 0;
    let high = anchors.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (anchors[middle].tick <= tick) low = middle;
      else high = middle - 1;
    }
    anchors.length = low + 1;
    const anchor = anchors[low];
    this.run.restore(anchor.run);
    this.now = anchor.tick;
    this.applied = anchor.applied;
    this.settleWhatIfs();
    this.events.length = 0;
  }

  private addAnchor(): void {
    if (this.anchors.length >= ANCHORS) {
      const kept = this.anchors.filter((_, i) => i % 2 === 0);
      this.anchors.length = 0;
      this.anchors.push(...kept);
      this.spacing *= 2;
    }
    this.anchors.push({ tick: this.now, run: this.run.snapshot(), applied: this.applied });
  }

  /** How many states are kept in full, for memory budgets. */
  get anchorCount(): number {
    return this.anchors.length;
  }

  /** Change the present state from outside. What was known of the future is void. */
  whatIf(apply: () => void): void {
    this.whatIfs.length = this.applied;
    this.whatIfs.push({ tick: this.now, apply });
    this.end = undefined;
    this.settleWhatIfs();
  }

  private settleWhatIfs(): void {
    for (;;) {
      const next = this.whatIfs[this.applied];
      if (next === undefined || next.tick > this.now) return;
      this.applied++;
      next.apply();
    }
  }
}
