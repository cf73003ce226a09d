/**
 * All about one page, for the map's panel: what the RMP, the nested page table, the attribute, the direct map and the kernel say of it as the machine
 * stands now, its raw entry, its history, and the pages that have to do with it.
 */
import { hex, plural } from '../base/text.ts';
import type { Pfn } from '../base/units.ts';
import { formatVmplMask, type RmpEntry } from '../hardware/rmp-entry.ts';
import type { Machine, MachineGuest } from '../run/machine.ts';
import { type Change, type PageField, why } from '../run/why.ts';
import { backingOf } from './cells.ts';
import type { Lane } from './lanes.ts';
import { type MapDetails, type MapFact, type MapHistoryEntry, pageStates } from './story.ts';

/** Changes of a page that are told, newest first. */
const HISTORY_LIMIT = 32;

const LEVELS = ['', '4K', '2M', '1G'];

/** Details of a page of a lane; null if there is no such page. @param stepOf the story's step that an instance of the run is; undefined for none */
export function detailsOf(
  machine: Machine,
  lanes: readonly Lane[],
  lane: number,
  page: number,
  stepOf: (instance: number) => number | undefined,
): MapDetails | null {
  // Both come from outside, of whatever type.
  const of = Number.isInteger(lane) ? lanes[lane] : undefined;
  if (of === undefined || !Number.isInteger(page) || page < 0 || page >= of.shown.pages) return null;
  const about = new Page(machine, lanes, stepOf);
  switch (of.shown.kind) {
    case 'host':
      return about.host(page);
    case 'guest':
      return about.guest(lane, of.guest as MachineGuest, page);
    case 'direct-map':
      return about.directMap(page);
  }
}

type Section = MapDetails['sections'][number];
type Link = MapDetails['links'][number];

class Page {
  private readonly machine: Machine;
  private readonly lanes: readonly Lane[];
  private readonly stepOf: (instance: number) => number | undefined;

  constructor(machine: Machine, lanes: readonly Lane[], stepOf: (instance: number) => number | undefined) {
    this.machine = machine;
    this.lanes = lanes;
    this.stepOf = stepOf;
  }

  host(pfn: number): MapDetails {
    const views = this.guestsOf(pfn);
    return {
      title: `pfn ${hex(pfn)}`,
      sections: [
        this.rmpSection(pfn),
        ...views.map(({ guest, gfn }) => this.guestSection(guest, gfn)),
        this.directMapSection(pfn),
        this.kernelSection(pfn),
      ],
      raw: this.raw(pfn),
      history: this.history([
        { of: 'rmp', pfn },
        { of: 'directmap', pfn },
        ...views.flatMap(({ guest, gfn }) => guestFields(guest, gfn)),
      ]),
      links: [
        ...views.map(({ lane, guest, gfn }) => this.guestLink(lane, guest, gfn)),
        ...this.headLink(pfn),
        this.directMapLink(pfn),
      ],
    };
  }

  guest(lane: number, guest: MachineGuest, gfn: number): MapDetails {
    const backing = backingOf(this.lanes[lane], gfn);
    const mapped = this.machine.mappedPfn(guest.asid, gfn);
    const hasFrame = backing >= 0;
    const links: Link[] = [];
    if (hasFrame && this.isDrawn(0, backing)) {
      links.push({ lane: 0, page: backing, label: `the frame behind it, pfn ${hex(backing)}` });
      links.push(...this.headLink(backing), this.directMapLink(backing));
    }
    if (mapped !== undefined && mapped !== backing && this.isDrawn(0, mapped))
      links.push({ lane: 0, page: mapped, label: `the frame it is mapped to, pfn ${hex(mapped)}` });
    return {
      title: `gpa ${hex(gfn * 4096)} of guest ${guest.name}`,
      sections: [
        this.guestSection(guest, gfn),
        ...(hasFrame ? [this.rmpSection(backing), this.directMapSection(backing), this.kernelSection(backing)] : []),
      ],
      raw: hasFrame ? this.raw(backing) : [],
      history: this.history([...guestFields(guest, gfn), ...(hasFrame ? [{ of: 'rmp', pfn: backing } as const] : [])]),
      links,
    };
  }

