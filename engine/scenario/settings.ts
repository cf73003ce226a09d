/** The settings of `host { … }` and `guest g { … }`. */
import * as t from '../generated/scenario-parser-terms.ts';
import { type HardwareOptionValue, hardwareOption, hardwareOptionTable } from '../hardware/options.ts';
import { reservedFrames } from '../hardware/rmp-geometry.ts';
import { kernelOption, kernelOptionTable } from '../kernel/kernel-options.ts';
import { type Context, quoted, suggestion } from './context.ts';
import { reportBraces } from './lower-block.ts';
import { PAGE, type RangeValue } from './numbers.ts';
import type { GuestConfig, HostConfig, SlotConfig } from './program.ts';
import { formatQuantity } from './quantity.ts';
import { fixedPages, isPlace, placeRmp, RMP_SETTINGS, type RmpLines } from './rmp-setting.ts';
import { integer, once, type SettingSpec, settled, single } from './setting-values.ts';
import { child, type SyntaxNode } from './syntax.ts';
import { reportFlaw } from './syntax-problems.ts';

export const DEFAULT_HOST = { memoryBytes: 2 ** 32, cpus: 1 } as const;

export const HOST_SETTINGS: readonly SettingSpec[] = [
  { name: 'memory', written: 'memory 4G', doc: 'Host memory. Default 4G.' },
  ...RMP_SETTINGS,
  {
    name: 'cpus',
    written: 'cpus 4',
    doc: 'Present CPUs. The retry limit of rmpupdate() in RFC v8 depends on it. Default 1.',
  },
  {
    name: 'option',
    written: 'option sizem-on-plain-access = on',
    doc: 'A point that the manuals leave open, or that differs between processors. See the list of options.',
  },
];
export const GUEST_SETTINGS: readonly SettingSpec[] = [
  { name: 'asid', written: 'asid 1', doc: 'ASID, 1 to 1022. Default: the first that is free.' },
  { name: 'vcpus', written: 'vcpus 2', doc: 'Number of vCPUs. Default 1.' },
  { name: 'snp', written: 'snp on', doc: 'Whether it is an SNP guest. Default on.' },
  {
    name: 'slot',
    written: 'slot 0 gpa 0..1G private folio 2M pfn 0x40000',
    doc: 'A memory slot: its GPAs, and how its private memory is backed.',
  },
];
export const SLOT_SETTINGS: readonly SettingSpec[] = [
  { name: 'gpa', written: 'gpa 0..1G', doc: 'Its guest-physical bytes, half-open, in whole pages.' },
  {
    name: 'private',
    written: 'private',
    doc: 'It can hold private memory (KVM_MEM_PRIVATE, KVM_MEM_GUEST_MEMFD). The default.',
  },
  { name: 'shared', written: 'shared', doc: 'It cannot hold private memory.' },
  {
    name: 'folio',
    written: 'folio 2M, folio order 4',
    doc: 'Size of the folios that back it, up to 1G (order 18). Default 4K.',
  },
  {
    name: 'pfn',
    written: 'pfn 0x40000',
    doc: 'First frame of the backing file, a multiple of the folio size. Default: the first that is free from 1G up.',
  },
  { name: 'offset', written: 'offset 4K', doc: 'Where in its backing file the slot begins, in bytes. Default 0.' },
];

const MAX_MEMORY = 2 ** 46;
const MAX_CPUS = 8192;
const MAX_ASID = 0x3fe;
const MAX_VCPUS = 4096;
const MAX_SLOT_ID = 32_767;
export const MAX_ORDER = 18;
/** Slots of a guest, and of all guests together; KVM takes more, but nobody writes them down. */
const MAX_SLOTS = 512;
const MAX_ALL_SLOTS = 2048;

/** The setting lines of a block, flaws and strays reported. */
export function settingLines(ctx: Context, block: SyntaxNode | undefined): SyntaxNode[] {
  if (block === undefined) return [];
  const lines: SyntaxNode[] = [];
  const { children } = block;
  reportBraces(ctx, children, block.from);
  for (let i = 0; i < children.length; i++) {
    const node = children[i];
    if (node.type === t.Junk) strayText(ctx, node, children[i - 1]);
    else if (node.type === t.StrayBlock)
      ctx.problem('SYNTAX', { from: node.from, to: node.from + 1 }, 'No block belongs here.');
    else if (node.type === t.Setting && !reportFlaw(ctx, node)) lines.push(node);
  }
  return lines;
}

