/**
 * The AMD-SP's SNP commands as far as page and guest states go (SEV Secure Nested Paging Firmware ABI; order and kind of the checks as in the
 * Genoa firmware's sev_mcmd.c): names and numbers of commands, statuses and page types, and what every command does the same way. The commands
 * themselves are in firmware-*.ts, one family a file. Cryptography is left out: keys, digests and contents never decide here.
 *
 * Status and command numbers are those of Linux's include/uapi/linux/psp-sev.h and include/linux/psp-sev.h.
 */

import { hex } from '../base/text.ts';
import type { Pfn } from '../base/units.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import type { Hardware } from './machine.ts';
import { refuse } from './refusal.ts';
import { ASSIGNED_2M, type PageState } from './rmp-entry.ts';

export const FwStatus = {
  Success: 0,
  InvalidPlatformState: 1,
  InvalidGuestState: 2,
  InvalidConfig: 3,
  InvalidLen: 4,
  Inactive: 8,
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
  8: 'INACTIVE',
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
  SnpInit: 0x81,
  SnpShutdown: 0x82,
  SnpDfFlush: 0x84,
  SnpDecommission: 0x90,
  SnpActivate: 0x91,
  SnpGctxCreate: 0x93,
  SnpGuestRequest: 0x94,
  SnpLaunchStart: 0xa0,
  SnpLaunchUpdate: 0xa1,
  SnpLaunchFinish: 0xa2,
  SnpPageSwapOut: 0xc0,
  SnpPageSwapIn: 0xc1,
  SnpPageMove: 0xc2,
  SnpPageMdInit: 0xc3,
  SnpPageSetState: 0xc6,
  SnpPageReclaim: 0xc7,
  SnpPageUnsmash: 0xc8,
} as const;
export type FwCommand = (typeof FwCommand)[keyof typeof FwCommand];

const commandNames = new Map<number, string>(
  Object.entries(FwCommand).map(([name, id]) => [
    id,
    name.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
  ]),
);

/** `SNP_LAUNCH_UPDATE`, for messages. */
export const fwCommandName = (command: number): string => commandNames.get(command) ?? `0x${command.toString(16)}`;

/** Page types of SNP_LAUNCH_UPDATE. */
export const PageType = { Normal: 1, Vmsa: 2, Zero: 3, Unmeasured: 4, Secrets: 5, Cpuid: 6 } as const;

/** Page sizes in commands and in the RMP: 0 = 4K, 1 = 2M. */
export type RmpPageSize = 0 | 1;

/**
 * One event of a command. Of a guest as a whole (start, finish, activate) `page` is -1 and `asid` the guest's; of a page, `asid` is 0, because the
 * page is host-physical. A command that changes several pages has one event for each run of them, `argument` pages long.
 */
export function recordCommand(
  hw: Hardware,
  command: FwCommand,
  page: number,
  status: number,
  argument = 0,
  asid = 0,
): number {
  const cause = page >= 0 ? hw.rmp.lastChange(page) : -1;
  return hw.trace.record(EventKind.Firmware, asid, page, status, command, argument, cause);
}

/** How many pages from the event's page on a Firmware event changed; 0 for one that failed or is about no page. */
export function pagesOfCommand(trace: Trace, event: number): number {
  if (trace.code[event] !== 0 || trace.page[event] < 0) return 0;
  const command = trace.a[event];
  return command === FwCommand.SnpPageUnsmash ||
    command === FwCommand.SnpPageSetState ||
    command === FwCommand.SnpInit ||
    command === FwCommand.SnpShutdown
    ? trace.b[event]
    : 1;
}

/**
 * State of a page as the commands see it, through the head of a 2M entry. The firmware looks at the page's own entry, which under a 2M entry says
 * RECLAIM of 4K; every command that takes a page also takes its size and so refuses either way, this one with the more telling status.
 */
export const stateOf = (hw: Hardware, page: number): PageState => hw.rmp.pageState(page as Pfn);

/** Page size of the entry that speaks for the page. */
export function sizeOf(hw: Hardware, page: number): RmpPageSize {
  const w0 = hw.rmp.word(hw.rmp.governing(page), 0);
  return (w0 & ASSIGNED_2M) === ASSIGNED_2M ? 1 : 0;
}

/** Whether a command about a page of that size names an entry of that size, and not the middle of one. */
export const sizeMatches = (hw: Hardware, page: number, size: RmpPageSize): boolean =>
  sizeOf(hw, page) === size && (size === 0 || page % 512 === 0);

// ---- refusing a command: each notes why and returns the status

/** The page's state is none of those that the command takes. */
export function wrongState(hw: Hardware, page: number, ...wanted: readonly PageState[]): number {
  const states = wanted.length < 2 ? wanted[0] : `${wanted.slice(0, -1).join(', ')} or ${wanted.at(-1)}`;
  return refuse(hw, FwStatus.InvalidPageState, `pfn ${hex(page)} is ${stateOf(hw, page)} and not ${states}`, page);
}

/** The entry is of the other size. */
export function wrongSize(hw: Hardware, page: number, wanted: RmpPageSize): number {
  const size = sizeOf(hw, page);
  const found = size !== wanted ? `is ${size === 1 ? '2M' : '4K'} in the RMP` : 'lies in the middle of a 2M entry';
  const reason = `pfn ${hex(page)} ${found}, and the command is about ${wanted === 1 ? '2M' : '4K'}`;
  return refuse(hw, FwStatus.InvalidPageSize, reason, page);
}

export const unaligned = (hw: Hardware, page: number, status: number): number =>
  refuse(hw, status, `pfn ${hex(page)} is not 2M-aligned`);

/** The page belongs to another guest. */
export const wrongOwner = (hw: Hardware, page: number, asid: number): number =>
  refuse(hw, FwStatus.InvalidPageOwner, `pfn ${hex(page)} is not a page of the guest with ASID ${asid}`, page);

export const noContext = (hw: Hardware, gctx: number): number =>
  hw.firmware.isInMemory(gctx)
    ? refuse(hw, FwStatus.InvalidGuest, `pfn ${hex(gctx)} is ${stateOf(hw, gctx)} and no guest's CONTEXT`, gctx)
    : refuse(hw, FwStatus.InvalidGuest, 'the guest has no context (SNP_GCTX_CREATE makes one)');

export const wrongGuestState = (hw: Hardware, found: string, ...wanted: readonly string[]): number =>
  refuse(hw, FwStatus.InvalidGuestState, `the guest is in state ${found} and not ${wanted.join(' or ')}`);

export const inactive = (hw: Hardware): number =>
  refuse(hw, FwStatus.Inactive, 'the guest has no ASID (SNP_ACTIVATE gives it one)');

/**
 * The checks that come first in every command: the platform is initialized (but for SNP_INIT), and no operand points at the RMP itself
 * (sev_rmp.c, get_rmp_paddr).
 */
export function commonStatus(hw: Hardware, ...pages: readonly number[]): number {
  if (!hw.firmware.initialized)
    return refuse(hw, FwStatus.InvalidPlatformState, 'the platform is shut down (SNP_INIT initializes it)');
  const own = pages.find((page) => hw.firmware.isRmp(page));
  if (own !== undefined) return refuse(hw, FwStatus.InvalidParam, `pfn ${hex(own)} is part of the RMP itself`, own);
  return FwStatus.Success;
}
