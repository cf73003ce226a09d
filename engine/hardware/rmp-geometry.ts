/**
 * Where the RMP lies in memory and which memory it covers: one piece between RMP_BASE and RMP_END (APM vol. 2, 15.36.4), or a segment for each
 * stretch of memory, found through the RMP segment table (15.36.22; Linux's setup_segmented_rmptable()). Memory without an entry is the
 * hypervisor's for ever. All addresses in bytes.
 */
import type { Run } from '../base/runs.ts';

/** MSRs. */
export const MSR_RMP_BASE = 0xc0010132;
export const MSR_RMP_END = 0xc0010133;
export const MSR_RMP_CFG = 0xc0010136;

/** What the processor keeps for itself at the start: the counters of pages of each ASID, 2,048 of 8 bytes. */
export const BOOKKEEPING = 0x4000;
const ENTRY = 16;
const PAGE = 4096;
const MIB = 2 ** 20;
export const GIB = 2 ** 30;
/** Alignment of RMP_BASE and of RMP_END + 1 by the APM, and what the Genoa firmware asks for at SNP_INIT. */
export const APM_ALIGN = 0x2000;
export const FIRMWARE_ALIGN = MIB;
export const RST_ENTRIES = 512;
const RST_BYTES = 4096;

export interface ContiguousRmp {
  kind: 'contiguous';
  /** RMP_BASE: first byte. */
  base: number;
  /** RMP_END: last byte. */
  end: number;
}

/** One entry of the segment table. */
export interface RmpSegment {
  /** Memory that the segment covers, from the start of its stretch on. 0: none. */
  mappedGib: number;
  /** First byte of the segment's entries. */
  base: number;
}

export interface SegmentedRmp {
  kind: 'segmented';
  /** RMP_BASE: bookkeeping, and after it the segment table. */
  base: number;
  /** RMP_CFG[13:8]: log2 of the memory that one entry of the segment table stands for. */
  segmentShift: number;
  /** By index, SPA >> segmentShift; missing ones count as size 0. */
  segments: readonly RmpSegment[];
}

export type RmpGeometry = ContiguousRmp | SegmentedRmp;

/** RMP_CFG: bit 0 enables segments, bits 13:8 are the shift. */
export function decodeRmpCfg(msr: bigint): { segmented: boolean; segmentShift: number } {
  return { segmented: (msr & 1n) !== 0n, segmentShift: Number((msr >> 8n) & 0x3fn) };
}

/** A segment table entry: bits 19:0 mapped size in GiB, 51:20 the segment's address. */
export function decodeRstEntry(entry: bigint): RmpSegment {
  return { mappedGib: Number(entry & 0xfffffn), base: Number(entry & 0xf_ffff_fff0_0000n) };
}

export function encodeRstEntry({ mappedGib, base }: RmpSegment): bigint {
  return BigInt(base) | BigInt(mappedGib);
}

/**
 * What is wrong with the values; undefined if nothing is.
 *
 * @param limits `align`: of base and end of an RMP in one piece, {@link APM_ALIGN} or {@link FIRMWARE_ALIGN}; `memoryBytes`: where memory ends, if it
 *   is known
 */
export function geometryProblem(
  rmp: RmpGeometry,
  { align = APM_ALIGN, memoryBytes = Number.POSITIVE_INFINITY }: { align?: number; memoryBytes?: number } = {},
): string | undefined {
  return shapeProblem(rmp, align) ?? placeProblem(ownFrames(rmp), memoryBytes);
}

function shapeProblem(rmp: RmpGeometry, align: number): string | undefined {
  if (rmp.kind === 'contiguous') {
    if (rmp.base % align !== 0) return `RMP_BASE is not a multiple of 0x${align.toString(16)}`;
    if ((rmp.end + 1) % align !== 0) return `RMP_END + 1 is not a multiple of 0x${align.toString(16)}`;
    if (rmp.end + 1 <= rmp.base + BOOKKEEPING) return 'the RMP has no room for entries behind its bookkeeping';
    return undefined;
  }
  if (rmp.base % MIB !== 0) return 'RMP_BASE of a segmented RMP is not a multiple of 1M';
  if (rmp.segments.length > RST_ENTRIES) return 'the segment table has 512 entries at most';
  for (const [index, segment] of rmp.segments.entries()) {
    if (segment.base % MIB !== 0) return `segment ${index} does not begin at a multiple of 1M`;
    if (segment.mappedGib * GIB > 2 ** rmp.segmentShift) return `segment ${index} maps more than its stretch of memory`;
  }
  return undefined;
}

