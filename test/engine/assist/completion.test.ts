/**
 * What completion offers at each kind of place, in whole files and in broken ones: completion.txt says it place by place, UPDATE_EXPECT=1 writes it
 * anew. Then what must hold anywhere: what is accepted is understood, and no place throws.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Around, completionsAt } from '../../../engine/assist/complete.ts';
import { type Completion, plainSnippet } from '../../../engine/assist/completion.ts';
import { documentation } from '../../../engine/assist/documentation.ts';
import { scenarioSnippet, scenarioSnippets } from '../../../engine/assist/scenario-snippets.ts';
import { createChecker } from '../../../engine/checker.ts';
import { rules } from '../../../engine/invariants/catalogue.ts';
import { operations } from '../../../engine/scenario/operations.ts';
import { queries } from '../../../engine/scenario/queries.ts';
import { check, files, located, problems, scenario } from '../scenario/scenario-kit.ts';

const golden = join(import.meta.dirname, 'completion.txt');

const around: Around = {
  list: (folder) =>
    folder === ''
      ? ['fix.patch', 'sev.c', 'other.snpscenario', 'main.snpscenario', 'readme.md', '.hidden.c']
          .map((name) => ({ name, isFolder: false }))
          .concat({ name: 'sub', isFolder: true })
      : [{ name: `0048.mbox`, isFolder: false }],
  functions: () => ['psmash', 'rmpupdate', '__internal'],
  happened: () => 'EINVAL',
};

const head = `import "snp:linux-guest"
host {
  cpus 4
}
guest g {
  vcpus 2
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}
guest h {
  slot 0 gpa 0..16M
}
let base = 64K
let area = 2M..4M
/// Makes a range shared.
sequence conv(guest, range) {
  guest.psc(range, SHARED)
}
`;

/** The text around a place: at the top of a file, or on a line of a scenario. */
function at(place: string): { text: string; offset: number } {
  const source = place.startsWith('  ')
    ? `${head}scenario "s" {\n  let page = base + 4K\n  g.write(128K)\n${place}\n}\n\nscenario "next" {\n}\n`
    : `${head}${place}\n`;
  const offset = source.indexOf('‸');
  assert.ok(offset >= 0, place);
  return { text: source.replace('‸', ''), offset };
}

const complete = (place: string): { items: Completion[]; from: number; to: number; text: string } => {
  const { text, offset } = at(place);
  const found = completionsAt(check(text), offset, around);
  found.items.sort((a, b) => a.rank - b.rank || (a.label < b.label ? -1 : 1));
  return { ...found, text };
};

