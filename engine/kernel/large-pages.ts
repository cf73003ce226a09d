/**
 * Which large pages of a guest hold pages of different attributes (the KVM_LPAGE_PRIVATE_SHARED_MIXED mark of kvm_lpage_info): the MMU must
 * not map one of those as a whole. KVM decides, in C; this only remembers, in one bit per large page that was ever looked at.
 */
import type { Journal } from '../base/journal.ts';
import { PageSet } from '../base/page-set.ts';
import { type PgLevel, pagesPerLevel } from '../base/units.ts';
import type { Native } from '../vm/native.ts';
import type { KernelState } from './kernel-state.ts';

export class LargePages {
  private readonly journal: Journal;
  /** By asid * 4 + level; the set's pages are numbers of large pages. */
  private readonly mixed = new Map<number, PageSet>();

  constructor(journal: Journal) {
    this.journal = journal;
  }

  isMixed(asid: number, gfn: number, level: PgLevel): boolean {
    return this.mixed.get(asid * 4 + level)?.has(Math.floor(gfn / pagesPerLevel(level))) ?? false;
  }

  setMixed(asid: number, gfn: number, level: PgLevel, mixed: boolean): void {
    let set = this.mixed.get(asid * 4 + level);
    if (set === undefined) {
      if (!mixed) return;
      set = new PageSet(this.journal);
      this.mixed.set(asid * 4 + level, set);
    }
    set.set(Math.floor(gfn / pagesPerLevel(level)), mixed);
  }
}

export function largePageNatives(kernel: KernelState): Native[] {
  return [
    {
      prototype: 'void __lpage_set_mixed(unsigned int asid, unsigned long long gfn, int level, int mixed)',
      call(call) {
        kernel.largePages.setMixed(call.num(0), call.num(1), call.num(2) as PgLevel, call.num(3) !== 0);
        return 0;
      },
    },
    {
      prototype: 'int __lpage_is_mixed(unsigned int asid, unsigned long long gfn, int level)',
      call: (call) => (kernel.largePages.isMixed(call.num(0), call.num(1), call.num(2) as PgLevel) ? 1 : 0),
    },
  ];
}
