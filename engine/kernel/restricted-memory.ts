/**
 * Restricted memory: the files that back private guest memory (restrictedmem of the RFC v8 tree, guest_memfd upstream).
 *
 * A file is a range of page indexes, laid out in advance: extents say which pfns back it and in folios of which order. Nothing is
 * allocated until it is first asked for, as with shmem: then the whole folio that holds the index is there. Freeing a part of a folio
 * splits it into single pages, as truncation does. One byte a page, in chunks of 512 made on first touch.
 *
 * The order reported for an index is that of the folio which holds it, whatever the index's place in it (restrictedmem_get_page).
 */

import { errnoNumbers } from '../base/errno.ts';
import type { Journal, Undoable } from '../base/journal.ts';
import { asPfn, type Pfn } from '../base/units.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import type { Native } from '../vm/native.ts';

import { JournalledValue } from './journalled.ts';
import type { KernelState } from './kernel-state.ts';

/** Pages `index .. index + pages` of a file stand in frames `pfn …`, in folios of 2^order pages. */
export interface Extent {
  index: number;
  pages: number;
  pfn: Pfn;
  /** 0 (4K) to 18 (1G). */
  order: number;
}

export interface FileLayout {
  id: number;
  extents: readonly Extent[];
}

export interface Folio {
  /** Index of its first page. */
  index: number;
  pages: number;
  order: number;
  pfn: Pfn;
  allocated: boolean;
}

interface FailingRange {
  file: number;
  from: number;
  to: number;
  errno: number;
}

interface RestrictedFile {
  id: number;
  extents: Extent[];
  /** By index >> 9. Bit 0: allocated; bits 1..5: order + 1 where it is no longer the extent's (a split folio). */
  chunks: Map<number, Uint8Array>;
}

export const MAX_FOLIO_ORDER = 18;
const CHUNK = 512;
const ALLOCATED = 1;
const BYTES = 256;

export class RestrictedMemory implements Undoable {
  private readonly journal: Journal;
  private readonly owner: number;
  private readonly trace: Trace;
  private readonly files = new Map<number, RestrictedFile>();
  private readonly failing: JournalledValue<readonly FailingRange[]>;

  /** Order of the folio that the last successful {@link getPfn} answered with. */
  order = 0;

  constructor(journal: Journal, trace: Trace) {
    this.journal = journal;
    this.trace = trace;
    this.owner = journal.register(this);
    this.failing = new JournalledValue<readonly FailingRange[]>(journal, []);
  }

  /** Add a file. Returns what is wrong with the layout, if anything: folios start at an index and a pfn aligned to their size. */
  createFile(layout: FileLayout): string | undefined {
    if (this.files.has(layout.id)) return `file ${layout.id} exists already`;
    const extents = [...layout.extents].sort((a, b) => a.index - b.index);
    let end = 0;
    for (const extent of extents) {
      const { index, pages, pfn, order } = extent;
      if (!(order >= 0 && order <= MAX_FOLIO_ORDER))
        return `folio order ${order} is not between 0 and ${MAX_FOLIO_ORDER}`;
      if (!(pages > 0)) return 'an extent holds at least one page';
      if (index < end) return `extents overlap at index ${index}`;
      if (index % 2 ** order !== 0)
        return `a folio of order ${order} starts at an index that is a multiple of ${2 ** order}`;
      if (pfn % 2 ** order !== 0)
        return `a folio of order ${order} starts at a pfn that is a multiple of ${2 ** order}`;
      end = index + pages;
    }
    this.files.set(layout.id, { id: layout.id, extents, chunks: new Map() });
    this.journal.write1(this.owner, layout.id);
    return undefined;
  }

  hasFile(file: number): boolean {
    return this.files.has(file);
  }

  /** From now on, getting any page of `from .. to` fails with `-errno`; 0 lifts it. */
  setFailure(file: number, from: number, to: number, errno: number): void {
    this.failing.set([...this.failing.value, { file, from, to, errno }]);
  }

  /**
   * The frame behind an index, allocating its folio if need be; the folio's order is left in {@link order}.
   * Returns the pfn, or -EBADF (no such file), -EINVAL (index beyond the file), or the errno set for the page.
   * Taking the page reference is the caller's.
   */
  getPfn(fileId: number, index: number): number {
    const result = this.tryGetPfn(fileId, index);
    if (result < 0) this.trace.record(EventKind.GetPfn, 0, -1, result, index, 0, -1);
    else this.trace.record(EventKind.GetPfn, 0, result, 0, index, this.order, -1);
    return result;
  }

