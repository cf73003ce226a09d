/**
 * Sees every instruction, access and firmware command of every test that runs in this process, and notes which cell of which rule it was. The state
 * before it is read here from the raw entries and compared with what the manuals say must come of it: a cell that is reached with another result is
 * reported, not counted.
 */

import type { Pfn } from '../../engine/base/units.ts';
import { Access } from '../../engine/hardware/access.ts';
import { Fault, formatFault, hasBit } from '../../engine/hardware/fault-codes.ts';
import { fwStatusName } from '../../engine/hardware/firmware.ts';
import { checkOf, FAULTED } from '../../engine/hardware/instruction-checks.ts';
import { type GuestContext, Hardware } from '../../engine/hardware/machine.ts';
import { defaultHardwareOptions, type HardwareOptionKey } from '../../engine/hardware/options.ts';
import { rmpreadQwords } from '../../engine/hardware/rmpread.ts';
import type { VmrunPages } from '../../engine/hardware/vmrun.ts';
import { EventKind, Trace } from '../../engine/trace/trace.ts';
import {
  checkCell,
  firmwareCell,
  hostPageCell,
  privateCell,
  pvalidateCell,
  rmpadjustCell,
  rmpqueryCell,
  rmpreadCell,
  sharedCell,
  sssCell,
  vmplCell,
} from './cells.ts';

/** Cell to the tests that reach it. */
export const reached = new Map<string, Set<string>>();
/** Cells that came out otherwise than the table says. */
export const deviations = new Map<string, string>();

let source = '';

/** The test that runs from now on. */
export function enter(name: string): void {
  source = name;
}

export function note(cell: string): void {
  if (source === '') return;
  let tests = reached.get(cell);
  if (tests === undefined) {
    tests = new Set();
    reached.set(cell, tests);
  }
  tests.add(source);
}

/** `known`: options that the cell takes into account. */
function expectResult(
  hw: Hardware,
  cell: string,
  wanted: string,
  found: string,
  known: readonly HardwareOptionKey[] = [],
): void {
  if (wanted === found) note(cell);
  else if (hasDefaultOptions(hw, known)) deviations.set(cell, `${source}: ${found} instead of ${wanted}`);
}

function hasDefaultOptions(hw: Hardware, known: readonly HardwareOptionKey[]): boolean {
  const standard = defaultHardwareOptions();
  return Object.entries(standard).every(
    ([key, value]) => known.includes(key as HardwareOptionKey) || hw.options[key as HardwareOptionKey] === value,
  );
}

const IN_USE_OPTIONS: readonly HardwareOptionKey[] = ['inUse2mErratum', 'hvInUseWrAllowed'];
const inUseFeatures = ({ options }: Hardware) => ({
  erratum: options.inUse2mErratum,
  writeAllowed: options.hvInUseWrAllowed,
});

// ---------------------------------------------------------------- states, from raw words

const A = 1;
const LARGE = 3;
const IMM = 4;
const VALID = 1 << 30;
const LOCKED = 1 << 31;

/** The entry that speaks for a page. */
function governing(hw: Hardware, pfn: number): number {
  const head = pfn - (pfn % 512);
  return (hw.rmp.word(head, 0) & LARGE) === LARGE ? head : pfn;
}

const covered = (hw: Hardware, pfn: number): boolean => hw.rmp.covers(pfn);

/** What a guest with this ASID finds at a page that it reaches by this GFN. */
function stateForGuest(hw: Hardware, asid: number, pfn: number, gfn: number): string {
  if (!covered(hw, pfn)) return 'not covered';
  const from = governing(hw, pfn);
  const [w0, w1] = [hw.rmp.word(from, 0), hw.rmp.word(from, 1)];
  if ((w0 & A) === 0) return 'not assigned';
  if (((w1 >>> 19) & 0x3ff) !== asid) return 'another ASID';
  if ((w1 & 0x7ffff) * 2 ** 20 + (w0 >>> 12) + (pfn - from) !== gfn) return 'another GPA';
  if ((w0 & IMM) !== 0) return 'immutable';
  return `${(w0 & LARGE) === LARGE ? '2M' : '4K'}, ${(w1 & VALID) !== 0 ? 'validated' : 'not validated'}`;
}

