/** Every native that kernel C may call, acting on one kernel state. The order is fixed: compiled code calls natives by number. */
import type { Native } from '../vm/native.ts';
import { directMapNatives } from './direct-map.ts';
import { guestMemfdNatives } from './guest-memfd.ts';
import { instructionNatives, nestedPageTableNatives } from './instruction-natives.ts';
import type { KernelState } from './kernel-state.ts';
import { largePageNatives } from './large-pages.ts';
import { leakedPageNatives } from './leaked-pages.ts';
import { lockNatives } from './locks.ts';
import { logNatives } from './log.ts';
import { memoryAttributeNatives } from './memory-attributes.ts';
import { memorySlotNatives } from './memory-slots.ts';
import { pageAllocatorNatives } from './page-allocator.ts';
import { pageReferenceNatives } from './page-reference.ts';
import { restrictedMemoryNatives } from './restricted-memory.ts';
import { runtimeNatives } from './runtime-natives.ts';

export function kernelNatives(kernel: KernelState): readonly Native[] {
  return [
    ...instructionNatives(kernel),
    ...nestedPageTableNatives(kernel),
    ...restrictedMemoryNatives(kernel),
    ...guestMemfdNatives(kernel),
    ...pageReferenceNatives(kernel),
    ...pageAllocatorNatives(kernel),
    ...memoryAttributeNatives(kernel),
    ...largePageNatives(kernel),
    ...memorySlotNatives(kernel),
    ...directMapNatives(kernel),
    ...leakedPageNatives(kernel),
    ...lockNatives(kernel),
    ...logNatives(kernel),
    ...runtimeNatives(kernel),
  ];
}
