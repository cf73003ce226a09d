/**
 * Every cell of every rule of the hardware, with what must come of it: RMPUPDATE and PSMASH by check, PVALIDATE by condition, RMPADJUST, RMPQUERY and
 * RMPREAD by result, accesses by state of the entry, size of the mapping and kind (APM vol. 2, 15.36.5 to 15.36.11, tables 15-39 and 15-41),
 * firmware commands by state of the page (SNP firmware ABI). Written from the manuals, not from the engine.
 */
import { fwCommandName } from '../../engine/hardware/firmware.ts';
import { Check, psmashChecks, rmpCodeName, rmpupdateChecks } from '../../engine/hardware/instruction-checks.ts';
import { transitions } from './firmware-transitions.ts';
import { rowCell, rowSections } from './rows.ts';

export interface Cell {
  id: string;
  /** Shown in the row; the parts of a matrix row share `row` and differ in `column`. */
  row: string;
  column: string;
  outcome: string;
}

export interface Section {
  title: string;
  source: string;
  cells: Cell[];
}

const SIZES = ['4K', '2M', '1G'];
const ACCESSES = ['read', 'write', 'fetch', 'walk', 'A/D write', 'shadow stack read', 'shadow stack write'];
const WRITES: readonly string[] = ['write', 'A/D write', 'shadow stack write'];

// ---------------------------------------------------------------- accesses

export interface Wanted {
  id: string;
  outcome: string;
}

const RMP_FAULT = '#NPF(RMP|ENC)';

/** A private access; VMPL permissions come after it. */
export function privateCell(access: string, state: string, npt: string): Wanted {
  const id = `private ${access}: ${state}, NPT ${npt}`;
  const size = /^(4K|2M), /.exec(state)?.[1];
  if (size === undefined || (size === '4K') !== (npt === '4K')) return { id, outcome: RMP_FAULT };
  return { id, outcome: state.endsWith('not validated') ? '#VC(0x404)' : 'ok' };
}

export const PRIVATE_STATES = [
  'not covered',
  'not assigned',
  'another ASID',
  'another GPA',
  'immutable',
  '4K, not validated',
  '4K, validated',
  '2M, not validated',
  '2M, validated',
];

/** Features of processors that decide about pages in use; the first are the default. */
export interface InUseFeatures {
  erratum: boolean;
  writeAllowed: boolean;
}
export const IN_USE_FEATURES: readonly { name: string; features: InUseFeatures }[] = [
  { name: '', features: { erratum: true, writeAllowed: false } },
  { name: 'no 2M erratum', features: { erratum: false, writeAllowed: false } },
  { name: 'HvInUseWrAllowed', features: { erratum: true, writeAllowed: true } },
];

/** Accesses that want a hypervisor-owned page, or none of the checks. */
export function sharedCell(
  who: string,
  access: string,
  state: string,
  size: string,
  { erratum, writeAllowed }: InUseFeatures = IN_USE_FEATURES[0].features,
): Wanted {
  const feature = IN_USE_FEATURES.find(
    (one) => one.features.erratum === erratum && one.features.writeAllowed === writeAllowed,
  );
  const suffix = feature === undefined ? ', both' : feature.name === '' ? '' : `, ${feature.name}`;
  const id = `${who} ${access}: ${state}, mapping ${size}${suffix}`;
  const checked = WRITES.includes(access) || (access === 'walk' && who === 'other guest');
  // The host's update of an A or D bit is a write of 4K size, whatever maps the page tables.
  const large = size !== '4K' && !(who === 'host' && access === 'A/D write');
  const owned =
    state === 'not covered' ||
    state === 'region unassigned' ||
    (!large && (state === 'another page assigned' || state === 'first page in use')) ||
    (state === 'in use' && writeAllowed) ||
    (state === 'first page in use' && !erratum);
  return { id, outcome: !checked || owned ? 'ok' : who === 'host' ? '#PF(RMP)' : '#NPF(RMP)' };
}

export const SHARED_STATES = [
  'not covered',
  'region unassigned',
  'another page assigned',
  'assigned',
  'in use',
  'first page in use',
];

const NEEDED: Record<string, number> = {
  read: 1,
  write: 3,
  walk: 1,
  'A/D write': 3,
  'fetch, user': 4,
  'fetch, supervisor': 8,
  'shadow stack read': 1,
  'shadow stack write': 3,
};

