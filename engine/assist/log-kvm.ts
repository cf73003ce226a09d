/**
 * What passes between guest, KVM and VMM about page states: Page State Change entries and the GHCB MSR protocol (GHCB specification, 2.3.1 and 4.1.6),
 * trace events, MSRs of the RMP, status of the firmware's commands, QEMU's memory faults.
 */
import { hex } from '../base/text.ts';
import { fwStatusName } from '../hardware/firmware.ts';
import { MSR_RMP_BASE, MSR_RMP_CFG, MSR_RMP_END } from '../hardware/rmp-geometry.ts';
import type { LogFormat } from './log-line.ts';
import { errnoText, gfnRow, gpaRow, levelRow, pfnRow, row } from './log-words.ts';

const OPERATIONS: Readonly<Record<number, string>> = { 1: 'private', 2: 'shared', 3: 'PSMASH', 4: 'UNSMASH' };

const bits = (value: bigint, from: number, to: number): bigint =>
  (value >> BigInt(from)) & ((1n << BigInt(to - from + 1)) - 1n);

const pscEntry: LogFormat = {
  pattern: /\bpsc[_ ]?entry\b[^0-9a-z\n]{0,8}0x([0-9a-f]{1,16})/gi,
  decode: ([, digits]) => {
    const value = BigInt(`0x${digits}`);
    const operation = Number(bits(value, 52, 55));
    const large = bits(value, 56, 56) === 1n;
    const gfn = bits(value, 12, 51);
    const done = bits(value, 0, 11);
    return {
      summary: `Page State Change: gfn ${hex(gfn)} ${large ? '2M' : '4K'} to ${OPERATIONS[operation] ?? `operation ${operation}`}`,
      rows: [
        row('cur_page', String(done), `bits 11:0: 4K pages done${large ? ', of 512' : ''}`),
        gfnRow(gfn.toString(16)),
        row('operation', String(operation), OPERATIONS[operation] ?? 'none that the specification knows'),
        row('pagesize', large ? '1' : '0', large ? '2M' : '4K'),
      ],
      note:
        large && gfn % 512n !== 0n ? 'A 2M entry starts at a gfn that is a multiple of 0x200; this one does not.' : '',
      source: 'GHCB specification, 4.1.6 SNP Page State Change; struct psc_entry',
    };
  },
};

const pscTrace: LogFormat = {
  pattern: /vcpu (\d+), pfn ([0-9a-f]+), gpa ([0-9a-f]+), op (private|shared|\w+), level (-?\d+)/gi,
  decode: ([, vcpu, pfn, gpa, operation, level]) => ({
    summary: `vCPU ${vcpu} asks for GPA 0x${gpa} to be ${operation}`,
    rows: [gpaRow(gpa), pfnRow(pfn), row('op', operation), levelRow(level)],
    note: '',
    source: 'trace event kvm_snp_psc of the RFC series',
  }),
};

/** GHCBInfo, bits 11:0 of the GHCB MSR. */
const GHCB_INFO: Readonly<Record<number, string>> = {
  1: 'SEV information response',
  2: 'SEV information request',
  4: 'CPUID request',
  5: 'CPUID response',
  6: 'AP reset hold request',
  7: 'AP reset hold response',
  16: 'preferred GHCB GPA request',
  17: 'preferred GHCB GPA response',
  18: 'register GHCB GPA request',
  19: 'register GHCB GPA response',
  20: 'SNP Page State Change request',
  21: 'SNP Page State Change response',
  22: 'run VMPL request',
  23: 'run VMPL response',
  128: 'hypervisor feature request',
  129: 'hypervisor feature response',
  256: 'termination request',
};

function ghcbMsr(value: bigint): { summary: string; rows: ReturnType<typeof row>[] } {
  const info = Number(bits(value, 0, 11));
  const name = info === 0 ? 'GPA of the GHCB page' : (GHCB_INFO[info] ?? 'no request that the specification knows');
  const rows = [row('GHCBInfo', hex(info), name)];
  if (info === 0x14) {
    const operation = Number(bits(value, 52, 55));
    const gfn = bits(value, 12, 51);
    rows.push(gfnRow(gfn.toString(16)), row('operation', String(operation), OPERATIONS[operation] ?? 'unknown'));
    return { summary: `${name}: gfn ${hex(gfn)} to ${OPERATIONS[operation] ?? `operation ${operation}`}`, rows };
  }
  if (info === 0x15) {
    const error = bits(value, 32, 63);
    rows.push(row('error', hex(error), error === 0n ? 'success' : 'the page state was not changed'));
    return { summary: `${name}: ${error === 0n ? 'success' : `error ${hex(error)}`}`, rows };
  }
  if (info === 0x100) {
    const set = bits(value, 12, 15);
    const reason = bits(value, 16, 23);
    rows.push(row('reason set', String(set)), row('reason', hex(reason)));
    return { summary: `${name}: reason ${set}:${hex(reason)}`, rows };
  }
  if (info === 0) rows.push(gpaRow(value.toString(16)));
  return { summary: `GHCB MSR: ${name}`, rows };
}

