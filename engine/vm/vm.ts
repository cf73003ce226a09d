/**
 * A machine that runs a program: its memory, its threads, and what it is attached to (natives, an observer, a trace). It knows nothing of
 * SNP: everything particular comes in through natives.
 */
import type { Journal } from '../base/journal.ts';
import type { CallTree } from '../trace/call-tree.ts';
import type { Now } from '../trace/trace.ts';
import { PointerAccess } from './access.ts';
import type { FunctionCode, Program } from './bytecode.ts';
import { execute } from './interpreter.ts';
import { functionPointer, Memory, OBJECT_LIMIT } from './memory.ts';
import type { NativeTable } from './native.ts';
import { RunningCall } from './native-call.ts';
import { Thread } from './thread.ts';

/** Back edges and calls a thread may make, unless told otherwise. */
export const DEFAULT_LOOP_BUDGET = 50_000_000;
/** A thread's stack in slots. */
export const DEFAULT_STACK_SLOTS = 1 << 16;

export interface Observer {
  /**
   * A NOTE was reached. `kind` and the meaning of `value` and `other` are in NoteKind: `other` is the value of register c for
   * NoteKind.Progress, and c itself for every other kind. A wide value comes as NaN; the thread has it. The thread's running frame is
   * the function that holds the NOTE.
   */
  note(kind: number, value: number, other: number, thread: Thread): void;
}

export interface VmOptions {
  program: Program;
  /** In the order that CALLN numbers them. */
  natives: NativeTable;
  journal: Journal;
  /** Where {@link Vm.locate} writes to; usually the Trace itself. */
  trace?: { readonly now: Now; readonly calls: CallTree };
  observer?: Observer;
  /** Back edges and calls a thread may make per start(). */
  loopBudget?: number;
  /** Slots of a thread's stack; an object's limit at most, for pointers have to reach them. */
  stackSlots?: number;
}

/** How many instructions a run may take; what is left is written back. */
export interface Budget {
  instructions: number;
}

export type RunResult = 'done' | 'trapped' | 'paused';

/** A compiled function as the interpreter wants it: every one has the same shape. */
export class LoadedFunction {
  readonly source: FunctionCode;
  readonly index: number;
  readonly code: Int32Array;
  readonly constants: Float64Array;
  readonly wideConstants: Int32Array;
  readonly frameSize: number;
  readonly parameterSlots: number;
  /** Site numbers by instruction, 0 where not asked for yet. */
  readonly sites: Uint32Array;

  constructor(index: number, source: FunctionCode) {
    this.source = source;
    this.index = index;
    this.code = source.code;
    this.constants = source.constants;
    const wide = source.wideConstants;
    this.wideConstants = new Int32Array(wide.buffer, wide.byteOffset, wide.length * 2);
    // Register 0 always exists: it takes the result.
    this.frameSize = Math.max(source.frameSize, source.parameterSlots, 1);
    this.parameterSlots = source.parameterSlots;
    this.sites = new Uint32Array(source.code.length / 4);
  }
}

export class Vm {
  readonly program: Program;
  readonly natives: NativeTable;
  readonly journal: Journal;
  readonly memory: Memory;
  readonly threads: Thread[] = [];
  readonly access: PointerAccess;
  readonly call: RunningCall;
  readonly loopBudget: number;
  readonly stackSlots: number;
  /** May be changed between runs. */
  observer: Observer | undefined;
  /** The thread that runs, while one does. */
  running: Thread | undefined;
  /** Set by {@link pauseSoon}; looked at after every native call and note. */
  pauseRequested = false;

  private readonly loaded: (LoadedFunction | undefined)[] = [];
  private readonly now: Now | undefined;
  private readonly calls: CallTree | undefined;

  constructor(options: VmOptions) {
    this.program = options.program;
    this.natives = options.natives;
    this.journal = options.journal;
    this.observer = options.observer;
    this.loopBudget = options.loopBudget ?? DEFAULT_LOOP_BUDGET;
    this.stackSlots = Math.min(options.stackSlots ?? DEFAULT_STACK_SLOTS, OBJECT_LIMIT);
    this.now = options.trace?.now;
    this.calls = options.trace?.calls;
    this.memory = new Memory(options.journal, options.program);
    this.access = new PointerAccess(this.memory, this.threads, (index) => this.program.functionName(index));
    this.call = new RunningCall(this.access, this.memory);
  }

