/**
 * SNP_LAUNCH_UPDATE: a page of the guest's initial memory, PRE_GUEST, becomes GUEST_VALID (SNP firmware ABI, SNP_LAUNCH_UPDATE; the Genoa firmware's
 * snp_mcmd_launch_update). Encryption and measurement are left out, and so is the rule for incoming migration images.
 */
import {
  commonStatus,
  FwCommand,
  FwStatus,
  inactive,
  noContext,
  PageType,
  type RmpPageSize,
  recordCommand,
  sizeOf,
  stateOf,
  unaligned,
  wrongGuestState,
  wrongOwner,
  wrongSize,
  wrongState,
} from './firmware.ts';
import type { Hardware } from './machine.ts';
import { refuse } from './refusal.ts';
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
  if (context === undefined) return noContext(hw, gctx);
  if (stateOf(hw, page) !== 'PRE_GUEST') return wrongState(hw, page, 'PRE_GUEST');
  if (sizeOf(hw, page) !== pageSize) return wrongSize(hw, page, pageSize);
  if (pageSize === 1 && page % 512 !== 0) return unaligned(hw, page, FwStatus.InvalidAddress);
  switch (pageType) {
    case PageType.Normal:
    case PageType.Zero:
    case PageType.Unmeasured:
      break;
    case PageType.Vmsa:
    case PageType.Secrets:
    case PageType.Cpuid:
      if (pageSize !== 0) return refuse(hw, FwStatus.InvalidPageSize, 'VMSA, SECRETS and CPUID pages are 4K');
      break;
    default:
      return refuse(hw, FwStatus.InvalidParam, `there is no page type ${pageType}`);
  }
  if (context.state !== 'LAUNCH') return wrongGuestState(hw, context.state, 'LAUNCH');
  if (context.asid === 0) return inactive(hw);
  if (asidOf(hw.rmp.word(hw.rmp.governing(page), 1)) !== context.asid) return wrongOwner(hw, page, context.asid);
  if (pageType === PageType.Cpuid && !cpuidValid) {
    const reason = 'the firmware rejects the CPUID values; the corrected page is handed back unencrypted';
    return refuse(hw, FwStatus.InvalidParam, reason, page);
  }
  return FwStatus.Success;
}
