/**
 * SNP_LAUNCH_UPDATE: a page of the guest's initial memory, PRE_GUEST, becomes GUEST_VALID (SNP firmware ABI, SNP_LAUNCH_UPDATE; the Genoa firmware's
 * snp_mcmd_launch_update). Encryption and measurement are left out, and so is the rule for incoming migration images.
 */
import {
  commonStatus,
  FwCommand,
  FwStatus,
  PageType,
  type RmpPageSize,
  recordCommand,
  sizeOf,
  stateOf,
} from './firmware.ts';
import type { Hardware } from './machine.ts';
import { asidOf, IMMUTABLE, LOCK, VALIDATED, VMSA } from './rmp-entry.ts';

/**
 * @param gctx       context page of the guest
 * @param pageType   one of {@link PageType}; VMSA, SECRETS and CPUID pages are 4K
 * @param masks      permission masks of VMPL1 to VMPL3; VMPL0 keeps its own
 * @param cpuidValid false: the firmware rejects the contents of a CPUID page, hands a corrected page back unencrypted and leaves it PRE_GUEST
 * @returns the firmware's status
 */
export function snpLaunchUpdate(
  hw: Hardware,
  gctx: number,
  page: number,
  pageType: number,
  pageSize: RmpPageSize,
  masks: readonly [number, number, number] = [0, 0, 0],
  cpuidValid = true,
): number {
  const { rmp } = hw;
  const status = launchUpdateStatus(hw, gctx, page, pageType, pageSize, cpuidValid);
  const event = recordCommand(hw, FwCommand.SnpLaunchUpdate, page, status, pageType);
  if (status !== FwStatus.Success) return status;
  const vmplMasks = (rmp.word(page, 2) & 0xff) | (masks[0] << 8) | (masks[1] << 16) | (masks[2] << 24);
  const w1 = (rmp.word(page, 1) | VALIDATED | (pageType === PageType.Vmsa ? VMSA : 0)) & ~LOCK;
  rmp.setEntry(page, rmp.word(page, 0) & ~IMMUTABLE, w1, vmplMasks, rmp.word(page, 3), event);
  return status;
}

function launchUpdateStatus(
  hw: Hardware,
  gctx: number,
  page: number,
  pageType: number,
  pageSize: RmpPageSize,
  cpuidValid: boolean,
): number {
  const common = commonStatus(hw, gctx, page);
  if (common !== FwStatus.Success) return common;
  const context = hw.firmware.context(gctx);
  if (context === undefined) return FwStatus.InvalidGuest;
  if (stateOf(hw, page) !== 'PRE_GUEST') return FwStatus.InvalidPageState;
  if (sizeOf(hw, page) !== pageSize) return FwStatus.InvalidPageSize;
  if (pageSize === 1 && page % 512 !== 0) return FwStatus.InvalidAddress;
  switch (pageType) {
    case PageType.Normal:
    case PageType.Zero:
    case PageType.Unmeasured:
      break;
    case PageType.Vmsa:
    case PageType.Secrets:
    case PageType.Cpuid:
      if (pageSize !== 0) return FwStatus.InvalidPageSize;
      break;
    default:
      return FwStatus.InvalidParam;
  }
  if (context.state !== 'LAUNCH') return FwStatus.InvalidGuestState;
  if (context.asid === 0) return FwStatus.Inactive;
  if (asidOf(hw.rmp.word(hw.rmp.governing(page), 1)) !== context.asid) return FwStatus.InvalidPageOwner;
  if (pageType === PageType.Cpuid && !cpuidValid) return FwStatus.InvalidParam;
  return FwStatus.Success;
}
