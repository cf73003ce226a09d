// What is drawn of a lane: its tracks, one below the other, and for each cell the category it has in each track. A category is what the
// legend lists, what a filter hides and what a pattern and a colour stand for.

import {
  anyCell,
  cellField,
  directMapCell,
  guestCell,
  hostCell,
  type LaneKind,
  type PageState,
  pageStates,
} from '../../../server/common/map-protocol.ts';
import type { Ink, Pattern } from './palette.ts';

export interface Category {
  /** Unique among all tracks: `state:Guest-Valid`. */
  readonly key: string;
  readonly label: string;
  /** Absent: nothing is drawn. */
  readonly ink?: Ink;
  readonly pattern: Pattern;
}

export interface Track {
  readonly key: string;
  /** Beside the track. */
  readonly label: string;
  /** In CSS pixels, before it is stretched to fill the panel. */
  readonly height: number;
  /** Whether runs are labelled when they are wide enough. */
  readonly labelled: boolean;
  category(cell: number): Category;
}

const make = (track: string, label: string, ink?: Ink, pattern: Pattern = 'solid'): Category =>
  ink ? { key: `${track}:${label}`, label, ink, pattern } : { key: `${track}:${label}`, label, pattern };

const stateLooks: Record<PageState, [Ink, Pattern]> = {
  Uncovered: ['slate', 'sparse'],
  Hypervisor: ['slate', 'solid'],
  'HV-Fixed': ['slate', 'cross'],
  Default: ['slate', 'vertical'],
  Firmware: ['purple', 'solid'],
  Context: ['purple', 'diagonal'],
  Metadata: ['purple', 'dots'],
  Reclaim: ['pink', 'back'],
  'Pre-Guest': ['yellow', 'horizontal'],
  'Pre-Swap': ['yellow', 'diagonal'],
  'Guest-Invalid': ['green', 'diagonal'],
  'Guest-Valid': ['green', 'solid'],
  'Firmware-IOMMU': ['purple', 'cross'],
  Invalid: ['red', 'checker'],
};

const stateCategories = pageStates.map((state) => make('state', state, ...stateLooks[state]));
const unknownState = make('state', 'unknown', 'red', 'cross');

const ownerInks: readonly Ink[] = ['blue', 'orange', 'purple', 'sky', 'pink', 'green'];
const ownerPatterns: readonly Pattern[] = ['solid', 'diagonal', 'dots', 'vertical', 'back', 'cross'];
const noOwner = make('owner', 'no guest');
const owners = new Map<number, Category>();
/** Owners beyond 36 look like earlier ones; their labels do not. */
function owner(asid: number): Category {
  if (asid === 0) return noOwner;
  let category = owners.get(asid);
  if (!category) {
    const at = asid - 1;
    category = make('owner', `ASID ${asid}`, ownerInks[at % 6], ownerPatterns[Math.floor(at / 6) % 6]);
    owners.set(asid, category);
  }
  return category;
}

const entries = [make('entry', '4K entry', 'slate', 'horizontal'), make('entry', '2M entry', 'sky')];
const noEntry = make('entry', 'no entry');

const flags = {
  none: make('flags', 'no flag'),
  leaked: make('flags', 'leaked', 'red', 'diagonal'),
  locked: make('flags', 'in use', 'yellow', 'cross'),
  vmsa: make('flags', 'VMSA', 'purple'),
  immutable: make('flags', 'immutable', 'slate'),
};

const attributes = [
  make('attribute', 'no slot'),
  make('attribute', 'shared', 'orange'),
  make('attribute', 'private', 'blue'),
  make('attribute', 'unknown', 'red', 'cross'),
];

const levels = ['', '4K', '2M', '1G'];
const levelPatterns: readonly Pattern[] = ['solid', 'vertical', 'solid', 'horizontal'];
const readOnlyPatterns: readonly Pattern[] = ['solid', 'cross', 'diagonal', 'back'];
const notMapped = make('npt', 'not mapped');
const mappings = new Map<number, Category>();
for (const level of [1, 2, 3]) {
  for (const writable of [0, 1]) {
    for (const isPrivate of [0, 1]) {
      const label = `${levels[level]} to ${isPrivate ? 'private' : 'shared'}${writable ? '' : ', read-only'}`;
      const pattern = (writable ? levelPatterns : readOnlyPatterns)[level];
      mappings.set(
        (level << 2) | (writable << 1) | isPrivate,
        make('npt', label, isPrivate ? 'blue' : 'orange', pattern),
      );
    }
  }
}

const assignment = [
  make('rmp', 'not assigned'),
  make('rmp', 'assigned', 'green', 'diagonal'),
  make('rmp', 'validated', 'green'),
];

/** `rw--`: read, write, execute-user, execute-supervisor, as RMPADJUST's permission mask has them. */
export const permissions = (mask: number): string =>
  ['r', 'w', 'x', 's'].map((letter, bit) => ((mask >> bit) & 1 ? letter : '-')).join('');

