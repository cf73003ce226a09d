/**
 * SNP_PAGE_UNSMASH: 512 4K entries of one guest become one 2M entry, the only way back from PSMASH without the guest (SNP firmware ABI; APM vol. 2,
 * 15.36.11; the Genoa firmware's snp_mcmd_page_unsmash). The host makes all of them immutable first.
 */
import { commonStatus, FwCommand, FwStatus, recordCommand } from './firmware.ts';
import type { Hardware } from './machine.ts';
import {
  ASID_MASK,
  ASID_SHIFT,
  ASSIGNED,
  asidOf,
  COUNT_MASK,
  gfnOf,
  IMMUTABLE,
  LOCK,
  PAGE_SIZE_2M,
  VALIDATED,
  VMSA,
} from './rmp-entry.ts';
import { ENTRY_WORDS, FULL_WORDS } from './rmp-table.ts';

/** @param page first page, 2M-aligned */
export function snpPageUnsmash(hw: Hardware, page: number): number {
  const { rmp } = hw;
  const status = unsmashStatus(hw, page);
  const event = recordCommand(hw, FwCommand.SnpPageUnsmash, page, status, 512);
  if (status !== FwStatus.Success) return status;
  const frame = page / 512;
  // Frame numbers that follow one another are never all alike, so the chunk is a full one.
  const next = rmp.copyOfFullChunk(rmp.fullChunk(frame), event);
  next[0] = (next[0] & ~COUNT_MASK) | PAGE_SIZE_2M;
  for (let at = ENTRY_WORDS; at < FULL_WORDS; at += ENTRY_WORDS) {
    next[at] = (next[at] & ~IMMUTABLE) | ASSIGNED;
    next[at + 1] &= ~(ASID_MASK << ASID_SHIFT) & ~LOCK;
  }
  // The same 512 pages of the same ASID before and after.
  rmp.replaceRegion(frame, next, 0, 0, 0, 0);
  return status;
}

function unsmashStatus(hw: Hardware, page: number): number {
  if (page % 512 !== 0) return FwStatus.InvalidParam;
  const common = commonStatus(hw, page);
  if (common !== FwStatus.Success) return common;
  const { rmp, firmware } = hw;
  if (!rmp.covers(page) || !rmp.covers(page + 511)) return FwStatus.InvalidPageState;
  for (let i = 1; i < 512; i++) if (firmware.isRmp(page + i)) return FwStatus.InvalidAddress;

  const first1 = rmp.word(page, 1);
  const gfn = gfnOf(rmp.word(page, 0), first1);
  const asid = asidOf(first1);
  if (gfn % 512 !== 0 || asid === 0) return FwStatus.InvalidPageState;
  for (let i = 0; i < 512; i++) {
    const w0 = rmp.word(page + i, 0);
    const w1 = rmp.word(page + i, 1);
    const alike =
      // 4K, immutable, assigned: PRE_GUEST or PRE_SWAP, as is the first.
      (w0 & (ASSIGNED | PAGE_SIZE_2M | IMMUTABLE)) === (ASSIGNED | IMMUTABLE) &&
      ((w1 ^ first1) & VALIDATED) === 0 &&
      (w1 & VMSA) === 0 &&
      asidOf(w1) === asid &&
      gfnOf(w0, w1) === gfn + i &&
      rmp.word(page + i, 2) === rmp.word(page, 2) &&
      rmp.word(page + i, 3) === rmp.word(page, 3);
    if (!alike) return FwStatus.InvalidPageState;
  }
  return FwStatus.Success;
}
