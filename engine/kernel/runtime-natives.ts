/** What the C of a kernel model needs of its run time: heap, BUG and WARN, options of the model. */
import { OBJECT_SLOTS, TrapCode } from '../vm/bytecode.ts';
import type { Native } from '../vm/native.ts';
import type { KernelState } from './kernel-state.ts';

const KERN_WARNING = 4;

export function runtimeNatives(kernel: KernelState): Native[] {
  return [
    {
      // Zeroed. Sizes are bytes and every slot of the VM stands for at least one, so that many slots suffice; of the largest object there
      // can be, an array of 64-bit values uses an eighth.
      prototype: 'void *__kmalloc(unsigned long size)',
      call: (call) => call.allocate(Math.min(OBJECT_SLOTS - 1, Math.max(1, call.num(0)))),
    },
    {
      prototype: 'void kfree(const void *p)',
      call(call) {
        if (call.num(0) !== 0) call.free(call.num(0));
        return 0;
      },
    },
    {
      prototype: 'void __bug(const char *what)',
      call: (call) => call.trap(TrapCode.Bug, `kernel BUG: ${call.str(0)}`),
    },
    {
      prototype: 'void __warn(const char *what)',
      call(call) {
        kernel.log.append(KERN_WARNING, `WARNING: ${call.str(0)}`);
        return 0;
      },
    },
    {
      // The event in the log knows the stack; the text only marks it.
      prototype: 'void dump_stack(void)',
      call() {
        kernel.log.append(KERN_WARNING, 'Call Trace:');
        return 0;
      },
    },
    {
      // An option of the kernel model by name; 0 for one that is not set.
      prototype: 'int __kernel_option(const char *name)',
      call: (call) => kernel.options.value.get(call.str(0)) ?? 0,
    },
  ];
}