const vmplCategories = Array.from({ length: 16 }, (_, mask) => {
  const look: [Ink, Pattern] =
    mask === 0
      ? ['slate', 'sparse']
      : mask >= 4
        ? ['purple', mask & 2 ? 'solid' : 'diagonal']
        : ['sky', mask & 2 ? 'solid' : 'vertical'];
  return make('vmpl', permissions(mask), ...look);
});
const noPermissions = make('vmpl', 'not assigned');

const directLevels = [0, 1, 2, 3].flatMap((level) =>
  [0, 1].map((writable) => {
    const ink: Ink = level === 1 ? 'yellow' : level === 2 ? 'sky' : 'slate';
    const pattern = (writable ? levelPatterns : readOnlyPatterns)[level];
    return make('direct', `${levels[level] || 'unknown'}${writable ? '' : ', read-only'}`, ink, pattern);
  }),
);
const notPresent = make('direct', 'not present', 'pink', 'cross');
const noDirectMap = make('direct', 'no direct map');

const hostTracks: readonly Track[] = [
  {
    key: 'state',
    label: 'Page state',
    height: 32,
    labelled: true,
    category: (cell) => stateCategories[cellField(cell, hostCell.state)] ?? unknownState,
  },
  {
    key: 'owner',
    label: 'Owner',
    height: 14,
    labelled: true,
    category: (cell) => owner(cellField(cell, hostCell.asid)),
  },
  {
    key: 'entry',
    label: 'RMP entry',
    height: 14,
    labelled: true,
    category: (cell) =>
      cellField(cell, hostCell.state) === 0 ? noEntry : entries[cellField(cell, hostCell.size) === 0 ? 0 : 1],
  },
  {
    key: 'flags',
    label: 'Flags',
    height: 8,
    labelled: false,
    category: (cell) => {
      if (cellField(cell, anyCell.leaked)) return flags.leaked;
      if (cellField(cell, hostCell.locked)) return flags.locked;
      if (cellField(cell, hostCell.vmsa)) return flags.vmsa;
      return cellField(cell, hostCell.immutable) ? flags.immutable : flags.none;
    },
  },
];

const vmplTrack = (vmpl: 0 | 1 | 2 | 3): Track => ({
  key: `vmpl${vmpl}`,
  label: `VMPL${vmpl}`,
  height: 10,
  labelled: false,
  category: (cell) =>
    cellField(cell, guestCell.assigned) ? vmplCategories[cellField(cell, guestCell[`vmpl${vmpl}`])] : noPermissions,
});

const guestTracks: readonly Track[] = [
  {
    key: 'attribute',
    label: 'Attribute',
    height: 18,
    labelled: true,
    category: (cell) => attributes[cellField(cell, guestCell.attribute)],
  },
  {
    key: 'npt',
    label: 'NPT',
    height: 18,
    labelled: true,
    category: (cell) => {
      const level = cellField(cell, guestCell.npt);
      if (level === 0) return notMapped;
      const rest = (cellField(cell, guestCell.writable) << 1) | cellField(cell, guestCell.nptPrivate);
      return mappings.get((level << 2) | rest) ?? notMapped;
    },
  },
  {
    key: 'rmp',
    label: 'RMP',
    height: 18,
    labelled: true,
    category: (cell) =>
      assignment[cellField(cell, guestCell.assigned) ? (cellField(cell, guestCell.validated) ? 2 : 1) : 0],
  },
  vmplTrack(0),
  vmplTrack(1),
  vmplTrack(2),
  vmplTrack(3),
];

const directMapTracks: readonly Track[] = [
  {
    key: 'direct',
    label: 'Level',
    height: 18,
    labelled: true,
    category: (cell) => {
      if (cell === 0) return noDirectMap;
      if (!cellField(cell, directMapCell.present)) return notPresent;
      return directLevels[cellField(cell, directMapCell.level) * 2 + cellField(cell, directMapCell.writable)];
    },
  },
];

const tracks: Record<LaneKind, readonly Track[]> = {
  host: hostTracks,
  guest: guestTracks,
  'direct-map': directMapTracks,
};

export const tracksOf = (kind: LaneKind): readonly Track[] => tracks[kind] ?? [];

/** Something is wrong here: a violated rule. */
export const isViolation = (cell: number): boolean => cellField(cell, anyCell.violation) === 1;

/** What the anomaly key stops at. */
export const isAnomaly = (cell: number): boolean =>
  cellField(cell, anyCell.violation) === 1 || cellField(cell, anyCell.leaked) === 1;

/** A mapping or entry that is the head of a 2M one: its outline goes round 512 pages. */
export function spanOf(kind: LaneKind, cell: number): 1 | 512 {
  if (kind === 'host') return cellField(cell, hostCell.size) > 0 ? 512 : 1;
  if (kind === 'guest') return cellField(cell, guestCell.npt) >= 2 ? 512 : 1;
  return cellField(cell, directMapCell.level) >= 2 ? 512 : 1;
}