/** `‸` is the cursor. Indented: on a line of a scenario. */
const places = [
  // declarations
  '‸',
  'sc‸',
  'use ‸',
  'use kernel "‸"',
  'use kernel ‸',
  'use patch "‸"',
  'use patch "sub/‸"',
  'use source "se‸',
  'import "‸"',
  'import "snp:‸"',
  'stub ‸',
  'stub name ‸',
  'let x = ‸',
  'host {\n  ‸\n}',
  'host {\n  option ‸\n}',
  'host {\n  option guest-‸',
  'host {\n  option guest-tlb ‸\n}',
  'host {\n  option guest-tlb = ‸\n}',
  'host {\n  option psmash-badaddr-code = ‸\n}',
  'guest x {\n  ‸\n}',
  'guest x {\n  slot ‸\n}',
  'guest x {\n  slot 0 gpa 0..1G\n  slot ‸\n}',
  'guest x {\n  slot 0 gpa 0..1G ‸\n}',
  'guest x {\n  slot 0 gpa 0..1G private folio ‸\n}',
  'guest x {\n  snp ‸',
  // statements
  '  ‸',
  '  vm‸',
  '  vmm.‸',
  '  vmm.set‸(g, 0..2M, PRIVATE)',
  '  g.‸',
  '  g.vcpu(‸',
  '  g.vcpu(1).‸',
  '  g.vcpu(1).vmpl(1).re‸',
  '  cpu.‸',
  '  dev.‸',
  '  kernel.‸',
  '  nobody.‸',
  '  let ‸',
  '  let x ‸',
  '  let x = ‸',
  '  let x = base + ‸',
  '  for ‸',
  '  for p ‸',
  '  for p in ‸',
  '  for p in 0..2M ‸',
  '  for p in 0..2M step ‸',
  '  for p in 0..2M step 4K {\n    g.read(‸)\n  }',
  '  for p in 0..2M { g.‸ }',
  '  allow ‸',
  '  allow ATTR-‸',
  '  allow ORDER "‸"',
  '  allow ORDER "why" ‸',
  // operands
  '  vmm.set_memory_attributes(‸',
  '  vmm.set_memory_attributes(g, ‸)',
  '  vmm.set_memory_attributes(g, 0..‸)',
  '  vmm.set_memory_attributes(g, 0..2M, ‸',
  '  vmm.set_memory_attributes(\n    g,\n    ‸\n  )',
  '  vmm.set_memory_attributes(\n    ‸',
  '  g.pvalidate(‸)',
  '  g.pvalidate(0, ‸)',
  '  g.pvalidate(0, 2M, ‸)',
  '  g.rmpadjust(64K, ‸)',
  '  g.rmpadjust(64K, vmpl ‸)',
  '  cpu.rmpupdate(‸)',
  '  cpu.rmpupdate(pfn(‸',
  '  cpu.rmpupdate(pfn(g, ‸',
  '  cpu.rmpupdate(pfn(g, 0), ‸)',
  '  cpu.rmpupdate(pfn(g, 0), gpa ‸)',
  '  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 2M, ‸)',
  '  host.write(pfn(g, 0), via ‸)',
  '  kernel.psmash(‸)',
  '  kernel.f(slot(‸',
  '  kernel.f(slot(g, ‸',
  '  conv(‸',
  '  conv(g, ‸',
  // outcomes
  '  g.read(0) ‸',
  '  g.read(0) =‸',
  '  g.read(0) =>‸',
  '  g.read(0) => ‸',
  '  g.read(0) => #N‸',
  '  g.read(0) => #NPF(‸',
  '  g.read(0) => #NPF(RMP|‸)',
  '  g.read(0) => #VC(‸',
  '  g.read(0) => ok ‸',
  '  g.read(0) => ok allow ‸',
  '  fw.snp_page_unsmash(pfn(g, 0)) => ‸',
  '  kernel.f() => ‸',
  '  conv(g, 0..4K) ‸',
  // expect
  '  expect ‸',
  '  expect all ‸',
  '  expect all 0..2M ‸',
  '  expect all area ‸',
  '  expect rmp(‸',
  '  expect rmp(g, ‸',
  '  expect rmp(g, 0) ‸',
  '  expect rmp(g, 0) is ‸',
  '  expect rmp(g, 0) is not ‸',
  '  expect rmp(g, 0) is assigned ‸',
  '  expect rmp(g, 0) is asid ‸',
  '  expect rmp(g, 0) is { ‸',
  '  expect rmp(g, 0) is { validated, ‸ }',
  '  expect rmp(g, 0) is { not ‸ }',
  '  expect rmp(g, 0) is { guest ‸ }',
  '  expect rmp(g, 0) is { state ‸ }',
  '  expect rmp(g, 0) is {\n    validated,\n    ‸',
  '  expect npt(g, 0) is { level ‸ }',
  '  expect state(g, 0) is ‸',
  '  expect refcount(pfn(‸',
  '  expect count(‸',
  '  expect log ‸',
  '  expect log not ‸',
  '  expect log contains "‸"',
  // invariants
  'invariant "i" {\n  ‸\n}',
  'invariant "i" {\n  forall ‸\n}',
  'invariant "i" {\n  forall page p ‸\n}',
  'invariant "i" {\n  forall gpa a ‸\n}',
  'invariant "i" {\n  forall gpa a of ‸\n}',
  'invariant "i" {\n  forall page p: ‸\n}',
  'invariant "i" {\n  forall page p: rmp(p) is validated ‸\n}',
  'invariant "i" {\n  forall page p: rmp(p) is validated implies not ‸\n}',
  'invariant "i" {\n  forall page p: (rmp(p) is ‸\n}',
  // nothing
  '  // g.‸',
  '  g.read(0) // ‸',
  '  # g.‸',
  '  g.read(0) => ok # ‸',
  '  )‸',
  // broken around it
  'scenario "open" {\n  g.‸',
  'sequence s(guest, range) {\n  guest.‸\n}',
  'sequence s(guest, range) {\n  guest.psc(‸\n}',
  '  expect rmp(g 0 is {{ g.read(\n  vmm.‸',
  '  }\n  ‸',
  '  let q = \n  g.read(‸',
];

