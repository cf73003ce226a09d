/**
 * The kernel's direct map: at which level each frame of RAM is mapped, and whether it is mapped at all.
 *
 * It starts as all 1G (or 2M, or 4K) mappings that are present. Changing one page splits what covers it down to 4K and, as in the kernel,
 * nothing ever joins the pieces again. A 2M frame costs 512 bytes once it is split, nothing before.
 */
import { errnoNumbers } from '../base/errno.ts';
import type { Journal, Undoable } from '../base/journal.ts';
import { PAGES_PER_1G, PAGES_PER_2M, PG_LEVEL_1G, PG_LEVEL_2M, PG_LEVEL_4K, type PgLevel } from '../base/units.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import { TrapCode } from '../vm/bytecode.ts';
import type { Native } from '../vm/native.ts';
import type { KernelState } from './kernel-state.ts';
import { pagePointerPfn } from './page-reference.ts';
import { RunRecorder } from './run-recorder.ts';

const PRESENT = 1;
/** In the journal: a split of a 1G mapping, not of a 2M one. */
const SPLIT_1G = 1;

export class DirectMap implements Undoable {
  private readonly journal: Journal;
  private readonly owner: number;
  private readonly runs: RunRecorder;
  private readonly base: PgLevel;
  private readonly pages: number;
  /** By pfn >> 18, when the base is 1G: split to 2M mappings. */
  private readonly split1G = new Set<number>();
  /** By pfn >> 9: split to 4K mappings, one byte a page. */
  private readonly split2M = new Map<number, Uint8Array>();
  private lastFrame = -1;
  private lastPages: Uint8Array | undefined;

  /** `pages`: frames of RAM that are mapped; `base`: level of the untouched mappings. */
  constructor(journal: Journal, trace: Trace, pages: number, base: PgLevel) {
    this.journal = journal;
    this.owner = journal.register(this);
    this.runs = new RunRecorder(journal, trace, EventKind.DirectMap);
    this.pages = pages;
    this.base = base;
  }

  /** Level of the mapping that covers (or covered) the frame. */
  level(pfn: number): PgLevel {
    if (this.base === PG_LEVEL_4K || this.frame(pfn) !== undefined) return PG_LEVEL_4K;
    if (this.base === PG_LEVEL_2M || this.split1G.has(Math.floor(pfn / PAGES_PER_1G))) return PG_LEVEL_2M;
    return PG_LEVEL_1G;
  }

  present(pfn: number): boolean {
    if (pfn >= this.pages) return false;
    const frame = this.frame(pfn);
    return frame === undefined || (frame[pfn % PAGES_PER_2M] & PRESENT) !== 0;
  }

  /**
   * set_direct_map_invalid_noflush() / set_direct_map_default_noflush(): one page, not flushed. A large mapping that already is what is asked
   * for is left whole (try_preserve_large_page()). Returns 0, or -EINVAL outside RAM.
   */
  setPresent(pfn: number, present: boolean): number {
    if (pfn >= this.pages) return -errnoNumbers.EINVAL;
    const was = this.present(pfn);
    if (was === present) return 0;
    const before = this.level(pfn) * 2 + (was ? PRESENT : 0);
    this.splitTo4K(pfn);
    const event = this.runs.record(0, pfn, before, PG_LEVEL_4K * 2 + (present ? PRESENT : 0), -1);
    this.journalPages(pfn * 2 + (was ? PRESENT : 0), event, 1);
    (this.frame(pfn) as Uint8Array)[pfn % PAGES_PER_2M] = present ? PRESENT : 0;
    return 0;
  }

  /** As {@link setPresent} on one page after the other, up to the first that fails. Returns how many did not. */
  setRangePresent(pfn: number, pages: number, present: boolean): number {
    const stop = Math.min(pfn + pages, this.pages);
    const [was, is] = present ? [0, PRESENT] : [PRESENT, 0];
    for (let at = pfn; at < stop; ) {
      const frame = this.frame(at);
      const first = at % PAGES_PER_2M;
      const limit = Math.min(PAGES_PER_2M, first + stop - at);
      if (frame === undefined) {
        // The first page splits what covers them all, unless they are what is asked for.
        if (present) at += limit - first;
        else this.setPresent(at++, present);
        continue;
      }
      let to = first;
      while (to < limit && frame[to] === is) to++;
      const from = to;
      while (to < limit && frame[to] === was) to++;
      if (from < to) {
        const start = at + from - first;
        const event = this.runs.record(0, start, PG_LEVEL_4K * 2 + was, PG_LEVEL_4K * 2 + is, -1, to - from);
        this.journalPages(start * 2 + was, event, to - from);
        frame.fill(is, from, to);
      }
      at += to - first;
    }
    return Math.max(0, stop - pfn);
  }

