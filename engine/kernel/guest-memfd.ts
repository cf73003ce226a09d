/**
 * guest_memfd: what it knows of its pages beyond restricted memory (whose files, folios and frames it shares): which of them are uptodate, that is
 * filled with zeroes or launch contents and made the guest's (kvm_gmem_mark_prepared() in virt/kvm/guest_memfd.c). One bit per page, so that
 * a folio prepared in part, or split, needs nothing else.
 */
import type { Journal } from '../base/journal.ts';
import { PageSet } from '../base/page-set.ts';
import type { Native } from '../vm/native.ts';
import type { KernelState } from './kernel-state.ts';
import type { RestrictedMemory } from './restricted-memory.ts';

export class GuestMemfd {
  private readonly uptodate: PageSet;
  private readonly memory: RestrictedMemory;

  constructor(journal: Journal, memory: RestrictedMemory) {
    this.uptodate = new PageSet(journal);
    this.memory = memory;
  }

  isUptodate(pfn: number): boolean {
    return this.uptodate.has(pfn);
  }

  markUptodate(pfn: number, pages: number): void {
    for (let i = 0; i < pages; i++) this.uptodate.set(pfn + i, true);
  }

  /**
   * The frame behind an index of a file, allocating its folio if need be, or -errno as {@link RestrictedMemory.getPfn}. Without `hugeFolios` a
   * folio that the file's layout makes larger is one of single pages from the first look at it on.
   */
  getPage(file: number, index: number, hugeFolios: boolean): number {
    if (!hugeFolios && (this.memory.folio(file, index)?.order ?? 0) > 0) this.memory.split(file, index, index + 1);
    return this.memory.getPfn(file, index);
  }

  /** Free pages of a file: what comes there next is not uptodate. Returns the number freed. */
  free(file: number, index: number, pages: number): number {
    const end = index + pages;
    for (let next = this.memory.nextAllocated(file, index, end); next !== undefined; ) {
      this.uptodate.set(next.pfn, false);
      next = this.memory.nextAllocated(file, next.index + 1, end);
    }
    return this.memory.free(file, index, end);
  }
}

export function guestMemfdNatives(kernel: KernelState): Native[] {
  const { gmem } = kernel;
  return [
    {
      // 0 with a page reference taken and the order of the folio, or -errno with the outputs untouched.
      prototype: 'int __gmem_get_page(int file, unsigned long long index, unsigned long long *pfn, int *order)',
      call(call) {
        const result = gmem.getPage(call.num(0), call.num(1), kernel.options.value.get('gmem-huge-folios') !== 0);
        if (result < 0) return result;
        kernel.references.get(result);
        call.store(call.num(2), 0, result);
        call.store(call.num(3), 0, kernel.restricted.order);
        return 0;
      },
    },
    {
      prototype: 'int __gmem_test_uptodate(unsigned long long pfn)',
      call: (call) => (gmem.isUptodate(call.num(0)) ? 1 : 0),
    },
    {
      prototype: 'void __gmem_mark_uptodate(unsigned long long pfn, unsigned long npages)',
      call(call) {
        gmem.markUptodate(call.num(0), call.num(1));
        return 0;
      },
    },
    {
      // split_folio() of the folio at an index, into single pages.
      prototype: 'void __gmem_split_folio(int file, unsigned long long index)',
      call(call) {
        kernel.restricted.split(call.num(0), call.num(1), call.num(1) + 1);
        return 0;
      },
    },
    {
      // Number of pages freed.
      prototype: 'unsigned long __gmem_free(int file, unsigned long long index, unsigned long npages)',
      call: (call) => gmem.free(call.num(0), call.num(1), call.num(2)),
    },
  ];
}