/** Parts of the RMP that lie on each other, or beyond memory. */
function placeProblem(own: readonly Run[], memoryBytes: number): string | undefined {
  const address = (frame: number): string => `0x${(frame * PAGE).toString(16)}`;
  for (const [i, run] of own.entries()) {
    if (i > 0 && run.start < own[i - 1].end)
      return `its part at ${address(run.start)} overlaps the one at ${address(own[i - 1].start)}, which ends at ${address(own[i - 1].end)}`;
    if (run.end * PAGE > memoryBytes)
      return `its part at ${address(run.start)} ends at ${address(run.end)}, beyond the host's memory`;
  }
  return undefined;
}

/** Frames that have an entry: ascending, merged. */
export function coveredFrames(rmp: RmpGeometry): Run[] {
  if (rmp.kind === 'contiguous') return [{ start: 0, end: Math.floor((rmp.end + 1 - rmp.base - BOOKKEEPING) / ENTRY) }];
  const runs: Run[] = [];
  const stretch = 2 ** rmp.segmentShift / PAGE;
  for (const [index, { mappedGib }] of rmp.segments.entries()) {
    if (mappedGib === 0) continue;
    const start = index * stretch;
    const end = start + (mappedGib * GIB) / PAGE;
    const last = runs[runs.length - 1];
    if (last !== undefined && last.end === start) last.end = end;
    else runs.push({ start, end });
  }
  return runs;
}

/** Frames without an entry below the highest that has one. */
export function uncoveredHoles(covered: readonly Run[]): Run[] {
  const holes: Run[] = [];
  let from = 0;
  for (const run of covered) {
    if (run.start > from) holes.push({ start: from, end: run.start });
    from = run.end;
  }
  return holes;
}

/** Where the entry of a frame lies; undefined if it has none. */
export function entryAddress(rmp: RmpGeometry, pfn: number): number | undefined {
  if (rmp.kind === 'contiguous') {
    const at = rmp.base + BOOKKEEPING + pfn * ENTRY;
    return at + ENTRY <= rmp.end + 1 ? at : undefined;
  }
  const stretch = 2 ** rmp.segmentShift / PAGE;
  const segment = rmp.segments[Math.floor(pfn / stretch)];
  const offset = pfn % stretch;
  if (segment === undefined || offset * PAGE >= segment.mappedGib * GIB) return undefined;
  return segment.base + offset * ENTRY;
}

/** Frames that the RMP itself lies in: bookkeeping, segment table, entries. Ascending. */
export function ownFrames(rmp: RmpGeometry): Run[] {
  const frames = (start: number, end: number): Run => ({ start: Math.floor(start / PAGE), end: Math.ceil(end / PAGE) });
  if (rmp.kind === 'contiguous') return [frames(rmp.base, rmp.end + 1)];
  const runs = [frames(rmp.base, rmp.base + BOOKKEEPING + RST_BYTES)];
  for (const { base, mappedGib } of rmp.segments) {
    if (mappedGib > 0) runs.push(frames(base, base + (mappedGib * GIB * ENTRY) / PAGE));
  }
  return runs.sort((a, b) => a.start - b.start);
}

/**
 * Frames that software leaves alone when it looks for memory: the RMP's own and those that are fixed, in whole 2M regions, because a large mapping of
 * their neighbours faults with them (Linux's snp_fixup_e820_tables()). Ascending.
 */
export function reservedFrames(rmp: RmpGeometry | undefined, fixed: readonly Run[] = []): Run[] {
  const whole = ({ start, end }: Run): Run => ({ start: start - (start % 512), end: Math.ceil(end / 512) * 512 });
  return [...(rmp === undefined ? [] : ownFrames(rmp)), ...fixed].map(whole).sort((a, b) => a.start - b.start);
}
