/** A page of a running machine: its addresses, what RMP, nested page table, attributes and direct map say of it, and how it came to be so. */
import { hex } from '../base/text.ts';
import type { Pfn } from '../base/units.ts';
import type { Machine } from '../run/machine.ts';
import { queries } from '../run/queries.ts';
import { type Change, why } from '../run/why.ts';
import type { Value } from '../scenario/program.ts';
import { formatQuantity } from '../scenario/quantity.ts';
import { type Block, type Line, type Link, list, table, text } from './prose.ts';
import { formatRaw } from './rmp-fields.ts';

/** A page as it was named: by guest and gfn, by frame, or both. */
export interface PageName {
  guest: number | undefined;
  gfn: number | undefined;
  pfn: number | undefined;
}

/** What the tables say of a page at one moment, in their words. */
export interface PageState {
  name: PageName;
  rows: readonly { label: string; value: string }[];
}

/** The frame behind a gfn, and the guest and gfn that a frame is bound to or backs. */
export function completed(machine: Machine, { guest, gfn, pfn }: PageName): PageName {
  if (pfn === undefined && gfn !== undefined && guest !== undefined)
    return { guest, gfn, pfn: machine.backingPfn(guest, gfn * 4096) };
  if (gfn !== undefined || pfn === undefined) return { guest, gfn, pfn };
  if (machine.hardware.rmp.covers(pfn)) {
    const entry = machine.entry(pfn);
    const owner = machine.guests.findIndex((one) => one.asid === entry.asid);
    if (entry.assigned && owner >= 0) return { guest: owner, gfn: entry.gfn, pfn };
  }
  for (const [index, { config }] of machine.guests.entries()) {
    for (const slot of config.slots) {
      const first = slot.pfn + slot.fileOffset;
      if (slot.private && pfn >= first && pfn < first + (slot.gpaEnd - slot.gpaStart) / 4096)
        return { guest: index, gfn: slot.gpaStart / 4096 + pfn - first, pfn };
    }
  }
  return { guest: undefined, gfn: undefined, pfn };
}

export function readPage(machine: Machine, named: PageName): PageState {
  const name = completed(machine, named);
  const { guest, gfn, pfn } = name;
  const rows: { label: string; value: string }[] = [];
  const ask = (label: string, query: string, args: readonly Value[]): void => {
    const found = queries[query](machine, args);
    if (!('error' in found)) rows.push({ label, value: found.text });
  };
  if (pfn !== undefined) {
    rows.push({ label: 'RMP', value: machine.describeEntry(pfn) });
    if (machine.hardware.rmp.covers(pfn)) {
      const { rmp } = machine.hardware;
      rows.push({ label: 'state', value: rmp.pageState(pfn as Pfn) });
      rows.push({ label: 'raw', value: formatRaw(rmp.rawLow(pfn as Pfn), rmp.rawHigh(pfn as Pfn)) });
      if (pfn % 512 === 0) rows.push({ label: 'subpage count', value: String(rmp.subpageCount(pfn)) });
    }
  }
  if (guest !== undefined && gfn !== undefined) {
    const args: Value[] = [
      { kind: 'guest', guest },
      { kind: 'gpa', value: gfn * 4096 },
    ];
    ask('NPT', 'npt', args);
    ask('attribute', 'attr', args);
  }
  if (pfn !== undefined && pfn < machine.hardware.memoryPages)
    ask('direct map', 'directmap', [{ kind: 'pfn', value: pfn }]);
  return { name, rows };
}

/** Address, frames and slot: `GPA 64K = gfn 0x10 of guest g → pfn 0x40010 = SPA 0x40010000`. */
export function pageTitle(machine: Machine, { guest, gfn, pfn }: PageName): Line {
  const parts: string[] = [];
  if (gfn !== undefined) {
    const of = guest === undefined ? '' : ` of guest ${machine.guests[guest].name}`;
    parts.push(`GPA ${quantityWithHex(gfn * 4096)} = gfn ${hex(gfn)}${of}`);
  }
  if (pfn !== undefined) parts.push(`pfn ${hex(pfn)} = SPA ${hex(pfn * 4096)}`);
  return [{ strong: parts.join(' → ') }];
}

function quantityWithHex(n: number): string {
  const written = formatQuantity(n);
  return written.startsWith('0x') || n < 10 ? written : `${written} (${hex(n)})`;
}

/** Which memory slot holds the page, and what backs it. */
export function slotText(machine: Machine, { guest, gfn, pfn }: PageName): string {
  if (guest === undefined || gfn === undefined) return 'It backs no memory of a guest.';
  const { asid, name } = machine.guests[guest];
  const slot = machine.kernel.slots.find(asid, gfn);
  if (slot === undefined) return `No memory slot of guest ${name} holds it.`;
  const id = [...machine.guests[guest].slots.keys()].find((one) => {
    const config = machine.guests[guest].config.slots.find((s) => s.id === one);
    return config !== undefined && gfn * 4096 >= config.gpaStart && gfn * 4096 < config.gpaEnd;
  });
  const which = id === undefined ? 'A slot' : `Slot ${id}`;
  if (!slot.private) return `${which}, without private memory.`;
  const folio = machine.kernel.restricted.folio(slot.file, slot.index + gfn - slot.baseGfn);
  if (folio === undefined || pfn === undefined) return `${which}, private; no folio backs it.`;
  const inside = pfn - folio.pfn;
  return `${which}, private: ${inside === 0 ? 'first page' : `page ${hex(inside)}`} of an order ${folio.order} folio at pfn ${hex(folio.pfn)}${folio.allocated ? '' : ', not allocated yet'}.`;
}

