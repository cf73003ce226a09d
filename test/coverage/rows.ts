/**
 * Rules that are no matrix of states and kinds: one row each, with what must come of it, executed on a fresh host of its own. Written from the manuals
 * (APM vol. 2, 15.36; SNP firmware ABI), not from the engine.
 */
import { Access } from '../../engine/hardware/access.ts';
import { Fault, formatFault } from '../../engine/hardware/fault-codes.ts';
import { fwStatusName } from '../../engine/hardware/firmware.ts';
import { snpDecommission } from '../../engine/hardware/firmware-guest.ts';
import { snpDfFlush, snpInit, snpShutdown } from '../../engine/hardware/firmware-platform.ts';
import { FAULTED, rmpCodeName } from '../../engine/hardware/instruction-checks.ts';
import type { GuestContext, Hardware } from '../../engine/hardware/machine.ts';
import type { HardwareOptions } from '../../engine/hardware/options.ts';
import type { RmpGeometry } from '../../engine/hardware/rmp-geometry.ts';
import { HEAD, host, K4, type Kit, M2 } from '../engine/hardware/machine-kit.ts';

export interface Row {
  what: string;
  outcome: string;
  /** What it comes to. */
  run(): string;
}

export interface RowSection {
  title: string;
  source: string;
  rows: readonly Row[];
}

const GPA = 0x4000_0000;
const GFN = GPA / 4096;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

const row = (what: string, outcome: string, run: () => string): Row => ({ what, outcome, run });
const code = (n: number): string => rmpCodeName(n);
const access = (fault: Fault, hw: Hardware): string => (fault === Fault.None ? 'ok' : formatFault(fault, hw.faultCode));
const guestCode = (n: number, hw: Hardware): string => (n === FAULTED ? formatFault(hw.fault, hw.faultCode) : code(n));
const first = (kit: Kit): GuestContext => kit.hw.guests.get(1)!;

// ---------------------------------------------------------------- geometry

/** 16K of bookkeeping and the entries of 63 MiB of memory, at 16M. */
const CONTIGUOUS: RmpGeometry = { kind: 'contiguous', base: 16 * MIB, end: 16 * MIB + 0x4000 + 63 * 4096 + 0x1000 - 1 };
const LAST = 0x4000 - 1;
/** Stretches of 2 GiB: 1 GiB of the first is mapped, the second has no entry, and the third all of its 2 GiB. */
const SEGMENTED: RmpGeometry = {
  kind: 'segmented',
  base: MIB,
  segmentShift: 31,
  segments: [
    { mappedGib: 1, base: 16 * MIB },
    { mappedGib: 0, base: 0 },
    { mappedGib: 2, base: 32 * MIB },
  ],
};
const inOnePiece = (): Kit => host({}, { geometry: CONTIGUOUS, fixed: [{ start: 0x2000, end: 0x2004 }] });
const inSegments = (): Kit => host({}, { geometry: SEGMENTED, memoryBytes: 8 * GIB });
const OWN = 0x1001;
const assign = (kit: Kit, pfn: number, size: 0 | 1 = K4): string => code(kit.assign(pfn, GPA, { size }));
const hostWrite = (kit: Kit, pfn: number, level: 1 | 2 = 1): string =>
  access(kit.hw.hostAccess(pfn, Access.Write, level), kit.hw);
const dma = (kit: Kit, pfn: number): string => (kit.hw.dma(pfn * 4096, true) === undefined ? 'ok' : 'RMP_PAGE_FAULT');
const guestWrite = (kit: Kit, pfn: number, cbit: number): string => {
  first(kit).npt.map(GFN, pfn, 1, true);
  return access(kit.hw.guestAccess(first(kit), GPA, Access.Write, cbit), kit.hw);
};
/** SNP_INIT of a host that has been shut down. */
function initialize(kit: Kit): string {
  for (const asid of [1, 2]) snpDecommission(kit.hw, kit.hw.firmware.contextPage(asid));
  snpDfFlush(kit.hw);
  snpShutdown(kit.hw);
  return fwStatusName(snpInit(kit.hw));
}