const ghcbTrace: LogFormat = {
  pattern: /vcpu (\d+), ghcb_gpa ([0-9a-f]{1,16})(?:, result (-?\d+))?/gi,
  decode: ([, vcpu, digits, result]) => {
    const { summary, rows } = ghcbMsr(BigInt(`0x${digits}`));
    return {
      summary: `vCPU ${vcpu}: ${summary}`,
      rows: [...rows, ...(result === undefined ? [] : [row('result', result, errnoText(Number(result)))])],
      note: '',
      source: `trace event kvm_vmgexit_msr_protocol_${result === undefined ? 'enter' : 'exit'}; GHCB specification, 2.3.1`,
    };
  },
};

/** `MSR 0xc0010132 = 0x…`, `wrmsr c0010133, …`, `MSR_AMD64_RMP_BASE: 0x…`. */
const NAMES = 'MSR_AMD64_SEV_ES_GHCB|MSR_AMD64_RMP_BASE|MSR_AMD64_RMP_END|MSR_AMD64_RMP_CFG|RMP_BASE|RMP_END|RMP_CFG';
const msr: LogFormat = {
  pattern: new RegExp(
    `(?:\\b(?:rd|wr)?msr\\b[^0-9a-z\\n]{0,4}(?:0x)?(c001_?01[0-9a-f]{2})|\\b(${NAMES}))\\b[^0-9a-z\\n]{0,6}0x([0-9a-f]{1,16})`,
    'gi',
  ),
  decode: ([, digits, name, valueDigits]) => {
    const number = digits === undefined ? numberOf(name) : Number.parseInt(digits.replace('_', ''), 16);
    const value = BigInt(`0x${valueDigits}`);
    const at = row('MSR', hex(number));
    const made = (summary: string, source: string, ...rows: ReturnType<typeof row>[]) => ({
      summary,
      rows: [at, ...rows],
      note: '',
      source,
    });
    switch (number) {
      case MSR_RMP_BASE:
        return made(
          `RMP_BASE: the RMP begins at ${hex(value)}`,
          'APM vol. 2, 15.36.4',
          row('RMP_BASE', hex(value), 'its first byte; the first 16 KiB count the pages of each ASID'),
        );
      case MSR_RMP_END:
        return made(
          `RMP_END: the RMP ends with ${hex(value)}`,
          'APM vol. 2, 15.36.4',
          row('RMP_END', hex(value), 'its last byte'),
        );
      case MSR_RMP_CFG: {
        const enabled = bits(value, 0, 0) === 1n;
        const shift = bits(value, 8, 13);
        return made(
          enabled
            ? `RMP_CFG: segmented, ${hex(1n << shift)} bytes of memory for each segment`
            : 'RMP_CFG: one contiguous RMP',
          'APM vol. 2, 15.36.22',
          row('bit 0', enabled ? '1' : '0', enabled ? 'segmented RMP enabled' : 'segmented RMP disabled'),
          row('bits 13:8', String(shift), 'log2 of the memory that a segment stands for'),
        );
      }
      case 0xc0010130: {
        const { summary, rows } = ghcbMsr(value);
        return made(summary, 'GHCB specification, 2.3.1', ...rows);
      }
      default:
        return undefined;
    }
  },
};

function numberOf(name: string): number {
  if (/RMP_BASE/i.test(name)) return MSR_RMP_BASE;
  if (/RMP_END/i.test(name)) return MSR_RMP_END;
  return /RMP_CFG/i.test(name) ? MSR_RMP_CFG : 0xc0010130;
}

const launch: LogFormat = {
  pattern:
    /SNP[_ -]LAUNCH[_ -]UPDATE(?: failed,)?\s*ret[:=]\s*(-?(?:0x)?[0-9a-f]+),?\s*fw_error[:=]\s*((?:0x)?[0-9a-f]+)/gi,
  decode: ([, ret, error]) => {
    const status = Number(error);
    return {
      summary: `SNP_LAUNCH_UPDATE: ${fwStatusName(status)}`,
      rows: [
        row('ret', ret, errnoText(Number(ret) > 2 ** 31 ? Number(ret) - 2 ** 32 : Number(ret))),
        row('fw_error', error, fwStatusName(status)),
      ],
      note: '',
      source: 'snp_launch_update(); SNP firmware ABI, status codes',
    };
  },
};

const memoryFault: LogFormat = {
  pattern: /memory fault: GPA 0x([0-9a-f]+) size 0x([0-9a-f]+) flags 0x([0-9a-f]+)/gi,
  decode: ([, gpa, size, flags]) => {
    const isPrivate = (BigInt(`0x${flags}`) & 8n) !== 0n;
    return {
      summary: `KVM_EXIT_MEMORY_FAULT: the guest wants GPA 0x${gpa} ${isPrivate ? 'private' : 'shared'}, and it is not`,
      rows: [
        gpaRow(gpa),
        row('size', `0x${size}`),
        row('flags', `0x${flags}`, isPrivate ? 'KVM_MEMORY_EXIT_FLAG_PRIVATE' : 'a shared access'),
      ],
      note: '',
      source: 'QEMU; KVM_EXIT_MEMORY_FAULT',
    };
  },
};

export const kvmFormats: readonly LogFormat[] = [pscEntry, pscTrace, ghcbTrace, msr, launch, memoryFault];