  private tryGetPfn(fileId: number, index: number): number {
    const file = this.files.get(fileId);
    if (file === undefined) return -errnoNumbers.EBADF;
    if (this.failing.value.length > 0) {
      const errno = this.failureAt(fileId, index);
      if (errno !== 0) return -errno;
    }
    const extent = extentAt(file, index);
    if (extent === undefined) return -errnoNumbers.EINVAL;
    const byte = byteAt(file, index);
    const order = orderOf(extent, index, byte);
    if ((byte & ALLOCATED) === 0) {
      const start = index - ((index - extent.index) % 2 ** order);
      // Pages of a folio that was split and freed come back one by one, whole folios at once.
      this.fill(file, start, 2 ** order, byte | ALLOCATED);
    }
    this.order = order;
    return extent.pfn + (index - extent.index);
  }

  /** The folio that holds an index, allocated or as it would be; undefined outside the file. Changes nothing. */
  folio(fileId: number, index: number): Folio | undefined {
    const file = this.files.get(fileId);
    const extent = file && extentAt(file, index);
    if (file === undefined || extent === undefined) return undefined;
    const byte = byteAt(file, index);
    const order = orderOf(extent, index, byte);
    const start = index - ((index - extent.index) % 2 ** order);
    return {
      index: start,
      pages: 2 ** order,
      order,
      pfn: asPfn(extent.pfn + (start - extent.index)),
      allocated: (byte & ALLOCATED) !== 0,
    };
  }

  /** Which file and index a frame belongs to; undefined for memory of no file. */
  owning(pfn: number): { file: number; index: number } | undefined {
    for (const file of this.files.values()) {
      for (const extent of file.extents) {
        if (pfn >= extent.pfn && pfn < extent.pfn + extent.pages) {
          return { file: file.id, index: extent.index + (pfn - extent.pfn) };
        }
      }
    }
    return undefined;
  }

  isAllocated(fileId: number, index: number): boolean {
    const file = this.files.get(fileId);
    return file !== undefined && (byteAt(file, index) & ALLOCATED) !== 0;
  }

  /** The frame behind an index if it is allocated, otherwise -1. */
  allocatedPfn(fileId: number, index: number): number {
    const file = this.files.get(fileId);
    if (file === undefined || (byteAt(file, index) & ALLOCATED) === 0) return -1;
    const extent = extentAt(file, index);
    return extent === undefined ? -1 : extent.pfn + (index - extent.index);
  }

  /** The first allocated folio (or rest of one) at or after `from` and before `to`, cut to the range. */
  nextAllocated(fileId: number, from: number, to: number): { index: number; pfn: Pfn; order: number } | undefined {
    const file = this.files.get(fileId);
    if (file === undefined) return undefined;
    for (let index = from; index < to; ) {
      const chunk = file.chunks.get(Math.floor(index / CHUNK));
      if (chunk === undefined) {
        index = (Math.floor(index / CHUNK) + 1) * CHUNK;
        continue;
      }
      const byte = chunk[index % CHUNK];
      if ((byte & ALLOCATED) !== 0) {
        const extent = extentAt(file, index) as Extent;
        return { index, pfn: asPfn(extent.pfn + (index - extent.index)), order: orderOf(extent, index, byte) };
      }
      index++;
    }
    return undefined;
  }

  /** Free the allocated pages of `from .. to`; a folio freed in part is split. Returns the number of pages freed. */
  free(fileId: number, from: number, to: number): number {
    const file = this.files.get(fileId);
    if (file === undefined) return 0;
    let freed = 0;
    for (let index = from; index < to; ) {
      const found = this.nextAllocated(fileId, index, to);
      if (found === undefined) break;
      const folio = this.folio(fileId, found.index) as Folio;
      const end = Math.min(to, folio.index + folio.pages);
      if (found.index > folio.index || end < folio.index + folio.pages) {
        this.fill(file, folio.index, folio.pages, ALLOCATED | (1 << 1));
        this.fill(file, found.index, end - found.index, 1 << 1);
      } else {
        // A page of a folio that was split stays one by itself: its neighbours may still be in use.
        this.fill(file, folio.index, folio.pages, byteAt(file, folio.index) & ~ALLOCATED);
      }
      this.trace.record(EventKind.PageFree, 0, found.pfn, end - found.index, fileId, found.index, -1);
      freed += end - found.index;
      index = end;
    }
    if (freed > 0) this.rejoin(fileId, file, from, to);
    return freed;
  }

  /** Split folios of which nothing is allocated any more come back whole. */
  private rejoin(fileId: number, file: RestrictedFile, from: number, to: number): void {
    for (let index = from; index < to; ) {
      const extent = extentAt(file, index);
      if (extent === undefined) {
        index++;
        continue;
      }
      const order = orderOf(extent, index, 0);
      const start = index - ((index - extent.index) % 2 ** order);
      const end = start + 2 ** order;
      if (order > 0 && this.nextAllocated(fileId, start, end) === undefined) this.fill(file, start, end - start, 0);
      index = end;
    }
  }

