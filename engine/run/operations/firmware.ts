/** What the operations of `fw` do: SNP firmware commands, and the raw write of an RMP entry. */
import type { Pfn } from '../../base/units.ts';
import { fwStatusName, PageType, type RmpPageSize } from '../../hardware/firmware.ts';
import {
  snpActivate,
  snpDecommission,
  snpGctxCreate,
  snpGuestRequest,
  snpLaunchFinish,
  snpLaunchStart,
} from '../../hardware/firmware-guest.ts';
import { snpLaunchUpdate } from '../../hardware/firmware-launch-update.ts';
import { snpPageMove } from '../../hardware/firmware-move.ts';
import { snpPageReclaim, snpPageSetState } from '../../hardware/firmware-page-state.ts';
import { snpDfFlush, snpInit, snpShutdown } from '../../hardware/firmware-platform.ts';
import type { FrameRange, MetadataEntry } from '../../hardware/firmware-state.ts';
import { type Swap, snpPageMdInit, snpPageSwapIn, snpPageSwapOut } from '../../hardware/firmware-swap.ts';
import { snpPageUnsmash } from '../../hardware/firmware-unsmash.ts';
import type { Hardware } from '../../hardware/machine.ts';
import type { Value } from '../../scenario/program.ts';
import type { Machine } from '../machine.ts';
import { done, flag, guestIndex, number, type Operation, range, type StepArguments, word } from '../operation.ts';

export const pageTypes: Record<string, number> = {
  NORMAL: PageType.Normal,
  VMSA: PageType.Vmsa,
  ZERO: PageType.Zero,
  UNMEASURED: PageType.Unmeasured,
  SECRETS: PageType.Secrets,
  CPUID: PageType.Cpuid,
};

/** A command, from the operands in the table's order to its status. */
const command = (run: (hw: Hardware, values: StepArguments['values'], machine: Machine) => number): Operation => ({
  start(machine, args) {
    const status = run(machine.hardware, args.values, machine);
    return done(status === 0 ? { ok: true } : { ok: false, code: fwStatusName(status) });
  },
});

/** A command whose first operand is a guest: with its context page and the guest's ASID. */
const ofGuest = (
  run: (hw: Hardware, gctx: number, values: StepArguments['values'], asid: number) => number,
): Operation =>
  command((hw, values, machine) => {
    const { asid } = machine.guests[guestIndex(values[0])];
    return run(hw, hw.firmware.contextPage(asid), values, asid);
  });

const sizeOf = (value: Value | undefined): RmpPageSize => (word(value) === '2M' ? 1 : 0);
const frames = (value: Value | undefined): FrameRange | undefined => (value === undefined ? undefined : range(value));

function swapOf(gctx: number, values: StepArguments['values']): Swap {
  const [, source, target, kind, size, metadata, entry] = values;
  return {
    gctx,
    source: number(source),
    target: number(target),
    kind: word(kind) as MetadataEntry['kind'],
    size: sizeOf(size),
    metadata: metadata === undefined ? undefined : { page: number(metadata), entry: number(entry) },
  };
}

const writeRmpEntry: Operation = {
  start(machine, args) {
    const [low, high] = [args.values[1], args.values[2]].map((value) =>
      value !== undefined && 'wide' in value && value.wide !== undefined ? value.wide : BigInt(number(value)),
    );
    const word32 = (q: bigint, shift: bigint): number => Number((q >> shift) & 0xffffffffn);
    const pfn = number(args.values[0]);
    if (!machine.hardware.rmp.covers(pfn)) return done({ ok: false, code: 'INVALID_ADDRESS' });
    machine.hardware.writeRaw(pfn as Pfn, word32(low, 0n), word32(low, 32n), word32(high, 0n), word32(high, 32n));
    return done({ ok: true });
  },
};

export const firmwareOperations: Record<string, Operation> = {
  'fw.snp_init': command((hw, [rmp, fixed, iommu]) =>
    snpInit(hw, { rmp: frames(rmp), fixed: frames(fixed), iommu: frames(iommu) }),
  ),
  'fw.snp_shutdown': command((hw, [iommu]) => snpShutdown(hw, flag(iommu))),
  'fw.snp_df_flush': command((hw) => snpDfFlush(hw)),
  'fw.snp_gctx_create': ofGuest((hw, _gctx, [, page], asid) => snpGctxCreate(hw, number(page), asid)),
  'fw.snp_launch_start': ofGuest((hw, gctx) => snpLaunchStart(hw, gctx)),
  'fw.snp_activate': ofGuest((hw, gctx, [, stated], asid) =>
    snpActivate(hw, gctx, stated === undefined ? asid : number(stated)),
  ),
  'fw.snp_launch_update': ofGuest((hw, gctx, [, page, type, vmpl1, vmpl2, vmpl3, size, rejected]) =>
    snpLaunchUpdate(
      hw,
      gctx,
      number(page),
      pageTypes[word(type)] ?? PageType.Normal,
      sizeOf(size),
      [number(vmpl1), number(vmpl2), number(vmpl3)],
      !flag(rejected),
    ),
  ),
  'fw.snp_launch_finish': ofGuest((hw, gctx) => snpLaunchFinish(hw, gctx)),
  'fw.snp_guest_request': ofGuest((hw, gctx, [, request, response]) =>
    snpGuestRequest(hw, gctx, number(request), number(response)),
  ),
  'fw.snp_decommission': ofGuest((hw, gctx) => snpDecommission(hw, gctx)),
  'fw.snp_page_reclaim': command((hw, [page, size]) => snpPageReclaim(hw, number(page), sizeOf(size))),
  'fw.snp_page_set_state': command((hw, [pages]) => {
    const { start, end } = range(pages);
    return snpPageSetState(hw, start, end - start);
  }),
  'fw.snp_page_unsmash': command((hw, [page]) => snpPageUnsmash(hw, number(page))),
  'fw.snp_page_move': ofGuest((hw, gctx, [, from, into, size]) =>
    snpPageMove(hw, gctx, number(from), number(into), sizeOf(size)),
  ),
  'fw.snp_page_md_init': ofGuest((hw, gctx, [, page]) => snpPageMdInit(hw, gctx, number(page))),
  'fw.snp_page_swap_out': ofGuest((hw, gctx, values) => snpPageSwapOut(hw, swapOf(gctx, values))),
  'fw.snp_page_swap_in': ofGuest((hw, gctx, values) => snpPageSwapIn(hw, swapOf(gctx, values), flag(values[7]))),
  'fw.write_rmp_entry': writeRmpEntry,
};