/** What matters for a check that wants a hypervisor-owned page. */
function stateForHost(hw: Hardware, pfn: number): string {
  if (!covered(hw, pfn)) return 'not covered';
  const head = pfn - (pfn % 512);
  const assigned = (page: number): boolean => (hw.rmp.word(page, 0) & A) !== 0 || governing(hw, page) !== page;
  if (assigned(pfn)) return 'assigned';
  if ((hw.rmp.word(pfn, 1) & LOCKED) !== 0) return 'in use';
  if (!hw.rmp.isRegionUnassigned(head / 512)) return 'another page assigned';
  if ((hw.rmp.word(head, 1) & LOCKED) !== 0) return 'first page in use';
  return 'region unassigned';
}

const levels = ['', '4K', '2M', '1G'];
/** Kinds that the tables have; others are not looked at. */
const accesses: Record<number, string | undefined> = {
  [Access.Read]: 'read',
  [Access.Write]: 'write',
  [Access.Fetch]: 'fetch',
  [Access.PageTable]: 'walk',
  [Access.PageTableWrite]: 'A/D write',
  [Access.ShadowStack]: 'shadow stack read',
  [Access.ShadowStackWrite]: 'shadow stack write',
};

/** Accesses whose effective C-bit is 1 whatever the page table says. */
const FORCE_PRIVATE: ReadonlySet<string> = new Set(['fetch', 'walk', 'A/D write']);

function faultName(hw: Hardware, fault: Fault): string {
  if (fault === Fault.None) return 'ok';
  if (fault === Fault.VC) return '#VC(0x404)';
  if (fault === Fault.GP) return '#GP';
  if (fault === Fault.UD) return '#UD';
  const bits = ['RMP', 'ENC', 'SIZEM', 'VMPL', 'SSS'].filter((bit) => hasBit(hw.faultCode, bit as 'RMP'));
  return `${fault === Fault.PF ? '#PF' : '#NPF'}(${bits.join('|')})`;
}

// ---------------------------------------------------------------- what is watched

const traces = new WeakMap<Trace, Hardware>();

type Method = (this: Hardware, ...args: never[]) => unknown;

function wrap<K extends keyof Hardware>(name: K, around: (call: Method) => Method): void {
  const prototype = Hardware.prototype as unknown as Record<K, Method>;
  prototype[name] = around(prototype[name]);
}

/** Begin to watch; once in a process. */
export function watch(): void {
  wrap(
    'addGuest',
    (call) =>
      function (this: Hardware, ...args) {
        traces.set(this.trace, this);
        return call.apply(this, args);
      },
  );
  wrap('guestAccess', (call) => guestAccess(call) as Method);
  wrap('hostAccess', (call) => hostAccess(call) as Method);
  wrap('pvalidate', (call) => pvalidate(call) as Method);
  wrap('vmrun', (call) => vmrun(call) as Method);
  wrap('enter', (call) => enterGuest(call) as Method);
  wrap('vmsave', (call) => vmsave(call) as Method);
  wrap('rmpquery', (call) => rmpquery(call) as Method);
  wrap('rmpread', (call) => rmpread(call) as Method);
  wrap(
    'rmpupdate',
    (call) =>
      function (this: Hardware, ...args) {
        const before = updateShape(this, args as unknown as number[]);
        const code = call.apply(this, args);
        decided(this, 'RMPUPDATE', before);
        return code;
      },
  );
  wrap(
    'psmash',
    (call) =>
      function (this: Hardware, ...args) {
        const [spa] = args as unknown as number[];
        const pfn = Math.floor(spa / 4096);
        const valid = covered(this, pfn) && (this.rmp.word(pfn, 1) & VALID) !== 0;
        const code = call.apply(this, args);
        decided(this, 'PSMASH', `2M entry, ${valid ? 'validated' : 'not validated'}`);
        return code;
      },
  );
  wrap('rmpadjust', (call) => rmpadjust(call) as Method);
  const record = Trace.prototype.record;
  Trace.prototype.record = function (kind, space, page, code, a, b, cause) {
    if (kind === EventKind.Firmware) firmware(this, page, code, a);
    return record.call(this, kind, space, page, code, a, b, cause);
  };
}

