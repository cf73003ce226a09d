// The bundled sequence libraries: every sequence is run on every kernel model and leaves the pages as its documentation says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelText } from '../../../engine/models/model.ts';
import { libraryNames, libraryPath, libraryText } from '../../../engine/scenario/library.ts';
import { checkText, lines } from '../run/check-text.ts';
import { check, problems } from './scenario-kit.ts';

const KERNELS = ['kvm-rfc-v8', 'kvm-6.12'] as const;
type Kernel = (typeof KERNELS)[number];

/** A host with pages of one size behind the guest; the first sequence step is on line 12. */
const file = (kernel: Kernel, folio: '4K' | '2M', memory: '4M' | '1G', ...steps: string[]): string =>
  [
    `use kernel "${kernel}"`,
    ...libraryNames.map((name) => `import "${name}"`),
    'host {',
    '  memory 4G',
    ...(kernel === 'kvm-6.12' && folio === '2M' ? ['  option gmem-huge-folios = on'] : []),
    '}',
    'guest g {',
    '  asid 1',
    `  slot 0 gpa 0..${memory} private folio ${folio} pfn 0x40000`,
    '}',
    'scenario "s" {',
    ...steps,
    '}',
    '',
  ].join('\n');

const PRIVATE_2M = ['linux_set_memory_encrypted_2m(g, 0..4M)'];
const PRIVATE_4K = ['linux_set_memory_encrypted_4k(g, 0..4M)'];
const VALIDATED = (range: string, size = '4K'): string[] => [
  `expect all ${range} rmp(g) is { guest g, ${size}, validated }`,
  `expect all ${range} attr(g) is private`,
];
/** RFC v8 takes the pages back with the attribute, v6.12's VMM by giving them back. */
const GONE = (range: string): string[] => [
  `expect all ${range} rmp(g) is unassigned`,
  `expect all ${range} attr(g) is shared`,
];

interface Case {
  folio: '4K' | '2M';
  /** Of the guest; 1G if not said. */
  memory?: '4M';
  before?: string[];
  call: string;
  /** Goes before the call: what the kernel's rules object to in it. */
  allow?: (kernel: Kernel) => string[];
  after: string[] | ((kernel: Kernel) => string[]);
}