  /** A new thread; its number is its index in `threads`. Threads are reused by starting them again. */
  createThread(): Thread {
    const thread = new Thread(this.threads.length);
    this.threads.push(thread);
    return thread;
  }

  /** Begin a call of function `functionIndex` with these argument slots on an idle or finished thread; run() makes it go. */
  start(thread: Thread, functionIndex: number, args: readonly (number | bigint)[]): void {
    const callee = this.load(functionIndex);
    if (args.length > callee.frameSize) throw new Error(`${callee.source.name}: ${args.length} argument slots`);
    thread.reserve(0, callee.frameSize);
    thread.registers.values.fill(0, 0, callee.frameSize);
    for (let i = 0; i < args.length; i++) thread.registers.set(i, args[i]);
    thread.depth = 0;
    thread.functions[0] = functionIndex;
    thread.pcs[0] = 0;
    thread.fps[0] = 0;
    thread.nodes[0] = 0;
    thread.top = callee.frameSize;
    thread.status = 'running';
    thread.trap = undefined;
    thread.setBudget(this.loopBudget);
  }

  /** Run `thread` until it is done, traps, or has used up `budget`. Slicing a run does not change what it does. */
  run(thread: Thread, budget: Budget): RunResult {
    if (thread.status === 'done') return 'done';
    if (thread.status === 'trapped') return 'trapped';
    if (thread.status !== 'running') throw new Error(`thread ${thread.number} has not been started`);
    this.running = thread;
    this.call.bind(thread);
    try {
      return execute(this, thread, budget);
    } finally {
      this.running = undefined;
    }
  }

  /** Ask the running thread to pause after the present instruction; for natives and observers. */
  pauseSoon(): void {
    this.pauseRequested = true;
  }

  /** The function, compiled now if it has never run. */
  load(index: number): LoadedFunction {
    let loaded = this.loaded[index];
    if (loaded === undefined) {
      // Filled up one by one: an array with holes would slow down every call.
      while (this.loaded.length <= index) this.loaded.push(undefined);
      loaded = new LoadedFunction(index, this.program.functionCode(index));
      this.loaded[index] = loaded;
    }
    return loaded;
  }

  /** Pointer to file-scope variable or string literal `index`, for those outside who look at it. Journalled when it is the first use. */
  staticPointer(index: number): number {
    return this.memory.staticPointer(index);
  }

  functionPointer(index: number): number {
    return functionPointer(index);
  }

  /**
   * Write where the running thread is into the trace's `now`: thread, site and call stack. Cheap enough for every event: a frame's node in the
   * call tree is looked up once. For {@link Trace.locate}.
   */
  readonly locate = (): void => {
    const now = this.now;
    if (now === undefined) return;
    const thread = this.running;
    if (thread === undefined) {
      now.site = 0;
      now.stack = 0;
      return;
    }
    const depth = thread.depth;
    now.thread = thread.number;
    now.site = this.siteOf(thread.functions[depth], thread.pcs[depth]);
    const node = thread.nodes[depth];
    now.stack = node >= 0 ? node : this.stackNode(thread, depth);
  };

  /** Program-wide site number of an instruction; 0 if the program numbers none. */
  siteOf(functionIndex: number, pc: number): number {
    const loaded = this.loaded[functionIndex];
    if (loaded === undefined) return this.program.siteOf?.(functionIndex, pc) ?? 0;
    let site = loaded.sites[pc];
    if (site === 0) {
      site = this.program.siteOf?.(functionIndex, pc) ?? 0;
      loaded.sites[pc] = site;
    }
    return site;
  }

  /** The call-tree node of a frame: how it was reached. The outermost frame is at node 0. */
  stackNode(thread: Thread, depth: number): number {
    if (this.calls === undefined) return 0;
    let known = depth;
    while (known > 0 && thread.nodes[known] < 0) known--;
    let node = known === 0 ? 0 : thread.nodes[known];
    for (let i = known; i < depth; i++) {
      node = this.calls.enter(node, this.siteOf(thread.functions[i], thread.pcs[i]));
      thread.nodes[i + 1] = node;
    }
    return node;
  }
}

export function createVm(options: VmOptions): Vm {
  return new Vm(options);
}