const show = (items: readonly Completion[]): string =>
  items.length === 0
    ? 'nothing'
    : items.map((one) => (one.label.includes(' ') ? `“${one.label}”` : one.label)).join(' ');

test('what is offered where; UPDATE_EXPECT=1 writes it anew', () => {
  const said = places.map((place) => {
    const { items, from, to, text } = complete(place);
    const replaced = text.slice(from, to) === '' ? '' : `replacing “${text.slice(from, to)}”: `;
    return `${place.replaceAll('\n', '⏎')}\n    ${replaced}${show(items)}\n`;
  });
  const actual = said.join('');
  if (process.env.UPDATE_EXPECT) writeFileSync(golden, actual);
  assert.equal(actual, readFileSync(golden, 'utf8').replaceAll('\r\n', '\n'));
});

test('line ends of any kind', () => {
  for (const place of ['  g.‸', '  vmm.set_memory_attributes(\n    g,\n    ‸\n  )', 'host {\n  option ‸\n}']) {
    const { text, offset } = at(place);
    const crlf = (part: string) => part.replaceAll('\n', '\r\n');
    const plain = completionsAt(check(text), offset, around);
    const other = completionsAt(check(crlf(text)), crlf(text.slice(0, offset)).length, around);
    assert.deepEqual(other.items, plain.items, place);
    assert.equal(other.from - plain.from, crlf(text.slice(0, offset)).length - offset);
  }
});

