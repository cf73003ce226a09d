/** Test helper: a machine over hand-written functions, and what one call on it comes to. */
import { Journal } from '../../../engine/base/journal.ts';
import type { FunctionCode, StaticObject } from '../../../engine/vm/bytecode.ts';
import type { NativeTable } from '../../../engine/vm/native.ts';
import type { Thread } from '../../../engine/vm/thread.ts';
import { createVm, type Vm, type VmOptions } from '../../../engine/vm/vm.ts';
import { TestProgram } from './assemble.ts';

export function machine(
  functions: readonly FunctionCode[],
  options: Partial<VmOptions> & { statics?: StaticObject[]; natives?: NativeTable } = {},
): Vm {
  const { statics, ...rest } = options;
  return createVm({ program: new TestProgram(functions, statics), natives: [], journal: new Journal(), ...rest });
}

/** Call function 0 to its end on a new thread. */
export function callOn(vm: Vm, args: readonly (number | bigint)[] = []): Thread {
  const thread = vm.threads[0] ?? vm.createThread();
  vm.start(thread, 0, args);
  vm.run(thread, { instructions: 1e9 });
  return thread;
}

/** The result of function 0, or the trap's message. */
export function outcome(vm: Vm, args: readonly (number | bigint)[] = []): number | bigint | string {
  const thread = callOn(vm, args);
  return thread.status === 'done' ? thread.result() : `trap ${thread.trap?.code}: ${thread.trap?.message}`;
}

/** The whole memory as plain data: equal data means equal state. */
export function memoryImage(vm: Vm): unknown {
  const { slots, count, top, bases, limits } = vm.memory;
  return {
    count,
    top,
    bases: [...bases.subarray(0, count)],
    limits: [...limits.subarray(0, count)],
    slots: Array.from({ length: top }, (_, i) => slots.get(i)),
    beyond: slots.values.subarray(top).some((value) => value !== 0),
  };
}
