/**
 * Pages the kernel has given up on: they could not be taken back from the RMP and must never be freed or assigned again
 * (snp_leaked_pages_list). A list entry is part of its struct page, so adding a page that is already on the list ties the list into a
 * loop: that is kept as a fact instead of being carried out.
 */
import type { Journal } from '../base/journal.ts';
import { TrapCode } from '../vm/bytecode.ts';
import type { Native } from '../vm/native.ts';
import { JournalledList } from './journalled.ts';
import type { KernelState } from './kernel-state.ts';
import { pagePointerPfn } from './page-reference.ts';

export class LeakedPages {
  private readonly entries: JournalledList<number>;

  constructor(journal: Journal) {
    this.entries = new JournalledList(journal);
  }

  /** list_add_tail() of the page's entry. */
  add(pfn: number): void {
    this.entries.push(pfn);
  }

  /** pfns in the order they were added, one that was added twice as often as that. */
  get list(): readonly number[] {
    return this.entries.all;
  }

  has(pfn: number): boolean {
    return this.entries.all.includes(pfn);
  }

  /** A page was added while it was on the list. */
  get corrupted(): boolean {
    return new Set(this.entries.all).size !== this.entries.length;
  }
}

export function leakedPageNatives(kernel: KernelState): Native[] {
  return [
    {
      prototype: 'void __leaked_page_add(struct page *page)',
      call(call) {
        const pfn = pagePointerPfn(call.num(0));
        if (pfn < 0) return call.trap(TrapCode.BadPointer, 'the leaked list was not given a struct page pointer');
        kernel.leaked.add(pfn);
        return 0;
      },
    },
  ];
}
