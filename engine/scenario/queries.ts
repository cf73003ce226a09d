/**
 * The queries of the language: what `expect` can ask. Fields are what `is { … }` can name; words are short for some of them, so that an expectation reads
 * as one would say it: `is shared`, `is validated`, `is 2M`.
 */
import type { Operand, QueryField, QuerySpec } from './operation-table.ts';
import { INSTRUCTIONS, PAGE_STATES } from './words.ts';

const at = (name: string, kind: Operand['kind'], doc: string): Operand => ({ name, kind, form: 'positional', doc });
const GUEST = at('guest', 'guest', 'The guest, by name.');
const GPA = at('gpa', 'gpa', 'Guest-physical address.');
const PFN = at('pfn', 'pfn', 'System physical frame.');
const field = (name: string, kind: QueryField['kind'], doc: string): QueryField => ({ name, kind, doc });
const wordField = (name: string, words: readonly string[], doc: string): QueryField => ({
  name,
  kind: 'word',
  words,
  doc,
});
const STATES = PAGE_STATES.map((state) => state.name);
const value = (kind: QueryField['kind'], doc: string): readonly QueryField[] => [field('value', kind, doc)];

/** A query about a page of host memory can name it by the GPA that it backs, too. */
const ofPage = (spec: Omit<QuerySpec, 'operands'>): readonly QuerySpec[] => [
  { ...spec, operands: [GUEST, GPA] },
  { ...spec, operands: [PFN] },
];

const LEVEL_WORDS = {
  '4K': { present: true, level: '4K' },
  '2M': { present: true, level: '2M' },
  '1G': { present: true, level: '1G' },
} as const;

const rmp: Omit<QuerySpec, 'operands'> = {
  key: 'rmp',
  fields: [
    field('assigned', 'bool', 'Assigned: owned by a guest or by firmware.'),
    field('validated', 'bool', 'Validated: the guest has PVALIDATEd it.'),
    field('immutable', 'bool', 'Immutable: RMP instructions may not change the entry.'),
    wordField('size', ['4K', '2M'], 'Page_Size of the entry that covers the page, 4K or 2M.'),
    field('asid', 'int', 'ASID of the owner.'),
    field('guest', 'guest', 'The guest whose ASID it has.'),
    field('gpa', 'gpa', 'Guest_Physical_Address, with the offset of the page within a 2M entry.'),
    field('vmsa', 'bool', 'VMSA: usable as a VMSA page.'),
    field('locked', 'bool', 'In use by a running vCPU, or locked by firmware.'),
    field('covered', 'bool', 'Covered by the RMP.'),
    field('private', 'bool', 'Assigned to a guest and not immutable.'),
    wordField('state', STATES, "The firmware's state of the page, as `state(…)` gives it."),
    field('subpage_count', 'int', 'Assigned 4K pages among the other 511 of the 2M region; kept in its first entry.'),
    field('vmpl0', 'int', 'VMPL0 permissions: R 1, W 2, user X 4, supervisor X 8, SSS 0x10.'),
    field('vmpl1', 'int', 'VMPL1 permissions.'),
    field('vmpl2', 'int', 'VMPL2 permissions.'),
    field('vmpl3', 'int', 'VMPL3 permissions.'),
  ],
  words: {
    shared: { assigned: false },
    unassigned: { assigned: false },
    hypervisor: { assigned: false, immutable: false },
    firmware: { assigned: true, asid: 0, immutable: true },
    unvalidated: { validated: false },
    mutable: { immutable: false },
    uncovered: { covered: false },
    '4K': { size: '4K' },
    '2M': { size: '2M' },
  },
  doc: 'The RMP entry that covers a page, by frame or by the GPA that the page backs. `private` says that the page is assigned to a guest (to this one, by GPA) and mutable; `shared`, that it is not assigned.',
  source: 'APM vol. 2, table 15-34',
  example: 'expect rmp(g, 64K) is { guest g, 4K, validated }',
};

