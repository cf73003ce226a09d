/**
 * The page that the present place is about, so that a debugger can show it without being asked: the one that the C frame's own `gfn` and `pfn` name,
 * else the step's operands, else the last event's.
 */
import type { Machine, MachineGuest } from '../run/machine.ts';
import type { ScenarioRun } from '../run/run.ts';
import type { Value } from '../scenario/program.ts';
import { EventKind } from '../trace/trace.ts';
import type { FrameView } from '../vm/unwind.ts';
import { localsOf, scalarOf } from './c-values.ts';

export interface PageAtHand {
  guest: number | undefined;
  gfn: number | undefined;
  pfn: number | undefined;
}

/** @param at the instruction that is shown as the present one: the one that comes next, or the one that the run has stopped after */
export function pageAtHand(run: ScenarioRun, frame: FrameView | undefined, at: number): PageAtHand {
  const { machine } = run;
  const operands = operandsOf(run, at);
  const guest = guestAtHand(run, operands);
  const own = frame === undefined ? undefined : ofFrame(machine, frame);
  const page = own ?? ofOperands(operands) ?? ofLastEvent(run);
  return completed(machine, { guest, gfn: page?.gfn, pfn: page?.pfn });
}

function guestAtHand(run: ScenarioRun, args: Operands | undefined): number | undefined {
  for (const value of args?.values ?? []) if (value !== undefined && 'guest' in value) return value.guest;
  return args?.actor?.guest ?? (run.machine.guests.length > 0 ? 0 : undefined);
}

interface Operands {
  values: readonly (Value | undefined)[];
  actor: { guest?: number } | undefined;
}

/** The operands of the step under way, or else of the one that is shown. */
function operandsOf(run: ScenarioRun, at: number): Operands | undefined {
  if (run.stepArguments !== undefined)
    return { values: run.stepArguments.values, actor: run.stepArguments.actor as { guest?: number } };
  const next = run.unit.code[at];
  if (next?.kind !== 'step' && next?.kind !== 'expect') return undefined;
  const values = next.args.map((expr) => {
    const value = expr?.evaluate(run.values, run.machine);
    return value === undefined || 'error' in value ? undefined : value;
  });
  return { values, actor: next.kind === 'step' ? (next.actor as { guest?: number }) : undefined };
}

type Page = { gfn?: number; pfn?: number };

/** By the names that everybody gives them; the type must be that of a frame number or an address. */
function ofFrame(machine: Machine, frame: FrameView): Page | undefined {
  const page: Page = {};
  for (const { name, value } of localsOf(machine, frame)) {
    const number = scalarOf(machine, value);
    if (typeof number !== 'number' || number < 0) continue;
    const alias = value.type.alias ?? '';
    if (alias === 'gfn_t' && name === 'gfn') page.gfn = number;
    else if (alias === 'gpa_t' && name === 'gpa' && page.gfn === undefined) page.gfn = Math.floor(number / 4096);
    else if (name === 'pfn' && number < machine.hardware.memoryPages && (alias === 'kvm_pfn_t' || number > 0))
      page.pfn = number;
  }
  // A variable that has no value yet is 0, and so is the first frame: without a gfn it says nothing.
  if (page.pfn === 0) delete page.pfn;
  return page.gfn === undefined && page.pfn === undefined ? undefined : page;
}

function ofOperands(operands: Operands | undefined): Page | undefined {
  for (const value of operands?.values ?? []) {
    switch (value?.kind) {
      case 'gpa':
        return { gfn: Math.floor(value.value / 4096) };
      case 'gpa-range':
        return { gfn: Math.floor(value.start / 4096) };
      case 'gfn':
        return { gfn: value.value };
      case 'gfn-range':
        return { gfn: value.start };
      case 'pfn':
        return { pfn: value.value };
      case 'spa':
        return { pfn: Math.floor(value.value / 4096) };
      case 'pfn-range':
        return { pfn: value.start };
    }
  }
  return undefined;
}

const OF_GUEST: ReadonlySet<number> = new Set([EventKind.Attribute, EventKind.Npt]);

function ofLastEvent(run: ScenarioRun): Page | undefined {
  const { trace } = run.machine;
  for (let e = trace.length - 1; e >= 0 && e > trace.length - 100; e--) {
    // What happened while the machine was set up is not what anybody looks at.
    if (trace.step[e] < 0) return undefined;
    if (trace.page[e] < 0) continue;
    return OF_GUEST.has(trace.kind[e]) ? { gfn: trace.page[e] } : { pfn: trace.page[e] };
  }
  return undefined;
}

/** The frame behind a gfn, and the gfn that a frame is bound to. */
function completed(machine: Machine, page: PageAtHand): PageAtHand {
  let { guest, gfn, pfn } = page;
  if (pfn === undefined && gfn !== undefined && guest !== undefined) pfn = machine.backingPfn(guest, gfn * 4096);
  if (gfn === undefined && pfn !== undefined && machine.hardware.rmp.covers(pfn)) {
    const entry = machine.entry(pfn);
    const owner = machine.guests.findIndex((one: MachineGuest) => one.asid === entry.asid);
    if (entry.assigned && owner >= 0) {
      guest = owner;
      gfn = entry.gfn;
    }
  }
  return { guest, gfn, pfn };
}
