/** What went wrong last in the step under way, for whoever explains its outcome. */
import { PVALIDATE_CF } from '../invariants/conduct.ts';
import { EventKind } from '../trace/trace.ts';
import type { Machine } from './machine.ts';

/** Instructions and commands: an event's code is what they returned, and 0 is success. */
const canFail: ReadonlySet<number> = new Set([
  EventKind.Rmpupdate,
  EventKind.Psmash,
  EventKind.Pvalidate,
  EventKind.Rmpadjust,
  EventKind.Rmpquery,
  EventKind.Rmpread,
  EventKind.Firmware,
]);

/** The step's last failing instruction, fault or failed C result; undefined if nothing failed. */
export function lastFailure(machine: Machine): number | undefined {
  const { trace } = machine;
  for (let e = trace.length - 1; e >= machine.stepStart; e--) {
    const kind = trace.kind[e];
    if (kind === EventKind.Fault || kind === EventKind.FailedResult) return e;
    if (canFail.has(kind) && trace.code[e] !== 0) return e;
    // PVALIDATE that changed nothing (CF=1) is no success either.
    if (kind === EventKind.Pvalidate && (trace.a[e] & PVALIDATE_CF) !== 0) return e;
  }
  return undefined;
}

/** The last RMPUPDATE or PSMASH of this step before event `e`. */
export function lastInstruction(machine: Machine, e: number): number | undefined {
  const { kind } = machine.trace;
  for (let i = e - 1; i >= machine.stepStart; i--)
    if (kind[i] === EventKind.Rmpupdate || kind[i] === EventKind.Psmash) return i;
  return undefined;
}

/** The last warning or error that the kernel logged in this step. */
export function lastComplaint(machine: Machine): string | undefined {
  const line = machine.kernel.log.lines.findLast(({ level }) => level <= 4);
  return line !== undefined && line.event >= machine.stepStart ? line.text : undefined;
}
