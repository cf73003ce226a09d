/**
 * Sees every instruction, access and firmware command of every test that runs in this process, and notes which cell of which rule it was. The state
 * before it is read here from the raw entries and compared with what the manuals say must come of it: a cell that is reached with another result is
 * reported, not counted.
 */

import type { Pfn } from '../../engine/base/units.ts';
import { Access } from '../../engine/hardware/access.ts';
import { Fault, hasBit } from '../../engine/hardware/fault-codes.ts';
import { fwStatusName } from '../../engine/hardware/firmware.ts';
import { checkOf, FAULTED, rmpCodeName } from '../../engine/hardware/instruction-checks.ts';
import { type GuestContext, Hardware } from '../../engine/hardware/machine.ts';
import { defaultHardwareOptions } from '../../engine/hardware/options.ts';
import { EventKind, Trace } from '../../engine/trace/trace.ts';
import { checkCell, firmwareCell, privateCell, pvalidateCell, rmpadjustCell, sharedCell, vmplCell } from './cells.ts';

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

function expectResult(hw: Hardware, cell: string, wanted: string, found: string): void {
  if (wanted === found) note(cell);
  else if (hasDefaultOptions(hw)) deviations.set(cell, `${source}: ${found} instead of ${wanted}`);
}

function hasDefaultOptions(hw: Hardware): boolean {
  const standard = defaultHardwareOptions();
  return Object.entries(standard).every(([key, value]) => hw.options[key as keyof typeof standard] === value);
}

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
  for (const name of ['rmpquery', 'rmpread'] as const)
    wrap(
      name,
      (call) =>
        function (this: Hardware, ...args) {
          const code = call.apply(this, args) as number;
          note(`${name.toUpperCase()}: ${code === FAULTED ? faultName(this, this.fault) : rmpCodeName(code)}`);
          return code;
        },
    );
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
      );
      expectResult(this, id, outcome, found);
      return fault;
    }
    const full = 0xf;
    const { id, outcome } = privateCell(kind, state, levels[level]);
    if (outcome !== 'ok' || (mask & full) === full) expectResult(this, id, outcome, found);
    if (outcome === 'ok') {
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
    const { id, outcome } = sharedCell('host', kind, state, levels[level]);
    expectResult(this, id, outcome, faultName(this, fault));
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

function vmrun(call: Method) {
  return function (this: Hardware, ...args: unknown[]): unknown {
    const [asid, vmsa] = args as [number, number];
    const state = vmsaState(this, asid, vmsa);
    const entered = call.call(this, ...(args as never[]));
    const wanted = state === 'VMSA page' ? 'entered' : 'VMEXIT_INVALID';
    expectResult(this, `VMRUN: ${state}`, wanted, entered ? 'entered' : 'VMEXIT_INVALID');
    return entered;
  };
}

function vmsaState(hw: Hardware, asid: number, vmsa: number): string {
  if (vmsa < 0) return 'no page';
  if (!covered(hw, vmsa)) return 'not covered';
  const entry = hw.rmp.resolve(vmsa as Pfn);
  if (!entry.assigned) return 'not assigned';
  if (entry.asid !== asid) return 'another ASID';
  if (entry.immutable) return 'immutable';
  if (!entry.vmsa) return 'VMSA=0';
  if (entry.pageSize === '2M') return '2M entry';
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