/** With VMPL supervisor shadow stacks (VmplSSS): what each kind needs then. */
const NEEDED_SSS: Record<string, number> = {
  read: 1,
  write: 3,
  'fetch, user': 4,
  'fetch, supervisor': 8,
  'shadow stack read, user': 1,
  'shadow stack write, user': 3,
  'shadow stack read, supervisor': 0x11,
  'shadow stack write, supervisor': 0x13,
};

/** A private access that has passed everything else, on a processor with VmplSSS. Undefined: a kind that the table leaves out. */
export function sssCell(kind: string, mask: number): Wanted | undefined {
  const needed = NEEDED_SSS[kind];
  if (needed === undefined) return undefined;
  const permitted = (mask & needed) === needed;
  const sss = (mask & 0x10) !== 0;
  return {
    id: `VmplSSS ${kind}: ${permitted ? 'permitted' : 'not permitted'}, SSS=${sss ? 1 : 0}`,
    outcome: permitted ? 'ok' : sss ? '#NPF(RMP|ENC|VMPL|SSS)' : '#NPF(RMP|ENC|VMPL)',
  };
}

function sssCells(): Cell[] {
  const columns = ['permitted, SSS=1', 'permitted, SSS=0', 'not permitted, SSS=1', 'not permitted, SSS=0'];
  const outcomes = new Map<string, string>();
  for (const kind of Object.keys(NEEDED_SSS))
    for (const mask of [0x1f, 0x0f, 0x10, 0]) {
      const { id, outcome } = sssCell(kind, mask) as Wanted;
      outcomes.set(id, outcome);
    }
  return Object.keys(NEEDED_SSS).flatMap((kind) =>
    columns.map((column) => {
      const id = `VmplSSS ${kind}: ${column}`;
      return { id, row: kind, column, outcome: outcomes.get(id) ?? '' };
    }),
  );
}

/** A private access that has passed everything else. */
export function vmplCell(vmpl: number, kind: string, mask: number): Wanted {
  const permitted = (mask & NEEDED[kind]) === NEEDED[kind];
  return {
    id: `VMPL${vmpl} ${kind}: ${permitted ? 'permitted' : 'not permitted'}`,
    outcome: permitted ? 'ok' : '#NPF(RMP|ENC|VMPL)',
  };
}

// ---------------------------------------------------------------- instructions

const checkNames = new Map<number, string>(Object.entries(Check).map(([name, value]) => [value, name]));

export const checkCell = (instruction: string, check: number, code: number): string =>
  `${instruction} ${rmpCodeName(code, instruction.toLowerCase() as 'psmash')}: ${checkNames.get(check)}`;

/** `npt`: size of the mapping; `state`: the entry as in {@link PRIVATE_STATES}, with `, in use` behind it while VMRUN has the page. */
export function pvalidateCell(
  gpa: number,
  size: number,
  validate: number,
  vmpl: number,
  npt: string,
  state: string,
  snp = true,
): Wanted {
  const at = (condition: string, outcome: string): Wanted => ({ id: `PVALIDATE: ${condition}`, outcome });
  if (!snp) return at('not an SNP guest', '#UD');
  if (vmpl !== 0) return at('VMPL not 0', '#GP');
  if ((size & ~1) !== 0) return at('ECX neither 0 nor 1', 'EAX=1');
  if ((validate & ~1) !== 0) return at('EDX neither 0 nor 1', 'EAX=1');
  if (gpa % (size === 1 ? 0x200000 : 0x1000) !== 0) return at(`${SIZES[size]} at a misaligned address`, 'EAX=1');
  if (npt === 'absent' || npt === 'misaligned') return at(`NPT ${npt}`, '#NPF(ENC)');
  const entry = /^(4K|2M), /.exec(state)?.[1];
  if (entry === undefined) return at(`page is ${state}`, RMP_FAULT);
  const sizes = `${SIZES[size]} on an entry of ${entry}, NPT ${npt}`;
  if (size === 0 && (entry === '2M' || npt !== '4K')) return at(sizes, '#NPF(RMP|ENC|SIZEM)');
  if (state.endsWith(', in use')) return at('page is in use by VMRUN', 'EAX=3');
  if (size === 1 && (entry === '4K' || npt === '4K')) return at(sizes, 'EAX=6');
  const was = state.includes('not validated') ? 'not validated' : 'validated';
  const outcome = (validate === 1) === (was === 'validated') ? 'CF=1' : 'ok';
  return at(`${SIZES[size]} ${validate === 1 ? 'valid' : 'invalid'}, ${was}${npt === '1G' ? ', NPT 1G' : ''}`, outcome);
}