const geometry: RowSection = {
  title: 'RMP geometry',
  source: 'APM vol. 2, 15.36.4 and 15.36.22; SEV-SNP firmware ABI, SNP_INIT; AMD-ASPFW configure_rmp, get_rmp_paddr',
  rows: [
    row('one piece: RMPUPDATE of the last page that has an entry', 'ok', () => assign(inOnePiece(), LAST)),
    row('one piece: RMPUPDATE of the page behind it', 'FAIL_INPUT', () => assign(inOnePiece(), LAST + 1)),
    row('one piece: host write behind it', 'ok', () => hostWrite(inOnePiece(), LAST + 1)),
    row('one piece: DMA behind it', 'ok', () => dma(inOnePiece(), LAST + 1)),
    row('one piece: shared guest write behind it', 'ok', () => guestWrite(inOnePiece(), LAST + 1, 0)),
    row('one piece: private guest write behind it', '#NPF(RMP|ENC)', () => guestWrite(inOnePiece(), LAST + 1, 1)),
    row('one piece: state behind it', 'DEFAULT', () => inOnePiece().hw.rmp.pageState((LAST + 1) as never)),
    row("the RMP's own page: state", 'FIRMWARE', () => inOnePiece().hw.rmp.pageState(OWN as never)),
    row("the RMP's own page: RMPUPDATE", 'FAIL_INUSE', () => assign(inOnePiece(), OWN)),
    row("the RMP's own page: RMPUPDATE to the hypervisor", 'FAIL_INUSE', () => code(inOnePiece().unassign(OWN))),
    row("the RMP's own page: host read", 'ok', () => {
      const { hw } = inOnePiece();
      return access(hw.hostAccess(OWN, Access.Read, 1), hw);
    }),
    row("the RMP's own page: host write", '#PF(RMP)', () => hostWrite(inOnePiece(), OWN)),
    row("the RMP's own page: host write beside it, through 2M", '#PF(RMP)', () =>
      hostWrite(inOnePiece(), OWN + 0x80, 2),
    ),
    row("the RMP's own page: DMA", 'RMP_PAGE_FAULT', () => dma(inOnePiece(), OWN)),
    row("the RMP's own page: shared guest write", '#NPF(RMP)', () => guestWrite(inOnePiece(), OWN, 0)),
    row("the RMP's own page: private guest write", '#NPF(RMP|ENC)', () => guestWrite(inOnePiece(), OWN, 1)),
    row("the RMP's own page: SNP_PAGE_RECLAIM", 'INVALID_PARAM', () =>
      fwStatusName(inOnePiece().hw.snpPageReclaim(OWN)),
    ),
    row('fixed page: state', 'HV_FIXED', () => inOnePiece().hw.rmp.pageState(0x2000 as never)),
    row('fixed page: RMPUPDATE', 'FAIL_PERMISSION', () => assign(inOnePiece(), 0x2000)),
    row('fixed page: RMPUPDATE of 2M over it', 'FAIL_PERMISSION', () => assign(inOnePiece(), 0x2000, M2)),
    row('fixed page: host write', 'ok', () => hostWrite(inOnePiece(), 0x2000, 2)),
    row('fixed page: SNP_PAGE_RECLAIM', 'INVALID_PAGE_STATE', () =>
      fwStatusName(inOnePiece().hw.snpPageReclaim(0x2000)),
    ),
    row('segments: RMPUPDATE in the first', 'ok', () => assign(inSegments(), HEAD - 1)),
    row('segments: RMPUPDATE behind its mapped size', 'FAIL_INPUT', () => assign(inSegments(), HEAD)),
    row('segments: RMPUPDATE of 2M behind its mapped size', 'FAIL_INPUT', () => assign(inSegments(), HEAD, M2)),
    row('segments: RMPUPDATE in a stretch without a segment', 'FAIL_INPUT', () => assign(inSegments(), 0x80000)),
    row('segments: RMPUPDATE in the third', 'ok', () => assign(inSegments(), 0x100000)),
    row('segments: RMPUPDATE behind the last', 'FAIL_INPUT', () => assign(inSegments(), 0x180000)),
    row('segments: host write behind its mapped size', 'ok', () => hostWrite(inSegments(), HEAD, 2)),
    row('segments: private guest write behind its mapped size', '#NPF(RMP|ENC)', () =>
      guestWrite(inSegments(), HEAD, 1),
    ),
    row('segments: state of the segment table', 'FIRMWARE', () => inSegments().hw.rmp.pageState(0x104 as never)),
    row('segments: state of the page behind the table', 'HYPERVISOR', () =>
      inSegments().hw.rmp.pageState(0x105 as never),
    ),
    row("segments: host write to a segment's entries", '#PF(RMP)', () => hostWrite(inSegments(), 0x2000)),
    row('SNP_INIT with base and end on 1M', 'SUCCESS', () =>
      initialize(host({}, { geometry: { kind: 'contiguous', base: 16 * MIB, end: 17 * MIB - 1 } })),
    ),
    row('SNP_INIT with an end on 8K only', 'INVALID_CONFIG', () => initialize(inOnePiece())),
    row('subpage count of a region with 256 pages of the RMP in front', '255', () => {
      const { hw } = host({}, { geometry: { kind: 'contiguous', base: 0x56000000, end: 0x566fffff } });
      return String(hw.rmp.subpageCount(0x56600));
    }),
  ],
};

