/**
 * Motions: what `continue`, a step or their counterparts backwards do, as data that is worked on in slices, so that whoever drives a motion can stop it
 * at any time.
 *
 * Backwards, a motion takes the stretches between anchors from the last to the first, runs each forward, notes the last place in it at which it would
 * have stopped, and lands there.
 */
import type { CodeBreaks } from './code-breaks.ts';
import { levelOf, restAt } from './places.ts';
import type { Timeline } from './timeline.ts';

export type MotionKind = 'continue' | 'over' | 'into' | 'out' | 'instruction' | 'over-instruction';

export type StopReason = 'breakpoint' | 'data' | 'exception' | 'step' | 'entry' | 'end' | 'goto' | 'pause';

export interface Stop {
  reason: StopReason;
  /** One line for the user. */
  text?: string;
  breakpoints: readonly number[];
  /** Exception: the filter that stopped it. */
  filter?: string;
  /** Exception: the finding, by its number in the run. */
  finding?: number;
  event?: number;
  /** The instance of a scenario instruction to show, if it is another than the one that comes next. */
  instance?: number;
  /** Of the calls of sequences that begin here, how many are only about to be made. */
  pending?: number;
}

/** What somebody wants to stop at, apart from the motion's own end. */
export interface Interests {
  /** Whether every single instruction has to be looked at. */
  readonly singly: boolean;
  /** Add the places in C. */
  arm(breaks: CodeBreaks): void;
  /** Before the instruction at which the run stands. `forward`: what only says something says it. */
  before(forward: boolean): Stop | undefined;
  /** After an instruction. `tick`: before it. */
  after(forward: boolean): Stop | undefined;
  /** Called before each instruction that is executed singly. */
  remember(): void;
}

export interface Motion {
  /** Go on for about so many ticks; the stop, once there is one. */
  advance(ticks: number): Stop | undefined;
  /** Give up: where the run is to be left. */
  cancel(): void;
}

const REACHED: Stop = { reason: 'step', breakpoints: [] };

export class ForwardMotion implements Motion {
  private readonly timeline: Timeline;
  private readonly interests: Interests;
  private readonly kind: MotionKind;
  private readonly level: number;

  /** @param pending calls of sequences that the run rests in front of */
  constructor(timeline: Timeline, interests: Interests, kind: MotionKind, pending = 0) {
    this.timeline = timeline;
    this.interests = interests;
    this.kind = kind;
    this.level = levelOf(timeline.run) - pending;
    armFor(timeline, interests, kind === 'over' || kind === 'out' || kind === 'over-instruction');
  }

  advance(ticks: number): Stop | undefined {
    const { timeline, interests } = this;
    const deadline = timeline.now + ticks;
    while (timeline.now < deadline) {
      const singly = interests.singly || this.isSingly();
      const atBegin = timeline.now;
      if (interests.singly) interests.remember();
      const halt = timeline.forward(singly ? timeline.now + 1 : deadline);
      if (halt === 'over') return { reason: 'end', breakpoints: [] };
      const after = timeline.now > atBegin ? interests.after(true) : undefined;
      if (after !== undefined) return after;
      if (timeline.isOver) return { reason: 'end', breakpoints: [] };
      const before = interests.before(true);
      if (before !== undefined) return before;
      const done = this.done();
      if (done !== undefined) return done;
    }
    return undefined;
  }

  /** Whether it has to look at every instruction. */
  private isSingly(): boolean {
    if (this.kind === 'over-instruction') return levelOf(this.timeline.run) <= this.level;
    return this.kind === 'into' || this.kind === 'instruction';
  }

  private done(): Stop | undefined {
    const { run } = this.timeline;
    switch (this.kind) {
      case 'instruction':
        return REACHED;
      case 'over-instruction':
        return levelOf(run) <= this.level ? REACHED : undefined;
      case 'into':
        return this.restAbove(Number.POSITIVE_INFINITY);
      case 'over':
        return this.restAbove(this.level);
      case 'out':
        if (run.isInCall) return levelOf(run) < this.level ? REACHED : undefined;
        return this.restAbove(this.level - 1);
      default:
        return undefined;
    }
  }

  /** A statement no deeper than `most`; in front of all calls that begin there. */
  private restAbove(most: number): Stop | undefined {
    const rest = restAt(this.timeline.run, 0);
    if (rest === undefined || rest.level > most) return undefined;
    return rest.pending === 0 ? REACHED : { ...REACHED, pending: rest.pending };
  }

  cancel(): void {}
}

/** A motion that is over before it begins: what changes is what is shown. */
export class Arrived implements Motion {
  private readonly stop: Stop;

  constructor(stop: Stop) {
    this.stop = stop;
  }

  advance(): Stop {
    return this.stop;
  }

  cancel(): void {}
}

/** To a place between the instructions of the scenario, past everything else; back to where it began if the run does not come by. */
export class RunToMotion implements Motion {
  private readonly timeline: Timeline;
  private readonly isThere: () => boolean;
  private readonly there: Stop;
  private readonly origin: number;

