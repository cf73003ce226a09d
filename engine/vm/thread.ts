/**
 * A thread is data: registers (which are its stack), and frames as columns. It can be copied, hashed and put back at any instruction.
 *
 * Frame columns, by depth: the function, the program counter, the frame pointer, and the call-tree node of the frame (-1 until somebody asks).
 * The program counter of the running frame is the next instruction, except while a native or an observer runs and after a trap: then it is
 * the instruction at fault. That of a calling frame is its call.
 */
import type { CodeProblem, TrapCode } from './bytecode.ts';
import { isInWindow, nextLook, Recurrence } from './recurrence.ts';
import { SlotArray } from './slots.ts';

export type ThreadStatus = 'idle' | 'running' | 'done' | 'trapped';

export interface Trap {
  code: TrapCode;
  message: string;
  /** Where: the function and the instruction in it. */
  function: number;
  pc: number;
  /** Program-wide site number, 0 if the program numbers none. */
  site: number;
  /** For TrapCode.Budget: the loop (index into FunctionCode.loops), or -1 when it was a call that used up the budget. */
  loop?: number;
  /** For TrapCode.Budget: the loop was stopped before its budget was used up, because its turns repeat each other. */
  endless?: boolean;
  /** For code that could not be compiled: what is wrong with it. */
  problem?: CodeProblem;
}

/** The live part of a thread, as plain data that shares nothing with it. */
export interface ThreadSnapshot {
  readonly thread: number;
  readonly status: ThreadStatus;
  readonly trap: Trap | undefined;
  readonly loopBudget: number;
  /** The frames, outermost first: function, pc and frame pointer of each. */
  readonly frames: Int32Array;
  readonly registers: Float64Array;
  /** Bits of the wide registers; undefined when there is none. */
  readonly wide: BigInt64Array | undefined;
}

/** Frames a thread may have. */
export const MAX_DEPTH = 4096;

const INITIAL_REGISTERS = 512;
const INITIAL_FRAMES = 32;

/** What counts turns and changes: the machine that a thread runs on. */
interface TurnCounter {
  readonly loopBudget: number;
  readonly journal: { readonly length: number };
}

export class Thread {
  readonly number: number;
  readonly registers = new SlotArray(INITIAL_REGISTERS);
  status: ThreadStatus = 'idle';
  trap: Trap | undefined;
  /** Back edges and calls this thread may still make. */
  loopBudget = 0;

  /** The rest of the budget at which the next turn is looked at for a recurrence; 0 when none is. */
  lookAt = 0;
  /** The turns of a loop have been found to repeat each other. */
  endless = false;
  private readonly recurrence = new Recurrence();

  /** Depth of the running frame, 0 for the outermost; -1 when there is none. */
  depth = -1;
  functions: Int32Array = new Int32Array(INITIAL_FRAMES);
  pcs: Int32Array = new Int32Array(INITIAL_FRAMES);
  fps: Int32Array = new Int32Array(INITIAL_FRAMES);
  nodes: Int32Array = new Int32Array(INITIAL_FRAMES);
  /** One past the last live register. */
  top = 0;

  constructor(number: number) {
    this.number = number;
  }

  /** Register `index` of the running frame; NaN when it is wide. */
  register(index: number): number {
    return this.registers.values[this.fps[this.depth] + index];
  }

  /** What the outermost function returned, once the thread is done; wide values as signed bits. */
  result(): number | bigint {
    return this.registers.get(0);
  }

  /** Room for one frame more, and for registers up to `top`. */
  reserve(depth: number, top: number): void {
    if (depth >= this.functions.length) {
      this.functions = doubled(this.functions);
      this.pcs = doubled(this.pcs);
      this.fps = doubled(this.fps);
      this.nodes = doubled(this.nodes);
    }
    if (top > this.registers.capacity) this.registers.grow(Math.max(top, this.registers.capacity * 2));
  }

  /** Set the turns and calls that may still be made, when a call begins or a thread is put back. */
  setBudget(left: number): void {
    this.loopBudget = left;
    this.endless = false;
    this.recurrence.forget();
    // The next turn finds out where the first window is.
    this.lookAt = left;
  }

  /** A turn that may be in a window of recurrence.ts ends: whether the loop goes round in circles. Says when to look next. */
  recurs(vm: TurnCounter, pc: number, depth: number, top: number, left: number): boolean {
    const turns = vm.loopBudget - left;
    if (isInWindow(turns)) this.endless = this.recurrence.seen(this, pc, depth, top, vm.journal.length);
    const next = nextLook(turns);
    if (next !== turns + 1) this.recurrence.forget();
    this.lookAt = Math.max(0, vm.loopBudget - next);
    return this.endless;
  }

  snapshot(): ThreadSnapshot {
    const frames = new Int32Array((this.depth + 1) * 3);
    for (let i = 0; i <= this.depth; i++) {
      frames[i * 3] = this.functions[i];
      frames[i * 3 + 1] = this.pcs[i];
      frames[i * 3 + 2] = this.fps[i];
    }
    const registers = this.registers.values.slice(0, this.top);
    return {
      thread: this.number,
      status: this.status,
      trap: this.trap,
      loopBudget: this.loopBudget,
      frames,
      registers,
      wide: registers.some(Number.isNaN) ? this.registers.wide.slice(0, this.top) : undefined,
    };
  }

  restore(from: ThreadSnapshot): void {
    if (from.thread !== this.number)
      throw new Error(`snapshot of thread ${from.thread} put into thread ${this.number}`);
    const depth = from.frames.length / 3 - 1;
    this.status = from.status;
    this.trap = from.trap;
    this.setBudget(from.loopBudget);
    this.depth = depth;
    this.top = from.registers.length;
    for (let i = 0; i <= depth; i++) {
      this.reserve(i, this.top);
      this.functions[i] = from.frames[i * 3];
      this.pcs[i] = from.frames[i * 3 + 1];
      this.fps[i] = from.frames[i * 3 + 2];
      this.nodes[i] = -1;
    }
    this.reserve(0, this.top);
    this.registers.values.set(from.registers);
    if (from.wide !== undefined) this.registers.wide.set(from.wide);
  }
}

function doubled(from: Int32Array): Int32Array {
  const to = new Int32Array(from.length * 2);
  to.set(from);
  return to;
}
