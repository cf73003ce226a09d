/**
 * What a data breakpoint watches: pages in the RMP, a guest's nested page table or its attributes, found by the trace's events; or a variable of C,
 * found by looking at it after every instruction.
 */
import { hex } from '../base/text.ts';
import { type PgLevel, pagesPerLevel } from '../base/units.ts';
import { operandIsLarge, PVALIDATE_2M, PVALIDATE_CF } from '../invariants/conduct.ts';
import type { Machine } from '../run/machine.ts';
import { EventKind, type Trace } from '../trace/trace.ts';

export type Watched =
  | { kind: 'rmp'; start: number; end: number }
  | { kind: 'npt' | 'attr'; asid: number; start: number; end: number }
  /** `depth`: the frame that a local belongs to, which must still be there. */
  | { kind: 'c'; pointer: number; slots: number; depth: number; function: number };

/** As a breakpoint's id says it; stable, so that it can be set again in the next session (but for variables of C). */
export function watchedId(watched: Watched): string {
  switch (watched.kind) {
    case 'rmp':
      return `rmp:${hex(watched.start)}:${watched.end - watched.start}`;
    case 'c':
      return `c:${watched.pointer}:${watched.slots}:${watched.depth}:${watched.function}`;
    default:
      return `${watched.kind}:${watched.asid}:${hex(watched.start)}:${watched.end - watched.start}`;
  }
}

export function parseWatched(id: string): Watched | undefined {
  const [kind, ...rest] = id.split(':');
  const numbers = rest.map(Number);
  if (numbers.some((n) => !Number.isSafeInteger(n))) return undefined;
  if (kind === 'rmp' && numbers.length === 2) return { kind, start: numbers[0], end: numbers[0] + numbers[1] };
  if ((kind === 'npt' || kind === 'attr') && numbers.length === 3)
    return { kind, asid: numbers[0], start: numbers[1], end: numbers[1] + numbers[2] };
  if (kind === 'c' && numbers.length === 4)
    return { kind, pointer: numbers[0], slots: numbers[1], depth: numbers[2], function: numbers[3] };
  return undefined;
}

/** Kinds of events that a watch of pages has to look at. */
export const WATCHED_KINDS: ReadonlySet<number> = new Set([
  EventKind.Rmpupdate,
  EventKind.Psmash,
  EventKind.Pvalidate,
  EventKind.Rmpadjust,
  EventKind.Firmware,
  EventKind.RmpWrite,
  EventKind.Attribute,
  EventKind.Npt,
]);

/**
 * Whether the event just recorded changes what is watched. Stores of attributes make one event of a run, which grows: its last pages are the news.
 * The count of subpages that the first entry of a 2M region keeps is no change of that entry.
 */
export function changes(machine: Machine, event: number, watched: Watched): boolean {
  const { trace } = machine;
  if (watched.kind === 'c') return false;
  if (watched.kind !== 'rmp' && trace.space[event] !== watched.asid) return false;
  if (watched.kind === 'npt') return trace.kind[event] === EventKind.Npt && changesNpt(machine, event, watched);
  const pages = pagesOf(trace, event, watched.kind);
  if (pages === 0) return false;
  const page = watched.kind === 'attr' ? trace.page[event] + trace.code[event] - pages : trace.page[event];
  return page < watched.end && page + pages > watched.start;
}

/** An entry set or a range zapped. Entries that overlap it go as a whole, and are there still when the event is told. */
function changesNpt(machine: Machine, event: number, watched: { asid: number; start: number; end: number }): boolean {
  const { trace } = machine;
  const isZap = trace.a[event] < 0;
  const start = trace.page[event];
  const end = start + (isZap ? trace.code[event] : pagesPerLevel(trace.b[event] as PgLevel));
  if (!isZap && start < watched.end && end > watched.start) return true;
  const guest = machine.guests.find(({ asid }) => asid === watched.asid);
  if (guest === undefined) return false;
  let found = false;
  machine.contextOf(guest).npt.forEachIn(watched.start, watched.end, (first, { level }) => {
    const from = first - (first % pagesPerLevel(level));
    if (from < end && from + pagesPerLevel(level) > start) found = true;
  });
  return found;
}

/** Pages from the event's page on that it changed in a table; 0 if none. */
function pagesOf(trace: Trace, event: number, table: 'rmp' | 'attr'): number {
  const [code, a, b] = [trace.code[event], trace.a[event], trace.b[event]];
  switch (trace.kind[event]) {
    case EventKind.Rmpupdate:
      return table === 'rmp' && code === 0 ? (operandIsLarge(a) ? 512 : 1) : 0;
    case EventKind.Psmash:
      return table === 'rmp' && code === 0 ? 512 : 0;
    case EventKind.Pvalidate:
      return table === 'rmp' && code === 0 && (a & PVALIDATE_CF) === 0 ? ((a & PVALIDATE_2M) !== 0 ? 512 : 1) : 0;
    case EventKind.Rmpadjust:
    case EventKind.Firmware:
      return table === 'rmp' && code === 0 ? 1 : 0;
    case EventKind.RmpWrite:
      return table === 'rmp' ? 1 : 0;
    case EventKind.Attribute:
      return table === 'attr' && a !== b ? trace.news : 0;
    default:
      return 0;
  }
}

/** What a watched variable holds, to be compared; undefined once its frame is gone. */
export function watchedValue(machine: Machine, watched: Extract<Watched, { kind: 'c' }>): string | undefined {
  const { thread, vm } = machine;
  if (watched.depth >= 0) {
    if (thread.depth < watched.depth || thread.status !== 'running') return undefined;
    if (thread.functions[watched.depth] !== watched.function) return undefined;
  }
  let text = '';
  for (let i = 0; i < watched.slots; i++) text += `${vm.access.read(thread, watched.pointer, i)} `;
  return text;
}
