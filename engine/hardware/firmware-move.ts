/**
 * SNP_PAGE_MOVE: the contents of a guest's page, or of a metadata page, move to another system page, so that the host can compact or offline memory
 * (SNP firmware ABI; the Genoa firmware's snp_mcmd_page_move).
 */
import {
  commonStatus,
  FwCommand,
  FwStatus,
  inactive,
  noContext,
  type RmpPageSize,
  recordCommand,
  sizeMatches,
  stateOf,
  wrongGuestState,
  wrongOwner,
  wrongSize,
  wrongState,
} from './firmware.ts';
import { frameOfField, Tag, taggedWords } from './firmware-tag.ts';
import type { Hardware } from './machine.ts';
import {
  ASSIGNED,
  asidOf,
  COUNT_MASK,
  GFN_HIGH_MASK,
  gfnOf,
  IMMUTABLE,
  LOCK,
  PAGE_SIZE_2M,
  VALIDATED,
  VMSA,
} from './rmp-entry.ts';

/** Word 0 without its GPA part. */
const FLAGS_0 = ASSIGNED | PAGE_SIZE_2M | IMMUTABLE | COUNT_MASK;

/**
 * A guest page: PRE_GUEST or PRE_SWAP moves to a PRE_GUEST page of the same guest and size, which becomes GUEST_INVALID or GUEST_VALID with the GPA,
 * VMSA and permissions of the source; the source becomes GUEST_INVALID. A METADATA page moves to a FIRMWARE page and becomes FIRMWARE.
 */
export function snpPageMove(hw: Hardware, gctx: number, source: number, target: number, size: RmpPageSize): number {
  const { rmp, firmware } = hw;
  const status = moveStatus(hw, gctx, source, target, size);
  const out = recordCommand(hw, FwCommand.SnpPageMove, source, status, target);
  if (status !== FwStatus.Success) return status;
  const into = recordCommand(hw, FwCommand.SnpPageMove, target, status, source);
  const [s0, s1, s2, s3] = [0, 1, 2, 3].map((n) => rmp.word(source, n));
  const [t0, t1, t2, t3] = [0, 1, 2, 3].map((n) => rmp.word(target, n));
  if (stateOf(hw, source) === 'METADATA') {
    const [gpa0, gpa1] = taggedWords(gctx, Tag.Metadata);
    const entries = firmware.metadataOf(source);
    rmp.setEntry(source, s0 & FLAGS_0, s1 & ~GFN_HIGH_MASK & ~VMSA, s2, s3, out);
    rmp.setEntry(target, (t0 & FLAGS_0) | gpa0, (t1 & ~GFN_HIGH_MASK) | gpa1, t2, t3, into);
    firmware.setMetadata(source, new Map());
    firmware.setMetadata(target, entries);
    return status;
  }
  const moved = s1 & (GFN_HIGH_MASK | VMSA | VALIDATED);
  rmp.setEntry(source, s0 & ~IMMUTABLE, s1 & ~VALIDATED & ~LOCK, s2, s3, out);
  // Written last, so that a page moved to itself ends as the target.
  const kept = t1 & ~(GFN_HIGH_MASK | VMSA | VALIDATED | LOCK);
  rmp.setEntry(target, (t0 & FLAGS_0 & ~IMMUTABLE) | (s0 & ~FLAGS_0), kept | moved, s2, s3, into);
  return status;
}

function moveStatus(hw: Hardware, gctx: number, source: number, target: number, size: RmpPageSize): number {
  const common = commonStatus(hw, gctx, source, target);
  if (common !== FwStatus.Success) return common;
  const { rmp } = hw;
  const context = hw.firmware.context(gctx);
  if (context === undefined) return noContext(hw, gctx);
  for (const page of [source, target]) if (!sizeMatches(hw, page, size)) return wrongSize(hw, page, size);
  if (context.state === 'INIT') return wrongGuestState(hw, 'INIT', 'LAUNCH', 'RUNNING');
  if (context.asid === 0) return inactive(hw);
  const from = stateOf(hw, source);
  const to = stateOf(hw, target);
  if ((from === 'PRE_SWAP' || from === 'PRE_GUEST') && to === 'PRE_GUEST') {
    const foreign = [source, target].find((page) => asidOf(rmp.word(page, 1)) !== context.asid);
    return foreign === undefined ? FwStatus.Success : wrongOwner(hw, foreign, context.asid);
  }
  if (from === 'METADATA' && to === 'FIRMWARE') {
    const owner = frameOfField(gfnOf(rmp.word(source, 0), rmp.word(source, 1)));
    return owner === gctx ? FwStatus.Success : wrongOwner(hw, source, context.asid);
  }
  if (from === 'METADATA') return wrongState(hw, target, 'FIRMWARE');
  if (from === 'PRE_SWAP' || from === 'PRE_GUEST') return wrongState(hw, target, 'PRE_GUEST');
  return wrongState(hw, source, 'PRE_GUEST', 'PRE_SWAP', 'METADATA');
}
