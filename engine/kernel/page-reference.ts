/**
 * Page references: how often each frame has been taken with get_page() (or by getting it from a restricted file) and not yet put back.
 *
 * Only references beyond the file's own are counted, so at rest every count is 0. Putting a page nobody took would free it under its
 * users: that is recorded for the REF rule and the count stays at 0. References are counted per frame, not per folio: the imbalance is
 * the same and the message can name the page.
 */
import type { Journal, Undoable } from '../base/journal.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import { OBJECT_SLOTS, PAGE_OBJECT, TrapCode } from '../vm/bytecode.ts';
import type { Native, NativeCall } from '../vm/native.ts';
import { JournalledList } from './journalled.ts';
import type { KernelState } from './kernel-state.ts';

export interface ReferenceUnderflow {
  pfn: number;
  /** Trace index of the put. */
  event: number;
}

const CHUNK = 512;

export class PageReferences implements Undoable {
  private readonly journal: Journal;
  private readonly owner: number;
  private readonly trace: Trace;
  private readonly chunks = new Map<number, Int32Array>();
  private lastNumber = -1;
  private lastChunk: Int32Array = new Int32Array(0);
  private total = 0;
  private readonly underflowList: JournalledList<ReferenceUnderflow>;

  constructor(journal: Journal, trace: Trace) {
    this.journal = journal;
    this.trace = trace;
    this.owner = journal.register(this);
    this.underflowList = new JournalledList(journal);
  }

  /** References held on a frame now. */
  count(pfn: number): number {
    return this.chunks.get(Math.floor(pfn / CHUNK))?.[pfn % CHUNK] ?? 0;
  }

  /** Sum over all frames: 0 when nothing is held. */
  get outstanding(): number {
    return this.total;
  }

  get underflows(): readonly ReferenceUnderflow[] {
    return this.underflowList.all;
  }

  /** Frames with references, in order. Costs a walk over the touched chunks: ask {@link outstanding} first. */
  held(): { pfn: number; count: number }[] {
    const found: { pfn: number; count: number }[] = [];
    for (const number of [...this.chunks.keys()].sort((a, b) => a - b)) {
      (this.chunks.get(number) as Int32Array).forEach((count, i) => {
        if (count !== 0) found.push({ pfn: number * CHUNK + i, count });
      });
    }
    return found;
  }

  /** get_page(), or the reference that comes with a page from a file. */
  get(pfn: number): void {
    const count = this.add(pfn, 1);
    this.trace.record(EventKind.PageRef, 0, pfn, 0, 1, count, -1);
  }

  put(pfn: number): void {
    if (this.count(pfn) === 0) {
      const event = this.trace.record(EventKind.PageRef, 0, pfn, 0, -1, -1, -1);
      this.underflowList.push({ pfn, event });
      return;
    }
    const count = this.add(pfn, -1);
    this.trace.record(EventKind.PageRef, 0, pfn, 0, -1, count, -1);
  }

  undo(data: Float64Array, at: number): void {
    const pfn = data[at];
    const delta = data[at + 1];
    this.chunk(pfn)[pfn % CHUNK] -= delta;
    this.total -= delta;
  }

  private add(pfn: number, delta: number): number {
    this.journal.write2(this.owner, pfn, delta);
    this.total += delta;
    const chunk = this.chunk(pfn);
    chunk[pfn % CHUNK] += delta;
    return chunk[pfn % CHUNK];
  }

  private chunk(pfn: number): Int32Array {
    const number = Math.floor(pfn / CHUNK);
    if (number === this.lastNumber) return this.lastChunk;
    let chunk = this.chunks.get(number);
    if (chunk === undefined) {
      chunk = new Int32Array(CHUNK);
      this.chunks.set(number, chunk);
    }
    this.lastNumber = number;
    this.lastChunk = chunk;
    return chunk;
  }
}

/** Largest pfn that has a `struct page *` in the VM: pointers are exact doubles. */
export const MAX_PAGE_POINTER_PFN = 2 ** 33 - PAGE_OBJECT - 1;

/** The `struct page *` of a pfn. */
export const pagePointer = (pfn: number): number => (PAGE_OBJECT + pfn) * OBJECT_SLOTS;

/** The pfn of a `struct page *`; -1 if the value is none. */
export function pagePointerPfn(pointer: number): number {
  const object = pointer / OBJECT_SLOTS;
  return Number.isInteger(object) && object >= PAGE_OBJECT ? object - PAGE_OBJECT : -1;
}

export function pageReferenceNatives(kernel: KernelState): Native[] {
  const references = kernel.references;
  /** The pfn behind argument 0, or -1 after a trap. */
  const pfnOf = (call: NativeCall): number => {
    const pointer = call.num(0);
    const pfn = pagePointerPfn(pointer);
    if (pfn < 0) {
      const [code, what] = pointer === 0 ? [TrapCode.NullDereference, 'is NULL'] : [TrapCode.BadPointer, 'is not one'];
      call.trap(code, `the struct page pointer ${what}`);
    }
    return pfn;
  };
  return [
    {
      prototype: 'struct page *pfn_to_page(unsigned long long pfn)',
      call(call) {
        const pfn = call.isWide(0) ? -1 : call.num(0);
        if (pfn < 0 || pfn > MAX_PAGE_POINTER_PFN) {
          return call.trap(TrapCode.BadArgument, `pfn 0x${call.big(0).toString(16)} has no struct page`);
        }
        return pagePointer(pfn);
      },
    },
    { prototype: 'unsigned long long page_to_pfn(const struct page *page)', call: (call) => Math.max(0, pfnOf(call)) },
    {
      prototype: 'void get_page(struct page *page)',
      call(call) {
        const pfn = pfnOf(call);
        if (pfn >= 0) references.get(pfn);
        return 0;
      },
    },
    {
      prototype: 'void put_page(struct page *page)',
      call(call) {
        const pfn = pfnOf(call);
        if (pfn >= 0) references.put(pfn);
        return 0;
      },
    },
    {
      // As page_count(): one for the file that holds the page, plus what was taken.
      prototype: 'int page_count(const struct page *page)',
      call(call) {
        const pfn = pfnOf(call);
        return pfn < 0 ? 0 : references.count(pfn) + 1;
      },
    },
  ];
}
