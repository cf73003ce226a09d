/**
 * Every cell of every rule of the hardware, with what must come of it: RMPUPDATE and PSMASH by check, PVALIDATE by condition, RMPADJUST, RMPQUERY and
 * RMPREAD by result, accesses by state of the entry, size of the mapping and kind (APM vol. 2, 15.36.5 to 15.36.11, tables 15-39 and 15-41),
 * firmware commands by state of the page (SNP firmware ABI). Written from the manuals, not from the engine.
 */
import { fwCommandName } from '../../engine/hardware/firmware.ts';
import { Check, psmashChecks, rmpCodeName, rmpupdateChecks } from '../../engine/hardware/instruction-checks.ts';
import { transitions } from './firmware-transitions.ts';

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
const ACCESSES = ['read', 'write', 'fetch', 'walk', 'A/D write'];

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

/** Accesses that want a hypervisor-owned page, or none of the checks. */
export function sharedCell(who: string, access: string, state: string, size: string): Wanted {
  const id = `${who} ${access}: ${state}, mapping ${size}`;
  const checked = access === 'write' || access === 'A/D write' || (access === 'walk' && who === 'other guest');
  // The host's update of an A or D bit is a write of 4K size, whatever maps the page tables.
  const large = size !== '4K' && !(who === 'host' && access === 'A/D write');
  const owned =
    state === 'not covered' ||
    state === 'region unassigned' ||
    (!large && (state === 'another page assigned' || state === 'first page in use'));
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
};

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

const CODES: Readonly<Record<string, readonly number[]>> = {
  RMPQUERY: [0, 2],
  RMPREAD: [0, 1, 2],
};

const resultCells = (instruction: string, faults: readonly string[]): Cell[] => [
  ...CODES[instruction].map((code) => plain(`${instruction}: ${rmpCodeName(code)}`, rmpCodeName(code), '')),
  ...faults.map((fault) => plain(`${instruction}: ${fault}`, fault, '')),
];

const VMSA_STATES = [
  'VMSA page',
  'no page',
  'not covered',
  'not assigned',
  'another ASID',
  'immutable',
  'VMSA=0',
  '2M entry',
  'in use',
];

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
  { title: 'RMPQUERY', source: 'APM vol. 3, RMPQUERY', cells: resultCells('RMPQUERY', ['#NPF(RMP|ENC)', '#UD']) },
  { title: 'RMPREAD', source: 'APM vol. 3, RMPREAD', cells: resultCells('RMPREAD', []) },
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
  ...(
    [
      ['SNP guest, C=0', ['read', 'write']],
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
    title: 'VMRUN: the VMSA page of an SNP guest',
    source: 'APM vol. 2, 15.36.12 and table 15-41',
    cells: VMSA_STATES.map((state) =>
      plain(`VMRUN: ${state}`, state, state === 'VMSA page' ? 'entered' : 'VMEXIT_INVALID'),
    ),
  },
  {
    title: 'DMA',
    source: 'AMD I/O Virtualization Technology, RMP checks',
    cells: [plain('DMA: ok', 'hypervisor-owned', 'ok'), plain('DMA: RMP_PAGE_FAULT', 'guest-owned', 'RMP_PAGE_FAULT')],
  },
  ...firmwareSections(),
];

/** Cells that no test can reach, or that none reaches yet, each with the reason. */
export const reasons: Readonly<Record<string, string>> = {};
