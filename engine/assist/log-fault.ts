/** Error codes of page faults in logs and traces: #PF of the host (arch/x86/mm/fault.c), nested page faults (KVM), the IOMMU's RMP_PAGE_FAULT. */
import { hex } from '../base/text.ts';
import { bitNames, type FaultBitName } from '../hardware/fault-codes.ts';
import type { LogFormat } from './log-line.ts';
import { gpaRow, levelRow, pfnRow, resultRow, row } from './log-words.ts';

/** APM vol. 2, 8.4.2 and 15.25.6; Linux's X86_PF_* and PFERR_*. The first word for a bit that is set, the second for one that is not. */
export const FAULT_BIT_MEANINGS: Readonly<Record<FaultBitName, string>> = {
  P: 'the page is present',
  W: 'a write',
  U: 'from user mode',
  RSVD: 'a reserved bit is set in a page table',
  ID: 'an instruction fetch',
  RMP: 'the RMP or VMPL check failed',
  GUEST_FINAL: 'at the final address of the guest’s walk',
  GUEST_PAGE: 'at a page table of the guest',
  ENC: 'the effective C-bit was 1: a private access',
  SIZEM: 'the page sizes of PVALIDATE or RMPADJUST and the RMP differ',
  VMPL: 'the VMPL permissions do not allow it',
  SSS: 'bit 4 of the VMPL mask: supervisor shadow stack',
};

export function errorCodeRows(code: number): ReturnType<typeof row>[] {
  return bitNames(code).map((name) => row(name, hex(bitOf(name)), FAULT_BIT_MEANINGS[name]));
}

const bitOf = (name: FaultBitName): number =>
  [...Array(38).keys()].map((n) => 2 ** n).find((bit) => bitNames(bit)[0] === name) as number;

function describe(code: number, nested: boolean): string {
  const names = bitNames(code);
  const has = (name: FaultBitName): boolean => names.includes(name);
  const access = has('ID') ? 'an instruction fetch' : has('W') ? 'a write' : 'a read';
  const by = nested ? 'by the guest' : has('U') ? 'from user mode' : 'by the kernel';
  const why = has('RMP')
    ? has('VMPL')
      ? 'VMPL permission'
      : has('SIZEM')
        ? 'RMP, page sizes differ'
        : 'RMP violation'
    : has('P')
      ? 'protection'
      : 'not present';
  return `${nested ? '#NPF' : '#PF'}(${names.join('|') || '0'}): ${access} ${by}, ${why}`;
}

const number = (digits: string): number | undefined => {
  const code = Number.parseInt(digits, 16);
  return Number.isSafeInteger(code) ? code : undefined;
};

const pageFault: LogFormat = {
  pattern: /#PF: error_code\(0x([0-9a-f]{1,13})\)(?: - [^\n]*)?/gi,
  decode: ([, digits]) => {
    const code = number(digits);
    return code === undefined
      ? undefined
      : {
          summary: describe(code, false),
          rows: [row('error_code', hex(code)), ...errorCodeRows(code)],
          note:
            (code & 2) !== 0 && bitNames(code).includes('RMP')
              ? 'The host writes to a page that is assigned, or through a large mapping of a region that has an assigned page.'
              : '',
          source: 'show_fault_oops(); APM vol. 2, 8.4.2 and 15.36.10',
        };
  },
};

const rmpFaultTrace: LogFormat = {
  pattern:
    /vcpu (\d+) gpa ([0-9a-f]{1,16}) pfn 0x([0-9a-f]+) error_code 0x([0-9a-f]{1,13}) rmp_level (-?\d+) psmash_ret (-?\d+)/gi,
  decode: ([, vcpu, gpa, pfn, digits, level, ret]) => {
    const code = number(digits);
    if (code === undefined) return undefined;
    const result = Number(ret);
    return {
      summary: `vCPU ${vcpu}: ${describe(code, true)}; PSMASH ${result === 0 ? 'succeeded or was not needed' : `returned ${ret}`}`,
      rows: [
        gpaRow(gpa),
        pfnRow(pfn),
        levelRow(level, 'rmp_level'),
        resultRow(result, 'psmash', 'psmash_ret'),
        row('error_code', hex(code)),
        ...errorCodeRows(code),
      ],
      note: '',
      source: 'trace event kvm_rmp_fault; sev_handle_rmp_fault()',
    };
  },
};

const unexpected: LogFormat = {
  pattern:
    /Unexpected RMP fault,? (?:for GPA 0x(?<gpa1>[0-9a-f]+), error_code 0x(?<code>[0-9a-f]{1,13})|(?<what>[a-z -]+?) for (?:private |non-private )?GPA 0x(?<gpa2>[0-9a-f]+)(?: PFN 0x(?<pfn>[0-9a-f]+) error (?<error>-?\d+))?|for non-private GPA 0x(?<gpa3>[0-9a-f]+))/gi,
  decode: ({ groups = {} }) => {
    const gpa = groups.gpa1 ?? groups.gpa2 ?? groups.gpa3;
    const code = groups.code === undefined ? undefined : number(groups.code);
    const what = groups.what ?? (groups.gpa3 === undefined ? 'no reason found' : 'the GPA is not private');
    return {
      summary: `KVM finds no way to resolve an RMP fault at GPA 0x${gpa}: ${what}`,
      rows: [
        gpaRow(gpa),
        ...(groups.pfn === undefined ? [] : [pfnRow(groups.pfn)]),
        ...(code === undefined ? [] : [row('error_code', hex(code)), ...errorCodeRows(code)]),
      ],
      note: 'The guest tries again and faults again, unless somebody changes the state.',
      source: 'sev_handle_rmp_fault(); handle_rmp_page_fault() of the RFC series',
    };
  },
};

const iommu: LogFormat = {
  pattern:
    /RMP_PAGE_FAULT (?:device=\S+ )?vmg_tag=0x([0-9a-f]+), gpa=0x([0-9a-f]+), flags_rmp=0x([0-9a-f]+), flags=0x([0-9a-f]+)/gi,
  decode: ([, tag, gpa, flagsRmp, flags]) => ({
    summary: `A device’s access to 0x${gpa} was stopped by the RMP check of the IOMMU`,
    rows: [gpaRow(gpa), row('vmg_tag', `0x${tag}`), row('flags_rmp', `0x${flagsRmp}`), row('flags', `0x${flags}`)],
    note: 'Devices reach hypervisor-owned pages only.',
    source: 'amd_iommu_report_rmp_fault(); AMD I/O Virtualization Technology, RMP checks',
  }),
};

export const faultFormats: readonly LogFormat[] = [pageFault, rmpFaultTrace, unexpected, iommu];