function strayText(ctx: Context, junk: SyntaxNode, before: SyntaxNode | undefined): void {
  const node = { from: junk.from, to: junk.from + ctx.source(junk).trimEnd().length };
  const sameLine = before?.type === t.Setting && !/[\n\r]/.test(ctx.text.slice(before.to, junk.from));
  ctx.problem(
    'SYNTAX',
    node,
    sameLine
      ? `The setting ends before ${quoted(ctx, node)}. There is one setting to a line.`
      : `${quoted(ctx, node)} is no setting.`,
  );
}

function unknownSetting(ctx: Context, line: SyntaxNode, specs: readonly SettingSpec[], where: string): void {
  const first = line.children[0];
  const { text, fixes } = suggestion(
    ctx.source(first),
    specs.map((s) => s.name),
    'Settings',
  );
  ctx.problem(
    'NAME',
    first,
    `${where} has no setting ${quoted(ctx, first)}.${text || ` Settings: ${specs.map((s) => s.name).join(', ')}.`}`,
    fixes,
  );
}

// ---------------------------------------------------------------- host

export function hostSettings(ctx: Context, block: SyntaxNode | undefined): HostConfig {
  const host: HostConfig = { ...DEFAULT_HOST, options: [] };
  const seen = new Map<string, SyntaxNode>();
  const rmpLines: RmpLines = { segments: [] };
  for (const line of settingLines(ctx, block)) {
    const first = line.children[0];
    if (first.type === t.kwOption) {
      option(ctx, line, host, seen);
      continue;
    }
    const spec = HOST_SETTINGS.find((s) => s.name === ctx.source(first));
    if (spec === undefined) {
      unknownSetting(ctx, line, HOST_SETTINGS, 'The host');
      continue;
    }
    if (spec.name === 'segment') {
      rmpLines.segments.push(line);
      continue;
    }
    if (spec.name === 'rmp' && isPlace(ctx, line)) {
      if (once(ctx, seen, line, spec.name)) rmpLines.rmp = line;
      continue;
    }
    const value = single(ctx, line, spec);
    if (value === undefined) continue;
    if (spec.name === 'fixed') {
      fixedPages(ctx, value, host);
      continue;
    }
    if (!once(ctx, seen, line, spec.name)) continue;
    if (spec.name === 'memory') {
      const bytes = integer(ctx, value, 'Host memory', 2 ** 24, MAX_MEMORY, 'size');
      if (bytes === undefined) continue;
      if (bytes % 2 ** 21 !== 0)
        ctx.problem('VALUE', value, `Host memory is a multiple of 2M, and this is ${formatQuantity(bytes)}.`);
      else host.memoryBytes = bytes;
    } else if (spec.name === 'rmp') {
      const bytes = integer(ctx, value, 'Memory covered by the RMP', 0, MAX_MEMORY, 'size');
      if (bytes === undefined) continue;
      if (bytes % 2 ** 21 !== 0)
        ctx.problem(
          'VALUE',
          value,
          `Memory covered by the RMP is a multiple of 2M, and this is ${formatQuantity(bytes)}.`,
        );
      else host.coveredBytes = bytes;
    } else {
      host.cpus = integer(ctx, value, 'The number of CPUs', 1, MAX_CPUS) ?? host.cpus;
    }
  }
  placeRmp(ctx, rmpLines, host);
  return host;
}

function option(ctx: Context, line: SyntaxNode, host: HostConfig, seen: Map<string, SyntaxNode>): void {
  const nameNode = child(line, t.OptionName);
  const valueNode = line.children[2];
  if (nameNode === undefined || valueNode === undefined) return;
  const name = ctx.source(nameNode);
  const row = hardwareOption(name) ?? kernelOption(name);
  if (row === undefined) {
    const names = [...hardwareOptionTable, ...kernelOptionTable].map((r) => r.name);
    const { text, fixes } = suggestion(name, names, 'Options');
    ctx.problem('NAME', nameNode, `There is no option \`${name}\`.${text}`, fixes);
    return;
  }
  if (!once(ctx, seen, line, name)) return;
  if ('kind' in row && row.kind === 'status') {
    const status = integer(ctx, valueNode, `\`${name}\``, 0, 0xffff);
    if (status !== undefined) host.options.push({ name, value: status, span: ctx.span(line) });
    return;
  }
  const allowed: readonly HardwareOptionValue[] = 'values' in row ? row.values : [true, false];
  // Words may have dashes, which the grammar reads as minus signs.
  const source = ctx.source(valueNode).replace(/\s+/g, '');
  const value = allowed.find((v) => source === wordOf(v) || source === String(v));
  if (value === undefined) {
    const words = allowed.map(wordOf);
    const { fixes } = suggestion(source, words, 'Values');
    ctx.problem(
      'VALUE',
      valueNode,
      `\`${name}\` is ${words.slice(0, -1).join(', ')} or ${words.at(-1)}. ${row.doc}`,
      fixes,
    );
    return;
  }
  host.options.push({ name, value, span: ctx.span(line) });
}