// ---------------------------------------------------------------- TLB

/** A page that vCPU 0 has read; what happens then; and what the next read by a vCPU comes to when the NPT entry is gone: `ok` from the TLB. */
function afterRead(
  happens: (kit: Kit, guest: GuestContext) => void,
  options: Partial<HardwareOptions> = {},
  again: { vcpu?: number; vmpl?: number; cbit?: number; access?: Access; user?: boolean } = {},
  size: 0 | 1 = K4,
): string {
  const kit = host({ guestTlb: true, ...options });
  const guest = first(kit);
  kit.assign(HEAD, GPA, { size });
  guest.npt.map(GFN, HEAD, size === M2 ? 2 : 1, true);
  kit.hw.pvalidate(guest, GPA, size, 1);
  kit.hw.guestAccess(guest, GPA, Access.Read, 1, 0, false, 0);
  happens(kit, guest);
  guest.npt.zap(GFN, GFN + 1);
  const { vcpu = 0, vmpl = 0, cbit = 1, user = false } = again;
  const fault = kit.hw.guestAccess(guest, GPA, again.access ?? Access.Read, cbit, vmpl, user, vcpu);
  return fault === Fault.None ? 'stale' : 'walked';
}

const nothing = (): void => {};

const tlb: RowSection = {
  title: 'TLB, with option guest-tlb',
  source: 'APM vol. 2, 15.16 and 15.36.10; Linux kvm_flush_remote_tlbs(); the read comes after the NPT entry has gone',
  rows: [
    row('NPT entry zapped', 'stale', () => afterRead(nothing)),
    row('NPT entry zapped, without the option', 'walked', () => afterRead(nothing, { guestTlb: false })),
    row('flush of the guest', 'walked', () => afterRead(({ hw }) => hw.flushTlb(1))),
    row('flush of another guest', 'stale', () => afterRead(({ hw }) => hw.flushTlb(2))),
    row('flush of all', 'walked', () => afterRead(({ hw }) => hw.flushTlb(0))),
    row('RMPUPDATE of the page', 'walked', () => afterRead((kit) => kit.unassign(HEAD))),
    row('RMPUPDATE of the page, where it does not flush', 'stale', () =>
      afterRead((kit) => kit.unassign(HEAD), { rmpupdateFlushesGuestTlb: false }),
    ),
    row('RMPUPDATE of another page with the same GPA', 'walked', () => afterRead((kit) => kit.assign(HEAD + 9, GPA))),
    row('RMPUPDATE of another page', 'stale', () => afterRead((kit) => kit.assign(HEAD + 9, GPA + 0x9000))),
    row('RMPUPDATE that fails', 'stale', () => afterRead((kit) => kit.assign(HEAD, GPA + 1))),
    row('PSMASH of the page', 'stale', () => afterRead((kit) => kit.hw.psmash(HEAD * 4096), {}, {}, M2)),
    row('PVALIDATE by the vCPU', 'walked', () => afterRead(({ hw }, guest) => hw.pvalidate(guest, GPA, K4, 0, 0, 0))),
    row('PVALIDATE by another vCPU', 'stale', () =>
      afterRead(({ hw }, guest) => hw.pvalidate(guest, GPA, K4, 0, 0, 1)),
    ),
    row('RMPADJUST by the vCPU', 'walked', () =>
      afterRead(({ hw }, guest) => hw.rmpadjust(guest, GPA, K4, 0x101, 0, 0)),
    ),
    row('RMPADJUST by another vCPU', 'stale', () =>
      afterRead(({ hw }, guest) => hw.rmpadjust(guest, GPA, K4, 0x101, 0, 1)),
    ),
    row('read by another vCPU', 'walked', () => afterRead(nothing, {}, { vcpu: 1 })),
    row('read at another VMPL', 'walked', () => afterRead(nothing, {}, { vmpl: 1 })),
    row('read with C=0', 'walked', () => afterRead(nothing, {}, { cbit: 0 })),
    row('read by user code', 'walked', () => afterRead(nothing, {}, { user: true })),
    row('write, after a read', 'walked', () => afterRead(nothing, {}, { access: Access.Write })),
    row('read, after a write', 'stale', () =>
      afterRead(({ hw }, guest) => {
        hw.flushTlb(0);
        hw.guestAccess(guest, GPA, Access.Write, 1);
      }),
    ),
  ],
};