  /**
   * @param isThere asked where no C runs, also at the end of the run
   * @param pending calls of sequences to rest in front of, there
   */
  constructor(timeline: Timeline, isThere: () => boolean, pending = 0) {
    this.timeline = timeline;
    this.isThere = isThere;
    this.there = { reason: 'goto', breakpoints: [], ...(pending === 0 ? {} : { pending }) };
    this.origin = timeline.now;
    timeline.breaks.clear();
  }

  advance(ticks: number): Stop | undefined {
    const { timeline } = this;
    const { run } = timeline;
    const deadline = timeline.now + ticks;
    while (timeline.now < deadline && !timeline.isOver) {
      const halt = timeline.forward(deadline);
      if ((halt === 'settled' || halt === 'over') && !run.isInCall && this.isThere()) return this.there;
    }
    if (!timeline.isOver) return undefined;
    timeline.goTo(this.origin);
    return { reason: 'goto', text: 'The run does not come by there again.', breakpoints: [] };
  }

  /** It stays where it is: that is what whoever pauses wants to see. */
  cancel(): void {}
}

/** Set the breaks that the interests want, and those of a step: wherever statements of the functions on the stack begin. */
function armFor(timeline: Timeline, interests: Interests, statements: boolean): void {
  const { run, breaks } = timeline;
  breaks.clear();
  interests.arm(breaks);
  if (!statements || !run.isInCall) return;
  const { vm, thread } = run.machine;
  for (let depth = 0; depth <= thread.depth; depth++) {
    const index = thread.functions[depth];
    for (const row of vm.load(index).source.lines) if (row.statement) breaks.add(index, row.pc);
    // Where a call comes back to, for stepping out and for stepping over a call.
    breaks.add(index, thread.pcs[depth] + 1);
  }
}

export class BackwardMotion implements Motion {
  private readonly timeline: Timeline;
  private readonly interests: Interests;
  private readonly kind: 'continue' | 'over';
  private readonly level: number;
  /** Where it began. */
  private readonly origin: number;
  /** The end of the stretch that is searched: what lies at or after it is known to hold no stop. */
  private high: number;
  /** The beginning of the stretch; undefined between stretches. */
  private low: number | undefined;
  private found: { tick: number; stop: Stop } | undefined;

  constructor(timeline: Timeline, interests: Interests, kind: 'continue' | 'over', pending = 0) {
    this.timeline = timeline;
    this.interests = interests;
    this.kind = kind;
    this.level = levelOf(timeline.run) - pending;
    this.origin = timeline.now;
    this.high = timeline.now;
    armFor(timeline, interests, kind === 'over');
  }

  advance(ticks: number): Stop | undefined {
    const { timeline } = this;
    let left = ticks;
    while (left > 0) {
      if (this.low === undefined) {
        if (this.high === 0) {
          timeline.goTo(0);
          return { reason: 'entry', text: 'The beginning of the scenario', breakpoints: [] };
        }
        this.low = timeline.backTo(this.high - 1);
        this.found = undefined;
        this.look(timeline.now);
      }
      const from = timeline.now;
      this.search(from + left);
      left -= Math.max(1, timeline.now - from);
      if (timeline.now < this.high) continue;
      const found = this.best();
      if (found !== undefined) {
        timeline.goTo(found.tick);
        return found.stop;
      }
      this.high = this.low;
      this.low = undefined;
    }
    return undefined;
  }

  private search(deadline: number): void {
    const { timeline, interests } = this;
    const end = Math.min(deadline, this.high);
    while (timeline.now < end) {
      const tick = timeline.now;
      if (interests.singly) interests.remember();
      const halt = timeline.forward(interests.singly ? tick + 1 : end);
      if (halt === 'over') {
        this.high = Math.min(this.high, timeline.now);
        return;
      }
      const after = timeline.now > tick ? interests.after(false) : undefined;
      // A finding is seen where its step is done; everything else in front of the instruction that did it.
      if (after?.finding !== undefined) this.note(timeline.now, after);
      else if (after !== undefined) {
        const { instance: _, ...stop } = after;
        this.note(timeline.now - 1, stop);
      }
      this.look(timeline.now);
    }
  }

  private look(tick: number): void {
    if (tick >= this.high) return;
    const stop = this.interests.before(false);
    if (stop !== undefined) this.note(tick, stop);
    else if (this.kind === 'over') {
      const rest = restAt(this.timeline.run, this.level);
      if (rest !== undefined && rest.level <= this.level)
        this.note(tick, rest.pending === 0 ? REACHED : { ...REACHED, pending: rest.pending });
    }
  }

  private best(): { tick: number; stop: Stop } | undefined {
    return this.found;
  }

  private note(tick: number, stop: Stop): void {
    if (tick < this.high && (this.found === undefined || tick >= this.found.tick)) this.found = { tick, stop };
  }

  cancel(): void {
    this.timeline.goTo(this.origin);
  }
}