const wordOf = (value: HardwareOptionValue): string =>
  value === true ? 'on' : value === false ? 'off' : String(value);

// ---------------------------------------------------------------- guests

/** A guest as declared; pfns that are left open are -1 until {@link placeSlots} has seen all guests. */
export function guestSettings(
  ctx: Context,
  name: string,
  block: SyntaxNode | undefined,
  whole: SyntaxNode,
): GuestConfig {
  const guest: GuestConfig = { name, asid: 0, snp: true, vcpus: 1, slots: [], span: ctx.span(whole) };
  const seen = new Map<string, SyntaxNode>();
  for (const line of settingLines(ctx, block)) {
    const spec = GUEST_SETTINGS.find((s) => s.name === ctx.source(line.children[0]));
    if (spec === undefined) {
      unknownSetting(ctx, line, GUEST_SETTINGS, 'A guest');
      continue;
    }
    if (spec.name === 'slot') {
      if (guest.slots.length === MAX_SLOTS) {
        ctx.problem('VALUE', line, `A guest has ${MAX_SLOTS} slots at most.`);
        break;
      }
      const slot = slotSettings(ctx, line, guest);
      if (slot !== undefined) guest.slots.push(slot);
      continue;
    }
    const value = single(ctx, line, spec);
    if (value === undefined || !once(ctx, seen, line, spec.name)) continue;
    if (spec.name === 'asid') guest.asid = integer(ctx, value, 'An ASID', 1, MAX_ASID) ?? 0;
    else if (spec.name === 'vcpus') guest.vcpus = integer(ctx, value, 'The number of vCPUs', 1, MAX_VCPUS) ?? 1;
    else {
      const word = ctx.source(value);
      if (word !== 'on' && word !== 'off')
        ctx.problem('VALUE', value, `\`snp\` is on or off, not ${quoted(ctx, value)}.`);
      else guest.snp = word === 'on';
    }
  }
  return guest;
}

