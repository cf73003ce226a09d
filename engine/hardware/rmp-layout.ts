/**
 * The RMP as SNP_INIT leaves it when it is known where it lies: its own pages are the firmware's, so that neither the hypervisor nor a device
 * can write to them and no instruction hands them out; what the host has reserved, and what is no memory, is the hypervisor's for good
 * (HV_FIXED); all else is the hypervisor's. Raw values and subpage counts as the Genoa firmware's configure_rmp writes them, which zeroes the ASID counters afterwards.
 */

import type { Run } from '../base/runs.ts';
import { PAGES_PER_2M } from '../base/units.ts';
import { ASSIGNED, COUNT_SHIFT, IMMUTABLE, LOCK } from './rmp-entry.ts';
import { ENTRY_WORDS, type RmpTable } from './rmp-table.ts';

/** Words 0 and 1 of the entries. */
const FIRMWARE = [ASSIGNED | IMMUTABLE, LOCK] as const;
const HV_FIXED = [IMMUTABLE, 0] as const;

/** Write the entries of a table in which nothing stands yet. Frames that it does not cover are left out. */
export function layOut(rmp: RmpTable, own: readonly Run[], fixed: readonly Run[]): void {
  for (const run of fixed) fill(rmp, run, HV_FIXED);
  for (const run of own) fill(rmp, run, FIRMWARE);
  rmp.asidPages.fill(0);
}

function fill(rmp: RmpTable, { start, end }: Run, [w0, w1]: readonly [number, number]): void {
  for (let pfn = start; pfn < end; ) {
    if (pfn % PAGES_PER_2M === 0 && pfn + PAGES_PER_2M <= end && rmp.covers(pfn) && rmp.covers(pfn + 511)) {
      // A whole region in two entries, however large the table is.
      const count = (w0 & ASSIGNED) !== 0 ? 511 << COUNT_SHIFT : 0;
      const chunk = rmp.compactChunk(w0 | count, w1, 0, 0, w0, -1);
      chunk[ENTRY_WORDS + 1] = w1;
      rmp.replaceRegion(pfn / PAGES_PER_2M, chunk, 0, 0, 0, (w0 & ASSIGNED) !== 0 ? PAGES_PER_2M : 0);
      pfn += PAGES_PER_2M;
      continue;
    }
    if (rmp.covers(pfn)) {
      const count = pfn % PAGES_PER_2M === 0 ? rmp.subpageCount(pfn) << COUNT_SHIFT : 0;
      rmp.setEntryCounted(pfn, w0 | count, w1, 0, 0, -1);
    }
    pfn++;
  }
}
