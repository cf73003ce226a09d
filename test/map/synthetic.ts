// Stories made up for the page's tests and benches: of any size, and with whatever a test wants to see. What real scenarios yield is in recordings/.

import {
  type CellField,
  directMapCell,
  guestCell,
  hostCell,
  type MapRuns,
  type MapStep,
  type MapStory,
  type MapViolation,
  type PageState,
  pageStates,
} from '../../server/common/map-protocol.ts';

/** A cell from its fields. */
export function cell(fields: readonly (readonly [CellField, number])[]): number {
  let value = 0;
  for (const [[shift], field] of fields) value |= field << shift;
  return value >>> 0;
}

export interface HostPage {
  state: PageState;
  size?: 0 | 1 | 2;
  asid?: number;
  violation?: boolean;
  leaked?: boolean;
  immutable?: boolean;
  vmsa?: boolean;
}

export const host = ({ state, size = 0, asid = 0, violation, leaked, immutable, vmsa }: HostPage): number =>
  cell([
    [hostCell.state, pageStates.indexOf(state)],
    [hostCell.size, size],
    [hostCell.asid, asid],
    [hostCell.validated, state === 'Guest-Valid' ? 1 : 0],
    [hostCell.immutable, immutable ? 1 : 0],
    [hostCell.vmsa, vmsa ? 1 : 0],
    [[30, 1], violation ? 1 : 0],
    [[31, 1], leaked ? 1 : 0],
  ]);

export interface GuestPage {
  attribute: 0 | 1 | 2;
  npt?: 0 | 1 | 2 | 3;
  nptPrivate?: boolean;
  readOnly?: boolean;
  assigned?: boolean;
  validated?: boolean;
  vmpl?: [number, number, number, number];
  violation?: boolean;
}

export const guest = (page: GuestPage): number =>
  cell([
    [guestCell.attribute, page.attribute],
    [guestCell.npt, page.npt ?? 0],
    [guestCell.writable, page.npt && !page.readOnly ? 1 : 0],
    [guestCell.nptPrivate, page.nptPrivate ? 1 : 0],
    [guestCell.assigned, page.assigned ? 1 : 0],
    [guestCell.validated, page.validated ? 1 : 0],
    [guestCell.vmpl0, page.vmpl?.[0] ?? 0],
    [guestCell.vmpl1, page.vmpl?.[1] ?? 0],
    [guestCell.vmpl2, page.vmpl?.[2] ?? 0],
    [guestCell.vmpl3, page.vmpl?.[3] ?? 0],
    [[30, 1], page.violation ? 1 : 0],
  ]);

export const direct = (level: 0 | 1 | 2 | 3, present = true, writable = true): number =>
  cell([
    [directMapCell.level, level],
    [directMapCell.present, present ? 1 : 0],
    [directMapCell.writable, writable ? 1 : 0],
  ]);

export interface Change {
  lane: number;
  start: number;
  count: number;
  before: number;
  after: number;
}

export function runs(changes: readonly Change[]): MapRuns {
  const columns: MapRuns = {
    lane: new Uint8Array(changes.length),
    start: new Uint32Array(changes.length),
    count: new Uint32Array(changes.length),
    before: new Uint32Array(changes.length),
    after: new Uint32Array(changes.length),
  };
  for (const [i, change] of changes.entries()) {
    columns.lane[i] = change.lane;
    columns.start[i] = change.start;
    columns.count[i] = change.count;
    columns.before[i] = change.before;
    columns.after[i] = change.after;
  }
  return columns;
}

const gib = 2 ** 18;

/** Writes a story: each step's changes against the pages as they are. */
export class Teller {
  readonly story: MapStory;
  readonly #changes: Change[] = [];
  readonly #from: number[] = [0];
  readonly #steps: MapStep[] = [];
  readonly #violations: MapViolation[] = [];
  readonly #pages: Map<number, number>[];
  readonly #base: (lane: number, page: number) => number;

  constructor(lanes: MapStory['lanes'], base: readonly Change[]) {
    this.#pages = lanes.map(() => new Map());
    this.#base = (lane, page) =>
      base.findLast((run) => run.lane === lane && page >= run.start && page < run.start + run.count)?.after ?? 0;
    this.story = {
      uri: 'file:///examples/conversion.snpscenario',
      scenario: 'a 2M region becomes private',
      scenarios: ['a 2M region becomes private', 'another scenario'],
      lanes,
      steps: this.#steps,
      violations: this.#violations,
      base: runs(base),
      changes: runs([]),
      changesFrom: new Uint32Array(1),
    };
  }

