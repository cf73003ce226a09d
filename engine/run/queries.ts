/** What every query of the table reads off the machine, by key: its fields, and one line that says what was found. */

import { hex } from '../base/text.ts';
import type { Pfn } from '../base/units.ts';
import type { Value } from '../scenario/program.ts';
import { EventKind } from '../trace/trace.ts';
import type { Machine, MachineGuest } from './machine.ts';
import { number, word } from './operation.ts';

export type FieldValue = boolean | number | bigint | string | undefined;

export interface Found {
  fields: Readonly<Record<string, FieldValue>>;
  /** What was found, for messages: `asid 1 · gpa 0x10000 · 4K · validated`. */
  text: string;
  /** Trace event that last changed it; -1 or undefined if nothing did. */
  since?: number;
}

export type QueryResult = Found | { error: string };
export type Query = (machine: Machine, args: readonly (Value | undefined)[]) => QueryResult;

interface Place {
  guest: MachineGuest;
  gfn: number;
}

function place(machine: Machine, args: readonly (Value | undefined)[]): Place | { error: string } {
  const [first, second] = args;
  if (first?.kind !== 'guest') return { error: 'This query needs a guest and a GPA.' };
  return { guest: machine.guests[first.guest], gfn: Math.floor(number(second) / 4096) };
}

/** The pfn meant by `(guest, gpa)` or `(pfn)`. */
function frame(machine: Machine, args: readonly (Value | undefined)[]): number | { error: string } {
  const [first, second] = args;
  if (first?.kind !== 'guest') return number(first);
  const gpa = number(second);
  const pfn = machine.backingPfn(first.guest, gpa);
  return (
    pfn ?? {
      error: `GPA ${hex(gpa)} lies in no memory slot of guest ${machine.guests[first.guest].name}, so no frame backs it.`,
    }
  );
}

const size = (large: boolean): string => (large ? '2M' : '4K');
const levelNames = ['', '4K', '2M', '1G'];

function rmp(machine: Machine, args: readonly (Value | undefined)[]): QueryResult {
  const pfn = frame(machine, args);
  if (typeof pfn !== 'number') return pfn;
  const table = machine.hardware.rmp;
  if (!table.covers(pfn))
    return { fields: { assigned: false, covered: false }, text: `pfn ${hex(pfn)} is not covered by the RMP` };
  const entry = table.resolve(pfn as Pfn);
  const view = machine.entry(pfn);
  const owner = machine.guests.find((guest) => guest.asid === entry.asid);
  const isGuest = view.assigned && entry.asid !== 0;
  return {
    fields: {
      covered: true,
      assigned: view.assigned,
      validated: entry.validated,
      immutable: entry.immutable,
      size: size(view.large),
      asid: entry.asid,
      guest: owner?.name,
      gpa: isGuest ? view.gfn * 4096 : 0,
      vmsa: entry.vmsa,
      locked: entry.lock,
      subpage_count: table.subpageCount(pfn),
      state: table.pageState(pfn as Pfn),
      vmpl0: entry.vmpl[0],
      vmpl1: entry.vmpl[1],
      vmpl2: entry.vmpl[2],
      vmpl3: entry.vmpl[3],
      private: isGuest && !entry.immutable,
    },
    // Invariants ask about many pages and tell about few.
    get text() {
      return `pfn ${hex(pfn)}: ${machine.describeEntry(pfn)}`;
    },
    since: table.lastChange(pfn),
  };
}

function npt(machine: Machine, args: readonly (Value | undefined)[]): QueryResult {
  const at = place(machine, args);
  if ('error' in at) return at;
  const table = machine.contextOf(at.guest).npt;
  const pfn = table.walk(at.gfn);
  const since = table.lastChange(at.gfn);
  if (pfn < 0) return { fields: { present: false }, text: 'not present', since };
  const level = levelNames[table.level];
  return {
    fields: { present: true, pfn, level, writable: table.writable },
    text: `pfn ${hex(pfn)} · ${level}${table.writable ? ' · writable' : ''}`,
    since,
  };
}

function attr(machine: Machine, args: readonly (Value | undefined)[]): QueryResult {
  const at = place(machine, args);
  if ('error' in at) return at;
  const isPrivate = machine.isPrivate(at.guest.asid, at.gfn);
  return {
    fields: { private: isPrivate },
    text: isPrivate ? 'private' : 'shared',
    since: machine.kernel.attributes.lastEvent(at.guest.asid, at.gfn),
  };
}

function directmap(machine: Machine, args: readonly (Value | undefined)[]): QueryResult {
  const pfn = frame(machine, args);
  if (typeof pfn !== 'number') return pfn;
  const present = machine.kernel.directMap.present(pfn);
  const level = levelNames[machine.kernel.directMap.level(pfn)];
  return { fields: { present, level }, text: `${present ? 'present' : 'not present'} · ${level}` };
}

function folio(machine: Machine, args: readonly (Value | undefined)[]): QueryResult {
  const at = place(machine, args);
  if ('error' in at) return at;
  const slot = machine.kernel.slots.find(at.guest.asid, at.gfn);
  const found = slot?.private
    ? machine.kernel.restricted.folio(slot.file, slot.index + at.gfn - slot.baseGfn)
    : undefined;
  if (found === undefined) return { fields: { allocated: false }, text: 'no private backing' };
  return {
    fields: { order: found.order, pfn: found.pfn, size: found.pages * 4096, allocated: found.allocated },
    text: `order ${found.order} at pfn ${hex(found.pfn)}${found.allocated ? '' : ', not allocated'}`,
  };
}

function state(machine: Machine, args: readonly (Value | undefined)[]): QueryResult {
  const pfn = frame(machine, args);
  if (typeof pfn !== 'number') return pfn;
  const name = machine.hardware.rmp.covers(pfn) ? machine.hardware.rmp.pageState(pfn as Pfn) : 'DEFAULT';
  return {
    fields: { state: name },
    text: name,
    since: machine.hardware.rmp.covers(pfn) ? machine.hardware.rmp.lastChange(pfn) : -1,
  };
}

/** A query that yields one number, field `value`. */
const count =
  (read: (machine: Machine, args: readonly (Value | undefined)[]) => number | { error: string }): Query =>
  (machine, args) => {
    const value = read(machine, args);
    return typeof value === 'number' ? { fields: { value }, text: String(value) } : value;
  };

const instructionKinds: Record<string, number> = {
  rmpupdate: EventKind.Rmpupdate,
  psmash: EventKind.Psmash,
  pvalidate: EventKind.Pvalidate,
  rmpadjust: EventKind.Rmpadjust,
};

export const queries: Readonly<Record<string, Query>> = {
  rmp,
  npt,
  attr,
  directmap,
  folio,
  state,
  refcount: count((machine, args) => {
    const pfn = frame(machine, args);
    return typeof pfn === 'number' ? machine.refcount(pfn) : pfn;
  }),
  subpage_count: count((machine, args) => {
    const pfn = frame(machine, args);
    return typeof pfn === 'number' ? machine.hardware.rmp.subpageCount(pfn) : pfn;
  }),
  asid_counter: count((machine, args) => machine.asidCounter(number(args[0]))),
  count: count((machine, args) => machine.countInLastStep(instructionKinds[word(args[0])] ?? -1)),
  log: () => ({ fields: {}, text: '' }),
};
