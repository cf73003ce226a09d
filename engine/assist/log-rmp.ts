/**
 * Log lines about RMP entries. Printed by dump_rmpentry(), rmpupdate(), psmash() and their callers in arch/x86/virt/svm/sev.c, in arch/x86/kernel/sev.c
 * of the RFC series, and by KVM's sev.c.
 */
import { hex } from '../base/text.ts';
import { decodeQwords, encodeQwords } from '../hardware/rmp-entry.ts';
import type { LogFormat } from './log-line.ts';
import { errnoText, gfnRow, gpaRow, levelRow, pfnRow, resultName, resultRow, row } from './log-words.ts';
import { entryFields, entryNote, entrySummary, formatRaw } from './rmp-fields.ts';

const DUMP = 'dump_rmpentry(); entry format of the Processor Programming Reference';
const RMPUPDATE = 'rmpupdate()';

/** The number behind hexadecimal digits; undefined for an elided one. */
const quad = (digits: string | undefined): bigint | undefined =>
  digits === undefined || !/^[0-9a-f]{1,16}$/i.test(digits) ? undefined : BigInt(`0x${digits}`);

function entry(low: bigint, high: bigint | undefined, pfn?: string): ReturnType<LogFormat['decode']> {
  const at = pfn === undefined ? '' : `PFN ${hex(BigInt(`0x${pfn}`))}: `;
  return {
    summary: `${at}${entrySummary(low, high ?? 0n)}`,
    rows: [
      ...(pfn === undefined ? [] : [pfnRow(pfn)]),
      high === undefined
        ? row('raw', hex(low), 'low quadword; the high one is not shown')
        : row('raw', formatRaw(low, high), 'low and high quadword'),
      ...entryFields(low, high ?? 0n, high !== undefined),
    ],
    note: entryNote(low, high ?? 0n),
    source: DUMP,
  };
}