export const queries: readonly QuerySpec[] = [
  { ...rmp, operands: [GUEST, GPA], words: { private: { private: true, guest: '@guest' }, ...rmp.words } },
  { ...rmp, operands: [PFN] },
  {
    key: 'npt',
    operands: [GUEST, GPA],
    fields: [
      field('present', 'bool', 'Mapped.'),
      field('pfn', 'pfn', 'The frame that the GPA translates to.'),
      wordField('level', ['4K', '2M', '1G'], 'Page size of the mapping: 4K, 2M or 1G.'),
      field('writable', 'bool', 'Mapped for writing.'),
    ],
    words: {
      absent: { present: false },
      mapped: { present: true },
      unmapped: { present: false },
      readonly: { present: true, writable: false },
      ...LEVEL_WORDS,
    },
    doc: 'The nested page table entry for a GPA.',
    source: 'APM vol. 2, 15.25; arch/x86/kvm/mmu',
    example: 'expect npt(g, 64K) is absent',
  },
  {
    key: 'attr',
    operands: [GUEST, GPA],
    fields: [field('private', 'bool', 'The attribute is PRIVATE.')],
    words: { shared: { private: false }, PRIVATE: { private: true }, SHARED: { private: false } },
    doc: 'The memory attribute that KVM keeps for a GFN.',
    source: 'KVM_SET_MEMORY_ATTRIBUTES; struct kvm, mem_attr_array',
    example: 'expect attr(g, 64K) is private',
  },
  ...ofPage({
    key: 'directmap',
    fields: [
      field('present', 'bool', 'Mapped in the direct map.'),
      wordField('level', ['4K', '2M', '1G'], 'Page size of the mapping: 4K, 2M or 1G.'),
    ],
    words: {
      absent: { present: false },
      mapped: { present: true },
      unmapped: { present: false },
      '4K': { level: '4K' },
      '2M': { level: '2M' },
      '1G': { level: '1G' },
    },
    doc: "The host kernel's direct mapping of a page.",
    source: 'arch/x86/mm/pat/set_memory.c',
    example: 'expect directmap(g, 64K) is { present, 4K }',
  }),
  {
    key: 'folio',
    operands: [GUEST, GPA],
    fields: [
      field('allocated', 'bool', 'The pages exist; a slot allocates on first use.'),
      field('order', 'int', 'log2 of the folio in 4K pages.'),
      field('pfn', 'pfn', 'Its first frame.'),
      field('size', 'size', 'Its bytes.'),
    ],
    words: { unallocated: { allocated: false }, '4K': { size: '4K' }, '2M': { size: '2M' }, '1G': { size: '1G' } },
    doc: 'The folio that backs a GPA privately.',
    source: 'mm/restrictedmem.c; virt/kvm/guest_memfd.c',
    example: 'expect folio(g, 0) is { order 9, pfn 0x40000 }',
  },
  ...ofPage({
    key: 'state',
    fields: [wordField('state', STATES, "The firmware's state of the page.")],
    words: Object.fromEntries(PAGE_STATES.map(({ name }) => [name, { state: name }])),
    doc: 'The state of a page as SNP firmware sees it.',
    source: 'SNP firmware ABI, page states',
    example: 'expect state(g, 0) is GUEST_VALID',
  }),
  ...ofPage({
    key: 'refcount',
    fields: value('int', 'References to the page.'),
    words: {},
    doc: 'The page reference count.',
    source: 'include/linux/page_ref.h',
    example: 'expect refcount(pfn(g, 0)) is 1',
  }),
  ...ofPage({
    key: 'subpage_count',
    fields: value('int', 'Assigned 4K pages among the other 511.'),
    words: {},
    doc: 'The subpage count in the first entry of the 2M region that holds a page.',
    source: 'Processor Programming Reference, RMP entry format',
    example: 'expect subpage_count(g, 0) is 511',
  }),
  {
    key: 'asid_counter',
    operands: [at('asid', 'int', 'ASID.')],
    fields: value('int', 'Pages assigned to the ASID.'),
    words: {},
    doc: 'The count of pages assigned to an ASID, in the bookkeeping area of the RMP.',
    source: 'APM vol. 2, 15.36.4',
    example: 'expect asid_counter(1) is 512',
  },
  {
    key: 'count',
    operands: [{ name: 'instruction', kind: 'word', words: INSTRUCTIONS, form: 'positional', doc: 'The instruction.' }],
    fields: value('int', 'Instructions executed.'),
    words: {},
    doc: 'How many of an instruction the last step executed, whatever their results.',
    source: 'the trace',
    example: 'expect count(psmash) is 1',
  },
  {
    key: 'log',
    operands: [],
    fields: [],
    words: {},
    doc: 'The kernel log. `contains` asks for a text in any line of it since the scenario began.',
    source: 'printk()',
    example: 'expect log contains "RMPUPDATE failed"',
  },
];

export const queryNames: readonly string[] = [...new Set(queries.map((query) => query.key))];
export const queriesNamed = (name: string): readonly QuerySpec[] => queries.filter((query) => query.key === name);