function slotSettings(ctx: Context, line: SyntaxNode, guest: GuestConfig): SlotConfig | undefined {
  const [, idNode, ...parts] = line.children;
  if (idNode === undefined)
    return ctx.problem('ARGUMENT', line, `A slot has an id and GPAs: \`${GUEST_SETTINGS[3].written}\`.`);
  const id = integer(ctx, idNode, 'The id of a slot', 0, MAX_SLOT_ID);
  const slot: SlotConfig = {
    id: id ?? 0,
    gpaStart: 0,
    gpaEnd: 0,
    private: true,
    folioOrder: 0,
    pfn: -1,
    fileOffset: 0,
    span: ctx.span(line),
  };
  let ok = id !== undefined;
  const seen = new Set<string>();
  for (let i = 0; i < parts.length; i++) {
    const key = ctx.source(parts[i]);
    const spec = parts[i].type === t.Name ? SLOT_SETTINGS.find((s) => s.name === key) : undefined;
    if (spec === undefined) {
      const { text, fixes } = suggestion(
        key,
        SLOT_SETTINGS.map((s) => s.name),
        'Settings',
      );
      return ctx.problem('NAME', parts[i], `A slot has no setting ${quoted(ctx, parts[i])}.${text}`, fixes);
    }
    const exclusive = key === 'private' || key === 'shared' ? 'private or shared' : key;
    if (seen.has(exclusive)) return ctx.problem('DUPLICATE', parts[i], `\`${exclusive}\` is set already.`);
    seen.add(exclusive);
    if (key === 'private' || key === 'shared') {
      slot.private = key === 'private';
      continue;
    }
    let value = parts[++i];
    const isOrder = key === 'folio' && value !== undefined && ctx.source(value) === 'order';
    if (isOrder) value = parts[++i];
    if (value === undefined)
      return ctx.problem('ARGUMENT', parts[i - 1], `\`${key}\` takes a value: \`${spec.written}\`.`);
    if (!slotValue(ctx, slot, key, isOrder, value)) ok = false;
  }
  if (!ok) return undefined;
  if (!seen.has('gpa')) return ctx.problem('ARGUMENT', line, 'A slot says which GPAs it has: `gpa 0..1G`.');
  if (!slot.private && (seen.has('pfn') || seen.has('folio') || seen.has('offset'))) {
    return ctx.problem(
      'ARGUMENT',
      line,
      '`folio`, `pfn` and `offset` are about private backing, and this slot is shared.',
    );
  }
  const folio = 2 ** slot.folioOrder;
  if (slot.pfn >= 0 && slot.pfn % folio !== 0) {
    return ctx.problem(
      'VALUE',
      line,
      `A backing of ${formatQuantity(folio * PAGE)} folios starts at a pfn that is a multiple of 0x${folio.toString(16)}, not at 0x${slot.pfn.toString(16)}. For frames that do not line up with the GPAs, use \`offset\`.`,
    );
  }
  const other = guest.slots.find((s) => s.id === slot.id);
  if (other !== undefined)
    return ctx.problem(
      'DUPLICATE',
      idNode,
      `Guest ${guest.name} has a slot ${slot.id} already.`,
      [],
      [{ message: 'declared here', span: other.span }],
    );
  const overlap = guest.slots.find((s) => s.gpaStart < slot.gpaEnd && slot.gpaStart < s.gpaEnd);
  if (overlap !== undefined)
    return ctx.problem(
      'VALUE',
      line,
      `Slot ${slot.id} overlaps slot ${overlap.id} (${formatQuantity(overlap.gpaStart)}..${formatQuantity(overlap.gpaEnd)}).`,
      [],
      [{ message: 'declared here', span: overlap.span }],
    );
  return slot;
}

function slotValue(ctx: Context, slot: SlotConfig, key: string, isOrder: boolean, node: SyntaxNode): boolean {
  switch (key) {
    case 'gpa': {
      const range = settled(ctx, node, 'gpa-range', 'The GPAs of a slot') as RangeValue | undefined;
      if (range === undefined) return false;
      if (range.start % PAGE !== 0 || range.end % PAGE !== 0 || range.start === range.end) {
        ctx.problem('VALUE', node, 'A slot has whole pages, at least one: its bounds are multiples of 4K.');
        return false;
      }
      slot.gpaStart = range.start;
      slot.gpaEnd = range.end;
      return true;
    }
    case 'folio': {
      if (isOrder) {
        const order = integer(ctx, node, 'The order of a folio', 0, MAX_ORDER);
        slot.folioOrder = order ?? 0;
        return order !== undefined;
      }
      const bytes = integer(ctx, node, 'The size of a folio', PAGE, 2 ** 30, 'size');
      if (bytes === undefined) return false;
      const order = Math.log2(bytes / PAGE);
      if (!Number.isInteger(order)) {
        ctx.problem('VALUE', node, `A folio has a power of 2 of pages: 4K, 8K, … 2M, … 1G; or \`folio order n\`.`);
        return false;
      }
      slot.folioOrder = order;
      return true;
    }
    case 'pfn': {
      const pfn = integer(ctx, node, 'The first pfn', 0, 2 ** 40 - 1, 'pfn');
      slot.pfn = pfn ?? -1;
      return pfn !== undefined;
    }
    default: {
      const bytes = integer(ctx, node, 'The offset in the backing file', 0, 2 ** 46, 'size');
      if (bytes === undefined) return false;
      if (bytes % PAGE !== 0) {
        ctx.problem('VALUE', node, 'The offset is in bytes, a multiple of 4K.');
        return false;
      }
      slot.fileOffset = bytes / PAGE;
      return true;
    }
  }
}

/** First frame that is tried for a backing whose pfn is left open; and the first when that does not fit. */
const FIRST_PFN = 0x40000;
const LOWEST_PFN = 0x1000;

/** Frames of a slot's backing file: whole folios from its first. */
export function backingPages(slot: SlotConfig): number {
  const folio = 2 ** slot.folioOrder;
  return Math.ceil((slot.fileOffset + (slot.gpaEnd - slot.gpaStart) / PAGE) / folio) * folio;
}

