/**
 * SNP_INIT, SNP_SHUTDOWN and SNP_DF_FLUSH (SNP firmware ABI; the Genoa firmware's snp_mcmd_init_common, configure_rmp and snp_mcmd_shutdown_common).
 * Of SNP_INIT_EX there is the list of ranges to fix; INIT_RMP is always set, and what the platform's MSRs and IOMMUs must look like is left out.
 */
import { commonStatus, FwCommand, FwStatus, recordCommand } from './firmware.ts';
import type { FrameRange } from './firmware-state.ts';
import { Tag, taggedWords } from './firmware-tag.ts';
import type { Hardware } from './machine.ts';
import { refuse } from './refusal.ts';
import { ASSIGNED, COUNT_SHIFT, IMMUTABLE, LOCK } from './rmp-entry.ts';
import { FIRMWARE_ALIGN, geometryProblem, ownFrames } from './rmp-geometry.ts';
import { ENTRY_WORDS } from './rmp-table.ts';

export interface InitRanges {
  /**
   * Frames that hold the RMP itself: they become FIRMWARE. Both ends on 1M. Undefined: where the host's geometry says, or outside of what the host
   * models if it says nothing.
   */
  rmp?: FrameRange | undefined;
  /** Frames that are to be the hypervisor's for good: the list that the host passes, and with it non-RAM, TSEG and the like. */
  fixed?: FrameRange | undefined;
  /** Frames that the IOMMUs use (event logs, completion stores). */
  iommu?: FrameRange | undefined;
}

const FRAMES_PER_1M = 256;

/** Words 0 and 1 of an entry as SNP_INIT writes it; the rest is 0. */
type Raw = readonly [w0: number, w1: number];
const HYPERVISOR: Raw = [0, 0];
const HV_FIXED: Raw = [IMMUTABLE, 0];
const FIRMWARE: Raw = [ASSIGNED | IMMUTABLE, LOCK];
const [iommu0, iommu1] = taggedWords(1, Tag.Iommu);
const FIRMWARE_IOMMU: Raw = [ASSIGNED | IMMUTABLE | iommu0, LOCK | iommu1];

/**
 * SNP_INIT: the RMP is written anew, all pages the hypervisor's but for the ranges given, and the ASID counters are zeroed. No guest is left.
 * INVALID_PLATFORM_STATE unless the platform was shut down; INVALID_CONFIG for an RMP that is not on 1M, not covered by itself, or partly fixed.
 */
export function snpInit(hw: Hardware, ranges: InitRanges = {}): number {
  const { rmp, firmware } = hw;
  const status = initStatus(hw, ranges);
  const event = recordCommand(hw, FwCommand.SnpInit, -1, status);
  if (status !== FwStatus.Success) return status;
  const own = rmpFrames(hw, ranges);
  firmware.initialize(own, ranges.iommu);

  const touched: number[] = [];
  rmp.forEachTouchedRegion((frame) => touched.push(frame));
  const blank = touched.filter((frame) => !isBlank(hw, frame));
  const filled = new Set<number>(blank);
  for (const range of [ranges.fixed, ...own, ranges.iommu]) {
    if (range === undefined) continue;
    const end = Math.min(range.end, rmp.coveredPages);
    for (let frame = Math.floor(range.start / 512); frame * 512 < end; frame++) {
      if (rmp.covers(frame * 512)) filled.add(frame);
    }
  }
  for (const frame of [...filled].sort((a, b) => a - b)) writeRegion(hw, frame, own, ranges, event);
  for (const range of [ranges.fixed, ...own, ranges.iommu]) {
    const pages = range === undefined ? 0 : Math.min(range.end, rmp.coveredPages) - range.start;
    if (pages > 0) recordCommand(hw, FwCommand.SnpInit, range?.start ?? -1, status, pages);
  }
  return status;
}

/** Where the RMP lies. */
function rmpFrames(hw: Hardware, { rmp }: InitRanges): readonly FrameRange[] {
  if (rmp !== undefined) return [rmp];
  return hw.geometry === undefined ? [] : ownFrames(hw.geometry);
}

function initStatus(hw: Hardware, ranges: InitRanges): number {
  if (hw.firmware.initialized)
    return refuse(hw, FwStatus.InvalidPlatformState, 'the platform is initialized already (SNP_SHUTDOWN comes first)');
  const { geometry } = hw;
  if (geometry !== undefined) {
    // The geometry is the processor's: the host cannot say otherwise.
    if (ranges.rmp !== undefined)
      return refuse(hw, FwStatus.InvalidConfig, "the processor's RMP_BASE and RMP_END say where the RMP lies");
    const problem = geometryProblem(geometry, { align: FIRMWARE_ALIGN });
    if (problem !== undefined) return refuse(hw, FwStatus.InvalidConfig, problem);
  }
  for (const range of rmpFrames(hw, ranges)) {
    const problem = placeProblem(hw, range, ranges);
    if (problem !== undefined) return refuse(hw, FwStatus.InvalidConfig, `the RMP ${problem}`);
  }
  return FwStatus.Success;
}