  directMap(pfn: number): MapDetails {
    return {
      title: `direct map of pfn ${hex(pfn)}`,
      sections: [this.directMapSection(pfn), this.rmpSection(pfn), this.kernelSection(pfn)],
      raw: this.raw(pfn),
      history: this.history([
        { of: 'directmap', pfn },
        { of: 'rmp', pfn },
      ]),
      links: [
        { lane: 0, page: pfn, label: `the frame, pfn ${hex(pfn)}` },
        ...this.guestsOf(pfn).map(({ lane, guest, gfn }) => this.guestLink(lane, guest, gfn)),
      ],
    };
  }

  // ---------------------------------------------------------------- sections

  private rmpSection(pfn: number): Section {
    const { rmp } = this.machine.hardware;
    const facts: MapFact[] = [{ label: 'State', value: stateName(rmp.pageState(pfn as Pfn)) }];
    if (!rmp.covers(pfn)) {
      facts.push({ label: 'Entry', value: 'none', note: "the RMP does not cover this frame: it is the hypervisor's" });
      return { heading: 'RMP entry', facts };
    }
    const head = rmp.governing(pfn);
    const entry = rmp.resolve(pfn as Pfn);
    if (entry.assigned && entry.asid !== 0) {
      facts.push({ label: 'Owner', value: this.ownerOf(entry.asid), note: `ASID ${entry.asid}` });
      facts.push({ label: 'GPA', value: hex(entry.gpa), note: `gfn ${hex(entry.gpa / 4096)}` });
    } else {
      facts.push({ label: 'Owner', value: entry.assigned ? 'AMD-SP' : 'hypervisor' });
    }
    const isLarge = rmp.isLarge(pfn);
    facts.push({
      label: 'Page size',
      value: isLarge ? '2M' : '4K',
      ...(head === pfn ? {} : { note: `the entry at pfn ${hex(head)} speaks for this page` }),
    });
    facts.push(...flags(entry));
    if (entry.assigned && entry.asid !== 0) {
      for (const [vmpl, mask] of entry.vmpl.entries())
        facts.push({ label: `VMPL${vmpl}`, value: formatVmplMask(mask), note: hex(mask) });
    }
    if (pfn % 512 === 0)
      facts.push({
        label: 'Subpage count',
        value: String(rmp.subpageCount(pfn)),
        note: 'assigned 4K entries among the other 511 of the 2M region',
      });
    return { heading: 'RMP entry', facts };
  }

  private guestSection(guest: MachineGuest, gfn: number): Section {
    const { machine } = this;
    const slot = machine.kernel.slots.find(guest.asid, gfn);
    const facts: MapFact[] = [{ label: 'GPA', value: hex(gfn * 4096), note: `gfn ${hex(gfn)}` }];
    if (slot === undefined) facts.push({ label: 'Memory slot', value: 'none' });
    else facts.push({ label: 'Memory slot', value: String(slot.id), ...(slot.private ? {} : { note: 'shared only' }) });
    facts.push({ label: 'Attribute', value: machine.isPrivate(guest.asid, gfn) ? 'private' : 'shared' });
    const npt = machine.hardware.guests.get(guest.asid)?.npt;
    const mapped = npt?.walk(gfn) ?? -1;
    if (npt === undefined || mapped < 0) {
      facts.push({ label: 'NPT', value: 'not mapped' });
    } else {
      const isBacking = machine.kernel.privateBacking(guest.asid, gfn)?.pfn === mapped;
      facts.push({
        label: 'NPT',
        value: `pfn ${hex(mapped)} · ${LEVELS[npt.level]}${npt.writable ? ' · writable' : ''}`,
        note: isBacking ? 'private memory' : "the VMM's shared memory",
      });
    }
    return { heading: `Guest ${guest.name}`, facts };
  }

  private directMapSection(pfn: number): Section {
    const { directMap } = this.machine.kernel;
    const facts: MapFact[] = directMap.present(pfn)
      ? [
          { label: 'Mapping', value: 'present' },
          { label: 'Level', value: LEVELS[directMap.level(pfn)] },
        ]
      : [{ label: 'Mapping', value: 'not present' }];
    return { heading: 'Direct map', facts };
  }

