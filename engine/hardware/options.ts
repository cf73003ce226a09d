/**
 * The points of SEV-SNP that no public text settles, each as a named option of the host. A silent choice would make a verdict look surer than
 * it is, so an instruction whose result depended on one of these sets its bit in `hw.reliedOn` and the verdict can say so.
 *
 * "Depended" means: with another value of the option, this very instruction on this very state would have given another result.
 */

export type CheckOrder =
  | 'inuse-permission-overlap'
  | 'inuse-overlap-permission'
  | 'permission-inuse-overlap'
  | 'permission-overlap-inuse'
  | 'overlap-inuse-permission'
  | 'overlap-permission-inuse';

export interface HardwareOptions {
  idempotentRmpupdateKeepsValidated: boolean;
  rmpupdateCheckOrder: CheckOrder;
  rmpupdateStrictInput: boolean;
  rmpupdateLowBits: 'fail-input' | 'mask';
  rmpupdateMalformedUnassign: 'fail-input' | 'fail-permission';
  rmpupdateUnassign2mOver4k: 'fail-overlap' | 'head-only';
  rmpupdate2mTails: 'assigned-only' | 'keep-fields';
  rmpupdate2mChecksTails: boolean;
  lockedHeadFailsInuse: boolean;
  transientConflict: 'by-entry' | 'overlap' | 'inuse';
  psmashBadaddrCode: 7 | 4;
  psmashImmutable: 'fail-permission' | 'allow';
  psmashUnaligned: 'fail-input' | 'align-down';
  pvalidateNonzeroVmpl: 'gp' | 'fail-permission';
  sizemOnPlainAccess: boolean;
  vmplSss: boolean;
  hvInUseWrAllowed: boolean;
  inUse2mErratum: boolean;
  rmpupdateFlushesGuestTlb: boolean;
  inUseFailsGuestInstructions: boolean;
  rmpadjustCheckOrder: RmpadjustOrder;
  rmpqueryOwnVmpl: 'fail-permission' | 'allow';
  rmpqueryUnvalidated: 'vc' | 'allow';
  guestTlb: boolean;
  contendedAccessFaults: boolean;
}

export type RmpadjustOrder =
  | 'validated-size-permission'
  | 'validated-permission-size'
  | 'size-validated-permission'
  | 'size-permission-validated'
  | 'permission-validated-size'
  | 'permission-size-validated';

export type HardwareOptionKey = keyof HardwareOptions;
export type HardwareOptionValue = boolean | number | string;

export interface HardwareOptionRow {
  key: HardwareOptionKey;
  /** Name in a scenario's `host { option NAME = VALUE }`. */
  name: string;
  /** Id of the open question, `U2`; `-` for a documented feature or erratum that differs between processors. */
  question: string;
  values: readonly HardwareOptionValue[];
  default: HardwareOptionValue;
  doc: string;
}

const YES_NO = [true, false] as const;

