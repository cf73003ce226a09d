/** Events of the trace in words, for a page's history and for the chain of causes behind a finding. */
import { hex } from '../base/text.ts';
import { fwCommandName, fwStatusName } from '../hardware/firmware.ts';
import { rmpCodeName } from '../hardware/instruction-checks.ts';
import {
  operandIsAssigned,
  operandIsLarge,
  PVALIDATE_2M,
  PVALIDATE_CF,
  PVALIDATE_VALIDATE,
} from '../invariants/conduct.ts';
import type { Machine } from '../run/machine.ts';
import { EventKind } from '../trace/trace.ts';
import { describeFaultEvent } from './exceptions.ts';

/** One line: what happened, to which page, with what result. */
export function describeEvent(machine: Machine, e: number): string {
  const { trace } = machine;
  const [page, code, a, b] = [trace.page[e], trace.code[e], trace.a[e], trace.b[e]];
  const size = (large: boolean): string => (large ? '2M' : '4K');
  switch (trace.kind[e]) {
    case EventKind.Rmpupdate: {
      const what = operandIsAssigned(a) ? `assigned, GPA ${hex(b)}` : 'unassigned';
      return `RMPUPDATE pfn ${hex(page)} ${size(operandIsLarge(a))} ${what}: ${rmpCodeName(code, 'rmpupdate')}`;
    }
    case EventKind.Psmash:
      return `PSMASH pfn ${hex(page)}: ${rmpCodeName(code, 'psmash')}`;
    case EventKind.Pvalidate: {
      const what = (a & PVALIDATE_VALIDATE) !== 0 ? 'validate' : 'rescind';
      const result = (a & PVALIDATE_CF) !== 0 ? 'CF=1' : code < 0 ? 'fault' : rmpCodeName(code);
      return `PVALIDATE GPA ${hex(b)} ${size((a & PVALIDATE_2M) !== 0)} ${what}: ${result}`;
    }
    case EventKind.Rmpadjust:
      return `RMPADJUST pfn ${hex(page)}: ${rmpCodeName(code)}`;
    case EventKind.Firmware:
      return `${fwCommandName(a)}${page < 0 ? '' : ` of pfn ${hex(page)}`}: ${fwStatusName(code)}`;
    case EventKind.RmpWrite:
      return `RMP entry of pfn ${hex(page)} written`;
    case EventKind.Fault:
      return describeFaultEvent(machine, e);
    case EventKind.Attribute:
      return `attribute of gfn ${hex(page)}${code > 1 ? `..${hex(page + code)}` : ''}: ${a === 0 ? 'shared' : 'private'} → ${b === 0 ? 'shared' : 'private'}`;
    case EventKind.Npt:
      return a < 0
        ? `NPT: ${b} pages from gfn ${hex(page)} zapped`
        : `NPT: gfn ${hex(page)} → pfn ${hex(a)}, level ${b}`;
    case EventKind.DirectMap:
      return `direct map of pfn ${hex(page)}: ${b % 2 === 1 ? 'present' : 'not present'}`;
    case EventKind.PageRef:
      return `reference ${a > 0 ? 'taken' : 'dropped'} on pfn ${hex(page)}: now ${b}`;
    case EventKind.Log:
      return `printk: ${machine.logLines()[a] ?? ''}`;
    case EventKind.FailedResult:
      return `${machine.functionAt(trace.site[e]) ?? 'a function'}() sees ${code} come back`;
    case EventKind.Progress:
      return `${machine.functionAt(trace.site[e]) ?? 'a loop'}() goes on by ${a} to ${hex(b)}`;
    case EventKind.GetPfn:
      return code === 0
        ? `page ${hex(a)} of a private file is pfn ${hex(page)}, order ${b}`
        : `page ${hex(a)} of a private file: errno ${code}`;
    case EventKind.Lock:
      return b > 0 ? 'a lock is taken' : 'a lock is released';
    case EventKind.Access:
      return `access to ${hex(b)}`;
    case EventKind.TlbFlush:
      return trace.space[e] === 0 ? 'TLB flush of all' : `TLB flush of ASID ${trace.space[e]}`;
    case EventKind.PageFree:
      return `${code} pages from pfn ${hex(page)} are freed`;
    case EventKind.Rmpquery:
      return `RMPQUERY: ${code}`;
    case EventKind.Rmpread:
      return `RMPREAD pfn ${hex(page)}`;
    default:
      return `event ${trace.kind[e]}`;
  }
}

/** An event and the earlier changes of the same page that it follows from, newest first. */
export function causesOf(machine: Machine, event: number, limit = 10): number[] {
  const chain: number[] = [];
  for (let e = event; e >= 0 && chain.length < limit; e = machine.trace.cause[e]) chain.push(e);
  return chain;
}
