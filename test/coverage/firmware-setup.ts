/** What rows about firmware commands are made with: pages in each state, guests in each state, a platform that is shut down. */
import { FwCommand } from '../../engine/hardware/firmware.ts';
import { snpDecommission, snpGctxCreate, snpLaunchStart } from '../../engine/hardware/firmware-guest.ts';
import { snpDfFlush, snpShutdown } from '../../engine/hardware/firmware-platform.ts';
import { snpPageSwapOut } from '../../engine/hardware/firmware-swap.ts';
import type { Hardware } from '../../engine/hardware/machine.ts';
import { HEAD } from '../engine/hardware/machine-kit.ts';

export interface Transition {
  command: number;
  /** State of the page that the command's event names, `-` if it names none. */
  before: string;
  /** Distinguishes rows of the same state and status. */
  note: string;
  status: string;
  /** State of {@link HEAD} afterwards. */
  after: string;
  /** Brings the host there and executes the command as the last thing. */
  run: (hw: Hardware) => number;
}

export const VMSA = 1 << 29;
export const VALIDATED = 1 << 30;
export const LOCK = 1 << 31;
export const ASID_1 = 1 << 19;
/** Bits 38:36 of the GPA field of a page that firmware owns say what for: 1 metadata, 2 the IOMMU (the Genoa firmware's tags). */
export const tag = (n: number): number => n << 16;

/** Words 0 and 1 of an entry in each state (SNP firmware ABI, page states; the Genoa firmware's rmp_entry_get_state). */
export const RAW: Readonly<Record<string, readonly [number, number]>> = {
  HYPERVISOR: [0, 0],
  HV_FIXED: [4, 0],
  FIRMWARE: [5, LOCK],
  FIRMWARE_IOMMU: [5 | (1 << 12), LOCK | tag(2)],
  RECLAIM: [1, 0],
  CONTEXT: [5, LOCK | VMSA],
  METADATA: [5 | (1 << 12), LOCK | tag(1)],
  PRE_GUEST: [5, ASID_1],
  PRE_SWAP: [5, ASID_1 | VALIDATED],
  GUEST_INVALID: [1, ASID_1],
  GUEST_VALID: [1, ASID_1 | VALIDATED],
};

export const OTHER = HEAD + 1024;
export const MORE = HEAD + 2048;

export function put(hw: Hardware, state: string, page = HEAD): void {
  const [w0, w1] = RAW[state];
  hw.writeRaw(page as never, w0, w1 >>> 0, 0xf, 0);
}

/** A row whose page is put into its state first. */
export const on = (
  command: number,
  before: string,
  status: string,
  after: string,
  act: (hw: Hardware) => number,
  note = '',
): Transition => ({
  command,
  before,
  note,
  status,
  after,
  run(hw) {
    put(hw, before);
    return act(hw);
  },
});
/** A row about a guest or the platform. */
export const about = (command: number, note: string, status: string, run: (hw: Hardware) => number): Transition => ({
  command,
  before: '-',
  note,
  status,
  after: '',
  run,
});

/** Context page of the guest that the host came up with. */
export const gctx = (hw: Hardware): number => hw.firmware.contextPage(1);
/** A guest that has just got its context page, in state INIT. */
export function newGuest(hw: Hardware): number {
  put(hw, 'FIRMWARE', OTHER);
  snpGctxCreate(hw, OTHER, 9);
  return OTHER;
}
export function inLaunch(hw: Hardware): number {
  const guest = newGuest(hw);
  snpLaunchStart(hw, guest);
  return guest;
}
/** Shut down, all guests gone. */
export function down(hw: Hardware): void {
  for (const asid of [1, 2]) snpDecommission(hw, hw.firmware.contextPage(asid));
  snpDfFlush(hw);
  snpShutdown(hw);
}
export const swap = (hw: Hardware, source: number, target: number, kind: 'DATA' | 'METADATA') =>
  ({ gctx: gctx(hw), source, target, kind, size: 0, metadata: undefined }) as const;

/** A page in that state goes out to OTHER, so that its root metadata entry can come in again. */
export function swappedOut(hw: Hardware, state: string): void {
  put(hw, state, MORE);
  put(hw, 'FIRMWARE', OTHER);
  snpPageSwapOut(hw, swap(hw, MORE, OTHER, 'DATA'));
}

/** 512 entries of 4K alike, as PSMASH and a host that made them immutable leave them. */
export function smashed(hw: Hardware, state: string): void {
  const [w0, w1] = RAW[state];
  for (let i = 0; i < 512; i++) hw.writeRaw((HEAD + i) as never, w0 + i * 4096, w1 >>> 0, 0xf, 0);
}

/** All states but these. */
export const but = (...states: string[]): string[] => Object.keys(RAW).filter((state) => !states.includes(state));

/** A page in front of HEAD's region, with its region 2M large: what a command about 4K does not take. */
export function large(hw: Hardware, state: string, page = HEAD): void {
  const [w0, w1] = RAW[state];
  hw.writeRaw(page as never, w0 | 2, w1 >>> 0, 0xf, 0);
}

export const C = FwCommand;
export const launchUpdate = (type: number) => (hw: Hardware) => hw.snpLaunchUpdate(1, HEAD, type);
export const reclaim = (hw: Hardware): number => hw.snpPageReclaim(HEAD, 0);
export const STATE = 'INVALID_PAGE_STATE';