function guestAccess(call: Method) {
  return function (
    this: Hardware,
    guest: GuestContext,
    gpa: number,
    access: Access,
    cbit: number,
    vmpl = 0,
    user = false,
    ...rest: unknown[]
  ): unknown {
    const kind = accesses[access];
    if (kind === undefined) return call.call(this, ...([guest, gpa, access, cbit, vmpl, user, ...rest] as never[]));
    const gfn = Math.floor(gpa / 4096);
    const pfn = guest.npt.walk(gfn);
    const { level } = guest.npt;
    const translated = pfn >= 0 && guest.npt.aligned;
    const isPrivate = guest.snpActive && (cbit !== 0 || FORCE_PRIVATE.has(kind));
    const state = !translated ? '' : isPrivate ? stateForGuest(this, guest.asid, pfn, gfn) : stateForHost(this, pfn);
    const mask = translated && covered(this, pfn) ? (this.rmp.word(governing(this, pfn), 2) >>> (vmpl * 8)) & 0xff : 0;
    const fault = call.call(this, ...([guest, gpa, access, cbit, vmpl, user, ...rest] as never[])) as Fault;
    if (!translated || (fault !== Fault.None && !hasBit(this.faultCode, 'RMP') && fault === Fault.NPF)) return fault;
    const found = faultName(this, fault);
    if (!isPrivate) {
      const { id, outcome } = sharedCell(
        guest.snpActive ? 'SNP guest, C=0' : 'other guest',
        kind,
        state,
        levels[level],
        inUseFeatures(this),
      );
      expectResult(this, id, outcome, found, IN_USE_OPTIONS);
      return fault;
    }
    const full = 0xf;
    const { id, outcome } = privateCell(kind, state, levels[level]);
    if (outcome !== 'ok' || ((mask & full) === full && !this.options.vmplSss)) expectResult(this, id, outcome, found);
    if (outcome === 'ok' && this.options.vmplSss) {
      const byPrivilege = access === Access.Fetch || kind.startsWith('shadow stack');
      const cell = sssCell(byPrivilege ? `${kind}, ${user ? 'user' : 'supervisor'}` : kind, mask);
      if (cell !== undefined) expectResult(this, cell.id, cell.outcome, found, ['vmplSss']);
    } else if (outcome === 'ok') {
      const cell = vmplCell(vmpl, access === Access.Fetch ? `fetch, ${user ? 'user' : 'supervisor'}` : kind, mask);
      expectResult(this, cell.id, cell.outcome, found);
    }
    return fault;
  };
}

function hostAccess(call: Method) {
  return function (this: Hardware, pfn: number, access: Access, level: number, user = false): unknown {
    const state = stateForHost(this, pfn);
    const fault = call.call(this, ...([pfn, access, level, user] as never[])) as Fault;
    const kind = accesses[access];
    if (kind === undefined) return fault;
    const { id, outcome } = sharedCell('host', kind, state, levels[level], inUseFeatures(this));
    expectResult(this, id, outcome, faultName(this, fault), IN_USE_OPTIONS);
    return fault;
  };
}

/** What a guest's instruction finds at an address: size of the mapping, and state of the entry. */
function target(hw: Hardware, guest: GuestContext, gpa: number): { npt: string; state: string; pfn: number } {
  const gfn = Math.floor(gpa / 4096);
  const pfn = guest.npt.walk(gfn);
  if (pfn < 0) return { npt: 'absent', state: '', pfn };
  if (!guest.npt.aligned) return { npt: 'misaligned', state: '', pfn };
  const inUse = covered(hw, pfn) && (hw.rmp.word(governing(hw, pfn), 1) & LOCKED) !== 0;
  const state = stateForGuest(hw, guest.asid, pfn, gfn) + (inUse ? ', in use' : '');
  return { npt: levels[guest.npt.level], state, pfn };
}

const answer = (hw: Hardware, code: number): string =>
  code === FAULTED ? faultName(hw, hw.fault) : code !== 0 ? `EAX=${code}` : 'ok';

function pvalidate(call: Method) {
  return function (
    this: Hardware,
    guest: GuestContext,
    gpa: number,
    pagesize: number,
    validate: number,
    vmpl = 0,
    ...rest: unknown[]
  ): unknown {
    const { npt, state } = target(this, guest, gpa);
    const code = call.call(this, ...([guest, gpa, pagesize, validate, vmpl, ...rest] as never[])) as number;
    const found = code === 0 && this.carry === 1 ? 'CF=1' : answer(this, code);
    const { id, outcome } = pvalidateCell(gpa, pagesize, validate, vmpl, npt, state, guest.snpActive);
    expectResult(this, id, outcome, found);
    return code;
  };
}