/** As {@link pvalidateCell}; `rdx`: target VMPL in 7:0, mask in 15:8, VMSA in 16; `own`: the permissions of the VMPL that executes it. */
export function rmpadjustCell(
  gpa: number,
  size: number,
  rdx: number,
  vmpl: number,
  npt: string,
  state: string,
  own: number,
  snp = true,
): Wanted {
  const at = (condition: string, outcome: string): Wanted => ({ id: `RMPADJUST: ${condition}`, outcome });
  const target = rdx & 0xff;
  const mask = (rdx >>> 8) & 0xff;
  if (!snp) return at('not an SNP guest', '#UD');
  if ((size & ~1) !== 0) return at('RCX neither 0 nor 1', 'EAX=1');
  if (gpa % (size === 1 ? 0x200000 : 0x1000) !== 0) return at(`${SIZES[size]} at a misaligned address`, 'EAX=1');
  if (target > 3 || rdx >= 2 ** 17 || mask > 0x1f) return at('reserved bits in RDX', 'EAX=1');
  if (target <= vmpl) return at('target VMPL not below the current one', 'EAX=2');
  if (npt === 'absent' || npt === 'misaligned') return at(`NPT ${npt}`, '#NPF(ENC)');
  const entry = /^(4K|2M), /.exec(state)?.[1];
  if (entry === undefined) return at(`page is ${state}`, RMP_FAULT);
  const sizes = `${SIZES[size]} on an entry of ${entry}, NPT ${npt}`;
  if (size === 0 && (entry === '2M' || npt !== '4K')) return at(sizes, '#NPF(RMP|ENC|SIZEM)');
  if (state.endsWith(', in use')) return at('page is in use by VMRUN', 'EAX=3');
  if (state.includes('not validated')) return at(`${SIZES[size]}, not validated`, '#VC(0x404)');
  if (size === 1 && (entry === '4K' || npt === '4K')) return at(sizes, 'EAX=6');
  if ((mask & ~own) !== 0) return at('more permissions than the current VMPL has', 'EAX=2');
  const vmsa = rdx >= 2 ** 16 ? (vmpl === 0 ? ', VMSA' : ', VMSA ignored outside VMPL0') : '';
  return at(`${SIZES[size]}, permissions set${vmsa}`, 'ok');
}

function rmpadjustCells(): Cell[] {
  const full = 0xf;
  const cells: Wanted[] = [];
  const add = (cell: Wanted): void => {
    if (!cells.some((c) => c.id === cell.id)) cells.push(cell);
  };
  add(rmpadjustCell(0, 0, 1, 0, '4K', '', full, false));
  add(rmpadjustCell(0, 2, 1, 0, '4K', '', full));
  add(rmpadjustCell(1, 0, 1, 0, '4K', '', full));
  add(rmpadjustCell(0x1000, 1, 1, 0, '4K', '', full));
  add(rmpadjustCell(0, 0, 4, 0, '4K', '', full));
  add(rmpadjustCell(0, 0, 1, 1, '4K', '', full));
  for (const npt of ['absent', 'misaligned']) add(rmpadjustCell(0, 0, 1, 0, npt, '', full));
  for (const state of PRIVATE_STATES.slice(0, 5)) add(rmpadjustCell(0, 0, 1, 0, '4K', state, full));
  add(rmpadjustCell(0, 0, 1, 0, '4K', '4K, validated, in use', full));
  add(rmpadjustCell(0, 0, 0x301, 0, '4K', '4K, validated', 1));
  for (const size of [0, 1])
    for (const entry of ['4K', '2M'])
      for (const npt of SIZES)
        for (const validity of ['validated', 'not validated'])
          add(rmpadjustCell(0, size, 0x101, 0, npt, `${entry}, ${validity}`, full));
  for (const vmpl of [0, 1]) add(rmpadjustCell(0, 0, 0x10102, vmpl, '4K', '4K, validated', full));
  return cells.map(({ id, outcome }) => plain(id, id.slice('RMPADJUST: '.length), outcome));
}

const plain = (id: string, row: string, outcome: string): Cell => ({ id, row, column: 'result', outcome });

function matrix(
  rows: readonly string[],
  columns: readonly string[],
  of: (row: string, column: string) => Wanted,
): Cell[] {
  return rows.flatMap((row) => columns.map((column) => ({ row, column, ...of(row, column) })));
}