/** ASIDs that were left open, frames that were left open, and what does not fit together. Slots that cannot be placed are removed. */
export function placeGuests(ctx: Context, guests: GuestConfig[], host: HostConfig): void {
  const asids = new Map<number, GuestConfig>();
  for (const guest of guests) {
    if (guest.asid === 0) continue;
    const other = asids.get(guest.asid);
    if (other !== undefined)
      ctx.report(
        'DUPLICATE',
        guest.span,
        `Guests ${other.name} and ${guest.name} both have ASID ${guest.asid}.`,
        'error',
        [],
        [{ message: 'declared here', span: other.span }],
      );
    else asids.set(guest.asid, guest);
  }
  let next = 1;
  for (const guest of guests) {
    if (guest.asid !== 0) continue;
    while (asids.has(next)) next++;
    guest.asid = next;
    asids.set(next, guest);
  }
  const top = host.memoryBytes / PAGE;
  let slots = 0;
  for (const guest of guests) {
    slots += guest.slots.length;
    if (slots <= MAX_ALL_SLOTS) continue;
    ctx.report(
      'VALUE',
      guest.span,
      `The guests of a file have ${MAX_ALL_SLOTS} slots at most; those of guest ${guest.name} are left out.`,
      'error',
    );
    slots -= guest.slots.length;
    guest.slots = [];
  }
  const taken: { from: number; to: number; slot: SlotConfig; guest: GuestConfig }[] = [];
  const reserved = reservedFrames(host.rmp, host.fixed).map(({ start, end }) => ({ from: start, to: end }));
  const all = guests.flatMap((guest) => guest.slots.filter((slot) => slot.private).map((slot) => ({ guest, slot })));
  const remove = (guest: GuestConfig, slot: SlotConfig): void => {
    guest.slots = guest.slots.filter((s) => s !== slot);
  };
  for (const { guest, slot } of all) {
    if (slot.pfn < 0) continue;
    const to = slot.pfn + backingPages(slot);
    const other = taken.find((t) => t.from < to && slot.pfn < t.to);
    if (to > top) {
      ctx.report(
        'VALUE',
        slot.span,
        `The backing of slot ${slot.id} ends at pfn 0x${to.toString(16)}, beyond the host's ${formatQuantity(host.memoryBytes)} of memory. Say \`memory …\` in \`host\`, or a lower pfn.`,
        'error',
      );
      remove(guest, slot);
    } else if (other !== undefined) {
      ctx.report(
        'VALUE',
        slot.span,
        `Its frames 0x${slot.pfn.toString(16)}..0x${to.toString(16)} back slot ${other.slot.id} of guest ${other.guest.name} already (0x${other.from.toString(16)}..0x${other.to.toString(16)}).`,
        'error',
        [],
        [{ message: 'declared here', span: other.slot.span }],
      );
      remove(guest, slot);
    } else taken.push({ from: slot.pfn, to, slot, guest });
  }
  for (const { guest, slot } of all) {
    if (slot.pfn >= 0) continue;
    const pages = backingPages(slot);
    const align = Math.max(512, 2 ** slot.folioOrder);
    const used = [...taken, ...reserved];
    const pfn = freeFrames(used, FIRST_PFN, pages, align, top) ?? freeFrames(used, LOWEST_PFN, pages, align, top);
    if (pfn === undefined) {
      ctx.report(
        'VALUE',
        slot.span,
        `${formatQuantity(pages * PAGE)} for slot ${slot.id} do not fit into the host's ${formatQuantity(host.memoryBytes)} of memory. Say \`memory …\` in \`host\`.`,
        'error',
      );
      remove(guest, slot);
      continue;
    }
    slot.pfn = pfn;
    taken.push({ from: pfn, to: pfn + pages, slot, guest });
  }
  for (const guest of guests) for (const slot of guest.slots) if (slot.pfn < 0) slot.pfn = 0;
}

function freeFrames(
  taken: readonly { from: number; to: number }[],
  from: number,
  pages: number,
  align: number,
  top: number,
): number | undefined {
  let pfn = Math.ceil(from / align) * align;
  for (;;) {
    if (pfn + pages > top) return undefined;
    const hit = taken.find((t) => t.from < pfn + pages && pfn < t.to);
    if (hit === undefined) return pfn;
    pfn = Math.ceil(hit.to / align) * align;
  }
}
