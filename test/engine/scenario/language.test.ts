/** What the language means: the program that a text becomes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineView, Step, Value } from '../../../engine/scenario/program.ts';
import { check, problems, scenario, steps } from './scenario-kit.ts';

/** gpa to pfn as in the slot of the kit: 0x40000 at gpa 0, 1G long. */
const view: MachineView = {
  backingPfn: (guest, gpa) => (guest === 0 && gpa < 2 ** 30 ? 0x40000 + Math.floor(gpa / 4096) : undefined),
};

const only = (...lines: string[]): Step[] => {
  const analysis = check(scenario(...lines));
  assert.deepEqual(problems(analysis), []);
  return steps(analysis.program.scenarios[0]);
};

const values = (step: Step, variables: readonly Value[] = []): unknown[] =>
  step.args.map((arg) => {
    if (arg === undefined) return undefined;
    const value = arg.evaluate(variables, view);
    if ('error' in value) return value;
    return 'start' in value
      ? [value.start, value.end]
      : 'word' in value
        ? value.word
        : 'value' in value
          ? value.value
          : value;
  });

test('the design example becomes steps, expectations and declarations', () => {
  const analysis = check(`// One page of a 2M private folio becomes shared: KVM must PSMASH first.
use kernel "kvm-rfc-v8"                              // bundled model, in C: step into it
use patch "0048-kvm-svm-snp-mem-attr-updates.mbox"   // its functions replace the model's

host {
  memory 4G
  cpus 4
}

guest g {
  asid 1
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}

scenario "unshare one page of a 2M folio" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  vmm.set_memory_attributes(g, 64K..68K, SHARED)

  expect rmp(g, 64K) is shared
  expect rmp(g, 68K) is { guest g, 4K, validated }
  g.read(68K)                    => ok
  host.write(pfn(g, 68K))        => #PF(RMP)
  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 2M, assigned)  => FAIL_OVERLAP
}
`);
  assert.deepEqual(problems(analysis), []);
  const { program } = analysis;
  assert.equal(program.kernel.name, 'kvm-rfc-v8');
  assert.deepEqual(
    program.uses.map((use) => [use.kind, use.path]),
    [['patch', '0048-kvm-svm-snp-mem-attr-updates.mbox']],
  );
  assert.deepEqual([program.host.memoryBytes, program.host.cpus], [2 ** 32, 4]);
  const [guest] = program.guests;
  assert.deepEqual([guest.name, guest.asid, guest.snp, guest.vcpus], ['g', 1, true, 1]);
  const { span: _, ...slot } = guest.slots[0];
  assert.deepEqual(slot, {
    id: 0,
    gpaStart: 0,
    gpaEnd: 2 ** 30,
    private: true,
    folioOrder: 9,
    pfn: 0x40000,
    fileOffset: 0,
  });
  const [unit] = program.scenarios;
  assert.equal(unit.name, 'unshare one page of a 2M folio');
  assert.deepEqual(
    unit.code.map((i) => (i.kind === 'step' ? `${i.operation} ${i.expected?.text ?? ''}`.trim() : i.kind)),
    [
      'vmm.set_memory_attributes',
      'guest.pvalidate',
      'vmm.set_memory_attributes',
      'expect',
      'expect',
      'guest.read ok',
      'host.write #PF(RMP)',
      'cpu.rmpupdate FAIL_OVERLAP',
    ],
  );
  assert.deepEqual(values(steps(unit)[4]), [0x40011, undefined]);
  assert.deepEqual(values(steps(unit)[5]), [0x40000, 0, 1, '2M', true, false]);
});

