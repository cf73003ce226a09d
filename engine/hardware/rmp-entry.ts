/**
 * One RMP entry: its raw 16 bytes as Zen 3 and Zen 4 lay them out (not architectural: the AMD SEV firmware's sev_rmp.h and Linux's
 * arch/x86/virt/svm/sev.c), its architectural fields (APM vol. 2, table 15-34), its owner (table 15-35) and the firmware's name for its page
 * state (SEV-SNP firmware ABI, rmp_entry_get_state of the Genoa firmware).
 *
 * In memory an entry is four little-endian 32-bit words, because JavaScript's bit operations are 32 bits wide:
 *   word 0   0 Assigned · 1 Page_Size · 2 Immutable · 11:3 subpage_count · 31:12 GPA[31:12]
 *   word 1   18:0 GPA[50:32] · 28:19 ASID · 29 VMSA · 30 Validated · 31 lock (also VMRUN's in-use mark)
 *   word 2   permission masks of VMPL0 (7:0) to VMPL3 (31:24)
 *   word 3   0 implicit_key_select · 16:1 reserved · 21:17 root_port_id · 29:22 pcie_ide_stream_id · 31:30 page_migration
 */
import type { Asid, Gpa } from '../base/units.ts';

export const ASSIGNED = 1 << 0;
export const PAGE_SIZE_2M = 1 << 1;
export const IMMUTABLE = 1 << 2;
/** Assigned and Page_Size together: the mark of a 2M entry. */
export const ASSIGNED_2M = ASSIGNED | PAGE_SIZE_2M;
export const COUNT_SHIFT = 3;
export const COUNT_ONE = 1 << COUNT_SHIFT;
export const COUNT_MASK = 0x1ff << COUNT_SHIFT;
/** Page frame number bits that word 0 holds, and their place. */
export const GFN_LOW_MASK = 0xfffff;
export const GFN_LOW_SIZE = 0x100000;
export const GFN_LOW_SHIFT = 12;

export const GFN_HIGH_MASK = 0x7ffff;
export const ASID_SHIFT = 19;
export const ASID_MASK = 0x3ff;
export const VMSA = 1 << 29;
export const VALIDATED = 1 << 30;
/** Bit 63 of the entry: the firmware's lock and the processor's in-use mark. Negative as a 32-bit number; compare with `!== 0`. */
export const LOCK = 1 << 31;

/** GPAs end at bit 50: the field holds 39 bits above the page offset. */
export const GPA_LIMIT = 2 ** 51;

/** VMPL permission bits (APM vol. 2, table 15-36). */
export const VMPL_READ = 1;
export const VMPL_WRITE = 2;
export const VMPL_EXECUTE_USER = 4;
export const VMPL_EXECUTE_SUPERVISOR = 8;
export const VMPL_SSS = 16;

/** The fields of an entry, by the APM's names. */
export interface RmpEntry {
  assigned: boolean;
  pageSize: '4K' | '2M';
  immutable: boolean;
  /** Only meaningful in the 2M-aligned entry: assigned 4K entries among the other 511. */
  subpageCount: number;
  gpa: Gpa;
  asid: Asid;
  vmsa: boolean;
  validated: boolean;
  lock: boolean;
  /** Permission masks of VMPL0 to VMPL3. */
  vmpl: [number, number, number, number];
  /** Word 3 as it stands: nothing in it takes part in page conversions. */
  high: number;
}

/** The frame number in words 0 and 1. */
export function gfnOf(w0: number, w1: number): number {
  return (w1 & GFN_HIGH_MASK) * GFN_LOW_SIZE + (w0 >>> GFN_LOW_SHIFT);
}

export function asidOf(w1: number): number {
  return (w1 >>> ASID_SHIFT) & ASID_MASK;
}

export function decodeWords(w0: number, w1: number, w2: number, w3: number): RmpEntry {
  return {
    assigned: (w0 & ASSIGNED) !== 0,
    pageSize: (w0 & PAGE_SIZE_2M) !== 0 ? '2M' : '4K',
    immutable: (w0 & IMMUTABLE) !== 0,
    subpageCount: (w0 & COUNT_MASK) >>> COUNT_SHIFT,
    gpa: (gfnOf(w0, w1) * 4096) as Gpa,
    asid: asidOf(w1) as Asid,
    vmsa: (w1 & VMSA) !== 0,
    validated: (w1 & VALIDATED) !== 0,
    lock: (w1 & LOCK) !== 0,
    vmpl: [w2 & 0xff, (w2 >>> 8) & 0xff, (w2 >>> 16) & 0xff, w2 >>> 24],
    high: w3 >>> 0,
  };
}