const instructionChecks = (instruction: 'RMPUPDATE' | 'PSMASH'): Cell[] =>
  (instruction === 'RMPUPDATE' ? rmpupdateChecks('inuse-permission-overlap', 1) : psmashChecks(7)).map((row) =>
    plain(
      checkCell(instruction, row.check, row.code),
      row.doc,
      rmpCodeName(row.code, instruction.toLowerCase() as 'psmash'),
    ),
  );

const UPDATES = [
  '4K assign, page was unassigned',
  '4K assign, entry was 4K and the same',
  '4K assign, entry was 4K and another',
  '4K unassign, page was unassigned',
  '4K unassign, entry was 4K',
  '2M assign, page was unassigned',
  '2M assign, entry was 4K',
  '2M assign, entry was 2M and the same',
  '2M assign, entry was 2M and another',
  '2M unassign, page was unassigned',
  '2M unassign, entry was 4K',
  '2M unassign, entry was 2M',
];

function pvalidateCells(): Cell[] {
  const cells: Wanted[] = [
    pvalidateCell(0, 0, 1, 0, '4K', '', false),
    pvalidateCell(0, 0, 1, 1, '4K', ''),
    pvalidateCell(0, 2, 1, 0, '4K', ''),
    pvalidateCell(0, 0, 2, 0, '4K', ''),
    pvalidateCell(1, 0, 1, 0, '4K', ''),
    pvalidateCell(0x1000, 1, 1, 0, '4K', ''),
    pvalidateCell(0, 0, 1, 0, 'absent', ''),
    pvalidateCell(0, 0, 1, 0, 'misaligned', ''),
    ...PRIVATE_STATES.slice(0, 5).map((state) => pvalidateCell(0, 0, 1, 0, '4K', state)),
    pvalidateCell(0, 0, 1, 0, '4K', '4K, validated, in use'),
  ];
  for (const size of [0, 1])
    for (const entry of ['4K', '2M'])
      for (const npt of SIZES)
        for (const validity of ['validated', 'not validated'])
          for (const validate of [1, 0]) {
            const cell = pvalidateCell(0, size, validate, 0, npt, `${entry}, ${validity}`);
            if (!cells.some((c) => c.id === cell.id)) cells.push(cell);
          }
  return cells.map(({ id, outcome }) => plain(id, id.slice('PVALIDATE: '.length), outcome));
}

/** RMPQUERY; `npt` and `state` as with {@link pvalidateCell}. */
export function rmpqueryCell(target: number, vmpl: number, npt: string, state: string, snp = true): Wanted {
  const at = (condition: string, outcome: string): Wanted => ({ id: `RMPQUERY: ${condition}`, outcome });
  if (!snp) return at('not an SNP guest', '#UD');
  if (target > 3) return at('no such VMPL', 'EAX=2');
  if (target < vmpl) return at('about a more privileged VMPL', 'EAX=2');
  if (target === vmpl) return at('about the current VMPL', 'EAX=2');
  if (npt === 'absent' || npt === 'misaligned') return at(`NPT ${npt}`, '#NPF(ENC)');
  const entry = /^(4K|2M), /.exec(state)?.[1];
  if (entry === undefined) return at(`page is ${state}`, RMP_FAULT);
  if ((entry === '4K') !== (npt === '4K')) return at(`entry of ${entry}, NPT ${npt}`, RMP_FAULT);
  if (state.includes('not validated')) return at(`${entry}, not validated`, '#VC(0x404)');
  return at(`${entry}, validated${npt === '1G' ? ', NPT 1G' : ''}`, 'ok');
}

function rmpqueryCells(): Cell[] {
  const cells: Wanted[] = [
    rmpqueryCell(1, 0, '4K', '', false),
    rmpqueryCell(4, 0, '4K', ''),
    rmpqueryCell(0, 1, '4K', ''),
    rmpqueryCell(1, 1, '4K', ''),
    ...['absent', 'misaligned'].map((npt) => rmpqueryCell(1, 0, npt, '')),
    ...PRIVATE_STATES.slice(0, 5).map((state) => rmpqueryCell(1, 0, '4K', state)),
    ...PRIVATE_STATES.slice(5).flatMap((state) => SIZES.map((npt) => rmpqueryCell(1, 0, npt, state))),
  ];
  const distinct = new Map(cells.map((cell) => [cell.id, cell]));
  return [...distinct.values()].map(({ id, outcome }) => plain(id, id.slice('RMPQUERY: '.length), outcome));
}

