/** A thread's frames and variables as a debugger shows them. Reads only; what it returns shares nothing with the thread. */
import type { FunctionCode, LineRow, LocalInfo } from './bytecode.ts';
import { lineRow, localsAt } from './line-table.ts';
import type { Thread } from './thread.ts';
import type { Vm } from './vm.ts';

export interface FrameView {
  /** 0 for the outermost frame. */
  depth: number;
  function: number;
  name: string;
  code: FunctionCode;
  /** The next instruction in the innermost frame (the one at fault after a trap), the call in the others. */
  pc: number;
  /** Absolute index of register 0. */
  fp: number;
  row: LineRow | undefined;
}

/** The frames of a thread, innermost first. */
export function unwind(vm: Vm, thread: Thread): FrameView[] {
  const frames: FrameView[] = [];
  for (let depth = thread.depth; depth >= 0; depth--) {
    const index = thread.functions[depth];
    const code = vm.load(index).source;
    const pc = thread.pcs[depth];
    frames.push({ depth, function: index, name: code.name, code, pc, fp: thread.fps[depth], row: lineRow(code, pc) });
  }
  return frames;
}

/** The variables in scope where a frame stands. */
export function frameLocals(frame: FrameView): LocalInfo[] {
  return localsAt(frame.code, frame.pc);
}

/** `slots` slots of a variable; wide ones as signed bits, for the variable's type to read. */
export function readLocal(thread: Thread, frame: FrameView, local: LocalInfo, slots = 1): (number | bigint)[] {
  return Array.from({ length: slots }, (_, i) => thread.registers.get(frame.fp + local.register + i));
}

/** Slots behind a pointer; undefined for those that cannot be read. */
export function readMemory(vm: Vm, thread: Thread, pointer: number, slots = 1): (number | bigint | undefined)[] {
  return Array.from({ length: slots }, (_, i) => vm.access.read(thread, pointer, i));
}
