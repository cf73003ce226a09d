/**
 * Why a step came out as it did, in words for experts: what was found, since which step, and what to do. One function for each kind of event that
 * can end a step.
 */
import { hex, plural } from '../base/text.ts';
import { Fault } from '../hardware/fault-codes.ts';
import { fwCommandName, fwStatusName } from '../hardware/firmware.ts';
import { Check, checkDoc, checkOf, rmpCodeName } from '../hardware/instruction-checks.ts';
import { operandIsLarge } from '../invariants/conduct.ts';
import { EventKind } from '../trace/trace.ts';
import { lastComplaint, lastInstruction } from './failure.ts';
import type { Machine } from './machine.ts';
import { describeOutcome, type Outcome } from './outcome.ts';

/** A sentence or two without what the scenario expected; ends with a full stop. */
export function explain(machine: Machine, outcome: Outcome, event: number | undefined): string {
  if (event === undefined) return handedUp(machine, outcome, machine.trace.length);
  switch (machine.trace.kind[event]) {
    case EventKind.Rmpupdate:
      return explainRmpupdate(machine, event);
    case EventKind.Psmash:
      return explainPsmash(machine, event);
    case EventKind.Pvalidate:
    case EventKind.Rmpadjust:
    case EventKind.Rmpquery:
      return explainGuestInstruction(machine, outcome, event);
    case EventKind.Rmpread:
      return `RMPREAD of pfn ${hex(machine.trace.page[event])}: ${describeOutcome(outcome)}${because(machine, event)}.`;
    case EventKind.Firmware:
      return explainFirmware(machine, outcome, event);
    case EventKind.Fault:
      return explainFault(machine, outcome, event);
    default:
      return handedUp(machine, outcome, event);
  }
}

/**
 * A result that C handed up, before event `e`: with what the instruction said that the kernel tried last, if that failed; else with what the kernel
 * logged about it.
 */
function handedUp(machine: Machine, outcome: Outcome, e: number): string {
  const what = `${capital(describeOutcome(outcome))}.`;
  if (outcome.errno === undefined) return what;
  const failed = lastInstruction(machine, e);
  if (failed !== undefined && machine.trace.code[failed] !== 0) return `${what} ${explain(machine, outcome, failed)}`;
  const line = lastComplaint(machine);
  return line === undefined ? what : `${what} The kernel logged "${line}".`;
}

/** ` since line 14 (cpu.psmash)`, for what an earlier step did. */
function since(machine: Machine, event: number): string {
  return event < 0 || event >= machine.stepStart ? '' : ` since ${machine.describeStep(event)}`;
}

function explainRmpupdate(machine: Machine, e: number): string {
  const { trace } = machine;
  const pfn = trace.page[e];
  const head = `RMPUPDATE ${operandIsLarge(trace.a[e]) ? '2M' : '4K'} at pfn ${hex(pfn)}: ${rmpCodeName(trace.code[e], 'rmpupdate')}`;
  const check = checkOf(trace.a[e]);
  if (check === undefined) return `${head}.`;
  const made = since(machine, trace.cause[e]);
  switch (check) {
    case Check.OverSmall: {
      const count = machine.head(Math.floor(pfn / 512)).subpageCount;
      return `${head}, ${plural(count, 'page')} of the region ${count === 1 ? 'is' : 'are'} assigned as 4K (subpage count ${count})${made}. PSMASH cannot be undone by the host: convert page by page, or make the region shared first.`;
    }
    case Check.UnderLarge:
      return `${head}, the page lies under the 2M entry at pfn ${hex(pfn - (pfn % 512))}${made}. PSMASH that entry first.`;
    case Check.Immutable:
    case Check.ImmutableTail:
      return `${head}, ${checkDoc(check)} (${machine.describeEntry(pfn)})${made}. Only firmware can release it.`;
    case Check.Locked:
    case Check.LockedTail:
    case Check.LockedHead:
      return `${head}, ${checkDoc(check)}${made}. ${isFirmwares(machine, pfn) ? `pfn ${hex(pfn)} is ${machine.describeEntry(pfn)}: only firmware can release it.` : 'Retry once the vCPU has exited.'}`;
    case Check.ContendedOther:
    case Check.ContendedSame:
      return `${head}, ${checkDoc(check)}. It is transient: retry.`;
    default:
      return `${head}, ${checkDoc(check)}.`;
  }
}