test('defaults stand where nothing is given, names and flags in any order', () => {
  const [a, b, c, d, e] = only(
    'g.pvalidate(0)',
    'g.pvalidate(2M, invalid)',
    'cpu.rmpupdate(pfn(0x40000))',
    'cpu.rmpupdate(assigned, asid 3, pfn 0x40000, size 2M, gpa 4K)',
    'g.read(mapping shared, gpa 0x1000)',
  );
  assert.deepEqual(values(a), [0, '4K', true]);
  assert.deepEqual(values(b), [2 ** 21, '4K', false]);
  assert.deepEqual(values(c), [0x40000, 0, 0, '4K', false, false]);
  assert.deepEqual(values(d), [0x40000, 4096, 3, '2M', true, false]);
  assert.deepEqual(values(e), [4096, 'shared']);
});

test('quantities are exact', () => {
  const [a, b, c, d] = only(
    'fw.write_rmp_entry(pfn(0x40000), 0x6010fffffffff001, 18446744073709551615)',
    'kernel.f(~0, -1, 0xffff_ffff_ffff_ffff & ~0xfff, 1 << 63, 3 * 0x3fffffffffffffff)',
    'g.read(1G - 4K * 3 + (64K >> 4) & ~0xfff)',
    'vmm.punch_hole(g, 64K +4K)',
  );
  const wide = (step: Step): unknown[] =>
    step.args.map((arg) => {
      const value = arg?.evaluate([], view);
      return value !== undefined && 'wide' in value && value.wide !== undefined
        ? value.wide
        : value !== undefined && 'value' in value
          ? value.value
          : undefined;
    });
  assert.deepEqual(wide(a), [0x40000, 0x6010fffffffff001n, 0xffffffffffffffffn]);
  assert.deepEqual(wide(b), [-1, -1, 0xfffffffffffff000n, 1n << 63n, 3n * 0x3fffffffffffffffn]);
  assert.deepEqual(values(c).slice(0, 1), [2 ** 30 - 3 * 4096 + 4096]);
  assert.deepEqual(values(d), [{ kind: 'guest', guest: 0 }, [65536, 69632]]);
});

test('conversions between kinds, of quantities and of ranges', () => {
  const [a, b, c, d] = only(
    'g.read(gpa(gfn(16)))',
    'host.write(pfn(spa(pfn(0x40001)) + 0x234))',
    'vmm.punch_hole(g, gpa(gfn(1)..gfn(3)))',
    'kernel.f(gfn(gpa(64K)), gpa(2M) - gpa(1M), start(4..9), end(4..9), pfn(g, 4K))',
  );
  assert.deepEqual(values(a), [65536, 'private']);
  assert.deepEqual(values(b), [0x40001, undefined]);
  assert.deepEqual(values(c), [{ kind: 'guest', guest: 0 }, [4096, 12288]]);
  assert.deepEqual(values(d), [16, 2 ** 20, 4, 9, 0x40001]);
});

test('what only the machine knows is an error when it does not know it', () => {
  const [step] = only('host.write(pfn(g, 2G))');
  const { start, end } = step.args[0]?.span ?? { start: 0, end: 0 };
  assert.deepEqual(step.args[0]?.evaluate([], view), {
    error: 'no slot of guest g covers gpa 2G',
    span: { start, end },
  });
});

test('outcomes are read and written in canonical form', () => {
  const written = [
    ['ok', 'ok'],
    ['fails', 'fails'],
    ['any', 'any'],
    ['livelock', 'livelock'],
    ['trap', 'trap'],
    ['CF=1', 'CF=1'],
    ['FAIL_OVERLAP', 'FAIL_OVERLAP'],
    ['EPERM', 'EPERM'],
    ['KVM_EXIT_MEMORY_FAULT', 'KVM_EXIT_MEMORY_FAULT'],
    ['exit(MEMORY_FAULT)', 'KVM_EXIT_MEMORY_FAULT'],
    ['INVALID_PAGE_STATE', 'INVALID_PAGE_STATE'],
    ['#NPF', '#NPF'],
    ['#NPF(SIZEM | W | RMP | ENC)', '#NPF(RMP|ENC|SIZEM|W)'],
    ['#PF(0x80000003)', '#PF(RMP|P|W)'],
    ['#VC(0x404)', '#VC(0x404)'],
    ['#VC(1028)', '#VC(0x404)'],
    ['#GP(0)', '#GP'],
    ['#UD', '#UD'],
    ['3', '3'],
    ['0x404', '0x404'],
  ];
  const found = only(...written.map(([text]) => `g.read(0) => ${text}`)).map((step) => step.expected?.text);
  assert.deepEqual(
    found,
    written.map(([, text]) => text),
  );
});