function rmpadjust(call: Method) {
  return function (
    this: Hardware,
    guest: GuestContext,
    gpa: number,
    size: number,
    rdx: number,
    vmpl = 0,
    ...rest: unknown[]
  ): unknown {
    const { npt, state, pfn } = target(this, guest, gpa);
    const own = pfn >= 0 && covered(this, pfn) ? (this.rmp.word(governing(this, pfn), 2) >>> (vmpl * 8)) & 0xff : 0;
    const code = call.call(this, ...([guest, gpa, size, rdx, vmpl, ...rest] as never[])) as number;
    const { id, outcome } = rmpadjustCell(gpa, size, rdx, vmpl, npt, state, own, guest.snpActive);
    expectResult(this, id, outcome, answer(this, code));
    return code;
  };
}

function rmpquery(call: Method) {
  return function (this: Hardware, guest: GuestContext, gpa: number, asked: number, vmpl = 0): unknown {
    const { npt, state } = target(this, guest, gpa);
    const code = call.call(this, ...([guest, gpa, asked, vmpl] as never[])) as number;
    const { id, outcome } = rmpqueryCell(asked, vmpl, npt, state.replace(', in use', ''), guest.snpActive);
    expectResult(this, id, outcome, answer(this, code));
    return code;
  };
}

function rmpread(call: Method) {
  return function (this: Hardware, spa: number, context = 0): unknown {
    const { id, outcome } = rmpreadCell(context, rmpreadState(this, Math.floor(spa / 4096)));
    const code = call.call(this, ...([spa, context] as never[])) as number;
    const entry = this.rmpreadEntry;
    const low = entry === undefined ? 0n : rmpreadQwords(entry).high & 0xffffffffn;
    // Entries of the AMD-SP and the like are 4K and immutable as well: the cells do not tell them apart.
    expectResult(this, id, outcome, code === 0 ? `0x${low.toString(16)}` : `EAX=${code}`);
    return code;
  };
}

function rmpreadState(hw: Hardware, pfn: number): string {
  if (!covered(hw, pfn)) return 'not covered';
  const w0 = hw.rmp.word(pfn, 0);
  if (governing(hw, pfn) !== pfn) return 'in the middle of 2M';
  if ((w0 & LARGE) === LARGE) return '2M';
  const immutable = (w0 & IMM) !== 0 ? ', immutable' : '';
  const neighbour = pfn % 512 === 0 && hw.rmp.assignedTails(pfn / 512) > 0;
  if ((w0 & A) === 0) return `not assigned${neighbour ? ', another page of its region is' : immutable}`;
  return `4K${neighbour ? ', another page of its region is assigned' : immutable}`;
}

/** What a page that has to be the hypervisor's is. */
function hostPageState(hw: Hardware, pfn: number): string {
  if (!covered(hw, pfn)) return 'not covered';
  if (governing(hw, pfn) !== pfn) return 'under a 2M entry';
  if ((hw.rmp.word(pfn, 0) & A) !== 0) return 'assigned';
  return (hw.rmp.word(pfn, 1) & LOCKED) !== 0 ? 'in use' : 'not assigned';
}

/** The cells of a VMRUN up to the first page that is refused, and what the whole comes to. */
function vmrunCells(hw: Hardware, asid: number, snp: boolean, pages: VmrunPages): { ids: string[]; outcome: string } {
  const ids: string[] = [];
  const hostPages: [what: string, page: number | undefined][] = [
    ['VMCB', pages.vmcb],
    ['VM_HSAVE_PA', pages.hsave],
    ['AVIC backing page', pages.avic],
    ["VMSA of another guest's kind", snp || (pages.vmsa ?? -1) < 0 ? undefined : pages.vmsa],
  ];
  for (const [what, page] of hostPages) {
    if (page === undefined) continue;
    const { id, outcome } = hostPageCell(what, hostPageState(hw, page));
    ids.push(id);
    // A page that is refused is the one that the result is about.
    if (outcome !== 'ok') return { ids: [id], outcome };
  }
  if (!snp) return { ids, outcome: 'ok' };
  const state = vmsaState(hw, asid, pages.vmsa ?? -1, pages.vmsaGfn);
  const id = `VMRUN: ${state}`;
  return state === 'VMSA page' ? { ids: [...ids, id], outcome: 'ok' } : { ids: [id], outcome: 'VMEXIT_INVALID' };
}