  #at(lane: number, page: number): number {
    return this.#pages[lane].get(page) ?? this.#base(lane, page);
  }

  /** A step that makes pages `[start, start + count)` of lanes something. */
  step(
    step: Partial<MapStep> & { text: string },
    changes: readonly [lane: number, start: number, count: number, after: number | ((page: number) => number)][],
    found: readonly Omit<MapViolation, 'step'>[] = [],
  ): this {
    this.#steps.push({
      line: 10 + this.#steps.length,
      outcome: '0',
      failed: false,
      rules: found.map(({ rule }) => rule),
      ...step,
    });
    for (const violation of found) this.#violations.push({ ...violation, step: this.#steps.length - 1 });
    for (const [lane, start, count, after] of changes) {
      for (let page = start; page < start + count; page++) {
        const before = this.#at(lane, page);
        const now = typeof after === 'function' ? after(page) : after;
        this.#pages[lane].set(page, now);
        const last = this.#changes.at(-1);
        const joins =
          last &&
          this.#changes.length > this.#from.at(-1)! &&
          last.lane === lane &&
          last.start + last.count === page &&
          last.before === before &&
          last.after === now;
        if (joins) last.count++;
        else this.#changes.push({ lane, start: page, count: 1, before, after: now });
      }
    }
    this.#from.push(this.#changes.length);
    return this;
  }

  end(): MapStory {
    this.story.changes = runs(this.#changes);
    this.story.changesFrom = Uint32Array.from(this.#from);
    return this.story;
  }
}

const hypervisor = host({ state: 'Hypervisor' });
const all: [number, number, number, number] = [15, 0, 0, 0];

/** 4 GiB of host memory, one guest of 1 GiB, 2M folios: a region is converted, validated, partly smashed and shared again; one page goes wrong. */
export function conversion(): MapStory {
  const pfn = 0x40000;
  const teller = new Teller(
    [
      {
        kind: 'host',
        name: 'Host physical memory',
        pages: 4 * gib,
        extents: [
          [0, 3 * gib],
          [3 * gib + 2 ** 17, 4 * gib],
        ],
        backing: [],
        folios: [[pfn, gib, 9]],
      },
      {
        kind: 'guest',
        name: 'g',
        asid: 1,
        pages: gib,
        extents: [[0, gib]],
        backing: [{ slot: 0, gfn: 0, pages: gib, pfn }],
        folios: [[0, gib, 9]],
      },
      {
        kind: 'direct-map',
        name: 'Direct map',
        pages: 4 * gib,
        extents: [
          [0, 3 * gib],
          [3 * gib + 2 ** 17, 4 * gib],
        ],
        backing: [],
        folios: [],
      },
    ],
    [
      { lane: 0, start: 0, count: 4 * gib, before: 0, after: hypervisor },
      { lane: 0, start: 0x800, count: 64, before: 0, after: host({ state: 'HV-Fixed', immutable: true }) },
      { lane: 0, start: 0x3f000, count: 256, before: 0, after: host({ state: 'Firmware' }) },
      { lane: 0, start: 0x3f100, count: 1, before: 0, after: host({ state: 'Context', asid: 0 }) },
      { lane: 0, start: 0x3f101, count: 7, before: 0, after: host({ state: 'Metadata' }) },
      { lane: 1, start: 0, count: gib, before: 0, after: guest({ attribute: 1 }) },
      { lane: 2, start: 0, count: 4 * gib, before: 0, after: direct(3) },
    ],
  );
  const priv = guest({ attribute: 2 });
  const assigned = guest({ attribute: 2, npt: 2, nptPrivate: true, assigned: true, vmpl: all });
  const valid = guest({ attribute: 2, npt: 2, nptPrivate: true, assigned: true, validated: true, vmpl: [15, 3, 1, 0] });
  const valid4k = guest({
    attribute: 2,
    npt: 1,
    nptPrivate: true,
    assigned: true,
    validated: true,
    vmpl: [15, 3, 1, 0],
  });
  const shared = guest({ attribute: 1, npt: 1 });
  const of2M = (state: PageState, asid: number) => (page: number) =>
    host({ state, asid, size: page % 512 === 0 ? 1 : 2 });
  const four = 2048;
  teller
    .step({ text: 'vmm.set_memory_attributes(g, 0..8M, PRIVATE)' }, [[1, 0, four, priv]])
    .step({ text: 'g.read(0)' }, [
      [0, pfn, 512, of2M('Guest-Invalid', 1)],
      [1, 0, 512, assigned],
      [2, pfn, 512, direct(2, false, false)],
    ])
    .step({ text: 'g.pvalidate(0, 2M)' }, [
      [0, pfn, 512, of2M('Guest-Valid', 1)],
      [1, 0, 512, valid],
    ])
    .step({ text: 'g.read(2M..8M)' }, [
      [0, pfn + 512, 1536, of2M('Guest-Invalid', 1)],
      [1, 512, 1536, assigned],
      [2, pfn + 512, 1536, direct(2, false, false)],
    ])
    .step({ text: 'g.pvalidate(2M..8M, 2M)', outcome: 'FAIL_SIZEMISMATCH', failed: true }, [
      [0, pfn + 512, 1024, of2M('Guest-Valid', 1)],
      [1, 512, 1024, valid],
    ])
    .step({ text: 'psmash(pfn(g, 2M))' }, [
      [0, pfn + 512, 512, host({ state: 'Guest-Valid', asid: 1 })],
      [1, 512, 512, valid4k],
    ])
    .step({ text: 'vmm.set_memory_attributes(g, 2M+40K..2M+80K, SHARED)' }, [
      [0, pfn + 522, 10, hypervisor],
      [1, 522, 10, shared],
      [2, pfn + 512, 10, direct(1, false, false)],
      [2, pfn + 522, 10, direct(1)],
      [2, pfn + 532, 492, direct(1, false, false)],
    ])
    .step(
      { text: 'g.write(2M+64K)', outcome: '#NPF(RMP)', failed: true },
      [
        [0, pfn + 528, 1, host({ state: 'Guest-Invalid', asid: 1, violation: true })],
        [1, 528, 1, guest({ attribute: 1, npt: 1, assigned: true, violation: true })],
      ],
      [
        {
          lane: 0,
          start: pfn + 528,
          count: 1,
          rule: 'ATTR-RMP',
          message: 'the attribute says shared, the RMP entry is assigned to ASID 1',
        },
        {
          lane: 1,
          start: 528,
          count: 1,
          rule: 'ATTR-RMP',
          message: 'the attribute says shared, the RMP entry is assigned to ASID 1',
        },
      ],
    )
    .step({ text: 'print "done"', outcome: '' }, []);
  return teller.end();
}