/** The four words of an entry, each 0 to 2^32 - 1. Fields that are too wide are cut to their width. */
export function encodeWords(entry: RmpEntry): [number, number, number, number] {
  const gfn = Math.floor(entry.gpa / 4096);
  const gfnLow = gfn % GFN_LOW_SIZE;
  const gfnHigh = ((gfn - gfnLow) / GFN_LOW_SIZE) & GFN_HIGH_MASK;
  const w0 =
    (entry.assigned ? ASSIGNED : 0) |
    (entry.pageSize === '2M' ? PAGE_SIZE_2M : 0) |
    (entry.immutable ? IMMUTABLE : 0) |
    ((entry.subpageCount & 0x1ff) << COUNT_SHIFT) |
    (gfnLow << GFN_LOW_SHIFT);
  const w1 =
    gfnHigh |
    ((entry.asid & ASID_MASK) << ASID_SHIFT) |
    (entry.vmsa ? VMSA : 0) |
    (entry.validated ? VALIDATED : 0) |
    (entry.lock ? LOCK : 0);
  const [v0, v1, v2, v3] = entry.vmpl;
  const w2 = (v0 & 0xff) | ((v1 & 0xff) << 8) | ((v2 & 0xff) << 16) | ((v3 & 0xff) << 24);
  return [w0 >>> 0, w1 >>> 0, w2 >>> 0, entry.high >>> 0];
}

/** Decode an entry as kernel logs print it: `[low - high]`. */
export function decodeQwords(low: bigint, high: bigint): RmpEntry {
  const word = (q: bigint, shift: bigint) => Number((q >> shift) & 0xffffffffn);
  return decodeWords(word(low, 0n), word(low, 32n), word(high, 0n), word(high, 32n));
}

/** The low and the high quadword, as kernel logs print them. */
export function encodeQwords(entry: RmpEntry): { low: bigint; high: bigint } {
  const [w0, w1, w2, w3] = encodeWords(entry);
  return { low: BigInt(w0) | (BigInt(w1) << 32n), high: BigInt(w2) | (BigInt(w3) << 32n) };
}

export type Owner = 'hypervisor' | 'guest' | 'amd-sp';

/** APM vol. 2, table 15-35. Assigned without an ASID is the AMD-SP's, also between PAGE_RECLAIM and the next RMPUPDATE. */
export function ownerOf(entry: RmpEntry): Owner {
  if (!entry.assigned) return 'hypervisor';
  return entry.asid !== 0 ? 'guest' : 'amd-sp';
}

export type PageState =
  | 'HYPERVISOR'
  | 'HV_FIXED'
  | 'FIRMWARE'
  | 'FIRMWARE_IOMMU'
  | 'RECLAIM'
  | 'CONTEXT'
  | 'METADATA'
  | 'PRE_GUEST'
  | 'PRE_SWAP'
  | 'GUEST_INVALID'
  | 'GUEST_VALID'
  | 'DEFAULT'
  | 'INVALID';

/** FIRMWARE_IOMMU pages hold 1 in the GPA field, and this tag in its bits 38:36. */
const IOMMU_TAG = 2 * 2 ** 36;

/**
 * The firmware's state of a page, from its entry (for a page under a 2M entry: from the head's, see RmpTable.pageState).
 * `DEFAULT` is a page that the RMP does not cover, which no entry can say; `INVALID` is a combination that has no name.
 */
export function pageStateOf(entry: RmpEntry): PageState {
  if (!entry.assigned) {
    if (entry.validated || entry.asid !== 0) return 'INVALID';
    if (!entry.immutable) return 'HYPERVISOR';
    return entry.lock ? 'INVALID' : 'HV_FIXED';
  }
  if (entry.asid !== 0) {
    if (entry.immutable) return entry.validated ? 'PRE_SWAP' : 'PRE_GUEST';
    return entry.validated ? 'GUEST_VALID' : 'GUEST_INVALID';
  }
  if (entry.validated) return 'INVALID';
  if (!entry.immutable) return entry.lock ? 'INVALID' : 'RECLAIM';
  const field = entry.gpa / 4096;
  if (field === 0) return entry.vmsa ? 'CONTEXT' : 'FIRMWARE';
  if (!entry.vmsa && (field === 1 || field === IOMMU_TAG + 1)) return 'FIRMWARE_IOMMU';
  return 'METADATA';
}

const MASK_LETTERS = 'rwxXs';

/** A VMPL mask as letters: r, w, x (user), X (supervisor), s (supervisor shadow stack). */
export function formatVmplMask(mask: number): string {
  let text = '';
  for (let bit = 0; bit < 5; bit++) text += (mask & (1 << bit)) !== 0 ? MASK_LETTERS[bit] : '-';
  return text;
}

/** One line for messages and hovers: `asid 1 · gpa 0x10000 · 4K · validated`. */
export function formatEntry(entry: RmpEntry): string {
  const parts: string[] = [];
  if (entry.assigned) {
    if (entry.asid !== 0) parts.push(`asid ${entry.asid}`, `gpa 0x${entry.gpa.toString(16)}`);
    else parts.push(pageStateOf(entry).toLowerCase());
    parts.push(entry.pageSize);
    if (entry.asid !== 0) parts.push(entry.validated ? 'validated' : 'not validated');
    if (entry.vmsa) parts.push('vmsa');
  } else {
    parts.push(entry.immutable ? 'hv-fixed' : 'hypervisor');
  }
  if (entry.immutable && entry.assigned) parts.push('immutable');
  if (entry.lock) parts.push('locked');
  return parts.join(' · ');
}
