/** An RMP entry told field by field: what a raw dump in a log holds, and what stands behind a page of a running scenario. */
import { hex } from '../base/text.ts';
import {
  decodeQwords,
  formatEntry,
  formatVmplMask,
  ownerOf,
  pageStateOf,
  type RmpEntry,
} from '../hardware/rmp-entry.ts';
import { PAGE_STATES } from '../scenario/words.ts';

export interface FieldRow {
  field: string;
  value: string;
  meaning: string;
}

/** Where KVM binds the VMSA page of a vCPU that it starts itself: the top page of 48 bits (INITIAL_VMSA_GPA). */
const INITIAL_VMSA_GPA = 0xfffffffff000;

/** An entry with Assigned alone: what a 2M RMPUPDATE leaves in the 511 entries behind the first. */
const ASSIGNED_ONLY = 1n;

/** `[0x6010fffffffff001 - 0x000000000000001f]`, as the kernel prints it. */
export const formatRaw = (low: bigint, high: bigint): string => `[0x${qword(low)} - 0x${qword(high)}]`;
const qword = (q: bigint): string => q.toString(16).padStart(16, '0');

/** One line: the state as firmware names it, then the fields that matter. */
export function entrySummary(low: bigint, high: bigint): string {
  const entry = decodeQwords(low, high);
  if (low === ASSIGNED_ONLY && high === 0n) return 'RECLAIM, or a page under a 2M entry';
  const head = entry.assigned || entry.immutable ? formatEntry(entry) : 'hypervisor-owned';
  const counted = entry.subpageCount > 0 ? ` · subpage count ${entry.subpageCount}` : '';
  return `${pageStateOf(entry)}: ${head}${counted}`;
}

/** @param highIsKnown whether the log shows the second quadword */
export function entryFields(low: bigint, high: bigint, highIsKnown = true): FieldRow[] {
  const entry = decodeQwords(low, high);
  const rows: FieldRow[] = [
    { field: 'Assigned', value: bit(entry.assigned), meaning: ownerText(entry) },
    { field: 'Page_Size', value: entry.pageSize === '2M' ? '1' : '0', meaning: entry.pageSize },
    {
      field: 'Immutable',
      value: bit(entry.immutable),
      meaning: entry.immutable ? 'no RMP instruction may change the entry' : '',
    },
    { field: 'subpage_count', value: String(entry.subpageCount), meaning: countText(entry) },
    { field: 'GPA', value: hex(entry.gpa), meaning: gpaText(entry) },
    { field: 'ASID', value: String(entry.asid), meaning: entry.asid > 9 ? hex(entry.asid) : '' },
    { field: 'VMSA', value: bit(entry.vmsa), meaning: entry.vmsa ? vmsaText(entry) : '' },
    { field: 'Validated', value: bit(entry.validated), meaning: entry.validated ? 'the guest has PVALIDATEd it' : '' },
    { field: 'lock', value: bit(entry.lock), meaning: entry.lock ? lockText(entry) : '' },
  ];
  if (highIsKnown) {
    for (const [vmpl, mask] of entry.vmpl.entries())
      if (vmpl === 0 || mask !== 0)
        rows.push({
          field: `VMPL${vmpl}`,
          value: hex(mask),
          meaning: `${formatVmplMask(mask)}${(mask & 0x10) !== 0 ? ', with supervisor shadow stack' : ''}`,
        });
    if (entry.high !== 0)
      rows.push({ field: 'bits 127:96', value: hex(entry.high), meaning: 'not part of page conversions' });
  }
  const state = pageStateOf(entry);
  rows.push({
    field: 'state',
    value: state,
    meaning: PAGE_STATES.find(({ name }) => name === state)?.doc ?? 'a combination that has no name',
  });
  return rows;
}

/** What the entry is likely to mean where it was printed; empty if it speaks for itself. */
export function entryNote(low: bigint, high: bigint): string {
  if (low === ASSIGNED_ONLY && high === 0n)
    return 'Assigned and nothing else is how RMPUPDATE leaves the 511 entries behind a 2M one: if the 2M-aligned entry is 2M, it speaks for this page.';
  return '';
}

const bit = (set: boolean): string => (set ? '1' : '0');

function ownerText(entry: RmpEntry): string {
  const owner = ownerOf(entry);
  return owner === 'guest'
    ? 'owned by a guest'
    : owner === 'amd-sp'
      ? 'owned by firmware (AMD-SP)'
      : 'owned by the hypervisor';
}

const countText = (entry: RmpEntry): string =>
  entry.subpageCount === 0 ? '' : `${entry.subpageCount} of the other 511 pages of the region are assigned as 4K`;

function gpaText(entry: RmpEntry): string {
  if (entry.gpa === INITIAL_VMSA_GPA && entry.vmsa) return 'where KVM binds the first VMSA of a vCPU';
  if (pageStateOf(entry) === 'FIRMWARE_IOMMU') return 'no address: the mark of a page that the IOMMU uses';
  return entry.gpa === 0 ? '' : `gfn ${hex(entry.gpa / 4096)}`;
}

const vmsaText = (entry: RmpEntry): string => (entry.lock ? 'a VMSA page, in use' : 'usable as a VMSA page');

const lockText = (entry: RmpEntry): string =>
  entry.vmsa
    ? 'in use: a vCPU runs on it (VMRUN)'
    : entry.asid === 0
      ? 'locked by firmware'
      : 'locked by firmware, or in use by VMRUN';
