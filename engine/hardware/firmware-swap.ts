/**
 * Swapping: SNP_PAGE_MD_INIT, SNP_PAGE_SWAP_OUT and SNP_PAGE_SWAP_IN (SNP firmware ABI; the Genoa firmware's snp_mcmd_md_init, _swap_out, _swap_in).
 * What leaves the guest's memory is described by an entry of a METADATA page, or by the root entry in the guest's context. The ciphertext and its
 * authentication are left out: a page swapped in is always the one that was swapped out.
 */
import { hex } from '../base/text.ts';
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
import { type Context, METADATA_ENTRIES, type MetadataEntry } from './firmware-state.ts';
import { frameOfField, Tag, taggedWords } from './firmware-tag.ts';
import type { Hardware } from './machine.ts';
import { refuse } from './refusal.ts';
import {
  ASSIGNED,
  asidOf,
  COUNT_MASK,
  GFN_HIGH_MASK,
  gfnOf,
  IMMUTABLE,
  PAGE_SIZE_2M,
  VALIDATED,
  VMSA,
} from './rmp-entry.ts';
import { gfnWord0, gfnWord1 } from './rmp-table.ts';

/** Word 0 without its GPA part. */
const FLAGS_0 = ASSIGNED | PAGE_SIZE_2M | IMMUTABLE | COUNT_MASK;

/** Where the metadata entry stands: an entry of a METADATA page, or undefined for the root entry in the context. */
export type MetadataPlace = { readonly page: number; readonly entry: number } | undefined;

export interface Swap {
  /** Context page of the guest. */
  readonly gctx: number;
  readonly source: number;
  readonly target: number;
  readonly kind: MetadataEntry['kind'];
  readonly size: RmpPageSize;
  readonly metadata: MetadataPlace;
}

/** SNP_PAGE_MD_INIT: a FIRMWARE page becomes METADATA of the guest, all of its entries empty. */
export function snpPageMdInit(hw: Hardware, gctx: number, page: number): number {
  const { rmp, firmware } = hw;
  let status = commonStatus(hw, gctx, page);
  if (status === FwStatus.Success) {
    const context = firmware.context(gctx);
    if (context === undefined) status = noContext(hw, gctx);
    else if (stateOf(hw, page) !== 'FIRMWARE') status = wrongState(hw, page, 'FIRMWARE');
    else if (context.state === 'INIT') status = wrongGuestState(hw, 'INIT', 'LAUNCH', 'RUNNING');
  }
  const event = recordCommand(hw, FwCommand.SnpPageMdInit, page, status);
  if (status !== FwStatus.Success) return status;
  // A page under a 2M firmware entry stands for all of it.
  const at = rmp.governing(page);
  const [gpa0, gpa1] = taggedWords(gctx, Tag.Metadata);
  const w0 = (rmp.word(at, 0) & FLAGS_0) | gpa0;
  const w1 = (rmp.word(at, 1) & ~GFN_HIGH_MASK) | gpa1;
  rmp.setEntry(at, w0, w1, rmp.word(at, 2), rmp.word(at, 3), event);
  firmware.setMetadata(at, new Map());
  return status;
}

/**
 * SNP_PAGE_SWAP_OUT: the page's contents go to the target, a FIRMWARE page or one that the RMP does not cover, and what the RMP knew of it to the
 * metadata entry. PRE_SWAP and PRE_GUEST end as PRE_GUEST, METADATA as FIRMWARE.
 */
export function snpPageSwapOut(hw: Hardware, swap: Swap): number {
  const { rmp, firmware } = hw;
  const { source } = swap;
  const status = swapOutStatus(hw, swap);
  const event = recordCommand(hw, FwCommand.SnpPageSwapOut, source, status, swap.target);
  if (status !== FwStatus.Success) return status;
  const [w0, w1, w2, w3] = [0, 1, 2, 3].map((n) => rmp.word(source, n));
  if (swap.kind === 'METADATA') {
    const entries = firmware.metadataOf(source);
    rmp.setEntry(source, w0 & FLAGS_0, w1 & ~GFN_HIGH_MASK & ~VMSA, w2, w3, event);
    firmware.setMetadata(source, new Map());
    const entry = { valid: true, kind: swap.kind, size: swap.size, gfn: 0, validated: false, vmpl: [0, 0] as const };
    putEntry(hw, swap, { ...entry, entries });
    return status;
  }
  rmp.setEntry(source, w0, w1 & ~VALIDATED, w2, w3, event);
  const validated = (w1 & VALIDATED) !== 0;
  putEntry(hw, swap, { valid: true, kind: swap.kind, size: swap.size, gfn: gfnOf(w0, w1), validated, vmpl: [w2, w3] });
  return status;
}

