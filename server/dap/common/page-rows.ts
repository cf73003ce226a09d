// Pages, guests and the host as variables: what the RMP, the nested page table and the kernel say of a page, and how it came to be so.

import { hex } from '../../../engine/base/text.ts';
import { watchedId } from '../../../engine/debug/data-watch.ts';
import { causesOf, describeEvent } from '../../../engine/debug/event-text.ts';
import type { PageAtHand } from '../../../engine/debug/page-at-hand.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { decodeWords, encodeWords, formatVmplMask, type RmpEntry } from '../../../engine/hardware/rmp-entry.ts';
import { queries } from '../../../engine/run/queries.ts';
import type { Value } from '../../../engine/scenario/program.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { type Container, fixed, type Row } from './rows.ts';

/** How readMemory names an RMP entry's bytes. */
export const rmpReference = (pfn: number): string => `rmp:${hex(pfn)}`;

export function pageContainer(session: DebugSession, page: PageAtHand): Container {
  return fixed(() => {
    const rows: Row[] = [];
    const { machine } = session;
    const { guest, gfn, pfn } = page;
    if (gfn !== undefined) rows.push({ name: 'gfn', value: hex(gfn) }, { name: 'gpa', value: hex(gfn * 4096) });
    if (pfn !== undefined) rows.push({ name: 'pfn', value: hex(pfn) }, rmpRow(session, pfn, 'rmp'));
    if (guest !== undefined && gfn !== undefined) rows.push(...guestPageRows(session, guest, gfn));
    if (pfn !== undefined && pfn < machine.hardware.memoryPages) {
      for (const query of ['directmap', 'refcount'])
        rows.push({
          name: query,
          value: found(session, query, [{ kind: 'pfn', value: pfn }]),
          evaluateName: `${query}(${hex(pfn)})`,
        });
      const change = machine.hardware.rmp.covers(pfn) ? machine.hardware.rmp.lastChange(pfn) : -1;
      if (change >= 0)
        rows.push({ name: 'history', value: describeEvent(machine, change), inside: history(session, change) });
    }
    return rows;
  });
}

function guestPageRows(session: DebugSession, guest: number, gfn: number): Row[] {
  const { machine } = session;
  const { name, asid } = machine.guests[guest];
  const args: Value[] = [
    { kind: 'guest', guest },
    { kind: 'gpa', value: gfn * 4096 },
  ];
  return ['attr', 'npt', 'folio'].map((query) => ({
    name: query,
    value: found(session, query, args),
    evaluateName: `${query}(${name}, ${hex(gfn * 4096)})`,
    ...(query === 'folio' ? {} : { dataId: watchedId({ kind: query as 'attr', asid, start: gfn, end: gfn + 1 }) }),
  }));
}

function found(session: DebugSession, query: string, args: readonly Value[]): string {
  const result = queries[query](session.machine, args);
  return 'error' in result ? result.error : result.text;
}

/** The chain of changes that led to the present entry, newest first. */
function history(session: DebugSession, event: number): Container {
  return fixed(() =>
    causesOf(session.machine, event).map((e, i) => ({
      name: String(i),
      value: `${describeEvent(session.machine, e)} · ${stepOf(session, e)}`,
    })),
  );
}

export function stepOf(session: DebugSession, event: number): string {
  const instance = session.machine.instanceOfEvent(event);
  if (instance === undefined || instance >= session.run.executed) return 'before the scenario';
  return `line ${session.locationOf(session.run.instructionOf(instance)).range.start.line + 1}`;
}

export function rmpRow(session: DebugSession, pfn: number, name: string): Row {
  const { machine } = session;
  return {
    name,
    value: machine.describeEntry(pfn),
    evaluateName: `rmp(${hex(pfn)})`,
    ...(machine.hardware.rmp.covers(pfn)
      ? {
          memoryReference: rmpReference(pfn),
          dataId: watchedId({ kind: 'rmp', start: pfn, end: pfn + 1 }),
          inside: entryContainer(session, pfn),
        }
      : {}),
  };
}

/** The page's own entry, field by field; they can be set. */
function entryContainer(session: DebugSession, pfn: number): Container {
  const { rmp } = session.machine.hardware;
  return fixed(() => {
    const words = [0, 1, 2, 3].map((n) => rmp.word(pfn, n));
    const entry = decodeWords(words[0], words[1], words[2], words[3]);
    const governing = rmp.governing(pfn);
    const field = (name: string, value: string, change: (entry: RmpEntry, n: number) => void): Row => ({
      name,
      value,
      memoryReference: rmpReference(pfn),
      // What lies under a 2M entry is not what rmp() speaks of.
      ...(governing === pfn ? { evaluateName: `rmp(${hex(pfn)}).${name}` } : {}),
      set: (text) => setField(session, pfn, text, change),
    });
    const bit = (name: 'assigned' | 'immutable' | 'validated' | 'vmsa' | 'lock', label: string = name): Row =>
      field(label, String(entry[name]), (e, n) => {
        e[name] = n !== 0;
      });
    const quad = (low: number, high: number): string =>
      ((BigInt(words[high]) << 32n) | BigInt(words[low])).toString(16).padStart(16, '0');
    return [
      bit('assigned'),
      field('size', entry.pageSize, (e, n) => {
        e.pageSize = n !== 0 ? '2M' : '4K';
      }),
      bit('immutable'),
      field('subpage_count', String(entry.subpageCount), (e, n) => {
        e.subpageCount = n;
      }),
      field('gpa', hex(entry.gpa), (e, n) => {
        e.gpa = n as typeof e.gpa;
      }),
      field('asid', String(entry.asid), (e, n) => {
        e.asid = n as typeof e.asid;
      }),
      bit('vmsa'),
      bit('validated'),
      bit('lock', 'locked'),
      ...entry.vmpl.map((mask, vmpl) =>
        field(`vmpl${vmpl}`, formatVmplMask(mask), (e, n) => {
          e.vmpl[vmpl] = n;
        }),
      ),
      { name: 'state', value: rmp.pageState(pfn as Parameters<typeof rmp.pageState>[0]) },
      { name: 'raw', value: `[0x${quad(0, 1)} - 0x${quad(2, 3)}]`, memoryReference: rmpReference(pfn) },
      ...(governing === pfn ? [] : [rmpRow(session, governing, '2M entry')]),
    ];
  });
}

