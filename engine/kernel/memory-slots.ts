/**
 * What the engine knows of KVM's memory slots, told by the model when it registers or drops one: enough to say which frame backs a gfn
 * without running C and without allocating anything.
 */
import type { Journal } from '../base/journal.ts';
import type { Native } from '../vm/native.ts';
import { JournalledValue } from './journalled.ts';
import type { KernelState } from './kernel-state.ts';

export interface MemorySlot {
  asid: number;
  id: number;
  baseGfn: number;
  pages: number;
  private: boolean;
  /** Restricted file that backs private pages, and the index of the slot's first page in it. */
  file: number;
  index: number;
  /** Frame of the slot's first shared page (the VMM's anonymous memory). */
  sharedPfn: number;
}

export class MemorySlots {
  private readonly table: JournalledValue<readonly MemorySlot[]>;

  constructor(journal: Journal) {
    this.table = new JournalledValue<readonly MemorySlot[]>(journal, []);
  }

  get all(): readonly MemorySlot[] {
    return this.table.value;
  }

  register(slot: MemorySlot): void {
    this.table.set([...this.table.value.filter((s) => s.asid !== slot.asid || s.id !== slot.id), slot]);
  }

  remove(asid: number, id: number): void {
    this.table.set(this.table.value.filter((s) => s.asid !== asid || s.id !== id));
  }

  find(asid: number, gfn: number): MemorySlot | undefined {
    for (const slot of this.table.value) {
      if (slot.asid === asid && gfn >= slot.baseGfn && gfn < slot.baseGfn + slot.pages) return slot;
    }
    return undefined;
  }
}

export function memorySlotNatives(kernel: KernelState): Native[] {
  return [
    {
      prototype:
        'void __memslot_register(unsigned int asid, int id, unsigned long long base_gfn, unsigned long long npages, int is_private, int file, unsigned long long index, unsigned long long shared_pfn)',
      call(call) {
        kernel.slots.register({
          asid: call.num(0),
          id: call.num(1),
          baseGfn: call.num(2),
          pages: call.num(3),
          private: call.num(4) !== 0,
          file: call.num(5),
          index: call.num(6),
          sharedPfn: call.num(7),
        });
        return 0;
      },
    },
    {
      prototype: 'void __memslot_remove(unsigned int asid, int id)',
      call(call) {
        kernel.slots.remove(call.num(0), call.num(1));
        return 0;
      },
    },
  ];
}
