/**
 * Pages that go back to the hypervisor: SNP_PAGE_RECLAIM takes Immutable away so that RMPUPDATE may take the page; SNP_PAGE_SET_STATE makes firmware
 * pages the hypervisor's for good (SNP firmware ABI; the Genoa firmware's snp_mcmd_page_reclaim and page_set_hv_fixed).
 */
import { hex } from '../base/text.ts';
import {
  commonStatus,
  FwCommand,
  FwStatus,
  type RmpPageSize,
  recordCommand,
  sizeOf,
  stateOf,
  unaligned,
  wrongSize,
  wrongState,
} from './firmware.ts';
import { withoutTag } from './firmware-tag.ts';
import type { Hardware } from './machine.ts';
import { refuse } from './refusal.ts';
import { COUNT_MASK, COUNT_SHIFT, IMMUTABLE, LOCK } from './rmp-entry.ts';

/**
 * SNP_PAGE_RECLAIM. METADATA and FIRMWARE become RECLAIM, PRE_GUEST becomes GUEST_INVALID, PRE_SWAP becomes GUEST_VALID; a page that is not immutable
 * is left as it is, with success.
 */
export function snpPageReclaim(hw: Hardware, page: number, pageSize: RmpPageSize): number {
  const { rmp } = hw;
  const status = reclaimStatus(hw, page, pageSize);
  const event = recordCommand(hw, FwCommand.SnpPageReclaim, page, status, pageSize);
  const w0 = rmp.word(page, 0);
  if (status !== FwStatus.Success || (w0 & IMMUTABLE) === 0) return status;
  let w1 = rmp.word(page, 1);
  if (stateOf(hw, page) === 'METADATA') {
    w1 = withoutTag(w1);
    hw.firmware.setMetadata(page, new Map());
  }
  // The firmware's lock goes with Immutable.
  rmp.setEntry(page, w0 & ~IMMUTABLE, w1 & ~LOCK, rmp.word(page, 2), rmp.word(page, 3), event);
  return status;
}

function reclaimStatus(hw: Hardware, page: number, pageSize: RmpPageSize): number {
  const common = commonStatus(hw, page);
  if (common !== FwStatus.Success) return common;
  const state = stateOf(hw, page);
  // No entry, nothing to reclaim. The firmware would look at an entry that it never read; what that gives is not known.
  if (state === 'DEFAULT') return refuse(hw, FwStatus.InvalidAddress, `pfn ${hex(page)} is not covered by the RMP`);
  if (sizeOf(hw, page) !== pageSize) return wrongSize(hw, page, pageSize);
  if (pageSize === 1 && page % 512 !== 0) return unaligned(hw, page, FwStatus.InvalidAddress);
  if ((hw.rmp.word(page, 0) & IMMUTABLE) === 0) return FwStatus.Success;
  const reclaimable = state === 'METADATA' || state === 'FIRMWARE' || state === 'PRE_GUEST' || state === 'PRE_SWAP';
  if (reclaimable) return FwStatus.Success;
  return wrongState(hw, page, 'METADATA', 'FIRMWARE', 'PRE_GUEST', 'PRE_SWAP');
}

/**
 * SNP_PAGE_SET_STATE of one range: FIRMWARE pages become HV_FIXED, and their region's subpage count goes down. All or none. The ASID counters are the
 * processor's, and stay.
 *
 * The Genoa firmware takes only pages as SNP_INIT leaves them, lock included; here FIRMWARE is enough, as the ABI has it.
 *
 * @param page  first page, 2M-aligned
 * @param pages how many 4K pages
 */
export function snpPageSetState(hw: Hardware, page: number, pages: number): number {
  const { rmp } = hw;
  const status = setStateStatus(hw, page, pages);
  // Pages that the RMP does not cover behave as fixed already.
  const covered = Math.max(0, Math.min(pages, rmp.coveredPages - page));
  const event = recordCommand(hw, FwCommand.SnpPageSetState, page, status, covered);
  if (status !== FwStatus.Success) return status;
  for (let head = page; head < page + covered; head += 512) {
    const end = Math.min(head + 512, page + covered);
    // Segments end with regions.
    if (!rmp.covers(head)) continue;
    for (let i = head + 1; i < end; i++) rmp.setEntry(i, IMMUTABLE, 0, 0, 0, event);
    const count = rmp.subpageCount(head) - (end - head - 1);
    rmp.setEntry(head, IMMUTABLE | ((count << COUNT_SHIFT) & COUNT_MASK), 0, 0, 0, event);
  }
  return status;
}

function setStateStatus(hw: Hardware, page: number, pages: number): number {
  const common = commonStatus(hw);
  if (common !== FwStatus.Success) return common;
  if (page % 512 !== 0) return unaligned(hw, page, FwStatus.InvalidParam);
  for (let i = page; i < page + pages; i++) {
    // The firmware leaves the RMP out of the list without a word; refusing says where the list is wrong.
    if (hw.firmware.isRmp(i)) return refuse(hw, FwStatus.InvalidAddress, `pfn ${hex(i)} is part of the RMP itself`, i);
    if (!hw.rmp.covers(i)) continue;
    if (stateOf(hw, i) !== 'FIRMWARE') return wrongState(hw, i, 'FIRMWARE');
    if (sizeOf(hw, i) !== 0) return refuse(hw, FwStatus.InvalidPageState, `pfn ${hex(i)} lies under a 2M entry`, i);
  }
  return FwStatus.Success;
}
