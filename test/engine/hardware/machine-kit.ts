// What the hardware tests share: a small host, and reading an entry back in words.
import { Journal } from '../../../engine/base/journal.ts';
import type { Pfn } from '../../../engine/base/units.ts';
import { formatFault } from '../../../engine/hardware/fault-codes.ts';
import { Hardware, type HardwareConfig } from '../../../engine/hardware/machine.ts';
import type { HardwareOptions } from '../../../engine/hardware/options.ts';
import { formatEntry } from '../../../engine/hardware/rmp-entry.ts';
import { Trace } from '../../../engine/trace/trace.ts';

export const SHARED = 0;
export const PRIVATE = 1;
export const K4 = 0;
export const M2 = 1;

/** A 2M-aligned page somewhere in the middle. */
export const HEAD = 0x40000;

export interface Kit {
  hw: Hardware;
  journal: Journal;
  trace: Trace;
  /** RMPUPDATE of a page for a guest. */
  assign(pfn: number, gpa: number, options?: { size?: 0 | 1; asid?: number; immutable?: 0 | 1 }): number;
  /** RMPUPDATE of a page to the hypervisor. */
  unassign(pfn: number, size?: 0 | 1): number;
  entry(pfn: number): string;
}

export function host(options: Partial<HardwareOptions> = {}, config: Partial<HardwareConfig> = {}): Kit {
  const journal = new Journal();
  const trace = new Trace();
  const hw = new Hardware({ memoryBytes: 4 * 2 ** 30, cpus: 4, options, ...config }, journal, trace);
  hw.addGuest(1);
  hw.addGuest(2);
  return {
    hw,
    journal,
    trace,
    assign: (pfn, gpa, { size = 0, asid = 1, immutable = 0 } = {}) =>
      hw.rmpupdate(pfn * 4096, gpa, 1, size, immutable, asid),
    unassign: (pfn, size = 0) => hw.rmpupdate(pfn * 4096, 0, 0, size, 0, 0),
    entry: (pfn) => formatEntry(hw.rmp.resolve(pfn as Pfn)),
  };
}

/** The last fault, as messages show it. */
export const lastFault = (hw: Hardware): string => formatFault(hw.fault, hw.faultCode);