test('a guest acts by vCPU and VMPL', () => {
  const actors = only(
    'g.read(0)',
    'g.vcpu(1).read(0)',
    'g.vmpl(2).read(0)',
    'g.vcpu(1).vmpl(3).read(0)',
    'host.read(pfn(0x40000))',
  ).map((s) => s.actor);
  assert.deepEqual(actors, [
    { kind: 'guest', guest: 0, vcpu: 0, vmpl: 0 },
    { kind: 'guest', guest: 0, vcpu: 1, vmpl: 0 },
    { kind: 'guest', guest: 0, vcpu: 0, vmpl: 2 },
    { kind: 'guest', guest: 0, vcpu: 1, vmpl: 3 },
    { kind: 'host', vcpu: 0, vmpl: 0 },
  ]);
});

test('kernel calls keep C names as words', () => {
  const [step] = only('kernel.sev_update_mem_attr(slot(g, 0), KVM_MEMORY_ATTRIBUTE_PRIVATE, 0, 512, g, vcpu(g, 1))');
  assert.equal(step.callee, 'sev_update_mem_attr');
  assert.deepEqual(
    step.args.map((arg) => arg?.evaluate([], view)),
    [
      { kind: 'slot', guest: 0, slot: 0 },
      { kind: 'word', word: 'KVM_MEMORY_ATTRIBUTE_PRIVATE' },
      { kind: 'int', value: 0 },
      { kind: 'int', value: 512 },
      { kind: 'guest', guest: 0 },
      { kind: 'vcpu', guest: 0, vcpu: 1 },
    ],
  );
});

test('expectations become patterns on fields', () => {
  const analysis = check(
    scenario(
      'expect rmp(g, 64K) is private',
      'expect rmp(g, 64K) is not shared',
      'expect rmp(pfn(0x40000)) is { 2M, asid 1, not validated, gpa 64K }',
      'expect all 0..2M rmp(g) is shared',
      'expect all pfn(0)..pfn(8) rmp is unassigned',
      'expect refcount(g, 0) is 1',
      'expect folio(g, 0) is { order 9, size 2M }',
      'expect state(g, 0) is GUEST_VALID',
      'expect log not contains "WARNING"',
    ),
  );
  assert.deepEqual(problems(analysis), []);
  const found = analysis.program.scenarios[0].code.map((i) => {
    if (i.kind !== 'expect') return undefined;
    const patterns = i.patterns.map((p) => {
      if (p.test === 'flag') return [p.field, p.value];
      const value = p.value.evaluate([], view);
      return [
        p.field,
        'word' in value ? value.word : 'value' in value ? value.value : 'guest' in value ? value.guest : value,
      ];
    });
    return [i.query, i.negated, i.all?.operand, i.contains, patterns];
  });
  assert.deepEqual(found, [
    [
      'rmp',
      false,
      undefined,
      undefined,
      [
        ['private', true],
        ['guest', 0],
      ],
    ],
    ['rmp', true, undefined, undefined, [['assigned', false]]],
    [
      'rmp',
      false,
      undefined,
      undefined,
      [
        ['size', '2M'],
        ['asid', 1],
        ['validated', false],
        ['gpa', 65536],
      ],
    ],
    ['rmp', false, 1, undefined, [['assigned', false]]],
    ['rmp', false, 0, undefined, [['assigned', false]]],
    ['refcount', false, undefined, undefined, [['value', 1]]],
    [
      'folio',
      false,
      undefined,
      undefined,
      [
        ['order', 9],
        ['size', 2 ** 21],
      ],
    ],
    ['state', false, undefined, undefined, [['state', 'GUEST_VALID']]],
    ['log', true, undefined, 'WARNING', []],
  ]);
});

