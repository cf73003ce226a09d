/**
 * Why a page is as it is: the changes that made a field of it what it is now, newest first, each with the step, what it changed and the C stack
 * that did it. Data for messages ("since line 14"), hovers and the debugger.
 *
 * RMP changes are linked by the trace's `cause`: every change of an entry names the one before. The other tables keep their last change only, or none;
 * what came before is looked for in the trace, which costs its length and is asked for one page at a time.
 */
import { hex } from '../base/text.ts';
import { FwCommand, fwCommandName } from '../hardware/firmware.ts';
import { gfnsOfEvent } from '../hardware/nested-page-table.ts';
import {
  operandIsAssigned,
  operandIsImmutable,
  operandIsLarge,
  PVALIDATE_2M,
  PVALIDATE_VALIDATE,
} from '../invariants/conduct.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import type { CFrame, Machine } from './machine.ts';

/** A part of an RMP entry. `owner` is ASID and GPA. */
export type RmpField = 'assigned' | 'owner' | 'size' | 'validated' | 'immutable' | 'permissions';

/** What is asked about. Without `field`, every change of the entry counts. */
export type PageField =
  | { of: 'rmp'; pfn: number; field?: RmpField }
  | { of: 'npt'; asid: number; gfn: number }
  | { of: 'attribute'; asid: number; gfn: number }
  | { of: 'directmap'; pfn: number };

export interface Change {
  /** Index in the trace. */
  event: number;
  /** The scenario step that did it; undefined before the first. */
  instance: number | undefined;
  /** `RMPUPDATE 4K: unassigned`, in the words of the manual. */
  what: string;
  /** C stack, innermost first; empty for raw instructions and for what the guest did. */
  frames: CFrame[];
}

/** The changes that led to the present value, newest first, at most `limit`. Changes that left it as it was are not among them. */
export function why(machine: Machine, page: PageField, limit = 32): Change[] {
  return eventsOf(machine, page, limit).map((event) => ({
    event,
    instance: machine.instanceOfEvent(event),
    what: describeChange(machine, event),
    frames: machine.framesOf(machine.siteOfEvent(event)),
  }));
}

/** The trace events of {@link why} alone. */
export function eventsOf(machine: Machine, page: PageField, limit = 32): number[] {
  switch (page.of) {
    case 'rmp':
      return rmpEvents(machine, page.pfn, page.field, limit);
    case 'npt':
      return nptEvents(machine, page.asid, page.gfn, limit);
    case 'attribute':
      return runEvents(machine.trace, EventKind.Attribute, page.asid, page.gfn, limit);
    case 'directmap':
      return runEvents(machine.trace, EventKind.DirectMap, 0, page.pfn, limit);
  }
}

// ---------------------------------------------------------------- RMP

function rmpEvents(machine: Machine, pfn: number, field: RmpField | undefined, limit: number): number[] {
  const { rmp } = machine.hardware;
  if (!rmp.covers(pfn)) return [];
  const events: number[] = [];
  // Under a 2M entry the head speaks for the page, and may have been changed (validated, say) after the page was last touched.
  let e = Math.max(rmp.lastChange(pfn), rmp.lastChange(rmp.governing(pfn)));
  for (; e >= 0 && events.length < limit; e = machine.trace.cause[e]) {
    const changed = fieldsOf(machine, e);
    if (field === undefined ? changed.length > 0 : changed.includes(field)) events.push(e);
  }
  return events;
}

const ALL: readonly RmpField[] = ['assigned', 'owner', 'size', 'validated', 'immutable', 'permissions'];

/** The fields that a change of an RMP entry sets. */
function fieldsOf(machine: Machine, e: number): readonly RmpField[] {
  const { trace } = machine;
  switch (trace.kind[e]) {
    case EventKind.Rmpupdate:
      return repeats(trace, e) && machine.hardware.options.idempotentRmpupdateKeepsValidated ? [] : ALL;
    case EventKind.Psmash:
      return ['size'];
    case EventKind.Pvalidate:
      return ['validated'];
    case EventKind.Rmpadjust:
      return ['permissions'];
    case EventKind.Firmware:
      if (trace.a[e] === FwCommand.SnpLaunchUpdate) return ['validated', 'immutable', 'permissions'];
      return trace.a[e] === FwCommand.SnpPageReclaim ? ['immutable'] : ALL;
    default:
      return ALL;
  }
}