/** What keeps the RMP from lying in these frames. */
function placeProblem(hw: Hardware, rmp: FrameRange, { rmp: stated, fixed, iommu }: InitRanges): string | undefined {
  if (stated !== undefined && (rmp.start % FRAMES_PER_1M !== 0 || rmp.end % FRAMES_PER_1M !== 0))
    return 'does not begin and end on 1M';
  if (rmp.end > hw.rmp.coveredPages) return 'does not cover itself';
  // The firmware takes the RMP out of the host's list; it insists that the rest of the memory map leaves it alone, which is in the same range here.
  const overlaps = [fixed, iommu].some((range) => range && range.start < rmp.end && rmp.start < range.end);
  return overlaps ? 'overlaps memory that is fixed or the IOMMUs use' : undefined;
}

function isBlank(hw: Hardware, frame: number): boolean {
  const { rmp } = hw;
  const base = frame * 512;
  const last = rmp.isCompact(frame) ? 2 : 512;
  for (let i = 0; i < last; i++) for (let n = 0; n < 4; n++) if (rmp.word(base + i, n) !== 0) return false;
  return true;
}

const within = (range: FrameRange | undefined, page: number): boolean =>
  range !== undefined && page >= range.start && page < range.end;

/** Later ones win, as in the firmware: what is fixed, then the RMP, then the IOMMUs' pages. */
function rawOf(own: readonly FrameRange[], ranges: InitRanges, page: number): Raw {
  if (within(ranges.iommu, page)) return FIRMWARE_IOMMU;
  if (own.some((range) => within(range, page))) return FIRMWARE;
  return within(ranges.fixed, page) ? HV_FIXED : HYPERVISOR;
}

function writeRegion(hw: Hardware, frame: number, own: readonly FrameRange[], ranges: InitRanges, event: number): void {
  const { rmp } = hw;
  const base = frame * 512;
  const raws = Array.from({ length: 512 }, (_, i) =>
    rmp.covers(base + i) ? rawOf(own, ranges, base + i) : HYPERVISOR,
  );
  const count = raws.reduce((n, [w0], i) => n + (i > 0 ? w0 & ASSIGNED : 0), 0);
  const [head, tail] = raws;
  let chunk: Uint32Array;
  if (raws.every((raw, i) => i === 0 || raw === tail)) {
    chunk = rmp.compactChunk(head[0], head[1], 0, 0, tail[0], event);
    chunk[ENTRY_WORDS + 1] = tail[1];
  } else {
    chunk = rmp.blankFullChunk(event);
    raws.forEach(([w0, w1], i) => {
      chunk[i * ENTRY_WORDS] = w0;
      chunk[i * ENTRY_WORDS + 1] = w1;
    });
  }
  chunk[0] |= count << COUNT_SHIFT;
  rmp.replaceRegion(frame, chunk, 0, 0, 0, 0);
}

/**
 * SNP_SHUTDOWN: the platform is uninitialized and takes no command but SNP_INIT; the RMP stays in force. DFFLUSH_REQUIRED while a guest is active or
 * an ASID is not flushed; success, and nothing else, if it is shut down already.
 *
 * @param iommu IOMMU_SNP_SHUTDOWN of SNP_SHUTDOWN_EX: the IOMMUs' pages become RECLAIM
 */
export function snpShutdown(hw: Hardware, iommu = false): number {
  const { firmware, rmp } = hw;
  const wasInitialized = firmware.initialized;
  const blocked = wasInitialized && (firmware.anyActive || firmware.anyUnflushed);
  const what = firmware.anyActive ? 'a guest is active (SNP_DECOMMISSION)' : 'an ASID is not flushed (SNP_DF_FLUSH)';
  const status = blocked ? refuse(hw, FwStatus.DfflushRequired, what) : FwStatus.Success;
  const range = firmware.iommu;
  const released = iommu && !blocked && wasInitialized && range !== undefined ? range : { start: -1, end: -1 };
  const pages = released.end - released.start;
  const event = recordCommand(hw, FwCommand.SnpShutdown, released.start, status, pages);
  if (blocked || !wasInitialized) return status;
  for (let page = released.start; page < released.end && page >= 0; page++) {
    if (rmp.pageState(page as never) !== 'FIRMWARE_IOMMU') continue;
    // Back to ASSIGNED alone, and in a region's first page the count of the others.
    const count = page % 512 === 0 ? rmp.word(page, 0) & (0x1ff << COUNT_SHIFT) : 0;
    rmp.setEntry(page, ASSIGNED | count, 0, 0, 0, event);
  }
  firmware.shutDown();
  return status;
}

/** SNP_DF_FLUSH: ASIDs of decommissioned guests may be used again. That WBINVD was executed on every CPU before is taken for granted. */
export function snpDfFlush(hw: Hardware): number {
  const status = commonStatus(hw);
  recordCommand(hw, FwCommand.SnpDfFlush, -1, status);
  if (status === FwStatus.Success) hw.firmware.flush();
  return status;
}