/** RMPREAD; `state` says which entry it is, see {@link RMPREAD_STATES}. */
export function rmpreadCell(context: number, state: string): Wanted {
  const at = (condition: string, outcome: string): Wanted => ({ id: `RMPREAD: ${condition}`, outcome });
  if (context !== 0) return at('in the context of a guest', 'EAX=2');
  return at(state, RMPREAD_STATES[state]);
}

/** What the second quadword's low half says: bit 0 Assigned, 8 Page_Size, 9 region status, 16 Immutable. */
export const RMPREAD_STATES: Readonly<Record<string, string>> = {
  'not covered': 'EAX=1',
  'not assigned': '0x0',
  'not assigned, another page of its region is': '0x200',
  '4K': '0x1',
  '4K, another page of its region is assigned': '0x201',
  '4K, immutable': '0x10001',
  'not assigned, immutable': '0x10000',
  '2M': '0x301',
  'in the middle of 2M': '0x1',
};

// ---------------------------------------------------------------- VMRUN

const VMSA_STATES = [
  'VMSA page',
  'no page',
  'not covered',
  'not assigned',
  'another ASID',
  'another GPA',
  'immutable',
  'VMSA=0',
  '2M entry',
  'in use',
];

/** Pages of VMRUN and VMSAVE that have to be the hypervisor's, with what comes of it if not; `free`: nobody else may be running with it either. */
export const HOST_PAGES: Readonly<Record<string, { fault: string; free: boolean }>> = {
  VMCB: { fault: '#GP(0)', free: true },
  VM_HSAVE_PA: { fault: '#GP(0)', free: false },
  'AVIC backing page': { fault: 'VMEXIT_INVALID', free: true },
  "VMSA of another guest's kind": { fault: 'VMEXIT_INVALID', free: true },
  'target of VMSAVE': { fault: '#GP(0)', free: false },
};
const HOST_PAGE_STATES = ['not assigned', 'not covered', 'assigned', 'under a 2M entry', 'in use'];

export function hostPageCell(what: string, state: string): Wanted {
  const { fault, free } = HOST_PAGES[what];
  const refused = state === 'assigned' || state === 'under a 2M entry' || (state === 'in use' && free);
  return { id: `${what}: ${state}`, outcome: refused ? fault : 'ok' };
}

// ---------------------------------------------------------------- firmware

/** `page` is the state of the page that the command's event names, as in {@link Transition.before}. */
export const firmwareCell = (command: number, page: string, note: string, status: string): string =>
  [`${fwCommandName(command)} ${page}: ${status}`, note].filter(Boolean).join(', ');

const firmwareSections = (): Section[] =>
  [...new Set(transitions.map((row) => row.command))].map((command) => ({
    title: fwCommandName(command),
    source: 'SNP firmware ABI',
    cells: transitions
      .filter((row) => row.command === command)
      .map(({ before, note, status, after }) =>
        plain(
          firmwareCell(command, before, note, status),
          [before === '-' ? '' : before, note].filter(Boolean).join(', '),
          status !== 'SUCCESS' ? status : after === '' ? 'SUCCESS' : after,
        ),
      ),
  }));

