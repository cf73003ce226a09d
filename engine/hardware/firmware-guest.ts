/**
 * A guest's life as the AMD-SP sees it: SNP_GCTX_CREATE, SNP_LAUNCH_START, SNP_ACTIVATE, SNP_LAUNCH_FINISH, SNP_GUEST_REQUEST, SNP_DECOMMISSION (SNP
 * firmware ABI; the Genoa firmware's sev_mcmd.c, order of checks included). Policies, keys, digests and messages are left out: only states and pages.
 */
import { agree, plural } from '../base/text.ts';
import {
  commonStatus,
  FwCommand,
  FwStatus,
  inactive,
  noContext,
  recordCommand,
  sizeOf,
  stateOf,
  wrongGuestState,
  wrongSize,
  wrongState,
} from './firmware.ts';
import type { Context } from './firmware-state.ts';
import type { Hardware } from './machine.ts';
import { refuse } from './refusal.ts';
import { VMSA } from './rmp-entry.ts';

/** 0x3ff marks an entry that the firmware is writing. */
const ASID_MAX = 0x3fe;

/**
 * SNP_GCTX_CREATE: a FIRMWARE page of 4K becomes the CONTEXT of a new guest, in state INIT.
 *
 * @param name ASID by which the host names the guest that it wants the context for; the firmware does not know it
 */
export function snpGctxCreate(hw: Hardware, page: number, name: number): number {
  let status = commonStatus(hw, page);
  if (status === FwStatus.Success && stateOf(hw, page) !== 'FIRMWARE') status = wrongState(hw, page, 'FIRMWARE');
  else if (status === FwStatus.Success && sizeOf(hw, page) !== 0) status = wrongSize(hw, page, 0);
  const event = recordCommand(hw, FwCommand.SnpGctxCreate, page, status);
  if (status !== FwStatus.Success) return status;
  setVmsa(hw, page, true, event);
  hw.firmware.createContext(page, name);
  return status;
}

/** SNP_LAUNCH_START: INIT becomes LAUNCH. */
export function snpLaunchStart(hw: Hardware, gctx: number): number {
  const [context, status] = inState(hw, gctx, 'INIT');
  recordCommand(hw, FwCommand.SnpLaunchStart, -1, status, 0, context?.asid);
  if (status === FwStatus.Success) hw.firmware.setContext({ ...(context as Context), state: 'LAUNCH' });
  return status;
}

/** SNP_ACTIVATE: bind a guest in LAUNCH or RUNNING to an ASID that no guest has, that counts no pages, and that is flushed. */
export function snpActivate(hw: Hardware, gctx: number, asid: number): number {
  const [context, inLaunch] = inState(hw, gctx, 'LAUNCH', 'RUNNING');
  const status = inLaunch === FwStatus.Success ? activateStatus(hw, context as Context, asid) : inLaunch;
  recordCommand(hw, FwCommand.SnpActivate, -1, status, asid, asid);
  if (status === FwStatus.Success) hw.firmware.setContext({ ...(context as Context), asid });
  return status;
}

function activateStatus(hw: Hardware, context: Context, asid: number): number {
  const { firmware, rmp } = hw;
  const valid = asid >= 1 && asid <= ASID_MAX;
  // The counter comes first: pages that a dead guest left assigned poison its ASID. A guest that is active already has pages of its own.
  const pages = valid && context.asid === 0 ? rmp.asidPages[asid] : 0;
  if (pages !== 0)
    return refuse(
      hw,
      FwStatus.InvalidConfig,
      `${plural(pages, 'page')} of the RMP ${agree(pages, 'is', 'are')} still assigned to ASID ${asid}`,
    );
  if (!valid) return refuse(hw, FwStatus.InvalidAsid, `ASIDs are 1 to ${ASID_MAX}`);
  if (firmware.isActive(asid)) {
    const owner =
      context.asid === asid ? `the guest itself has ASID ${asid} already` : `another guest has ASID ${asid}`;
    return refuse(hw, FwStatus.AsidOwned, owner);
  }
  if (context.asid !== 0) return refuse(hw, FwStatus.Active, `the guest has ASID ${context.asid} already`);
  if (!firmware.needsFlush(asid)) return FwStatus.Success;
  return refuse(hw, FwStatus.DfflushRequired, `ASID ${asid} has not been flushed since its last guest (SNP_DF_FLUSH)`);
}