// ---------------------------------------------------------------- priorities

/** A guest's page at HEAD, as the row wants it, and the access to it. */
function privateWrite(
  prepare: (kit: Kit, guest: GuestContext) => void,
  { writable = true, vmpl = 0, level = 1 as 1 | 2 } = {},
): string {
  const kit = host();
  kit.assign(HEAD, GPA);
  first(kit).npt.map(GFN, HEAD, level, writable);
  prepare(kit, first(kit));
  return access(kit.hw.guestAccess(first(kit), GPA, Access.Write, 1, vmpl), kit.hw);
}
const validate = ({ hw }: Kit, guest: GuestContext): void => void hw.pvalidate(guest, GPA, K4, 1);

/** RMPUPDATE of a page that several checks object to. Raw words of the entry, and of the head of its region. */
function update(
  entry: readonly [number, number],
  head: readonly [number, number],
  args: Parameters<Kit['assign']>[2] = {},
): string {
  const kit = host();
  kit.hw.writeRaw(HEAD as never, head[0], head[1], 0, 0);
  kit.hw.writeRaw((HEAD + 8) as never, entry[0], entry[1], 0, 0);
  return code(kit.assign(HEAD + 8, GPA, args));
}
const LOCKED = 2 ** 31;
const IMMUTABLE = 4;
const LARGE = 3;

function smash(word0: number, word1: number, spa = HEAD * 4096, context = 0): string {
  const kit = host();
  kit.hw.writeRaw(HEAD as never, word0, word1, 0, 0);
  return rmpCodeName(kit.hw.psmash(spa, context), 'psmash');
}

/** A guest instruction on a page at HEAD with these raw words; the NPT has it at a level, or not. */
function instruction(
  which: 'pvalidate' | 'rmpadjust',
  [w0, w1]: readonly [number, number],
  { size = K4 as 0 | 1, level = 1 as 0 | 1 | 2, vmpl = 0, gpa = GPA, rdx = 0x101, masks = 0xf } = {},
): string {
  const kit = host();
  const { hw } = kit;
  const field = GFN * 4096;
  hw.writeRaw(HEAD as never, (w0 | field) >>> 0, (w1 + 2 ** 19) >>> 0, masks, 0);
  if (level > 0) first(kit).npt.map(GFN, HEAD, level as 1 | 2, true);
  const n =
    which === 'pvalidate'
      ? hw.pvalidate(first(kit), gpa, size, 1, vmpl)
      : hw.rmpadjust(first(kit), gpa, size, rdx, vmpl);
  return guestCode(n, hw);
}
const VALIDATED = 2 ** 30;

