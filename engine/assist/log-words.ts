/** Numbers of log lines in words: frames, return codes, errnos. */
import { errnoName, errnoNumbers } from '../base/errno.ts';
import { hex } from '../base/text.ts';
import { rmpCodeName } from '../hardware/instruction-checks.ts';

type Row = { field: string; value: string; meaning: string };

export const row = (field: string, value: string, meaning = ''): Row => ({ field, value, meaning });

/** A frame number printed without or with its 0x, as hexadecimal digits. */
export function pfnRow(digits: string, field = 'PFN'): Row {
  const pfn = BigInt(`0x${digits}`);
  const within = pfn % 512n;
  const region =
    within === 0n ? 'the first of its 2M region' : `page ${within} of the 2M region from ${hex(pfn - within)}`;
  return row(field, hex(pfn), `system physical address ${hex(pfn * 4096n)}; ${region}`);
}

export function gpaRow(digits: string): Row {
  const gpa = BigInt(`0x${digits}`);
  return row('GPA', hex(gpa), `gfn ${hex(gpa / 4096n)}`);
}

export function gfnRow(digits: string, field = 'GFN'): Row {
  const gfn = BigInt(`0x${digits}`);
  return row(field, hex(gfn), `GPA ${hex(gfn * 4096n)}`);
}

const levels = ['', '4K', '2M', '1G'];
/** A level as `enum pg_level` numbers it. */
export const levelRow = (n: string, field = 'level'): Row => row(field, n, levels[Number(n)] ?? '');

const known = new Set<number>(Object.values(errnoNumbers));

/** `-22` as EINVAL. */
export const errnoText = (n: number): string => (n < 0 && known.has(-n) ? errnoName(-n) : '');

/** What RMPUPDATE's codes come from (APM vol. 3, RMPUPDATE). */
const RMPUPDATE_CODES: Readonly<Record<string, string>> = {
  FAIL_INPUT: 'the address or the new state is not allowed: not covered by the RMP, not aligned, reserved bits',
  FAIL_PERMISSION: 'the entry is immutable: HV-fixed, or firmware’s',
  FAIL_INUSE: 'the entry is in use by a vCPU, or another CPU is changing it',
  FAIL_OVERLAP: 'a 2M entry meets 4K entries, or a 4K one a 2M entry; or another CPU is changing the region',
};
const PSMASH_CODES: Readonly<Record<string, string>> = {
  FAIL_INPUT: 'the address is not covered by the RMP, or not 2M-aligned',
  FAIL_PERMISSION: 'the entry is immutable',
  FAIL_INUSE: 'another CPU is changing the region',
  FAIL_BADADDR: 'there is no assigned 2M entry at that address',
};

/** A return value of the kernel's wrappers: an errno if negative, else what the instruction returned. */
export function resultRow(n: number, instruction: 'rmpupdate' | 'psmash', field = 'ret'): Row {
  if (n < 0) return row(field, String(n), errnoText(n));
  if (n === 0) return row(field, '0', 'success');
  const name = rmpCodeName(n, instruction);
  const why = (instruction === 'rmpupdate' ? RMPUPDATE_CODES : PSMASH_CODES)[name];
  return row(field, String(n), why === undefined ? name : `${name}: ${why}`);
}

/** What a return code of the RMP instructions comes from, of RMPUPDATE or, where only that returns it, of PSMASH. */
export const codeMeaning = (name: string): string | undefined =>
  RMPUPDATE_CODES[name] ?? PSMASH_CODES[name] ?? OTHER_CODES[name];
const OTHER_CODES: Readonly<Record<string, string>> = {
  FAIL_SIZEMISMATCH: 'the page size of the instruction is not that of the RMP entry or of the mapping',
};

/** `FAIL_OVERLAP`, `EINVAL`, or the number. */
export const resultName = (n: number, instruction: 'rmpupdate' | 'psmash'): string =>
  n < 0 ? errnoText(n) || String(n) : rmpCodeName(n, instruction);
