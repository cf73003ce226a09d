/** A kernel state on its own, with what it stands on, and a picture of it that two states can be compared by. */
import { Journal } from '../../../engine/base/journal.ts';
import { asPfn } from '../../../engine/base/units.ts';
import { Hardware } from '../../../engine/hardware/machine.ts';
import { type KernelConfig, KernelState } from '../../../engine/kernel/kernel-state.ts';
import { Trace } from '../../../engine/trace/trace.ts';

export const GIGABYTE = 2 ** 30;

export function createKernel(config: Partial<KernelConfig> = {}) {
  const journal = new Journal();
  const trace = new Trace();
  const full = { memoryBytes: 4 * GIGABYTE, cpus: 4, ...config };
  const hardware = new Hardware({ memoryBytes: full.memoryBytes, cpus: full.cpus }, journal, trace);
  const kernel = new KernelState(full, hardware, journal, trace);
  return { journal, trace, hardware, kernel };
}

/** A file of one extent at index 0. */
export const file = (id: number, pages: number, pfn: number, order: number) => ({
  id,
  extents: [{ index: 0, pages, pfn: asPfn(pfn), order }],
});

/** The trace as rows: everything that undo and truncation must bring back. */
export function rows(trace: Trace): number[][] {
  const all: number[][] = [];
  for (let i = 0; i < trace.length; i++) {
    all.push([trace.kind[i], trace.space[i], trace.page[i], trace.code[i], trace.a[i], trace.b[i], trace.cause[i]]);
  }
  return all;
}