/** `[0x… - 0x…]` after a PFN, or alone. A high quadword that somebody has elided stays unknown. */
const dump: LogFormat = {
  pattern:
    /(?:\bPFN:?\s+(?:0x)?([0-9a-f]{1,13}),\s+(?:RMP entry:\s+)?)?\[0x([0-9a-f]{1,16})\s+-\s+(?:0x([0-9a-f]{1,16})|\.\.\.|…)\]/gi,
  decode: ([, pfn, low, high], line) => {
    const first = quad(low) as bigint;
    // A range of addresses looks the same: `RMP table physical range [0x… - 0x…]`.
    if (pfn === undefined && /range\s*\[|region:?\s*\[|\bmem\b/i.test(line)) return undefined;
    return entry(first, quad(high), pfn);
  },
};

const named: LogFormat = {
  pattern: /(?:RMPEntry paddr 0x([0-9a-f]+):\s*)?\[high=0x([0-9a-f]{1,16}) low=0x([0-9a-f]{1,16})\]/gi,
  decode: ([, address, high, low]) =>
    entry(
      quad(low) as bigint,
      quad(high),
      address === undefined ? undefined : (BigInt(`0x${address}`) / 4096n).toString(16),
    ),
};

const fields: LogFormat = {
  pattern:
    /RMPEntry paddr 0x([0-9a-f]+) \[assigned=(\d) immutable=(\d) pagesize=(\d) gpa=0x([0-9a-f]+) asid=(\d+) vmsa=(\d) validated=(\d)\]/gi,
  decode: ([, address, assigned, immutable, size, gpa, asid, vmsa, validated]) => {
    // The RFC series prints the field of the entry, which is the frame number and not the address.
    const field = BigInt(`0x${gpa}`);
    const { low } = encodeQwords({
      ...decodeQwords(0n, 0n),
      assigned: assigned === '1',
      immutable: immutable === '1',
      pageSize: size === '1' ? '2M' : '4K',
      gpa: Number(field * 4096n) as never,
      asid: Number(asid) as never,
      vmsa: vmsa === '1',
      validated: validated === '1',
    });
    const pfn = (BigInt(`0x${address}`) / 4096n).toString(16);
    return {
      summary: `PFN 0x${pfn}: ${entrySummary(low, 0n)}`,
      rows: [
        pfnRow(pfn),
        row('gpa', hex(field), `the 39-bit field of the entry: GPA ${hex(field * 4096n)}`),
        ...entryFields(low, 0n, false).filter(
          ({ field: name }) => name !== 'subpage_count' && name !== 'lock' && name !== 'GPA',
        ),
      ],
      note: 'This form of the dump leaves out the subpage count, the lock bit and the VMPL permissions.',
      source: 'dump_rmpentry() of the RFC series',
    };
  },
};

const region: LogFormat = {
  pattern:
    /PFN (?:0x)?([0-9a-f]+) unassigned, dumping non-zero entries in 2M PFN region: \[0x([0-9a-f]+) - 0x([0-9a-f]+)\]/gi,
  decode: ([, pfn, from, to]) => ({
    summary: `PFN 0x${pfn} is hypervisor-owned: its own entry is no reason for a fault; the region’s entries follow`,
    rows: [pfnRow(pfn), row('region', `0x${from}..0x${to}`, 'the 512 frames that one 2M entry would cover')],
    note: 'A write through a 2M mapping faults if any page of the region is assigned: look for entries of other pages.',
    source: DUMP,
  }),
};

/** The forms of one message over the years: a PFN before or after the code, with or without a count of attempts. */
const failed: LogFormat = {
  pattern:
    /(?:MMIO )?rmpupdate failed(?: after (?<attempts>\d+) attempts)?,?(?: for PFN (?:0x)?(?<pfn1>[0-9a-f]+),)?(?: pg_level: (?<lvl1>\d+),)? ret: (?<ret>-?\d+)(?:, pfn: (?:0x)?(?<pfn2>[0-9a-f]+), npages: (?<pages>-?\d+), level: (?<lvl2>-?\d+))?(?:, retrying \(max: (?<max>\d+)\)(?:\.\.\.)?)?/gi,
  decode: ({ groups = {} }) => {
    const { attempts, pages, max } = groups;
    const ret = Number(groups.ret);
    const pfn = groups.pfn1 ?? groups.pfn2;
    const level = groups.lvl1 ?? groups.lvl2;
    const at = pfn === undefined ? '' : ` at PFN 0x${pfn}`;
    return {
      summary: `RMPUPDATE${at}: ${resultName(ret, 'rmpupdate')}`,
      rows: [
        resultRow(ret, 'rmpupdate'),
        ...(pfn === undefined ? [] : [pfnRow(pfn)]),
        ...(level === undefined ? [] : [levelRow(level)]),
        ...(pages === undefined ? [] : [row('npages', pages)]),
        ...(attempts === undefined ? [] : [row('attempts', attempts)]),
        ...(max === undefined ? [] : [row('max', max, `2 × present CPUs: ${Number(max) / 2} of them`)]),
      ],
      note:
        ret === 4 || ret === 3
          ? 'Another CPU at the same region gives this for a moment; a code that stays is one of the state.'
          : '',
      source: RMPUPDATE,
    };
  },
};

const retry: LogFormat = {
  pattern:
    /RMPUPDATE retry needed, ASID: (-?\d+), ret: (-?\d+), pfn: ([0-9a-f]+), npages: (-?\d+), level: (-?\d+), assigned: (\d+), attempts: (\d+) \(max: (\d+)\)/gi,
  decode: ([, ret, asid, pfn, pages, level, assigned, attempts, max]) => ({
    summary: `RMPUPDATE at PFN 0x${pfn}: ${resultName(Number(ret), 'rmpupdate')}, attempt ${attempts} of ${max}`,
    rows: [
      resultRow(Number(ret), 'rmpupdate'),
      row('ASID', asid),
      pfnRow(pfn),
      levelRow(level),
      row('npages', pages),
      row('assigned', assigned),
    ],
    note: 'The message has its first two arguments in the wrong order: what it calls ASID is the code, what it calls ret is the ASID.',
    source: `${RMPUPDATE} of the RFC series`,
  }),
};

const succeeded: LogFormat = {
  pattern: /RMPUPDATE succeeded after (\d+) attempts, ASID: (-?\d+), ret: (-?\d+), pfn: ([0-9a-f]+), npages: (-?\d+)/gi,
  decode: ([, attempts, asid, ret, pfn, pages]) => ({
    summary: `RMPUPDATE at PFN 0x${pfn} succeeded after ${attempts} attempts`,
    rows: [row('ASID', asid), resultRow(Number(ret), 'rmpupdate'), pfnRow(pfn), row('npages', pages)],
    note: 'Another CPU held the region meanwhile.',
    source: `${RMPUPDATE} of the RFC series`,
  }),
};

const psmash: LogFormat = {
  pattern: /Failed to PSMASH RMP entry for PFN 0x([0-9a-f]+) error (-?\d+)/gi,
  decode: ([, pfn, error]) => ({
    summary: `PSMASH at PFN 0x${pfn}: ${resultName(Number(error), 'psmash')}`,
    rows: [resultRow(Number(error), 'psmash', 'error'), pfnRow(pfn)],
    note: '',
    source: 'sev_gmem_invalidate()',
  }),
};

const split: LogFormat = {
  pattern: /Unable to split RMP entr(?:y|ies) for GPA 0x([0-9a-f]+) PFN 0x([0-9a-f]+) ret (-?\d+)/gi,
  decode: ([, gpa, pfn, ret]) => ({
    summary: `PSMASH at PFN 0x${pfn} for a nested page fault: ${resultName(Number(ret), 'psmash')}`,
    rows: [resultRow(Number(ret), 'psmash'), gpaRow(gpa), pfnRow(pfn)],
    note: '',
    source: 'sev_handle_rmp_fault(); handle_rmp_page_fault() of the RFC series',
  }),
};

const update: LogFormat = {
  pattern:
    /Failed to update RMP entry(?:: GFN (?<gfn>[0-9a-f]+) PFN (?<pfn1>[0-9a-f]+) level (?<level>\d+)| for PFN 0x(?<pfn2>[0-9a-f]+)) error (?<error>-?\d+)/gi,
  decode: ({ groups = {} }) => {
    const pfn = groups.pfn1 ?? groups.pfn2;
    const error = Number(groups.error);
    return {
      summary: `RMPUPDATE at PFN 0x${pfn}: ${resultName(error, 'rmpupdate')}`,
      rows: [
        resultRow(error, 'rmpupdate', 'error'),
        ...(groups.gfn === undefined ? [] : [gfnRow(groups.gfn)]),
        pfnRow(pfn),
        ...(groups.level === undefined ? [] : [levelRow(groups.level)]),
      ],
      note: '',
      source: groups.gfn === undefined ? 'sev_gmem_invalidate()' : 'sev_gmem_prepare()',
    };
  },
};

const unreadable: LogFormat = {
  pattern:
    /(?:Failed to read|Error (?<error1>-?\d+) reading) RMP (?:entry|contents) for PFN 0x(?<pfn>[0-9a-f]+)(?:, error (?<error2>-?\d+))?/gi,
  decode: ({ groups = {} }) => {
    const error = groups.error1 ?? groups.error2;
    return {
      summary: `The RMP has no entry for PFN 0x${groups.pfn}${error === undefined ? '' : `: ${errnoText(Number(error)) || error}`}`,
      rows: [pfnRow(groups.pfn), ...(error === undefined ? [] : [row('error', error, errnoText(Number(error)))])],
      note: 'The frame lies beyond what the RMP covers, or SNP is not enabled.',
      source: 'snp_lookup_rmpentry(), dump_rmpentry()',
    };
  },
};

const table: LogFormat = {
  pattern: /RMP table physical range \[0x([0-9a-f]+) - 0x([0-9a-f]+)\]/gi,
  decode: ([, first, last]) => {
    const bytes = BigInt(`0x${last}`) - BigInt(`0x${first}`) + 1n;
    // 16 KiB of bookkeeping, then 16 bytes for each frame.
    const covered = ((bytes - 0x4000n) / 16n) * 4096n;
    return {
      summary: `The RMP lies at ${hex(BigInt(`0x${first}`))}, ${bytes / 1048576n} MiB; it covers ${covered < 0n ? 0n : covered / 1073741824n} GiB of memory`,
      rows: [
        row('RMP_BASE', `0x${first}`, 'MSR C001_0132: its first byte'),
        row('RMP_END', `0x${last}`, 'MSR C001_0133: its last byte'),
        row('covers', hex(covered < 0n ? 0n : covered), '16 bytes for each frame, after 16 KiB of counters'),
      ],
      note: '',
      source: 'APM vol. 2, 15.36.4; snp_probe_rmptable_info()',
    };
  },
};

const leaked: LogFormat = {
  pattern: /Leaking PFN range 0x([0-9a-f]+)-0x([0-9a-f]+)/gi,
  decode: ([, from, to]) => ({
    summary: `PFNs 0x${from}..0x${to} are never given back: the RMP still says that they are assigned`,
    rows: [pfnRow(from, 'from'), pfnRow(to, 'to')],
    note: 'A page that cannot be made hypervisor-owned again must not be used: the first write to it would fault.',
    source: 'snp_leak_pages()',
  }),
};

const fatal: LogFormat = {
  pattern: /Fatal RMP page fault, terminating process, entry assigned for pfn 0x([0-9a-f]+)/gi,
  decode: ([, pfn]) => ({
    summary: `A process wrote to PFN 0x${pfn}, which is assigned, and is killed`,
    rows: [pfnRow(pfn)],
    note: '',
    source: 'handle_user_rmp_page_fault() of the RFC series',
  }),
};

export const rmpFormats: readonly LogFormat[] = [
  fields,
  named,
  region,
  table,
  retry,
  succeeded,
  failed,
  psmash,
  split,
  update,
  unreadable,
  leaked,
  fatal,
  dump,
];