const cases: Readonly<Record<string, Case>> = {
  // RFC v8's handler of a hole goes one page too far (sev_invalidate_private_range()): these holes are at the end of the guest's memory.
  vmm_make_shared: {
    folio: '2M',
    memory: '4M',
    before: PRIVATE_2M,
    call: '(g, 2112K..4M)',
    after: [
      ...GONE('2112K..4M'),
      'expect all 2112K..4M folio(g) is unallocated',
      'expect all 2M..2112K rmp(g) is { guest g, 4K, validated }',
      ...VALIDATED('0..2M', '2M'),
      'expect asid_counter(1) is 528',
    ],
  },
  vmm_make_private: {
    folio: '2M',
    call: '(g, 0..4M)',
    after: (kernel) => [
      'expect all 0..4M attr(g) is private',
      // Eager in RFC v8, at the first access in v6.12.
      kernel === 'kvm-rfc-v8'
        ? 'expect all 0..4M rmp(g) is { guest g, 2M, not validated }'
        : 'expect all 0..4M rmp(g) is unassigned',
      'g.pvalidate(0, 2M)',
    ],
  },
  vmm_make_shared_in_place: {
    folio: '4K',
    before: PRIVATE_4K,
    call: '(g, 0..4K)',
    after: (kernel) => [
      'expect attr(g, 0) is shared',
      kernel === 'kvm-rfc-v8' ? 'expect rmp(g, 0) is unassigned' : 'expect rmp(g, 0) is { guest g, 4K, validated }',
    ],
  },
  vmm_discard_private: {
    folio: '2M',
    memory: '4M',
    before: [...PRIVATE_2M, 'vmm_make_shared_in_place(g, 2M..4M)'],
    call: '(g, 2M..4M)',
    after: [...GONE('2M..4M'), 'expect all 2M..4M folio(g) is unallocated'],
  },
  vmm_reset_private: {
    folio: '2M',
    memory: '4M',
    before: PRIVATE_2M,
    call: '(g, 2M..4M)',
    allow: (kernel) => (kernel === 'kvm-rfc-v8' ? ['allow ATTR-RMP "the attributes stay, the pages go"'] : []),
    after: [
      'expect all 2M..4M rmp(g) is unassigned',
      'expect all 2M..4M attr(g) is private',
      ...VALIDATED('0..2M', '2M'),
    ],
  },
  linux_set_memory_decrypted_4k: {
    folio: '4K',
    before: PRIVATE_4K,
    call: '(g, 64K +64K)',
    after: [...GONE('64K..128K'), ...VALIDATED('0..64K'), ...VALIDATED('128K..4M'), 'g.write(64K, shared)'],
  },
  linux_set_memory_decrypted_2m: {
    folio: '2M',
    before: PRIVATE_2M,
    call: '(g, 0..2M)',
    after: [...GONE('0..2M'), ...VALIDATED('2M..4M', '2M')],
  },
  linux_set_memory_decrypted_2m_as_4k: {
    folio: '4K',
    before: PRIVATE_4K,
    call: '(g, 0..2M)',
    after: [...GONE('0..2M'), ...VALIDATED('2M..4M')],
  },
  linux_set_memory_encrypted_4k: { folio: '4K', call: '(g, 64K +64K)', after: VALIDATED('64K..128K') },
  linux_set_memory_encrypted_2m: { folio: '2M', call: '(g, 0..4M)', after: VALIDATED('0..4M', '2M') },
  linux_set_memory_encrypted_2m_as_4k: { folio: '4K', call: '(g, 0..4M)', after: VALIDATED('0..4M') },
  linux_early_set_memory_private: { folio: '4K', call: '(g, 0..16K)', after: VALIDATED('0..16K') },
  linux_early_set_memory_shared: {
    folio: '4K',
    before: ['linux_early_set_memory_private(g, 0..16K)'],
    call: '(g, 4K +4K)',
    after: [...GONE('4K..8K'), ...VALIDATED('8K..16K'), 'g.write(4K, shared)'],
  },
  ovmf_pre_validate_2m: { folio: '2M', call: '(g, 2M..6M)', after: VALIDATED('2M..6M', '2M') },
  ovmf_pre_validate_2m_as_4k: { folio: '4K', call: '(g, 2M..4M)', after: VALIDATED('2M..4M') },
  ovmf_pre_validate_4k: { folio: '4K', call: '(g, 0..640K)', after: VALIDATED('0..640K') },
  ovmf_clear_page_enc_mask: {
    folio: '4K',
    before: ['ovmf_pre_validate_4k(g, 0..640K)'],
    call: '(g, 64K +8K)',
    after: [...GONE('64K..72K'), ...VALIDATED('0..64K'), 'g.write(68K, shared)'],
  },
  ovmf_set_page_enc_mask: {
    folio: '4K',
    before: ['ovmf_pre_validate_4k(g, 0..640K)', 'ovmf_clear_page_enc_mask(g, 64K +8K)'],
    call: '(g, 64K +8K)',
    after: [...VALIDATED('0..640K'), 'g.write(68K)'],
  },
  svsm_make_page_shared: {
    folio: '4K',
    before: PRIVATE_4K,
    call: '(g, 64K)',
    after: [...GONE('64K..68K'), 'g.write(64K, shared)'],
  },
  svsm_make_page_private: {
    folio: '4K',
    before: [...PRIVATE_4K, 'svsm_make_page_shared(g, 64K)'],
    call: '(g, 64K)',
    after: VALIDATED('0..4M'),
  },
  svsm_validate_2m: { folio: '2M', call: '(g, 0..4M)', after: VALIDATED('0..4M', '2M') },
  svsm_validate_2m_as_4k: { folio: '4K', call: '(g, 0..2M)', after: VALIDATED('0..2M') },
  svsm_core_pvalidate: {
    folio: '4K',
    before: ['g.psc(0..64K, PRIVATE)'],
    call: '(g, 4K, 1)',
    after: [
      ...VALIDATED('4K..8K'),
      'expect rmp(g, 4K) is { vmpl1 0xf, vmpl2 0 }',
      'g.vmpl(1).write(4K)',
      'expect rmp(g, 8K) is not validated',
    ],
  },
  svsm_core_pvalidate_rescind: {
    folio: '4K',
    before: ['g.psc(0..64K, PRIVATE)', 'svsm_core_pvalidate(g, 4K, 1)'],
    call: '(g, 4K, 1)',
    after: ['expect rmp(g, 4K) is { guest g, 4K, not validated, vmpl1 0 }', 'g.read(4K)  => #VC(0x404)'],
  },
  svsm_core_pvalidate_unchanged: { folio: '4K', before: PRIVATE_4K, call: '(g, 4K)', after: VALIDATED('0..4M') },
  svsm_core_pvalidate_2m_as_4k: {
    folio: '4K',
    before: ['g.psc(0..2M, PRIVATE)', 'g.read(0)  => #VC(0x404)'],
    call: '(g, 0, 1)',
    after: [...VALIDATED('0..2M'), 'expect all 0..2M rmp(g) is { vmpl1 0xf }'],
  },
};