export const sections: readonly Section[] = [
  {
    title: 'RMPUPDATE: checks',
    source: 'APM vol. 3, RMPUPDATE; engine/hardware/instruction-checks.ts for their order',
    cells: instructionChecks('RMPUPDATE'),
  },
  {
    title: 'RMPUPDATE: changes',
    source: 'APM vol. 2, 15.36.5',
    cells: UPDATES.map((shape) => plain(`RMPUPDATE ok: ${shape}`, shape, 'ok')),
  },
  { title: 'PSMASH: checks', source: 'APM vol. 3, PSMASH', cells: instructionChecks('PSMASH') },
  {
    title: 'PSMASH: changes',
    source: 'APM vol. 2, 15.36.11',
    cells: ['2M entry, validated', '2M entry, not validated'].map((shape) => plain(`PSMASH ok: ${shape}`, shape, 'ok')),
  },
  { title: 'PVALIDATE', source: 'APM vol. 3, PVALIDATE; vol. 2, 15.36.6 and table 15-40', cells: pvalidateCells() },
  {
    title: 'RMPADJUST',
    source: 'APM vol. 3, RMPADJUST; vol. 2, 15.36.7',
    cells: rmpadjustCells(),
  },
  { title: 'RMPQUERY', source: 'APM vol. 3, RMPQUERY; vol. 2, 15.36.7', cells: rmpqueryCells() },
  {
    title: 'RMPREAD',
    source: 'APM vol. 3, RMPREAD: what the second quadword says besides the ASID',
    cells: [rmpreadCell(1, ''), ...Object.keys(RMPREAD_STATES).map((state) => rmpreadCell(0, state))].map(
      ({ id, outcome }) => plain(id, id.slice('RMPREAD: '.length), outcome),
    ),
  },
  ...ACCESSES.map((access) => ({
    title: `SNP guest, private ${access}`,
    source: 'APM vol. 2, 15.36.10 and table 15-39: effective C-bit 1',
    cells: matrix(PRIVATE_STATES, SIZES, (state, npt) => privateCell(access, state, npt)).map((cell) => ({
      ...cell,
      column: `NPT ${cell.column}`,
    })),
  })),
  {
    title: 'VMPL permissions',
    source: 'APM vol. 2, 15.36.7 and table 15-36: after every other check',
    cells: [0, 1, 2, 3].flatMap((vmpl) =>
      matrix(Object.keys(NEEDED), ['permitted', 'not permitted'], (kind, column) =>
        vmplCell(vmpl, kind, column === 'permitted' ? 0xff : 0),
      ).map((cell) => ({ ...cell, row: `VMPL${vmpl} ${cell.row}` })),
    ),
  },
  {
    title: 'VMPL permissions with supervisor shadow stacks',
    source: 'APM vol. 2, 15.36.7, VmplSSS: bit 4 of the mask, and bit 37 of the error code with it',
    cells: sssCells(),
  },
  ...(
    [
      ['SNP guest, C=0', ['read', 'write', 'shadow stack read', 'shadow stack write']],
      ['other guest', ACCESSES],
      ['host', ACCESSES],
    ] as const
  ).map(([who, kinds]) => ({
    title: `${who[0].toUpperCase()}${who.slice(1)}: ${kinds.join(', ')}`,
    source: 'APM vol. 2, 15.36.10 and table 15-39: Hypervisor-Owned; 1G is checked as 2M',
    cells: kinds.flatMap((access) =>
      matrix(SHARED_STATES, SIZES, (state, size) => sharedCell(who, access, state, size)).map((cell) => ({
        ...cell,
        row: `${access}: ${cell.row}`,
        column: `mapping ${cell.column}`,
      })),
    ),
  })),
  {
    title: 'Pages in use: features of processors',
    source: 'APM vol. 2, 15.36.12 (HvInUseWrAllowed); Linux 75253db41a46 (erratum of early parts)',
    cells: IN_USE_FEATURES.slice(1).flatMap(({ name, features }) =>
      ['host', 'SNP guest, C=0'].flatMap((who) =>
        matrix(['in use', 'first page in use', 'assigned'], SIZES, (state, size) =>
          sharedCell(who, 'write', state, size, features),
        ).map((cell) => ({ ...cell, row: `${name}, ${who} write: ${cell.row}`, column: `mapping ${cell.column}` })),
      ),
    ),
  },
  {
    title: 'VMRUN: the VMSA page of an SNP guest',
    source: 'APM vol. 2, 15.36.12 and table 15-41',
    cells: VMSA_STATES.map((state) => plain(`VMRUN: ${state}`, state, state === 'VMSA page' ? 'ok' : 'VMEXIT_INVALID')),
  },
  {
    title: 'VMRUN and VMSAVE: pages of the hypervisor',
    source: 'APM vol. 2, 15.36.12 and table 15-41',
    cells: Object.keys(HOST_PAGES).flatMap((what) =>
      HOST_PAGE_STATES.map((state) => {
        const { id, outcome } = hostPageCell(what, state);
        return { id, row: what, column: state, outcome };
      }),
    ),
  },
  {
    title: 'DMA',
    source: 'AMD I/O Virtualization Technology, RMP checks',
    cells: [plain('DMA: ok', 'hypervisor-owned', 'ok'), plain('DMA: RMP_PAGE_FAULT', 'guest-owned', 'RMP_PAGE_FAULT')],
  },
  ...rowSections.map((section) => ({
    title: section.title,
    source: section.source,
    cells: section.rows.map((one) => plain(rowCell(section, one), one.what, one.outcome)),
  })),
  ...firmwareSections(),
];

/** Cells that no test can reach, or that none reaches yet, each with the reason. */
export const reasons: Readonly<Record<string, string>> = Object.fromEntries(
  ['shadow stack read', 'shadow stack write'].map((kind) => [
    `VmplSSS ${kind}, supervisor: permitted, SSS=0`,
    'cannot be: without SSS no such access is permitted',
  ]),
);