  private kernelSection(pfn: number): Section {
    const { kernel } = this.machine;
    const references = kernel.references.count(pfn);
    const facts: MapFact[] = [{ label: 'References', value: String(references), note: "beyond the file's own" }];
    const owner = kernel.restricted.owning(pfn);
    const folio = owner === undefined ? undefined : kernel.restricted.folio(owner.file, owner.index);
    if (folio !== undefined) {
      facts.push({
        label: 'Folio',
        value: folio.order === 0 ? 'single page' : `order ${folio.order}`,
        note: `${folio.allocated ? 'allocated' : 'not allocated'}, ${plural(folio.pages, 'page')} from pfn ${hex(folio.pfn)}`,
      });
    }
    if (kernel.leaked.has(pfn))
      facts.push({ label: 'Leaked', value: 'yes', note: 'the kernel has given the frame up' });
    return { heading: 'Kernel', facts };
  }

  // ---------------------------------------------------------------- the rest

  private ownerOf(asid: number): string {
    const guest = this.machine.guests.find((one) => one.asid === asid);
    return guest === undefined ? 'no guest' : `guest ${guest.name}`;
  }

  /** The page's own entry as it lies in memory: two quadwords, little endian. */
  private raw(pfn: number): number[] {
    const { rmp } = this.machine.hardware;
    if (!rmp.covers(pfn)) return [];
    return [0, 1, 2, 3].flatMap((n) => {
      const word = rmp.word(pfn, n);
      return [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24];
    });
  }

  /** Guests whose private memory the frame is. */
  private guestsOf(pfn: number): { lane: number; guest: MachineGuest; gfn: number }[] {
    const found = [];
    for (const [lane, { guest, shown }] of this.lanes.entries()) {
      for (const { gfn, pages, pfn: first } of shown.backing) {
        if (guest !== undefined && pfn >= first && pfn < first + pages)
          found.push({ lane, guest, gfn: gfn + (pfn - first) });
      }
    }
    return found;
  }

  private isDrawn(lane: number, page: number): boolean {
    return page < this.lanes[lane].shown.pages;
  }

  private guestLink(lane: number, guest: MachineGuest, gfn: number): Link {
    return { lane, page: gfn, label: `gpa ${hex(gfn * 4096)} of guest ${guest.name}` };
  }

  private directMapLink(pfn: number): Link {
    return { lane: this.lanes.length - 1, page: pfn, label: 'its mapping in the direct map' };
  }

  private headLink(pfn: number): Link[] {
    const { rmp } = this.machine.hardware;
    const head = rmp.covers(pfn) ? rmp.governing(pfn) : pfn;
    return head === pfn ? [] : [{ lane: 0, page: head, label: `the head of its 2M entry, pfn ${hex(head)}` }];
  }

  private history(fields: readonly PageField[]): MapHistoryEntry[] {
    const changes = new Map<number, Change>();
    for (const field of fields)
      for (const change of why(this.machine, field, HISTORY_LIMIT)) changes.set(change.event, change);
    return [...changes.values()]
      .sort((a, b) => b.event - a.event)
      .slice(0, HISTORY_LIMIT)
      .map(({ instance, what, frames }) => ({
        step: instance === undefined ? -1 : (this.stepOf(instance) ?? -1),
        what,
        frames: frames.map((frame) => ({
          function: frame.function,
          uri: frame.location.path,
          line: frame.location.range.start.line,
        })),
      }));
  }
}

const guestFields = (guest: MachineGuest, gfn: number): PageField[] => [
  { of: 'attribute', asid: guest.asid, gfn },
  { of: 'npt', asid: guest.asid, gfn },
];

function flags(entry: RmpEntry): MapFact[] {
  const yes = (is: boolean): string => (is ? 'yes' : 'no');
  return [
    { label: 'Validated', value: yes(entry.validated) },
    { label: 'Immutable', value: yes(entry.immutable) },
    { label: 'VMSA', value: yes(entry.vmsa) },
    {
      label: 'Lock',
      value: yes(entry.lock),
      ...(entry.lock ? { note: "VMRUN's in-use mark, or the firmware's" } : {}),
    },
  ];
}

/** `GUEST_VALID` as the map writes it: `Guest-Valid`. */
function stateName(state: string): string {
  const wanted = state.replaceAll('_', '-');
  return pageStates.find((name) => name.toUpperCase() === wanted) ?? state;
}