describe('what is accepted is understood', () => {
  /** Problems of the document on the line of the place once an entry is accepted. */
  function problemsAfter(place: string, one: Completion, more = ''): string[] {
    const { text, offset } = at(place);
    const analysis = check(text);
    const { from, to } = completionsAt(analysis, offset, around);
    const written = one.snippet === undefined ? (one.insert ?? one.label) : plainSnippet(one.snippet);
    const changed = text.slice(0, from) + written + more + text.slice(to);
    const line = (offset: number) => changed.slice(0, offset).split('\n').length;
    return located(check(changed))
      .filter(({ line: at }) => at >= line(from) && at <= line(from + written.length))
      .map(({ problem }) => `${written}${more}: ${problem.message}`);
  }

  const whole = (place: string, more = '') => {
    const { items } = complete(place);
    assert.notEqual(items.length, 0, place);
    for (const one of items) assert.deepEqual(problemsAfter(place, one, more), [], `${place} ${one.label}`);
  };

  test('outcomes', () => {
    for (const { key, example } of operations) {
      const step = example.replace(/ =>.*$/, '');
      const { items } = complete(`  ${step} => ‸`);
      for (const outcome of items) {
        if (key === 'guest.vmrun') continue; // of a vCPU that g has, h not
        assert.deepEqual(problems(check(scenario(`${step} => ${outcome.label}`))), [], `${key} => ${outcome.label}`);
      }
    }
  });
  test('options and their values', () => {
    whole('host {\n  option ‸\n}');
    const { items } = complete('host {\n  option ‸\n}');
    for (const { label } of items) whole(`host {\n  option ${label} = ‸\n}`);
  });
  test('rules', () => whole('  allow ‸', '\n  g.read(0)'));
  test('words, fields and values of every query', () => {
    for (const { example } of queries) {
      if (example.includes('log')) continue;
      const query = example.replace(/ is .*$/, '');
      const { items } = complete(`  ${query} is ‸`);
      for (const one of items) {
        if (one.goesOn || one.label === 'base' || one.kind === 'variable' || one.kind === 'function') continue;
        assert.deepEqual(problemsAfter(`  ${query} is ‸`, one), [], `${query} is ${one.label}`);
      }
    }
  });
  test('operands', () => {
    whole('  vmm.set_memory_attributes(g, 0..2M, ‸)');
    whole('  g.pvalidate(0, ‸)');
    whole('  cpu.rmpupdate(pfn(g, 0), ‸)');
  });
  test('settings of a slot', () => {
    for (const setting of complete('guest x {\n  slot 0 gpa 0..1G ‸\n}').items)
      assert.deepEqual(
        problemsAfter('guest x {\n  slot 0 gpa 32G..33G ‸\n}', setting).filter(
          (text) => !text.includes('do not fit') && !text.includes('back slot'),
        ),
        [],
      );
  });
});

test('everything that is offered and has documentation has one', () => {
  for (const place of places)
    for (const { label, doc } of complete(place).items)
      if (doc !== undefined && !doc.startsWith('c:')) assert.ok(documentation(doc), `${place}: ${label} (${doc})`);
  for (const { id } of rules) assert.ok(documentation(`rule:${id}`));
  for (const key of [
    '',
    ':',
    'rule:',
    'rule:__proto__',
    'statement:toString',
    'outcome:constructor',
    'field:rmp',
    'x:y',
  ])
    assert.equal(documentation(key), undefined, key);
});

describe('whole scenarios', () => {
  for (const snippet of scenarioSnippets) {
    test(snippet.label, () => {
      const text = plainSnippet(scenarioSnippet(snippet, undefined, () => false, false)).replaceAll('\t', '  ');
      const running = createChecker(files()).start('main.snpscenario', text);
      while (!running.advance(1_000_000));
      const { diagnostics, scenarios } = running.result();
      assert.deepEqual(
        diagnostics.map(({ message }) => message),
        [],
        text,
      );
      assert.deepEqual(
        scenarios.map(({ status }) => status),
        ['passed'],
      );
    });
  }
  test('in a file that has a guest and the import already', () => {
    const [, , linux] = scenarioSnippets;
    const text = scenarioSnippet(linux, 'vm1', () => true, false);
    assert.ok(!text.includes('import') && !text.includes('guest vm1 {') && text.includes('_4k(vm1,'), text);
  });
});

test('no place of a file throws, however it is cut', () => {
  const whole = `${head}scenario "s" {\n  for p in 0..2M { cpu.rmpupdate(pfn(g, p), gpa p, asid 1, 4K) => #NPF(RMP|ENC) allow OR "x" }\n  expect all 0..4K rmp(g) is { not validated, asid 1 }\n}\n`;
  const broken = [
    whole,
    whole.replaceAll(')', ''),
    whole.replaceAll('}', ''),
    whole.replaceAll('"', ''),
    whole.replaceAll('\n', ' '),
    '‸((((',
    '{{{{',
    'allow option => #',
  ];
  for (const text of broken) {
    const analysis = check(text);
    for (let offset = 0; offset <= text.length; offset++) {
      const { from, to } = completionsAt(analysis, offset, around);
      assert.ok(from <= offset && offset <= to && to <= text.length, `${from} ${offset} ${to}`);
    }
  }
});
