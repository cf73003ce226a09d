/**
 * Pages the kernel allocates for itself (VMSA pages and the like): from the top of memory downwards, so that they stay clear of what backs guests.
 * A freed page is not given out again: whoever still uses it is told apart from its next owner.
 */
import type { Journal } from '../base/journal.ts';
import { EventKind } from '../trace/trace.ts';
import { TrapCode } from '../vm/bytecode.ts';
import type { Native } from '../vm/native.ts';
import { JournalledList, JournalledValue } from './journalled.ts';
import type { KernelState } from './kernel-state.ts';
import { pagePointer, pagePointerPfn } from './page-reference.ts';

export class PageAllocator {
  /** Lowest frame given out. */
  private readonly lowest: JournalledValue<number>;
  private readonly freedList: JournalledList<number>;

  constructor(journal: Journal, memoryPages: number) {
    this.lowest = new JournalledValue(journal, memoryPages);
    this.freedList = new JournalledList(journal);
  }

  /**
   * 2^order pages, aligned to their size, none of which is `taken` by something else. The first pfn, or -1 when there is no more memory.
   */
  allocate(order: number, taken: (pfn: number) => boolean = () => false): number {
    const pages = 2 ** order;
    let pfn = Math.floor(this.lowest.value / pages) * pages - pages;
    while (pfn >= 0 && (taken(pfn) || taken(pfn + pages - 1))) pfn -= pages;
    if (pfn < 0) return -1;
    this.lowest.set(pfn);
    return pfn;
  }

  free(pfn: number): void {
    this.freedList.push(pfn);
  }

  /** Frames given back, in order. */
  get freed(): readonly number[] {
    return this.freedList.all;
  }
}

export function pageAllocatorNatives(kernel: KernelState): Native[] {
  return [
    {
      // The first of 2^order pages, NULL when there is no more memory.
      prototype: 'struct page *alloc_pages(unsigned int gfp, unsigned int order)',
      call(call) {
        const taken = (page: number): boolean =>
          kernel.restricted.owning(page) !== undefined ||
          kernel.hardware.reserved.some(({ start, end }) => page >= start && page < end);
        const pfn = kernel.pages.allocate(call.num(1), taken);
        return pfn < 0 ? 0 : pagePointer(pfn);
      },
    },
    {
      prototype: 'void __free_page(struct page *page)',
      call(call) {
        const pfn = pagePointerPfn(call.num(0));
        if (pfn < 0) return call.trap(TrapCode.BadPointer, '__free_page() was not given a struct page pointer');
        kernel.hardware.trace.record(EventKind.PageFree, 0, pfn, 1, -1, 0, -1);
        kernel.pages.free(pfn);
        return 0;
      },
    },
  ];
}
