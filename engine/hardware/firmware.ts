/**
 * SEV-SNP firmware commands that move pages between states (SEV Secure Nested Paging Firmware ABI; conditions as in the Genoa firmware's
 * sev_mcmd.c). Cryptography is left out: only page states count here. Status numbers are those of Linux's include/uapi/linux/psp-sev.h.
 */
import { EventKind } from '../trace/trace.ts';
import type { Hardware } from './machine.ts';
import { ASSIGNED_2M, asidOf, IMMUTABLE, LOCK, VALIDATED, VMSA } from './rmp-entry.ts';

export const FwStatus = {
  Success: 0,
  InvalidPlatformState: 1,
  InvalidGuestState: 2,
  InvalidConfig: 3,
  InvalidLen: 4,
  InvalidAddress: 9,
  AsidOwned: 12,
  InvalidAsid: 13,
  DfflushRequired: 15,
  InvalidGuest: 16,
  InvalidCommand: 17,
  Active: 18,
  InvalidParam: 0x16,
  InvalidPageSize: 0x19,
  InvalidPageState: 0x1a,
  InvalidMdataEntry: 0x1b,
  InvalidPageOwner: 0x1c,
} as const;

const statusNames: Record<number, string> = {
  0: 'SUCCESS',
  1: 'INVALID_PLATFORM_STATE',
  2: 'INVALID_GUEST_STATE',
  3: 'INVALID_CONFIG',
  4: 'INVALID_LEN',
  9: 'INVALID_ADDRESS',
  12: 'ASID_OWNED',
  13: 'INVALID_ASID',
  15: 'DFFLUSH_REQUIRED',
  16: 'INVALID_GUEST',
  17: 'INVALID_COMMAND',
  18: 'ACTIVE',
  22: 'INVALID_PARAM',
  25: 'INVALID_PAGE_SIZE',
  26: 'INVALID_PAGE_STATE',
  27: 'INVALID_MDATA_ENTRY',
  28: 'INVALID_PAGE_OWNER',
};

export const fwStatusName = (status: number): string => statusNames[status] ?? `0x${status.toString(16)}`;

/** Command ids, as the trace's `Firmware` events carry them. */
export const FwCommand = {
  SnpLaunchUpdate: 0xa1,
  SnpPageReclaim: 0xc7,
} as const;

/** Page types of SNP_LAUNCH_UPDATE. */
export const PageType = { Normal: 1, Vmsa: 2, Zero: 3, Unmeasured: 4, Secrets: 5, Cpuid: 6 } as const;

/** Page sizes in commands and in the RMP. */
export type RmpPageSize = 0 | 1;

/**
 * SNP_LAUNCH_UPDATE of one page: PRE_GUEST becomes GUEST_VALID.
 *
 * @param masks      permission masks of VMPL1 to VMPL3; VMPL0 keeps its own
 * @param cpuidValid false: the firmware rejects the contents of a CPUID page, hands a corrected page back unencrypted and leaves it PRE_GUEST
 */
export function snpLaunchUpdate(
  hw: Hardware,
  asid: number,
  pfn: number,
  pageType: number,
  pageSize: RmpPageSize,
  masks: readonly [number, number, number] = [0, 0, 0],
  cpuidValid = true,
): number {
  const rmp = hw.rmp;
  const status = launchUpdateStatus(hw, asid, pfn, pageType, pageSize, cpuidValid);
  const event = hw.trace.record(
    EventKind.Firmware,
    0,
    pfn,
    status,
    FwCommand.SnpLaunchUpdate,
    pageType,
    rmp.lastChange(pfn),
  );
  if (status !== FwStatus.Success) return status;
  const vmplMasks = (rmp.word(pfn, 2) & 0xff) | (masks[0] << 8) | (masks[1] << 16) | (masks[2] << 24);
  const w1 = (rmp.word(pfn, 1) | VALIDATED | (pageType === PageType.Vmsa ? VMSA : 0)) & ~LOCK;
  rmp.setEntry(pfn, rmp.word(pfn, 0) & ~IMMUTABLE, w1, vmplMasks, rmp.word(pfn, 3), event);
  return status;
}

function launchUpdateStatus(
  hw: Hardware,
  asid: number,
  pfn: number,
  pageType: number,
  pageSize: RmpPageSize,
  cpuidValid: boolean,
): number {
  const rmp = hw.rmp;
  if (pageType < PageType.Normal || pageType > PageType.Cpuid) return FwStatus.InvalidParam;
  const needs4k = pageType === PageType.Vmsa || pageType === PageType.Secrets || pageType === PageType.Cpuid;
  if (needs4k && pageSize !== 0) return FwStatus.InvalidPageSize;
  if (pageSize === 1 && pfn % 512 !== 0) return FwStatus.InvalidAddress;
  if (rmp.pageState(pfn as never) !== 'PRE_GUEST') return FwStatus.InvalidPageState;
  if (sizeOf(hw, pfn) !== pageSize) return FwStatus.InvalidPageSize;
  if (asidOf(rmp.word(rmp.governing(pfn), 1)) !== asid) return FwStatus.InvalidPageOwner;
  if (pageType === PageType.Cpuid && !cpuidValid) return FwStatus.InvalidParam;
  return FwStatus.Success;
}

/** SNP_PAGE_RECLAIM: clears Immutable, so that the hypervisor may take the page back. A page that is not immutable is left as it is. */
export function snpPageReclaim(hw: Hardware, pfn: number, pageSize: RmpPageSize): number {
  const rmp = hw.rmp;
  const status = reclaimStatus(hw, pfn, pageSize);
  const event = hw.trace.record(
    EventKind.Firmware,
    0,
    pfn,
    status,
    FwCommand.SnpPageReclaim,
    pageSize,
    rmp.lastChange(pfn),
  );
  const w0 = rmp.word(pfn, 0);
  if (status === FwStatus.Success && (w0 & IMMUTABLE) !== 0) {
    // RECLAIM and the guest states have the lock clear.
    rmp.setEntry(pfn, w0 & ~IMMUTABLE, rmp.word(pfn, 1) & ~LOCK, rmp.word(pfn, 2), rmp.word(pfn, 3), event);
  }
  return status;
}

function reclaimStatus(hw: Hardware, pfn: number, pageSize: RmpPageSize): number {
  if (pageSize === 1 && pfn % 512 !== 0) return FwStatus.InvalidAddress;
  if (!hw.rmp.covers(pfn)) return FwStatus.InvalidAddress;
  const entry = hw.rmp.resolve(pfn as never);
  const state = hw.rmp.pageState(pfn as never);
  if (entry.assigned && sizeOf(hw, pfn) !== pageSize) return FwStatus.InvalidPageSize;
  if (!entry.immutable) return FwStatus.Success;
  const reclaimable = state === 'METADATA' || state === 'FIRMWARE' || state === 'PRE_GUEST' || state === 'PRE_SWAP';
  return reclaimable ? FwStatus.Success : FwStatus.InvalidPageState;
}

/** Page size of the entry that speaks for the page: 0 = 4K, 1 = 2M. */
function sizeOf(hw: Hardware, pfn: number): RmpPageSize {
  const w0 = hw.rmp.word(hw.rmp.governing(pfn), 0);
  return (w0 & ASSIGNED_2M) === ASSIGNED_2M ? 1 : 0;
}