function swapOutStatus(hw: Hardware, swap: Swap): number {
  const [context, status] = swapStatus(hw, swap);
  if (context === undefined) return status;
  const { source, target, size } = swap;
  const to = stateOf(hw, target);
  if (!sizeMatches(hw, source, size)) return wrongSize(hw, source, size);
  if (to !== 'DEFAULT' && !sizeMatches(hw, target, size)) return wrongSize(hw, target, size);
  const guest = guestStatus(hw, context);
  if (guest !== FwStatus.Success) return guest;
  const from = stateOf(hw, source);
  const sources = swap.kind === 'METADATA' ? (['METADATA'] as const) : (['PRE_SWAP', 'PRE_GUEST'] as const);
  if (!sources.some((state) => state === from)) return wrongState(hw, source, ...sources);
  if (to !== 'FIRMWARE' && to !== 'DEFAULT') return wrongState(hw, target, 'FIRMWARE');
  const owned =
    swap.kind === 'METADATA'
      ? metadataOwner(hw, source) === swap.gctx
      : asidOf(hw.rmp.word(source, 1)) === context.asid;
  return owned ? FwStatus.Success : wrongOwner(hw, source, context.asid);
}

/**
 * SNP_PAGE_SWAP_IN: the reverse. A guest page needs a PRE_GUEST page of the guest and size, which gets GPA, VMSA, permissions and Validated from the
 * metadata entry: PRE_SWAP if it had been validated. METADATA needs a FIRMWARE page. The entry is not valid any more.
 *
 * @param inPlace SWAP_IN_PLACE: source and target are the same page
 */
export function snpPageSwapIn(hw: Hardware, swap: Swap, inPlace = false): number {
  const { rmp, firmware } = hw;
  const { target, gctx } = swap;
  const status = swapInStatus(hw, swap, inPlace);
  const event = recordCommand(hw, FwCommand.SnpPageSwapIn, target, status, swap.source);
  if (status !== FwStatus.Success) return status;
  const entry = getEntry(hw, swap) as MetadataEntry;
  const [w0, w1, w2, w3] = [0, 1, 2, 3].map((n) => rmp.word(target, n));
  if (swap.kind === 'METADATA') {
    const [gpa0, gpa1] = taggedWords(gctx, Tag.Metadata);
    rmp.setEntry(target, (w0 & FLAGS_0) | gpa0, (w1 & ~GFN_HIGH_MASK) | gpa1, w2, w3, event);
    firmware.setMetadata(target, entry.entries ?? new Map());
  } else {
    const kept = w1 & ~(GFN_HIGH_MASK | VMSA);
    const set = gfnWord1(entry.gfn) | (swap.kind === 'VMSA' ? VMSA : 0) | (entry.validated ? VALIDATED : 0);
    rmp.setEntry(target, (w0 & FLAGS_0) | gfnWord0(entry.gfn), kept | set, entry.vmpl[0], entry.vmpl[1], event);
  }
  putEntry(hw, swap, { ...entry, valid: false });
  return status;
}