/** Locked by the firmware, for as long as the page is its own. */
function isFirmwares(machine: Machine, pfn: number): boolean {
  const entry = machine.entry(pfn);
  return entry.assigned && entry.immutable && entry.asid === 0;
}

function explainPsmash(machine: Machine, e: number): string {
  const { trace } = machine;
  const pfn = trace.page[e];
  const head = `PSMASH at pfn ${hex(pfn)}: ${rmpCodeName(trace.code[e], 'psmash')}`;
  const check = checkOf(trace.a[e]);
  if (check === undefined) return `${head}.`;
  const made = since(machine, trace.cause[e]);
  if (check === Check.NotLarge)
    return `${head}, the entry is no assigned 2M entry: ${machine.describeEntry(pfn)}${made}.`;
  return `${head}, ${checkDoc(check)}${made}.`;
}

/** `, the page is not validated since line 14 (g.pvalidate)`: what the hardware noted when it refused; empty if it did not. */
function because(machine: Machine, event: number): string {
  const refusal = refusalOf(machine, event);
  return refusal === undefined ? '' : `, ${refusal.reason}${since(machine, refusal.cause)}`;
}

const refusalOf = ({ hardware: { refusal } }: Machine, event: number) =>
  refusal?.event === event ? refusal : undefined;

/** PVALIDATE, RMPADJUST and RMPQUERY. */
function explainGuestInstruction(machine: Machine, outcome: Outcome, e: number): string {
  const { trace } = machine;
  const at = `${guestInstruction(trace.kind[e], trace.a[e])} of GPA ${hex(trace.b[e])}`;
  if (outcome.cf === 1) {
    const was = machine.entry(trace.page[e]).validated ? 'validated' : 'not validated';
    return `${at}: CF=1, nothing changed: the page was ${was} already${since(machine, trace.cause[e])}. A guest has to take that for an attack.`;
  }
  if (refusalOf(machine, e) === undefined && outcome.fault !== undefined) return explainFault(machine, outcome, e);
  const advice = outcome.code === 'FAIL_SIZEMISMATCH' ? ' Fall back to 512 × 4K.' : '';
  return `${at}: ${describeOutcome(outcome)}${because(machine, e)}.${advice}`;
}

/** `RMPADJUST 2M for VMPL1`, from an event's operand. */
function guestInstruction(kind: number, operand: number): string {
  const size = (operand & 1) !== 0 ? ' 2M' : '';
  if (kind === EventKind.Pvalidate) return `PVALIDATE${size}`;
  if (kind === EventKind.Rmpadjust) return `RMPADJUST${size} for VMPL${(operand >>> 1) & 0xff}`;
  return `RMPQUERY about VMPL${operand & 3}`;
}

/** A command of the AMD-SP: given by the scenario, or by the kernel, whose own failure then comes of it. */
function explainFirmware(machine: Machine, outcome: Outcome, e: number): string {
  const { trace } = machine;
  const page = trace.page[e];
  const status = fwStatusName(trace.code[e]);
  const command = `${fwCommandName(trace.a[e])}${page < 0 ? '' : ` of pfn ${hex(page)}`}: ${status}${because(machine, e)}.`;
  return outcome.code === status ? command : `${capital(describeOutcome(outcome))}. ${command}`;
}

function explainFault(machine: Machine, outcome: Outcome, e: number): string {
  const { trace } = machine;
  const what = describeOutcome(outcome);
  // Of the faults, those of VMRUN and VMSAVE, and spurious ones, note a reason of their own.
  if (trace.kind[e] === EventKind.Fault && refusalOf(machine, e) !== undefined)
    return `${capital(what)}${because(machine, e)}.`;
  const isGuest = trace.space[e] !== 0;
  const gfn = trace.kind[e] === EventKind.Fault ? trace.page[e] : Math.floor(trace.b[e] / 4096);
  const pfn = isGuest ? machine.mappedPfn(trace.space[e], gfn) : trace.page[e];
  if (trace.a[e] === Fault.PF && !isGuest && outcome.fault?.bits.includes('RMP') !== true) {
    return `${capital(what)}: pfn ${hex(trace.page[e])} is not in the direct map.`;
  }
  if (pfn === undefined) return `${capital(what)}: nothing is mapped at gfn ${hex(gfn)}.`;
  const made = since(machine, trace.cause[e]);
  const where = isGuest ? `gfn ${hex(gfn)} is mapped to pfn ${hex(pfn)}, which is` : `pfn ${hex(pfn)} is`;
  return `${capital(what)}: ${where} ${machine.describeEntry(pfn)}${made}.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
