/**
 * SNP_PAGE_UNSMASH: 512 4K entries of one guest become one 2M entry, the only way back from PSMASH without the guest (SNP firmware ABI; APM vol. 2,
 * 15.36.11; the Genoa firmware's snp_mcmd_page_unsmash). The host makes all of them immutable first.
 */
import { hex } from '../base/text.ts';
import { commonStatus, FwCommand, FwStatus, recordCommand, unaligned } from './firmware.ts';
import type { Hardware } from './machine.ts';
import { refuse } from './refusal.ts';
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
import { ENTRY_WORDS, FULL_LENGTH } from './rmp-table.ts';

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
  for (let at = ENTRY_WORDS; at < FULL_LENGTH; at += ENTRY_WORDS) {
    next[at] = (next[at] & ~IMMUTABLE) | ASSIGNED;
    next[at + 1] &= ~(ASID_MASK << ASID_SHIFT) & ~LOCK;
  }
  // The same 512 pages of the same ASID before and after.
  rmp.replaceRegion(frame, next, 0, 0, 0, 0);
  return status;
}

function unsmashStatus(hw: Hardware, page: number): number {
  if (page % 512 !== 0) return unaligned(hw, page, FwStatus.InvalidParam);
  const common = commonStatus(hw, page);
  if (common !== FwStatus.Success) return common;
  const { rmp, firmware } = hw;
  const wrong = (what: string, at = -1): number => refuse(hw, FwStatus.InvalidPageState, what, at);
  if (!rmp.covers(page) || !rmp.covers(page + 511)) return wrong('the RMP does not cover the region');
  for (let i = 1; i < 512; i++)
    if (firmware.isRmp(page + i))
      return refuse(hw, FwStatus.InvalidAddress, `pfn ${hex(page + i)} is part of the RMP itself`, page + i);

  const first1 = rmp.word(page, 1);
  const gfn = gfnOf(rmp.word(page, 0), first1);
  const asid = asidOf(first1);
  if (asid === 0) return wrong("the region is no guest's", page);
  if (gfn % 512 !== 0) return wrong(`its GPA ${hex(gfn * 4096)} is not 2M-aligned`, page);
  for (let i = 0; i < 512; i++) {
    const what = differs(hw, page, i);
    if (what !== undefined) return wrong(`pfn ${hex(page + i)} ${what}`, page + i);
  }
  return FwStatus.Success;
}

/** What keeps entry `i` of the region from being part of one 2M entry; the first decides what all must be. */
function differs({ rmp }: Hardware, page: number, i: number): string | undefined {
  const [first0, first1] = [rmp.word(page, 0), rmp.word(page, 1)];
  const w0 = rmp.word(page + i, 0);
  const w1 = rmp.word(page + i, 1);
  if ((w0 & PAGE_SIZE_2M) !== 0) return 'is 2M already';
  if ((w0 & (ASSIGNED | IMMUTABLE)) !== (ASSIGNED | IMMUTABLE)) return 'is not immutable';
  if (((w1 ^ first1) & VALIDATED) !== 0) return 'differs from the first page in Validated';
  if ((w1 & VMSA) !== 0) return 'is a VMSA';
  if (asidOf(w1) !== asidOf(first1)) return `has another ASID than the first page, ${asidOf(w1)}`;
  if (gfnOf(w0, w1) !== gfnOf(first0, first1) + i) return 'does not have the GPA that follows';
  for (const n of [2, 3])
    if (rmp.word(page + i, n) !== rmp.word(page, n)) return 'has other permissions than the first page';
  return undefined;
}