/** One column if nothing changed, two if something did; the rows that changed first. */
export function stateTable(before: PageState, after: PageState | undefined): Block {
  const later = after?.rows ?? before.rows;
  const rows = later.map(({ label, value }) => ({
    label,
    value,
    was: before.rows.find((row) => row.label === label)?.value ?? '',
  }));
  const changed = after !== undefined && rows.some(({ value, was }) => value !== was);
  if (!changed)
    return table([
      [[''], [after === undefined ? 'here' : 'unchanged by this line']],
      ...rows.map(({ label, value }) => [[label], [{ code: value }]]),
    ]);
  return table([
    [[''], ['before this line'], ['after it']],
    ...rows.map(({ label, value, was }): Line[] => [
      [label],
      [{ code: was }],
      value === was ? ['='] : [{ code: value }],
    ]),
  ]);
}

/** Where things stand, for links. */
export interface StepPlaces {
  /** The step of an instance: its line and what it is. */
  step(instance: number): { link: Link; text: string };
}

/** Who made the page what it is, newest first: for the entry, and for the mapping and the attribute where they are not of the same step. */
export function history(machine: Machine, { guest, gfn, pfn }: PageName, places: StepPlaces, limit = 4): Block[] {
  const blocks: Block[] = [];
  const chain = pfn === undefined ? [] : why(machine, { of: 'rmp', pfn }, limit);
  if (chain.length > 0)
    blocks.push(text('The entry, last change first:'), list(chain.map((change) => changeLine(change, places))));
  if (guest !== undefined && gfn !== undefined) {
    const { asid } = machine.guests[guest];
    const others = [...why(machine, { of: 'attribute', asid, gfn }, 1), ...why(machine, { of: 'npt', asid, gfn }, 1)];
    if (others.length > 0)
      blocks.push(
        text(chain.length > 0 ? 'Besides:' : 'Last changes:'),
        list(others.map((change) => changeLine(change, places))),
      );
  }
  return blocks;
}

function changeLine({ instance, what, frames }: Change, places: StepPlaces): Line {
  const line: (string | { text: string; to: Link })[] = [what];
  if (instance === undefined) line.push(', before the scenario');
  else {
    const { link, text: said } = places.step(instance);
    line.push(' · ', { text: `line ${link.line + 1}`, to: link }, ` ${said}`);
  }
  const own = frames.find((frame) => frame.override) ?? frames[0];
  if (own !== undefined) {
    const { path, range } = own.location;
    line.push(` · ${own.function}() `, {
      text: `${path.split('/').pop()}:${range.start.line + 1}`,
      to: { path, line: range.start.line },
    });
  }
  return line;
}

// ---------------------------------------------------------------- many pages

/** Pages that are looked at one by one; of a larger range, those at its beginning. */
const PAGE_LIMIT = 4096;

export interface PageRun {
  start: number;
  end: number;
  value: string;
}

/** The entry of a page without its GPA, which differs from page to page. */
export const entryOf = (machine: Machine, pfn: number): string =>
  machine.describeEntry(pfn).replace(/ · gpa 0x[0-9a-f]+/, '');

/** Pages [start, end) with what is read of each, equal neighbours together. `rest`: pages that were not looked at. */
export function runsOf(start: number, end: number, read: (page: number) => string): { runs: PageRun[]; rest: number } {
  const runs: PageRun[] = [];
  const stop = Math.min(end, start + PAGE_LIMIT);
  for (let page = start; page < stop; page++) {
    const value = read(page);
    const last = runs[runs.length - 1];
    if (last !== undefined && last.end === page && last.value === value) last.end++;
    else runs.push({ start: page, end: page + 1, value });
  }
  return { runs, rest: end - stop };
}

/** Two descriptions of the same pages as one. */
export function* pairedRuns(
  before: readonly PageRun[],
  after: readonly PageRun[],
): Iterable<{ start: number; end: number; was: string; is: string }> {
  for (let i = 0, j = 0; i < before.length && j < after.length; ) {
    const start = Math.max(before[i].start, after[j].start);
    const end = Math.min(before[i].end, after[j].end);
    if (start < end) yield { start, end, was: before[i].value, is: after[j].value };
    const ends = [before[i].end <= end, after[j].end <= end];
    if (ends[0]) i++;
    if (ends[1]) j++;
  }
}

export const rangeText = (start: number, end: number): string =>
  end - start === 1 ? hex(start) : `${hex(start)}..${hex(end)}`;