for (const [name, { folio, memory = '1G', before = [], allow, call, after }] of Object.entries(cases)) {
  for (const kernel of KERNELS) {
    test(`${name} on ${kernel}`, () => {
      const ends = typeof after === 'function' ? after(kernel) : after;
      const result = checkText(
        file(kernel, folio, memory, ...before, ...(allow?.(kernel) ?? []), `${name}${call}`, ...ends),
      );
      assert.deepEqual(lines(result), []);
      assert.equal(result.scenarios[0].status, 'passed');
    });
  }
}

test('every sequence of every library is documented, says its source in the library, and has a case here', () => {
  const found: string[] = [];
  for (const name of libraryNames) {
    const text = libraryText(libraryPath(name)) as string;
    for (const [, doc, sequence] of text.matchAll(/((?:^\/\/\/.*\n)*)^sequence (\w+)/gm)) {
      assert.match(doc, /^\/\/\/ \S/, `${name}: ${sequence} has no ///`);
      found.push(sequence);
    }
    assert.match(text, /[Ss]ource: |\.(?:rs|c)\b/, name);
  }
  assert.deepEqual(found.sort(), Object.keys(cases).sort());
});

test('a library is imported without a file, and its places are those of bundled files', () => {
  const text = file('kvm-rfc-v8', '4K', '1G', 'linux_set_memory_decrypted_2m(g, 0..2M)');
  const result = checkText(text);
  assert.deepEqual(result.dependencies, ['test.snpscenario']);
  const [first] = result.diagnostics;
  const places = [first.location.path, ...(first.related ?? []).map((r) => r.location.path)];
  const path = places.find((p) => p !== 'test.snpscenario');
  assert.equal(path, 'model:library/linux-guest.snpscenario');
  assert.match(modelText(path) as string, /sequence linux_set_memory_decrypted_2m/);
});

test('a library that there is none of is answered with those there are', () => {
  assert.deepEqual(problems(check('import "snp:windows"\n')), [
    '1 IMPORT There is no library "snp:windows" in the extension. Libraries: snp:linux-guest, snp:ovmf, snp:svsm, snp:vmm.',
  ]);
  const slip = check('import "snp:vm"\n');
  assert.match(problems(slip)[0], /Did you mean `snp:vmm`\?/);
  assert.deepEqual(slip.program.problems[0].data, {
    fixes: [{ title: 'Change to snp:vmm', replacement: '"snp:vmm"' }],
  });
});