function vmrun(call: Method) {
  return function (this: Hardware, ...args: unknown[]): unknown {
    const [asid, vmsa] = args as [number, number];
    const { ids, outcome } = vmrunCells(this, asid, this.guests.get(asid)?.snpActive ?? true, { vmsa });
    const entered = call.call(this, ...(args as never[]));
    for (const id of ids) expectResult(this, id, outcome, entered ? 'ok' : formatFault(this.fault, 0));
    return entered;
  };
}

function enterGuest(call: Method) {
  return function (this: Hardware, guest: GuestContext, pages: VmrunPages): unknown {
    const { ids, outcome } = vmrunCells(this, guest.asid, guest.snpActive, pages);
    const fault = call.call(this, ...([guest, pages] as never[])) as Fault;
    for (const id of ids) expectResult(this, id, outcome, fault === Fault.None ? 'ok' : formatFault(fault, 0));
    return fault;
  };
}

function vmsave(call: Method) {
  return function (this: Hardware, pfn: number): unknown {
    const { id, outcome } = hostPageCell('target of VMSAVE', hostPageState(this, pfn));
    const fault = call.call(this, ...([pfn] as never[])) as Fault;
    expectResult(this, id, outcome, fault === Fault.None ? 'ok' : formatFault(fault, 0));
    return fault;
  };
}

function vmsaState(hw: Hardware, asid: number, vmsa: number, gfn: number | undefined): string {
  if (vmsa < 0) return 'no page';
  if (!covered(hw, vmsa)) return 'not covered';
  const entry = hw.rmp.resolve(vmsa as Pfn);
  if (!entry.assigned) return 'not assigned';
  if (entry.asid !== asid) return 'another ASID';
  if (entry.immutable) return 'immutable';
  if (!entry.vmsa) return 'VMSA=0';
  if (entry.pageSize === '2M') return '2M entry';
  if (gfn !== undefined && entry.gpa !== gfn * 4096) return 'another GPA';
  return entry.lock ? 'in use' : 'VMSA page';
}

/** What kind of change a request asks for, should it succeed. */
function updateShape(hw: Hardware, [spa, gpa, assigned, size, , asid]: number[]): string {
  const pfn = Math.floor(spa / 4096);
  if (!covered(hw, pfn)) return '';
  const [w0, w1] = [hw.rmp.word(pfn, 0), hw.rmp.word(pfn, 1)];
  const old = (w0 & A) === 0 ? 'unassigned' : (w0 & LARGE) === LARGE ? '2M' : '4K';
  const what = `${size === 1 ? '2M' : '4K'} ${assigned === 1 ? 'assign' : 'unassign'}`;
  if (old === 'unassigned') return `${what}, page was unassigned`;
  if (assigned === 0) return `${what}, entry was ${old}`;
  const same = ((w1 >>> 19) & 0x3ff) === asid && (w1 & 0x7ffff) * 2 ** 20 + (w0 >>> 12) === Math.floor(gpa / 4096);
  const repeat = same && (old === '2M') === (size === 1);
  return `${what}, entry was ${old}${repeat ? ' and the same' : old === '2M' || size === 0 ? ' and another' : ''}`;
}

function decided(hw: Hardware, instruction: 'RMPUPDATE' | 'PSMASH', shape: string): void {
  const { trace } = hw;
  const e = trace.length - 1;
  const check = trace.code[e] === 0 ? undefined : checkOf(trace.a[e]);
  if (check !== undefined) note(checkCell(instruction, check, trace.code[e]));
  else if (trace.code[e] === 0) note(`${instruction} ok: ${shape}`);
}

/** Rows that carry a note are told apart by the test that executes the row; the others are reached by any test. */
function firmware(trace: Trace, page: number, status: number, command: number): void {
  const hw = traces.get(trace);
  const state = page < 0 ? '-' : hw === undefined || !covered(hw, page) ? '' : hw.rmp.pageState(page as Pfn);
  note(firmwareCell(command, state, '', fwStatusName(status)));
}