/** An RMPUPDATE that writes what the one before it wrote. */
function repeats(trace: Trace, e: number): boolean {
  for (let c = trace.cause[e]; c >= 0; c = trace.cause[c]) {
    if (trace.kind[c] === EventKind.Pvalidate || trace.kind[c] === EventKind.Rmpadjust) continue;
    return (
      trace.kind[c] === EventKind.Rmpupdate &&
      operandIsAssigned(trace.a[e]) &&
      trace.a[c] === trace.a[e] &&
      trace.b[c] === trace.b[e]
    );
  }
  return false;
}

// ---------------------------------------------------------------- nested page table, attributes, direct map

/** Mappings and zaps of a gfn in turn: a zap counts if it took a mapping away. */
function nptEvents(machine: Machine, asid: number, gfn: number, limit: number): number[] {
  const { trace } = machine;
  const npt = machine.hardware.guests.get(asid)?.npt;
  const last = npt?.lastChange(gfn) ?? -1;
  const events: number[] = [];
  for (let e = last; e >= 0 && events.length < limit; e--) {
    if (trace.kind[e] !== EventKind.Npt || trace.space[e] !== asid) continue;
    const maps = trace.a[e] >= 0;
    const newer = events[events.length - 1];
    const { start, end } = gfnsOfEvent(trace, e, true);
    if (maps) {
      if (gfn < start || gfn >= end) continue;
      // The very same mapping once more is no change.
      if (newer !== undefined && trace.a[newer] === trace.a[e] && trace.b[newer] === trace.b[e]) events.pop();
      events.push(e);
    } else if (e === last || (newer !== undefined && trace.a[newer] >= 0 && gfn >= start && gfn < end)) {
      events.push(e);
    }
  }
  return events;
}

/** Events about runs of pages (`page`, `code` pages) that cover a page. */
function runEvents(trace: Trace, kind: number, space: number, page: number, limit: number): number[] {
  const events: number[] = [];
  for (let e = trace.length - 1; e >= 0 && events.length < limit; e--) {
    if (trace.kind[e] !== kind || trace.space[e] !== space) continue;
    if (page >= trace.page[e] && page < trace.page[e] + trace.code[e]) events.push(e);
  }
  return events;
}

// ---------------------------------------------------------------- words

function describeChange(machine: Machine, e: number): string {
  const { trace } = machine;
  const a = trace.a[e];
  const b = trace.b[e];
  switch (trace.kind[e]) {
    case EventKind.Rmpupdate: {
      const head = `RMPUPDATE ${operandIsLarge(a) ? '2M' : '4K'}`;
      if (!operandIsAssigned(a)) return `${head}: unassigned`;
      const asid = Math.floor((a % 2 ** 32) / 8) % 1024;
      const guest = machine.guests.find((g) => g.asid === asid);
      const whom = guest === undefined ? `ASID ${asid}` : `guest ${guest.name}`;
      return `${head}: assigned to ${whom} at GPA ${hex(b)}${operandIsImmutable(a) ? ', immutable' : ''}`;
    }
    case EventKind.Psmash:
      return 'PSMASH: split into 512 entries of 4K';
    case EventKind.Pvalidate:
      return `PVALIDATE ${(a & PVALIDATE_2M) !== 0 ? '2M' : '4K'}: ${(a & PVALIDATE_VALIDATE) !== 0 ? 'validated' : 'not validated'}`;
    case EventKind.Rmpadjust:
      return 'RMPADJUST: permissions changed';
    case EventKind.Firmware:
      return fwCommandName(a);
    case EventKind.RmpWrite:
      return 'the raw entry was written';
    case EventKind.Npt:
      return a < 0 ? 'mapping zapped' : `mapped to pfn ${hex(a)} as ${levelNames[b]}`;
    case EventKind.Attribute:
      return b === 0 ? 'attribute SHARED' : 'attribute PRIVATE';
    case EventKind.DirectMap:
      return `direct map: ${mapping(a)}, then ${mapping(b)}`;
    default:
      return `event ${trace.kind[e]}`;
  }
}

const levelNames = ['', '4K', '2M', '1G'];
const mapping = (n: number): string => `${levelNames[Math.floor(n / 2)]} ${n % 2 === 1 ? 'present' : 'not present'}`;