function setField(
  session: DebugSession,
  pfn: number,
  text: string,
  change: (entry: RmpEntry, n: number) => void,
): string | undefined {
  const known: Record<string, number> = { true: 1, false: 0, '2M': 1, '4K': 0 };
  const n = known[text.trim()] ?? Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(n) || n < 0) return `${text} is no value of this field.`;
  const { hardware } = session.machine;
  const changed = (): RmpEntry => {
    const [w0, w1, w2, w3] = [0, 1, 2, 3].map((word) => hardware.rmp.word(pfn, word));
    const entry = decodeWords(w0, w1, w2, w3);
    change(entry, n);
    return entry;
  };
  const wanted = changed();
  const kept = decodeWords(...encodeWords(wanted));
  if (JSON.stringify(kept) !== JSON.stringify(wanted)) return `${text} does not fit into this field.`;
  session.whatIf(() => {
    const [w0, w1, w2, w3] = encodeWords(changed());
    hardware.writeRaw(pfn as Parameters<typeof hardware.writeRaw>[0], w0, w1, w2, w3);
  });
  return undefined;
}

export function guestContainer(session: DebugSession, index: number): Container {
  return fixed(() => {
    const { machine } = session;
    const guest = machine.guests[index];
    return [
      { name: 'asid', value: String(guest.asid) },
      {
        name: 'pages',
        value: `${machine.asidCounter(guest.asid)} assigned`,
        evaluateName: `asid_counter(${guest.asid})`,
      },
      { name: 'snp', value: String(guest.config.snp) },
      { name: 'vcpus', value: String(guest.config.vcpus) },
      ...guest.config.slots.map((slot) => ({
        name: `slot ${slot.id}`,
        value: `gpa ${hex(slot.gpaStart)}..${hex(slot.gpaEnd)} ${slot.private ? `private, from pfn ${hex(slot.pfn)}` : 'shared'}`,
      })),
    ];
  });
}

const COUNTED: readonly [string, number][] = [
  ['RMPUPDATE', EventKind.Rmpupdate],
  ['PSMASH', EventKind.Psmash],
  ['PVALIDATE', EventKind.Pvalidate],
  ['faults', EventKind.Fault],
];

export function hostContainer(session: DebugSession): Container {
  return fixed(() => {
    const { machine, timeline, run } = session;
    const { hardware, trace } = machine;
    const counts = COUNTED.map(([name, kind]) => {
      let n = 0;
      for (let e = 0; e < trace.length; e++) if (trace.kind[e] === kind) n++;
      return { name, value: String(n) };
    });
    const log = machine.logLines();
    return [
      { name: 'memory', value: `${hex(hardware.memoryPages)} pages` },
      { name: 'cpus', value: String(hardware.cpus) },
      { name: 'rmp', value: `covers ${hex(hardware.rmp.coveredPages)} pages`, inside: tableContainer(session) },
      ...counts,
      {
        name: 'log',
        value: `${log.length} ${log.length === 1 ? 'line' : 'lines'}`,
        inside: {
          indexed: log.length,
          rows: (start, n) => log.slice(start, start + n).map((line, i) => ({ name: `[${start + i}]`, value: line })),
        },
      },
      { name: 'instructions', value: String(timeline.now) },
      { name: 'steps', value: String(run.steps) },
    ];
  });
}

/** Every 2M region that was ever touched, and in it all its pages. */
function tableContainer(session: DebugSession): Container {
  const frames: number[] = [];
  session.machine.hardware.rmp.forEachTouchedRegion((frame) => frames.push(frame));
  const region = (frame: number): Row => {
    const { rmp } = session.machine.hardware;
    const head = frame * 512;
    const assigned = rmp.assignedTails(frame) + (rmp.isAssigned(head) ? 1 : 0);
    return {
      name: `${hex(head)}..${hex(head + 512)}`,
      value: rmp.isLarge(head) ? session.machine.describeEntry(head) : `${assigned} of 512 pages assigned`,
      memoryReference: rmpReference(head),
      dataId: watchedId({ kind: 'rmp', start: head, end: head + 512 }),
      inside: {
        indexed: 512,
        rows: (start, n) =>
          Array.from({ length: Math.max(0, Math.min(n, 512 - start)) }, (_, i) =>
            rmpRow(session, head + start + i, `[${hex(head + start + i)}]`),
          ),
      },
    };
  };
  return { indexed: frames.length, rows: (start, n) => frames.slice(start, start + n).map(region) };
}