const priorities: RowSection = {
  title: 'Priorities',
  source:
    'APM vol. 2, 15.36.10 for accesses; of instructions the orders are options (rmpupdate-check-order, rmpadjust-check-order), given here by default',
  rows: [
    row('access: not writable in the NPT, before the RMP', '#NPF(P|W|U|GUEST_FINAL|ENC)', () =>
      privateWrite((kit) => kit.unassign(HEAD), { writable: false }),
    ),
    row('access: not mapped, before the RMP', '#NPF(not present|ENC)', () =>
      privateWrite((kit, guest) => {
        guest.npt.zap(GFN, GFN + 1);
        kit.unassign(HEAD);
      }),
    ),
    row('access: page size, before Validated', '#NPF(RMP|ENC)', () => privateWrite(nothing, { level: 2 })),
    row('access: owner, before Validated', '#NPF(RMP|ENC)', () =>
      privateWrite((kit) => kit.assign(HEAD, GPA, { asid: 2 })),
    ),
    row('access: Immutable, before Validated', '#NPF(RMP|ENC)', () =>
      privateWrite((kit) => kit.assign(HEAD, GPA, { immutable: 1 })),
    ),
    row('access: Validated, before VMPL', '#VC(0x404)', () => privateWrite(nothing, { vmpl: 1 })),
    row('access: page size, before VMPL', '#NPF(RMP|ENC)', () =>
      privateWrite(
        (kit, guest) => {
          validate(kit, guest);
          guest.npt.map(GFN, HEAD, 2, true);
        },
        { vmpl: 1 },
      ),
    ),
    row('access: VMPL, last', '#NPF(RMP|ENC|VMPL)', () => privateWrite(validate, { vmpl: 1 })),
    row('RMPUPDATE: operands, before the entry', 'FAIL_INPUT', () =>
      update([IMMUTABLE, LOCKED], [0, 0], { asid: 1024 }),
    ),
    row('RMPUPDATE: in use, before immutable', 'FAIL_INUSE', () => update([IMMUTABLE, LOCKED], [0, 0])),
    row('RMPUPDATE: in use, before overlap', 'FAIL_INUSE', () => update([1, LOCKED], [LARGE, 0])),
    row('RMPUPDATE: immutable, before overlap', 'FAIL_PERMISSION', () => update([IMMUTABLE + 1, 0], [LARGE, 0])),
    row('RMPUPDATE: immutable, before a locked head', 'FAIL_PERMISSION', () => update([IMMUTABLE, 0], [0, LOCKED])),
    row('RMPUPDATE: a locked head, before overlap', 'FAIL_INUSE', () => update([0, 0], [LARGE, LOCKED])),
    row('PSMASH: alignment, before the context', 'FAIL_INPUT', () => smash(LARGE, 0, HEAD * 4096 + 4096, 1)),
    row('PSMASH: context, before the entry', 'FAIL_PERMISSION', () => smash(0, LOCKED, HEAD * 4096, 1)),
    row('PSMASH: immutable, before in use', 'FAIL_PERMISSION', () => smash(LARGE + IMMUTABLE, LOCKED)),
    row('PSMASH: in use, before the size', 'FAIL_INUSE', () => smash(1, LOCKED)),
    row('PVALIDATE: VMPL, before operands', '#GP(0)', () =>
      instruction('pvalidate', [1, 0], { vmpl: 1, size: M2, gpa: GPA + 4096 }),
    ),
    row('PVALIDATE: operands, before the NPT', 'FAIL_INPUT', () =>
      instruction('pvalidate', [1, 0], { size: M2, gpa: GPA + 4096, level: 0 }),
    ),
    row('PVALIDATE: owner, before the size', '#NPF(RMP|ENC)', () => instruction('pvalidate', [0, 0], { level: 2 })),
    row('PVALIDATE: SIZEM, before in use', '#NPF(RMP|ENC|SIZEM)', () => instruction('pvalidate', [LARGE, LOCKED])),
    row('PVALIDATE: in use, before FAIL_SIZEMISMATCH', 'FAIL_INUSE', () =>
      instruction('pvalidate', [1, LOCKED], { size: M2 }),
    ),
    row('PVALIDATE: FAIL_SIZEMISMATCH, before CF=1', 'FAIL_SIZEMISMATCH', () =>
      instruction('pvalidate', [1, VALIDATED], { size: M2 }),
    ),
    row('RMPADJUST: operands, before the target VMPL', 'FAIL_INPUT', () =>
      instruction('rmpadjust', [1, 0], { rdx: 0x2000 }),
    ),
    row('RMPADJUST: target VMPL, before the NPT', 'FAIL_PERMISSION', () =>
      instruction('rmpadjust', [1, 0], { rdx: 0, level: 0 }),
    ),
    row('RMPADJUST: owner, before Validated', '#NPF(RMP|ENC)', () => instruction('rmpadjust', [0, 0])),
    row('RMPADJUST: SIZEM, before Validated', '#NPF(RMP|ENC|SIZEM)', () => instruction('rmpadjust', [LARGE, 0])),
    row('RMPADJUST: Validated, before FAIL_SIZEMISMATCH', '#VC(0x404)', () =>
      instruction('rmpadjust', [1, 0], { size: M2 }),
    ),
    row('RMPADJUST: FAIL_SIZEMISMATCH, before the permissions', 'FAIL_SIZEMISMATCH', () =>
      instruction('rmpadjust', [1, VALIDATED], { size: M2, rdx: 0x301, masks: 1 }),
    ),
  ],
};

export const rowSections: readonly RowSection[] = [geometry, tlb, priorities];

export const rowCell = (section: RowSection, { what }: Row): string => `${section.title}: ${what}`;