  /** Record of a change of presence: the first page of a run (twice its pfn, plus what it was), its event, the pages in it. */
  private journalPages(page: number, event: number, pages: number): void {
    const { journal } = this;
    const at = journal.extendable(this.owner, 3);
    if (at >= 0) {
      const { block } = journal;
      if (block[at + 1] === event && block[at] + 2 * block[at + 2] === page) {
        block[at + 2] += pages;
        return;
      }
    }
    journal.write3(this.owner, page, event, pages);
  }

  /** set_memory_4k() on one page: split what covers it, change nothing else. Returns 0, or -EINVAL outside RAM. */
  setMemory4k(pfn: number): number {
    if (pfn >= this.pages) return -errnoNumbers.EINVAL;
    const level = this.level(pfn);
    if (level === PG_LEVEL_4K) return 0;
    const present = this.present(pfn) ? PRESENT : 0;
    this.splitTo4K(pfn);
    const event = this.runs.record(0, pfn, level * 2 + present, PG_LEVEL_4K * 2 + present, -1);
    this.journalPages(pfn * 2 + present, event, 1);
    return 0;
  }

  undo(data: Float64Array, at: number, length: number): void {
    const bit = data[at] % 2;
    const number = (data[at] - bit) / 2;
    if (length === 3) {
      const pages = data[at + 2];
      for (let pfn = number; pfn < number + pages; pfn++) (this.frame(pfn) as Uint8Array)[pfn % PAGES_PER_2M] = bit;
      this.runs.shorten(data[at + 1], pages);
    } else if (bit === SPLIT_1G) {
      this.split1G.delete(number);
    } else {
      this.split2M.delete(number);
      this.lastFrame = -1;
    }
  }

  private splitTo4K(pfn: number): void {
    if (this.frame(pfn) !== undefined) return;
    const number1G = Math.floor(pfn / PAGES_PER_1G);
    if (this.base === PG_LEVEL_1G && !this.split1G.has(number1G)) {
      this.split1G.add(number1G);
      this.journal.write1(this.owner, number1G * 2 + SPLIT_1G);
    }
    const number = Math.floor(pfn / PAGES_PER_2M);
    this.split2M.set(number, new Uint8Array(PAGES_PER_2M).fill(PRESENT));
    this.journal.write1(this.owner, number * 2);
    this.lastFrame = -1;
  }

  private frame(pfn: number): Uint8Array | undefined {
    const number = Math.floor(pfn / PAGES_PER_2M);
    if (number !== this.lastFrame) {
      this.lastFrame = number;
      this.lastPages = this.split2M.get(number);
    }
    return this.lastPages;
  }
}

export function directMapNatives(kernel: KernelState): Native[] {
  const map = kernel.directMap;
  const setter = (name: string, present: boolean): Native => ({
    prototype: `int ${name}(struct page *page)`,
    call(call) {
      const pfn = pagePointerPfn(call.num(0));
      if (pfn < 0) return call.trap(TrapCode.BadPointer, `${name}() was not given a struct page pointer`);
      return map.setPresent(pfn, present);
    },
  });
  return [
    setter('set_direct_map_invalid_noflush', false),
    setter('set_direct_map_default_noflush', true),
    {
      // set_direct_map_{default,invalid}_noflush() on one page after the other. How many were done before the first that failed: one call for what
      // is a loop in the kernel.
      prototype:
        'unsigned long long __set_direct_map_each(unsigned long long pfn, unsigned long long npages, int valid)',
      call: (call) => map.setRangePresent(call.num(0), call.num(1), call.num(2) !== 0),
    },
    {
      // set_memory_4k() by frame: the model has no kernel virtual addresses.
      prototype: 'int __set_memory_4k(unsigned long long pfn, int npages)',
      call(call) {
        for (let i = 0; i < call.num(1); i++) {
          const result = map.setMemory4k(call.num(0) + i);
          if (result !== 0) return result;
        }
        return 0;
      },
    },
    {
      // The level lookup_address() finds for the frame, PG_LEVEL_*; 0 when it is not mapped.
      prototype: 'int __direct_map_level(unsigned long long pfn)',
      call: (call) => (map.present(call.num(0)) ? map.level(call.num(0)) : 0),
    },
  ];
}
