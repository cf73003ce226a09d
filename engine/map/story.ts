/**
 * What the memory map draws, as plain data: lanes of pages, the state of every page as 32 bits, and what each step of a scenario changed, as runs of
 * equal pages. Whoever has the story can go to any step by itself.
 *
 * This is also the map's protocol, which the page is written against: it imports nothing.
 */

/**
 * Runs of neighbouring pages that changed alike, as columns. `lane[i]`: index of the lane; pages `start[i] .. start[i] + count[i]`; `before[i]` and
 * `after[i]`: their cells. Runs of one step do not overlap within a lane; in the order of lane and page.
 */
export interface MapRuns {
  lane: Uint8Array;
  start: Uint32Array;
  count: Uint32Array;
  before: Uint32Array;
  after: Uint32Array;
}

export type LaneKind = 'host' | 'guest' | 'direct-map';

/** A space of pages that is drawn as a lane. */
export interface MapLane {
  kind: LaneKind;
  /** `Host physical memory`, the guest's name, `Direct map`. */
  name: string;
  /** Of a guest. */
  asid?: number;
  /** Page numbers run from 0 to this; not more than 2^28 (1 TiB). */
  pages: number;
  /** Where there is memory at all: [first page, one past the last]. In order. */
  extents: [number, number][];
  /** Of a guest: its private memory, and the frames behind it: page `gfn + i` is backed by frame `pfn + i`. */
  backing: { slot: number; gfn: number; pages: number; pfn: number }[];
  /** Folios: [first page, pages, order] stands for `pages / 2^order` folios of that order. */
  folios: [number, number, number][];
}

/**
 * A cell says all that is drawn of a page, in 32 bits. Lanes have their own layouts; bits 30 and 31 mean the same in all. Fields are
 * `[shift, width]`.
 */
export const hostCell = {
  /** Index into {@link pageStates}. */
  state: [0, 4],
  /** 0: 4K entry, 1: the head of a 2M entry, 2: another page of it. */
  size: [4, 2],
  validated: [6, 1],
  immutable: [7, 1],
  vmsa: [8, 1],
  /** The hardware's in-use lock. */
  locked: [9, 1],
  asid: [10, 10],
} as const;

export const guestCell = {
  /** 0: no memory slot, 1: shared, 2: private. */
  attribute: [0, 2],
  /** Level of the NPT mapping: 0 none, 1 4K, 2 2M, 3 1G. */
  npt: [2, 2],
  writable: [4, 1],
  /** The mapping leads to the private backing (not to the VMM's shared memory). */
  nptPrivate: [5, 1],
  /** The RMP entry behind the gpa is this guest's, at this gpa. */
  assigned: [6, 1],
  validated: [7, 1],
  /** 4 bits for each VMPL from 0: read, write, execute-user, execute-supervisor. Meaningful if assigned. */
  vmpl0: [8, 4],
  vmpl1: [12, 4],
  vmpl2: [16, 4],
  vmpl3: [20, 4],
} as const;

export const directMapCell = {
  /** 1 4K, 2 2M, 3 1G. */
  level: [0, 2],
  present: [2, 1],
  writable: [3, 1],
} as const;

/** In every lane. */
export const anyCell = {
  /** A rule is violated here. */
  violation: [30, 1],
  /** The kernel has given the frame up (leaked). */
  leaked: [31, 1],
} as const;

export type CellField = readonly [shift: number, width: number];

export const cellField = (cell: number, [shift, width]: CellField): number => (cell >>> shift) & ((1 << width) - 1);

/**
 * Of host frames, in the words of the firmware ABI. The order is part of the protocol. `Uncovered`: there is no memory; `Default`: memory that the RMP
 * does not cover, the hypervisor's for ever; `Firmware-IOMMU`: the firmware's, of an IOMMU; `Invalid`: a combination of bits that has no name.
 */
export const pageStates = [
  'Uncovered',
  'Hypervisor',
  'HV-Fixed',
  'Default',
  'Firmware',
  'Context',
  'Metadata',
  'Reclaim',
  'Pre-Guest',
  'Pre-Swap',
  'Guest-Invalid',
  'Guest-Valid',
  'Firmware-IOMMU',
  'Invalid',
] as const;
export type PageState = (typeof pageStates)[number];

/** One executed step of the scenario. */
export interface MapStep {
  /** In the scenario's document, from 0. */
  line: number;
  /** As it is written, without its expected outcome. */
  text: string;
  /** `0`, `#NPF(RMP)`, `FAIL_OVERLAP`; empty for what has no outcome. */
  outcome: string;
  /** A fault was raised, or the outcome is a failure. */
  failed: boolean;
  /** Rules of what was found at this step. */
  rules: string[];
}

/** Pages at which a step violated a rule. */
export interface MapViolation {
  step: number;
  lane: number;
  start: number;
  count: number;
  rule: string;
  message: string;
}

/** A scenario's whole story. State 0 is the one before the first step; state n the one after step n - 1. */
export interface MapStory {
  /** Of the document. */
  uri: string;
  scenario: string;
  /** All of the document, to choose from. */
  scenarios: string[];
  lanes: MapLane[];
  steps: MapStep[];
  violations: MapViolation[];
  /** State 0; `before` is 0 throughout. Pages not in it have cell 0. */
  base: MapRuns;
  /** Changes of all steps one after the other; those of step n are `changesFrom[n] .. changesFrom[n + 1]`. */
  changes: MapRuns;
  changesFrom: Uint32Array;
  /** Why there is less of the story than the scenario has steps, if so (`stopped by a trap at line 9`). */
  incomplete?: string;
}

/** After an edit: what came before `firstStep` stays as it was told. */
export interface MapStoryUpdate {
  /** Lanes, base and scenarios are as before. */
  firstStep: number;
  /** From `firstStep` on, as in {@link MapStory}; `changesFrom` begins with 0. */
  steps: MapStep[];
  violations: MapViolation[];
  changes: MapRuns;
  changesFrom: Uint32Array;
  incomplete?: string;
  /** The lines of the steps before `firstStep`, if they have moved: text was put in or taken out above them. */
  lines?: Uint32Array;
}

/** Where the debugger, or the cursor in the editor, stands. */
export interface MapPosition {
  /** The state to show. */
  state: number;
  by: 'debugger' | 'editor';
  /** Within a step: what has changed since `state`. */
  partial?: MapRuns;
}

/** A line of a page's panel. */
export interface MapFact {
  label: string;
  value: string;
  /** Shown beside it, smaller. */
  note?: string;
}

export interface MapHistoryEntry {
  /** Index of the step; -1: before the first. */
  step: number;
  /** `RMPUPDATE 2M: assigned to guest g at GPA 0x0`. */
  what: string;
  /** Innermost first. */
  frames: { function: string; uri: string; line: number }[];
}

export interface MapDetails {
  title: string;
  sections: { heading: string; facts: MapFact[] }[];
  /** The 16 bytes of the raw RMP entry in memory order; empty where there is none. */
  raw: number[];
  history: MapHistoryEntry[];
  /** Pages that have to do with it: the frame behind a gpa, the gpa of a frame, its direct map. */
  links: { lane: number; page: number; label: string }[];
}
