/**
 * Faults of the SNP world and their error codes. #PF bits: APM vol. 2, 8.4.2; #VMEXIT(NPF) EXITINFO1: 15.25.6 and 15.36.10, with Linux's
 * PFERR_* names (arch/x86/include/asm/kvm_host.h). Codes are plain numbers up to bit 37, so build and test them with {@link hasBit} and
 * not with 32-bit operators.
 */

/** What ended an access. `None` is success. The numbers are the trace's: exception vectors, exit codes from 0x400 on. */
export const Fault = {
  None: 0,
  UD: 6,
  GP: 13,
  PF: 14,
  /** #VC with SW_EXITCODE PAGE_NOT_VALIDATED, 0x404. */
  VC: 29,
  /** #VMEXIT(NPF). */
  NPF: 0x400,
  /** #VMEXIT(VMEXIT_INVALID). */
  VmexitInvalid: -1,
  /** The IOMMU stopped a transfer; no processor faults. */
  Iommu: -2,
} as const;
export type Fault = (typeof Fault)[keyof typeof Fault];

/** The error code that goes with {@link Fault.VC}. */
export const PAGE_NOT_VALIDATED = 0x404;

export const FaultBit = {
  P: 1,
  W: 2,
  U: 4,
  RSVD: 8,
  ID: 16,
  RMP: 2 ** 31,
  GUEST_FINAL: 2 ** 32,
  GUEST_PAGE: 2 ** 33,
  ENC: 2 ** 34,
  SIZEM: 2 ** 35,
  VMPL: 2 ** 36,
  SSS: 2 ** 37,
} as const;
export type FaultBitName = keyof typeof FaultBit;

/** Bits that SNP adds: what an outcome in a scenario names. */
export const SNP_FAULT_BITS: readonly FaultBitName[] = ['RMP', 'ENC', 'SIZEM', 'VMPL', 'SSS'];
const ALL_BITS = Object.keys(FaultBit) as FaultBitName[];

export function hasBit(code: number, name: FaultBitName): boolean {
  return Math.floor(code / FaultBit[name]) % 2 === 1;
}

/** The sum of the named bits; undefined if one has no such name. */
export function faultCode(names: readonly string[]): number | undefined {
  let code = 0;
  for (const name of new Set(names)) {
    if (!Object.hasOwn(FaultBit, name)) return undefined;
    code += FaultBit[name as FaultBitName];
  }
  return code;
}

export function bitNames(code: number, among: readonly FaultBitName[] = ALL_BITS): FaultBitName[] {
  return among.filter((name) => hasBit(code, name));
}

const vectorNames = new Map<number, string>([
  [Fault.UD, '#UD'],
  [Fault.GP, '#GP'],
  [Fault.PF, '#PF'],
  [Fault.VC, '#VC'],
  [Fault.NPF, '#NPF'],
  [Fault.VmexitInvalid, 'VMEXIT_INVALID'],
  [Fault.Iommu, 'RMP_PAGE_FAULT'],
]);

/** `#NPF(RMP|ENC|SIZEM)`, `#VC(0x404)`, `#PF(RMP)`; a page fault without SNP bits shows its ordinary ones, or `not present`. */
export function formatFault(fault: number, code: number): string {
  const name = vectorNames.get(fault) ?? `fault ${fault}`;
  if (fault === Fault.VC) return `${name}(0x${code.toString(16)})`;
  if (fault === Fault.GP) return `${name}(0)`;
  if (fault !== Fault.PF && fault !== Fault.NPF) return name;
  if (!hasBit(code, 'P')) return `${name}(${['not present', ...bitNames(code, ['ENC'])].join('|')})`;
  const snp = hasBit(code, 'RMP') ? bitNames(code, SNP_FAULT_BITS) : bitNames(code);
  return `${name}(${snp.join('|')})`;
}

/** Every bit, for hovers: `#NPF(P|W|U|RMP|GUEST_FINAL|ENC), error code 0x580000007`. */
export function formatFaultInFull(fault: number, code: number): string {
  const name = vectorNames.get(fault) ?? `fault ${fault}`;
  if (fault !== Fault.PF && fault !== Fault.NPF) return formatFault(fault, code);
  return `${name}(${bitNames(code).join('|')}), error code 0x${code.toString(16)}`;
}

/** Whether a code has exactly these SNP bits; its ordinary page-fault bits are free. */
export function sameSnpBits(wanted: number, code: number): boolean {
  return SNP_FAULT_BITS.every((name) => hasBit(wanted, name) === hasBit(code, name));
}