  /** Split every folio that touches `from .. to` into single pages; what is allocated stays so. */
  split(fileId: number, from: number, to: number): void {
    const file = this.files.get(fileId);
    if (file === undefined) return;
    for (let index = from; index < to; ) {
      const folio = this.folio(fileId, index);
      if (folio === undefined) {
        index++;
        continue;
      }
      if (folio.order > 0) {
        this.fill(file, folio.index, folio.pages, (folio.allocated ? ALLOCATED : 0) | (1 << 1));
      }
      index = folio.index + folio.pages;
    }
  }

  undo(data: Float64Array, at: number, length: number): void {
    if (length === 1) {
      this.files.delete(data[at]);
      return;
    }
    const old = data[at] % BYTES;
    const file = this.files.get((data[at] - old) / BYTES) as RestrictedFile;
    write(file, data[at + 1], data[at + 2], old);
  }

  /** Set the bytes of a range, journalling each stretch of equal old bytes. */
  private fill(file: RestrictedFile, from: number, pages: number, value: number): void {
    const end = from + pages;
    for (let index = from; index < end; ) {
      const old = byteAt(file, index);
      let stop = index + 1;
      while (stop < end && byteAt(file, stop) === old) stop++;
      if (old !== value) {
        this.journal.write3(this.owner, file.id * BYTES + old, index, stop - index);
        write(file, index, stop - index, value);
      }
      index = stop;
    }
  }

  private failureAt(file: number, index: number): number {
    const ranges = this.failing.value;
    for (let i = ranges.length - 1; i >= 0; i--) {
      const range = ranges[i];
      if (range.file === file && index >= range.from && index < range.to) return range.errno;
    }
    return 0;
  }
}

function extentAt(file: RestrictedFile, index: number): Extent | undefined {
  let low = 0;
  let high = file.extents.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const extent = file.extents[middle];
    if (index < extent.index) high = middle - 1;
    else if (index >= extent.index + extent.pages) low = middle + 1;
    else return extent;
  }
  return undefined;
}

function byteAt(file: RestrictedFile, index: number): number {
  const chunk = file.chunks.get(Math.floor(index / CHUNK));
  return chunk === undefined ? 0 : chunk[index % CHUNK];
}

/** A folio never reaches beyond its extent: the rest that is too small for the extent's order stands in smaller folios. */
function orderOf(extent: Extent, index: number, byte: number): number {
  const own = byte >> 1;
  if (own !== 0) return own - 1;
  let order = extent.order;
  const at = index - extent.index;
  while (order > 0 && at - (at % 2 ** order) + 2 ** order > extent.pages) order--;
  return order;
}

function write(file: RestrictedFile, from: number, pages: number, value: number): void {
  const end = from + pages;
  for (let index = from; index < end; ) {
    const number = Math.floor(index / CHUNK);
    const stop = Math.min(end, (number + 1) * CHUNK);
    let chunk = file.chunks.get(number);
    if (chunk === undefined) {
      chunk = new Uint8Array(CHUNK);
      file.chunks.set(number, chunk);
    }
    chunk.fill(value, index - number * CHUNK, stop - number * CHUNK);
    index = stop;
  }
}

export function restrictedMemoryNatives(kernel: KernelState): Native[] {
  const memory = kernel.restricted;
  return [
    {
      // 0 with a page reference taken, or -errno with the outputs untouched.
      prototype:
        'int __restrictedmem_get_page(int file, unsigned long long index, unsigned long long *pfn, int *order)',
      call(call) {
        const result = memory.getPfn(call.num(0), call.num(1));
        if (result < 0) return result;
        kernel.references.get(result);
        call.store(call.num(2), 0, result);
        call.store(call.num(3), 0, memory.order);
        return 0;
      },
    },
    {
      // 1 and the next allocated piece of index .. end, or 0 when there is none.
      prototype:
        'int __restrictedmem_next(int file, unsigned long long index, unsigned long long end, unsigned long long *found, unsigned long long *pfn, int *order)',
      call(call) {
        const found = memory.nextAllocated(call.num(0), call.num(1), call.num(2));
        if (found === undefined) return 0;
        call.store(call.num(3), 0, found.index);
        call.store(call.num(4), 0, found.pfn);
        call.store(call.num(5), 0, found.order);
        return 1;
      },
    },
    {
      prototype: 'int __restrictedmem_allocated(int file, unsigned long long index)',
      call: (call) => (memory.isAllocated(call.num(0), call.num(1)) ? 1 : 0),
    },
    {
      // Number of pages freed.
      prototype:
        'unsigned long long __restrictedmem_free(int file, unsigned long long index, unsigned long long npages)',
      call: (call) => memory.free(call.num(0), call.num(1), call.num(1) + call.num(2)),
    },
  ];
}