function swapInStatus(hw: Hardware, swap: Swap, inPlace: boolean): number {
  const [context, status] = swapStatus(hw, swap);
  if (context === undefined) return status;
  const guest = guestStatus(hw, context);
  if (guest !== FwStatus.Success) return guest;
  const { source, target, size, kind } = swap;
  const entry = getEntry(hw, swap);
  if (entry === undefined || !entry.valid)
    return refuse(hw, FwStatus.InvalidMdataEntry, 'the metadata entry holds nothing that was swapped out');
  if (entry.kind !== kind)
    return refuse(
      hw,
      FwStatus.InvalidMdataEntry,
      `the metadata entry describes a ${entry.kind} page and no ${kind} page`,
    );
  if (stateOf(hw, source) !== 'DEFAULT' && !sizeMatches(hw, source, size)) return wrongSize(hw, source, size);
  if (!sizeMatches(hw, target, size)) return wrongSize(hw, target, size);
  if (entry.size !== size)
    return refuse(hw, FwStatus.InvalidPageSize, 'the metadata entry describes a page of the other size');
  if (inPlace) {
    if (kind !== 'DATA') return refuse(hw, FwStatus.InvalidParam, 'only DATA pages are swapped in in place');
    if (source !== target) return refuse(hw, FwStatus.InvalidAddress, 'in place, source and target are the same page');
  }
  if (kind === 'VMSA' && size !== 0) return refuse(hw, FwStatus.InvalidPageSize, 'a VMSA page is 4K');
  const wanted = kind === 'METADATA' ? 'FIRMWARE' : 'PRE_GUEST';
  if (stateOf(hw, target) !== wanted) return wrongState(hw, target, wanted);
  if (kind === 'METADATA') return FwStatus.Success;
  return asidOf(hw.rmp.word(target, 1)) === context.asid ? FwStatus.Success : wrongOwner(hw, target, context.asid);
}

/** What both directions check first: the context, and the page with the metadata entry. */
function swapStatus(hw: Hardware, swap: Swap): [context: Context | undefined, status: number] {
  const { gctx, source, target, size, metadata } = swap;
  const common = commonStatus(hw, gctx, source, target, ...(metadata === undefined ? [] : [metadata.page]));
  if (common !== FwStatus.Success) return [undefined, common];
  const context = hw.firmware.context(gctx);
  if (context === undefined) return [undefined, noContext(hw, gctx)];
  if (metadata === undefined) return [context, FwStatus.Success];
  const { page, entry } = metadata;
  if (entry < 0 || entry >= METADATA_ENTRIES)
    return [undefined, refuse(hw, FwStatus.InvalidParam, `a METADATA page has entries 0 to ${METADATA_ENTRIES - 1}`)];
  const pages = size === 1 ? 512 : 1;
  if ([source, target].some((first) => page >= first && page < first + pages))
    return [
      undefined,
      refuse(hw, FwStatus.InvalidParam, `the METADATA page ${hex(page)} is one of the pages that move`),
    ];
  if (stateOf(hw, page) !== 'METADATA') return [undefined, wrongState(hw, page, 'METADATA')];
  if (metadataOwner(hw, page) === gctx) return [context, FwStatus.Success];
  return [undefined, refuse(hw, FwStatus.InvalidPageOwner, `METADATA pfn ${hex(page)} is another guest's`, page)];
}

function guestStatus(hw: Hardware, context: Context): number {
  if (context.state === 'INIT') return wrongGuestState(hw, 'INIT', 'LAUNCH', 'RUNNING');
  return context.asid === 0 ? inactive(hw) : FwStatus.Success;
}

/** The context page that a METADATA page belongs to. */
function metadataOwner(hw: Hardware, page: number): number {
  const at = hw.rmp.governing(page);
  return frameOfField(gfnOf(hw.rmp.word(at, 0), hw.rmp.word(at, 1)));
}

function getEntry(hw: Hardware, { gctx, metadata }: Swap): MetadataEntry | undefined {
  if (metadata === undefined) return hw.firmware.context(gctx)?.root;
  return hw.firmware.metadataOf(metadata.page).get(metadata.entry);
}

function putEntry(hw: Hardware, { gctx, metadata }: Swap, entry: MetadataEntry): void {
  const { firmware } = hw;
  if (metadata === undefined) {
    firmware.setContext({ ...(firmware.context(gctx) as Context), root: entry });
    return;
  }
  firmware.setMetadata(metadata.page, new Map(firmware.metadataOf(metadata.page)).set(metadata.entry, entry));
}