/** One row for each option. The position of a row is its bit in `reliedOn` (see {@link Relied}). */
export const hardwareOptionTable = [
  {
    key: 'idempotentRmpupdateKeepsValidated',
    name: 'idempotent-rmpupdate-keeps-validated',
    question: 'U2',
    values: YES_NO,
    default: true,
    doc: 'RMPUPDATE that repeats Assigned, Page_Size, ASID and GPA of an entry keeps its Validated, VMSA and VMPL permissions.',
  },
  {
    key: 'rmpupdateCheckOrder',
    name: 'rmpupdate-check-order',
    question: 'U1, U13',
    values: [
      'inuse-permission-overlap',
      'inuse-overlap-permission',
      'permission-inuse-overlap',
      'permission-overlap-inuse',
      'overlap-inuse-permission',
      'overlap-permission-inuse',
    ],
    default: 'inuse-permission-overlap',
    doc: 'Which code RMPUPDATE returns when several checks fail at once.',
  },
  {
    key: 'rmpupdateStrictInput',
    name: 'rmpupdate-strict-input',
    question: 'U1',
    values: YES_NO,
    default: true,
    doc: 'RMPUPDATE answers FAIL_INPUT to reserved bits, a misaligned 2M address or GPA, and an unassigned state with Immutable or an ASID; off: it ignores the surplus bits.',
  },
  {
    key: 'rmpupdateLowBits',
    name: 'rmpupdate-low-bits',
    question: 'U8',
    values: ['fail-input', 'mask'],
    default: 'fail-input',
    doc: 'What RMPUPDATE does with bits 11:0 of RAX.',
  },
  {
    key: 'rmpupdateMalformedUnassign',
    name: 'rmpupdate-malformed-unassign',
    question: 'U1',
    values: ['fail-input', 'fail-permission'],
    default: 'fail-input',
    doc: 'The code for a state with Assigned=0 that sets Immutable or an ASID.',
  },
  {
    key: 'rmpupdateUnassign2mOver4k',
    name: 'rmpupdate-unassign-2m-over-4k',
    question: 'U5',
    values: ['fail-overlap', 'head-only'],
    default: 'fail-overlap',
    doc: 'RMPUPDATE to hypervisor-owned with Page_Size=2M over a region of 4K entries: refused while the subpage count is not 0, or the size ignored and only the first page changed.',
  },
  {
    key: 'rmpupdate2mTails',
    name: 'rmpupdate-2m-tails',
    question: 'U9',
    values: ['assigned-only', 'keep-fields'],
    default: 'assigned-only',
    doc: 'Raw contents of the 511 entries under a 2M entry that RMPUPDATE made: Assigned=1 and nothing else, or the fields they had, as PAGE_UNSMASH leaves them.',
  },
  {
    key: 'rmpupdate2mChecksTails',
    name: 'rmpupdate-2m-checks-tails',
    question: 'U1',
    values: YES_NO,
    default: true,
    doc: 'A 2M RMPUPDATE also fails for an in-use or immutable entry among the other 511 of its region.',
  },
  {
    key: 'lockedHeadFailsInuse',
    name: 'locked-head-fails-inuse',
    question: 'U6',
    values: YES_NO,
    default: true,
    doc: 'RMPUPDATE that must change the subpage count of a locked 2M-aligned entry returns FAIL_INUSE.',
  },
  {
    key: 'transientConflict',
    name: 'transient-conflict',
    question: 'U14',
    values: ['by-entry', 'overlap', 'inuse'],
    default: 'by-entry',
    doc: 'The code when another CPU holds the 2M region: FAIL_INUSE for the same entry and FAIL_OVERLAP for another, or always one of them.',
  },
  {
    key: 'psmashBadaddrCode',
    name: 'psmash-badaddr-code',
    question: 'U4',
    values: [7, 4],
    default: 7,
    doc: 'The number PSMASH returns for FAIL_BADADDR.',
  },
  {
    key: 'psmashImmutable',
    name: 'psmash-immutable',
    question: 'U1',
    values: ['fail-permission', 'allow'],
    default: 'fail-permission',
    doc: 'What PSMASH does to an immutable 2M entry.',
  },
  {
    key: 'psmashUnaligned',
    name: 'psmash-unaligned',
    question: 'U1',
    values: ['fail-input', 'align-down'],
    default: 'fail-input',
    doc: 'What PSMASH does with an address that is not 2M-aligned.',
  },
  {
    key: 'pvalidateNonzeroVmpl',
    name: 'pvalidate-nonzero-vmpl',
    question: 'U7',
    values: ['gp', 'fail-permission'],
    default: 'gp',
    doc: 'PVALIDATE outside VMPL0: #GP(0), or EAX = 2.',
  },
  {
    key: 'sizemOnPlainAccess',
    name: 'sizem-on-plain-access',
    question: 'U3',
    values: YES_NO,
    default: false,
    doc: 'A plain guest access whose NPT and RMP page sizes differ reports SIZEM as well; the APM reserves SIZEM for PVALIDATE and RMPADJUST.',
  },
  {
    key: 'vmplSss',
    name: 'vmpl-sss',
    question: '-',
    values: YES_NO,
    default: false,
    doc: 'The processor supports VMPL supervisor shadow stacks: a full VMPL mask is 0x1f instead of 0x0f.',
  },
  {
    key: 'hvInUseWrAllowed',
    name: 'hv-in-use-wr-allowed',
    question: '-',
    values: YES_NO,
    default: false,
    doc: 'The processor lets the hypervisor write to in-use pages that it owns (HvInUseWrAllowed).',
  },
  {
    key: 'inUse2mErratum',
    name: 'in-use-2m-erratum',
    question: '-',
    values: YES_NO,
    default: true,
    doc: 'Early SNP parts: an in-use page that is 2M-aligned makes every write through a large mapping of its region fault.',
  },
  {
    key: 'rmpupdateFlushesGuestTlb',
    name: 'rmpupdate-flushes-guest-tlb',
    question: '-',
    values: YES_NO,
    default: true,
    doc: 'RMPUPDATE flushes the TLB entries of the GPAs that it changes.',
  },
  {
    key: 'inUseFailsGuestInstructions',
    name: 'in-use-fails-guest-instructions',
    question: '-',
    values: YES_NO,
    default: true,
    doc: 'PVALIDATE and RMPADJUST of a page that is in use by VMRUN return FAIL_INUSE, as the APM says of RMP instructions; their lists of return codes leave it out.',
  },
  {
    key: 'rmpadjustCheckOrder',
    name: 'rmpadjust-check-order',
    question: '-',
    values: [
      'validated-size-permission',
      'validated-permission-size',
      'size-validated-permission',
      'size-permission-validated',
      'permission-validated-size',
      'permission-size-validated',
    ],
    default: 'validated-size-permission',
    doc: 'What RMPADJUST answers when several checks fail at once: #VC(0x404) for a page that is not validated, FAIL_SIZEMISMATCH, FAIL_PERMISSION for a mask that the caller does not have.',
  },
  {
    key: 'rmpqueryOwnVmpl',
    name: 'rmpquery-own-vmpl',
    question: '-',
    values: ['fail-permission', 'allow'],
    default: 'fail-permission',
    doc: 'What RMPQUERY does when asked about the VMPL that executes it; about a more privileged one it always returns FAIL_PERMISSION.',
  },
  {
    key: 'rmpqueryUnvalidated',
    name: 'rmpquery-unvalidated',
    question: '-',
    values: ['vc', 'allow'],
    default: 'vc',
    doc: 'RMPQUERY of a page that is not validated: #VC(0x404), as with RMPADJUST, or an answer.',
  },
  {
    key: 'guestTlb',
    name: 'guest-tlb',
    question: '-',
    values: YES_NO,
    default: false,
    doc: 'Each vCPU keeps the translations that its accesses used until they are flushed, and uses a stale one without looking at NPT and RMP again. Off: every access walks anew.',
  },
  {
    key: 'contendedAccessFaults',
    name: 'contended-access-faults',
    question: '-',
    values: YES_NO,
    default: false,
    doc: 'An access that needs an RMP check takes a spurious RMP fault while another CPU holds the 2M region (`host.contend`), as the APM allows; done again, it succeeds. Off: accesses do not notice.',
  },
] as const satisfies readonly HardwareOptionRow[];

