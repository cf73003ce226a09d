/** Pages of the reference about queries, settings, options and outcomes. */
import { hardwareOptionTable } from '../hardware/options.ts';
import { kernelOptionTable } from '../kernel/kernel-options.ts';
import type { QuerySpec } from './operation-table.ts';
import { signature } from './operations.ts';
import { queries, queryNames } from './queries.ts';
import { code, codes, fence, page, table } from './reference-markdown.ts';
import type { SettingSpec } from './setting-values.ts';
import { GUEST_SETTINGS, HOST_SETTINGS, SLOT_SETTINGS } from './settings.ts';
import {
  ERRNOS,
  EVENT_CODES,
  EXITS,
  FAULT_BITS,
  FIRMWARE_CODES,
  PAGE_STATES,
  PLAIN_OUTCOMES,
  RETURN_CODES,
} from './words.ts';

export function renderQueries(): string {
  return page(
    'Queries',
    `\`expect query is word\`, \`expect query is { field value, flag, not flag }\`, \`expect query is not …\`. Of a query with one field, \`is\` compares that field:
\`expect refcount(pfn(g, 0)) is 1\`. \`expect all 0..2M rmp(g) is …\` asks for every page of a range, which then stands in place of the GPA (or of the pfn).

${queryNames.map(querySection).join('\n\n')}

Page states: ${PAGE_STATES.map((s) => `${code(s.name)} (${s.doc.replace(/\.$/, '')})`).join('; ')}.`,
  );
}

function querySection(name: string): string {
  const rows: readonly QuerySpec[] = queries.filter((q) => q.key === name);
  const [first] = rows;
  const forms = rows.map((q) => (q.operands.length === 0 ? q.key : signature(q.key, q.operands)));
  const words = [...new Set(rows.flatMap((q) => Object.keys(q.words)))];
  return [
    `## ${forms.map(code).join(', ')}`,
    first.doc,
    first.fields.length === 0
      ? ''
      : table(
          ['field', 'kind', 'meaning'],
          first.fields.map((f) => [
            code(f.name),
            f.kind === 'bool'
              ? 'flag'
              : f.kind === 'word'
                ? (f.words ?? []).length > 4
                  ? 'word'
                  : codes(f.words ?? [])
                : f.kind,
            f.doc,
          ]),
        ),
    words.length === 0 ? '' : `Words: ${words.map((w) => wordMeaning(rows, w)).join(', ')}.`,
    `Source: ${first.source}.`,
    fence(first.example),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function wordMeaning(rows: readonly QuerySpec[], word: string): string {
  const meaning = rows.find((q) => q.words[word] !== undefined)?.words[word] ?? {};
  const parts = Object.entries(meaning).map(([field, value]) => {
    if (typeof value === 'boolean') return value ? field : `not ${field}`;
    return `${field} ${typeof value === 'string' && value.startsWith('@') ? `the ${value.slice(1)} asked about` : value}`;
  });
  const plain = parts.length === 1 && parts[0].endsWith(` ${word}`);
  return plain ? code(word) : `${code(word)} (${parts.join(', ')})`;
}

const settings = (specs: readonly SettingSpec[]): string =>
  table(
    ['setting', 'written', 'meaning'],
    specs.map((s) => [code(s.name), code(s.written), s.doc]),
  );

export function renderSettings(): string {
  return page(
    'Settings',
    'One setting to a line.',
    '## Of the host',
    settings(HOST_SETTINGS),
    'Options have [a page of their own](options.md).',
    fence('host {\n  memory 4G\n  rmp 1M..17M\n  fixed 16M..17M\n  cpus 4\n  option guest-tlb = on\n}'),
    '## Of a guest',
    settings(GUEST_SETTINGS),
    'A slot is one line: `slot 0` and then, in any order:',
    settings(SLOT_SETTINGS),
    fence(
      'guest g {\n  asid 1\n  vcpus 2\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000\n  slot 1 gpa 4G..5G shared\n}',
    ),
  );
}

export function renderOptions(): string {
  const show = (value: unknown): string => (value === true ? 'on' : value === false ? 'off' : String(value));
  return page(
    'Options',
    'Set in `host { … }`: `option guest-tlb = on`.',
    '## Of the hardware',
    'They stand for what the manuals leave open, or what differs between processors. A verdict that depends on an open one says so.',
    table(
      ['option', 'values, default first', 'meaning'],
      hardwareOptionTable.map((row) => [
        code(row.name),
        codes([show(row.default), ...(row.values as readonly unknown[]).filter((v) => v !== row.default).map(show)]),
        row.doc,
      ]),
    ),
    '## Of the kernel models',
    'What the sources of the kernel leave open, and what a scenario makes go wrong.',
    table(
      ['option', 'values, default first', 'meaning'],
      kernelOptionTable.map((row) => [
        code(row.name),
        row.kind === 'status'
          ? `${code(String(row.default))}, a status`
          : row.default === 1
            ? codes(['on', 'off'])
            : codes(['off', 'on']),
        row.doc,
      ]),
    ),
    fence('host {\n  option rmpupdate-low-bits = mask\n  option page-reclaim-status = 0\n}'),
  );
}

export function renderOutcomes(): string {
  return page(
    'Outcomes',
    'What stands behind `=>`. A step without it is expected to succeed.',
    table(
      ['outcome', 'meaning'],
      [
        ...PLAIN_OUTCOMES.map((o) => [code(o.name), o.doc]),
        ['`CF=1`, `CF=0`', 'PVALIDATE changed nothing; it changed Validated.'],
        [codes(RETURN_CODES), 'Return codes of the RMP instructions.'],
        ['`EINVAL`, `EPERM` …', `An errno: ${ERRNOS.join(', ')}.`],
        [
          '`#NPF(RMP\\|ENC)`, `#PF(RMP)`',
          `A nested or a host page fault with these bits: ${codes(FAULT_BITS.map((b) => b.name))}. Without parentheses, with any bits. The bits of RMP faults must be exactly these; page-fault bits count once one of them is named. A number is taken apart into bits.`,
        ],
        ['`#VC(0x404)`', '#VC with that exit code; 0x404 is PAGE_NOT_VALIDATED.'],
        ['`#GP`, `#UD`', 'Other faults.'],
        [codes(EXITS), 'KVM left to the VMM. `exit(MEMORY_FAULT)` is the same as `KVM_EXIT_MEMORY_FAULT`.'],
        [codes(EVENT_CODES), 'An event of the IOMMU; a signal to host user space.'],
        [codes(FIRMWARE_CODES), 'Status of a firmware command.'],
        ['`0x10`', 'A C function returned this number.'],
      ].map(([a, b]) => [a.replaceAll('\\|', '|'), b]),
    ),
    fence(
      'guest g {\n  slot 0 gpa 0..1G private\n}\n\nscenario "outcomes" {\n  vmm.set_memory_attributes(g, 0..4K, PRIVATE)\n  g.read(0)                => #VC(0x404)\n  g.pvalidate(0, 4K)       => ok\n  g.pvalidate(0, 4K)       => CF=1\n  host.write(pfn(g, 0))    => #PF\n  cpu.psmash(pfn(g, 0))    => fails\n}',
    ),
  );
}