test('loops and lets are code with numbered variables', () => {
  const { program } = check(
    scenario(
      'let head = pfn(g, 0)',
      'for x in 0..2M step 512K {',
      '  g.read(x + 4K)',
      '  host.write(head + 1)',
      '}',
      'g.read(0)',
    ),
  );
  const [unit] = program.scenarios;
  assert.deepEqual(
    unit.code.map((i) =>
      i.kind === 'for'
        ? `for ${i.variable} exit ${i.exit}`
        : i.kind === 'next'
          ? `next ${i.head}`
          : i.kind === 'let'
            ? `let ${i.variable}`
            : i.kind,
    ),
    ['let 0', 'for 1 exit 5', 'step', 'step', 'next 1', 'step'],
  );
  assert.deepEqual(unit.variableNames, ['head', 'x']);
  const variables: Value[] = [
    { kind: 'pfn', value: 0x40000 },
    { kind: 'int', value: 2 ** 19 },
  ];
  assert.deepEqual(values(steps(unit)[0], variables), [2 ** 19 + 4096, 'private']);
  assert.deepEqual(values(steps(unit)[1], variables), [0x40001, undefined]);
});

test('a rule is allowed for a block, for the next statement, for one step', () => {
  const analysis = check(
    scenario(
      'allow ATTR-RMP "a" {',
      '  g.read(0)',
      '}',
      'allow ORDER "b"',
      'g.read(1)',
      'g.read(2) allow REF "c" allow TERM "d"',
      'g.read(3)',
    ),
  );
  assert.deepEqual(problems(analysis), []);
  const [unit] = analysis.program.scenarios;
  assert.deepEqual(
    unit.allows.map((a) => [a.rule, a.reason]),
    [
      ['ATTR-RMP', 'a'],
      ['ORDER', 'b'],
      ['REF', 'c'],
      ['TERM', 'd'],
    ],
  );
  assert.deepEqual(
    unit.code.map((i) => ('allow' in i ? `${i.kind} ${i.allow}` : i.kind)),
    [
      'allow 0',
      'step',
      'allow-end 0',
      'allow 1',
      'step',
      'allow-end 1',
      'allow 2',
      'allow 3',
      'step',
      'allow-end 3',
      'allow-end 2',
      'step',
    ],
  );
});

test('keywords are names where no keyword can stand', () => {
  const text = `guest page {
  slot 0 gpa 0..1G private
}
let asid = 1
let size = 4K
sequence expect_it(step, is) {
  step.read(is)
}
scenario "s" {
  let pfn_of = pfn(page, size)
  for gpa in gpa(0)..gpa(8K) {
    page.read(gpa)
  }
  let in_use = asid
  expect_it(page, size)
  cpu.rmpupdate(pfn_of, gpa size, asid asid, 4K, assigned)
}
`;
  assert.deepEqual(problems(check(text)), []);
});

test('/// lines document what follows', () => {
  const [a, b] = check('/// First.\n/// Second.\nscenario "a" { }\n\n// not this\nscenario "b" { }\n').program
    .scenarios;
  assert.equal(a.doc, 'First.\nSecond.');
  assert.equal(b.doc, '');
});

test('the brace of a declaration may stand on its own line', () => {
  assert.deepEqual(problems(check('guest g\n{\n  asid 1\n}\nscenario "s" // why\n{\n  g.read(0)\n}\n')), []);
});

test('a size passed to a sequence is an address where an address belongs', () => {
  const text = `sequence touch(at, size) {
  g.pvalidate(at)
  g.pvalidate(at, size)
}
${scenario('touch(4K, 4K)', 'touch(2M, 2M)')}`;
  const analysis = check(text);
  assert.deepEqual(problems(analysis), []);
  assert.equal(steps(analysis.program.scenarios[0]).length, 4);
});