/** The bit of each option in `reliedOn`. A test holds this against the table's order. */
export const Relied = {
  idempotentRmpupdateKeepsValidated: 1 << 0,
  rmpupdateCheckOrder: 1 << 1,
  rmpupdateStrictInput: 1 << 2,
  rmpupdateLowBits: 1 << 3,
  rmpupdateMalformedUnassign: 1 << 4,
  rmpupdateUnassign2mOver4k: 1 << 5,
  rmpupdate2mTails: 1 << 6,
  rmpupdate2mChecksTails: 1 << 7,
  lockedHeadFailsInuse: 1 << 8,
  transientConflict: 1 << 9,
  psmashBadaddrCode: 1 << 10,
  psmashImmutable: 1 << 11,
  psmashUnaligned: 1 << 12,
  pvalidateNonzeroVmpl: 1 << 13,
  sizemOnPlainAccess: 1 << 14,
  vmplSss: 1 << 15,
  hvInUseWrAllowed: 1 << 16,
  inUse2mErratum: 1 << 17,
  rmpupdateFlushesGuestTlb: 1 << 18,
  inUseFailsGuestInstructions: 1 << 19,
  rmpadjustCheckOrder: 1 << 20,
  rmpqueryOwnVmpl: 1 << 21,
  rmpqueryUnvalidated: 1 << 22,
  guestTlb: 1 << 23,
  contendedAccessFaults: 1 << 24,
} as const satisfies Record<HardwareOptionKey, number>;

export function defaultHardwareOptions(): HardwareOptions {
  const options: Record<string, HardwareOptionValue> = {};
  for (const row of hardwareOptionTable) options[row.key] = row.default;
  return options as unknown as HardwareOptions;
}

export function hardwareOption(name: string): HardwareOptionRow | undefined {
  return hardwareOptionTable.find((row) => row.name === name);
}

/**
 * Set one option by its scenario name. Returns undefined when done, otherwise what is wrong. `on` and `off` stand for booleans.
 */
export function setHardwareOption(
  options: HardwareOptions,
  name: string,
  value: HardwareOptionValue,
): string | undefined {
  const row = hardwareOption(name);
  if (row === undefined) return `unknown option ${name}`;
  let wanted = value;
  if (typeof row.default === 'boolean' && (value === 'on' || value === 'off')) wanted = value === 'on';
  if (!row.values.includes(wanted)) {
    const shown = row.values.map((v) => (v === true ? 'on' : v === false ? 'off' : String(v)));
    return `option ${name} is one of ${shown.join(', ')}`;
  }
  (options as unknown as Record<string, HardwareOptionValue>)[row.key] = wanted;
  return undefined;
}

/** The options whose bits are set in `reliedOn`. */
export function reliedOptions(reliedOn: number): HardwareOptionRow[] {
  return hardwareOptionTable.filter((_, bit) => (reliedOn & (1 << bit)) !== 0);
}