/** SNP_LAUNCH_FINISH: LAUNCH becomes RUNNING. A second one, and one of a guest that is not active, fails. */
export function snpLaunchFinish(hw: Hardware, gctx: number): number {
  const [context, inLaunch] = inState(hw, gctx, 'LAUNCH');
  const status = inLaunch === FwStatus.Success && context?.asid === 0 ? inactive(hw) : inLaunch;
  recordCommand(hw, FwCommand.SnpLaunchFinish, -1, status, 0, context?.asid);
  if (status === FwStatus.Success) hw.firmware.setContext({ ...(context as Context), state: 'RUNNING' });
  return status;
}

/**
 * SNP_GUEST_REQUEST: a message of a running guest in the request page, the answer in the response page. No page changes its state. The firmware
 * checks of the request page only its size.
 */
export function snpGuestRequest(hw: Hardware, gctx: number, request: number, response: number): number {
  const status = guestRequestStatus(hw, gctx, request, response);
  recordCommand(hw, FwCommand.SnpGuestRequest, response, status, request);
  return status;
}

function guestRequestStatus(hw: Hardware, gctx: number, request: number, response: number): number {
  const common = commonStatus(hw, gctx, request, response);
  if (common !== FwStatus.Success) return common;
  const context = hw.firmware.context(gctx);
  if (context === undefined) return noContext(hw, gctx);
  if (stateOf(hw, response) !== 'FIRMWARE') return wrongState(hw, response, 'FIRMWARE');
  for (const page of [request, response]) if (sizeOf(hw, page) !== 0) return wrongSize(hw, page, 0);
  return context.state === 'RUNNING' ? FwStatus.Success : wrongGuestState(hw, context.state, 'RUNNING');
}

/**
 * SNP_DECOMMISSION: the guest is gone and its CONTEXT page is FIRMWARE again. Its ASID needs SNP_DF_FLUSH before another guest gets it, and its pages
 * stay assigned until the host takes them.
 */
export function snpDecommission(hw: Hardware, gctx: number): number {
  const common = commonStatus(hw, gctx);
  const context = common === FwStatus.Success ? hw.firmware.context(gctx) : undefined;
  const status = common === FwStatus.Success && context === undefined ? noContext(hw, gctx) : common;
  const page = hw.firmware.isInMemory(gctx) ? gctx : -1;
  const event = recordCommand(hw, FwCommand.SnpDecommission, page, status, context?.asid);
  if (context === undefined) return status;
  hw.firmware.removeContext(context);
  if (page >= 0) setVmsa(hw, page, false, event);
  return status;
}

function inState(
  hw: Hardware,
  gctx: number,
  ...states: readonly Context['state'][]
): [context: Context | undefined, status: number] {
  const common = commonStatus(hw, gctx);
  if (common !== FwStatus.Success) return [undefined, common];
  const context = hw.firmware.context(gctx);
  if (context === undefined) return [undefined, noContext(hw, gctx)];
  const fits = states.includes(context.state);
  return [context, fits ? FwStatus.Success : wrongGuestState(hw, context.state, ...states)];
}

/** FIRMWARE and CONTEXT differ in VMSA. */
function setVmsa(hw: Hardware, page: number, vmsa: boolean, event: number): void {
  const { rmp } = hw;
  const w1 = rmp.word(page, 1);
  rmp.setEntry(page, rmp.word(page, 0), vmsa ? w1 | VMSA : w1 & ~VMSA, rmp.word(page, 2), rmp.word(page, 3), event);
}
