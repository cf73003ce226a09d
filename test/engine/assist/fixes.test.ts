/**
 * Quick fixes: what each is for, and that it does it. Whatever is offered anywhere in the corpus, examples with mistakes put into them, is applied: the
 * text still parses, and what it was offered for is gone.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { conversionsAt } from '../../../engine/assist/conversions.ts';
import { fixesFor } from '../../../engine/assist/fixes.ts';
import { check } from '../scenario/scenario-kit.ts';
import { applied, checked } from './fix-kit.ts';

const head = `use kernel "kvm-rfc-v8"
guest g {
  vcpus 2
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}
`;
const scenario = (...steps: string[]): string =>
  `${head}scenario "s" {\n${steps.map((step) => `  ${step}\n`).join('')}}\n`;

/** Title to what the steps become, for everything reported of a rule. `*`: preferred. */
function offered(text: string, rule: string): Record<string, string> {
  const { view, reported } = checked(text);
  const found: Record<string, string> = {};
  for (const report of reported.filter((one) => one.rule === rule)) {
    for (const fix of fixesFor(view, report)) found[`${fix.title}${fix.preferred ? ' *' : ''}`] = applied(text, fix);
  }
  return found;
}

const steps = (text: string): string[] =>
  text
    .slice(text.indexOf('scenario "'))
    .trim()
    .split('\n')
    .slice(1, -1)
    .map((line) => line.slice(2));

describe('expect what happened', () => {
  test('a step that states nothing', () => {
    const text = scenario('g.pvalidate(0, 2M)  // why');
    const fixes = offered(text, 'OUTCOME');
    assert.deepEqual(
      steps(fixes['Expect KVM_EXIT_MEMORY_FAULT *'])[0],
      'g.pvalidate(0, 2M)  => KVM_EXIT_MEMORY_FAULT  // why',
    );
  });
  test('a step that states something else', () => {
    const fixes = offered(scenario('cpu.psmash(pfn(g, 0)) => FAIL_INPUT // why'), 'OUTCOME');
    const [[title, text]] = Object.entries(fixes);
    assert.match(title, /^Expect \w+ \*$/);
    assert.equal(steps(text)[0], `cpu.psmash(pfn(g, 0)) => ${title.slice(7, -2)} // why`);
  });
  test('success is not stated', () => {
    const fixes = offered(
      scenario('vmm.set_memory_attributes(g, 0..2M, PRIVATE)  => EINVAL  allow ORDER "x"'),
      'OUTCOME',
    );
    assert.equal(steps(fixes['Expect ok *'])[0], 'vmm.set_memory_attributes(g, 0..2M, PRIVATE)  allow ORDER "x"');
  });
  test('of a loop, what holds of every turn', () => {
    const same = offered(scenario('for p in 0..8K step 4K {', '  cpu.psmash(pfn(g, p))', '}'), 'OUTCOME');
    assert.deepEqual(Object.keys(same).length, 1, JSON.stringify(same));
    const mixed = offered(
      scenario('vmm.set_memory_attributes(g, 0..4K, PRIVATE)', 'for p in 0..8K step 4K {', '  g.pvalidate(p, 4K)', '}'),
      'OUTCOME',
    );
    assert.deepEqual(Object.keys(mixed), ['Expect any'], JSON.stringify(mixed));
  });
  test('not of what a sequence does', () => {
    const text = `${head}sequence s(x) {\n  cpu.psmash(pfn(g, x))\n}\nscenario "s" {\n  s(0)\n}\n`;
    assert.deepEqual(offered(text, 'OUTCOME'), {});
  });
});

describe('the step that is missing', () => {
  test('PVALIDATE in front of an access, as large as RMP and NPT have it', () => {
    const text = scenario('vmm.set_memory_attributes(g, 0..2M, PRIVATE)', 'g.read(64K)');
    const fixes = offered(text, 'FAULT');
    assert.deepEqual(steps(fixes['Insert g.pvalidate(0, 2M) *']), [
      'vmm.set_memory_attributes(g, 0..2M, PRIVATE)',
      'g.pvalidate(0, 2M)',
      'g.read(64K)',
    ]);
    assert.ok('Expect #VC(0x404)' in fixes, 'the other way is there too');
    assert.equal(Object.keys(fixes).filter((title) => title.startsWith('Insert')).length, 1);
  });
  test('PVALIDATE of 4K, in front of an allow that waits for the step', () => {
    const text = scenario('vmm.set_memory_attributes(g, 64K +4K, PRIVATE)', 'allow ORDER "x"', 'g.read(64K)');
    const fixes = offered(text, 'FAULT');
    assert.deepEqual(steps(fixes['Insert g.pvalidate(64K, 4K) *']), [
      'vmm.set_memory_attributes(g, 64K +4K, PRIVATE)',
      'g.pvalidate(64K, 4K)',
      'allow ORDER "x"',
      'g.read(64K)',
    ]);
  });
  test('PSMASH in front of an RMPUPDATE of 4K under 2M', () => {
    const text = scenario('vmm.set_memory_attributes(g, 2M..4M, PRIVATE)', 'cpu.rmpupdate(pfn(g, 2M + 64K))');
    const fixes = offered(text, 'OUTCOME');
    assert.deepEqual(steps(fixes['Insert cpu.psmash(pfn(g, 2M))']), [
      'vmm.set_memory_attributes(g, 2M..4M, PRIVATE)',
      'cpu.psmash(pfn(g, 2M))',
      'cpu.rmpupdate(pfn(g, 2M + 64K))',
    ]);
  });
  test('in a loop, in front of the loop', () => {
    const text = scenario(
      'vmm.set_memory_attributes(g, 0..2M, PRIVATE)',
      'for page in 4K..2M step 4K {',
      '  cpu.rmpupdate(pfn(g, page))',
      '}',
    );
    const fixes = offered(text, 'OUTCOME');
    assert.deepEqual(steps(fixes['Insert cpu.psmash(pfn(g, 0)) in front of the loop']).slice(1, 3), [
      'cpu.psmash(pfn(g, 0))',
      'for page in 4K..2M step 4K {',
    ]);
  });
  test('with the line ends and the indentation of the file', () => {
    const text = scenario('vmm.set_memory_attributes(g, 0..2M, PRIVATE)', 'g.read(64K)')
      .replaceAll('\n', '\r\n')
      .replaceAll('  ', '\t');
    const fixed = offered(text, 'FAULT')['Insert g.pvalidate(0, 2M) *'];
    assert.ok(fixed.includes('\r\n\tg.pvalidate(0, 2M)\r\n\tg.read(64K)\r\n'), JSON.stringify(fixed));
    assert.ok(!/[^\r]\n/.test(fixed));
  });
});

test('2M to 4K', () => {
  const text = scenario('vmm.set_memory_attributes(g, 0..64K, PRIVATE)', 'g.pvalidate(0, 2M)');
  assert.equal(steps(offered(text, 'OUTCOME')['Change 2M to 4K'])[1], 'g.pvalidate(0, 4K)');
});

describe('expect what is found', () => {
  const found = (condition: string): string => {
    const text = scenario('vmm.set_memory_attributes(g, 0..2M, PRIVATE)', `expect ${condition}  // why`);
    const [fixed] = Object.values(offered(text, 'EXPECT'));
    return fixed === undefined
      ? 'nothing'
      : steps(fixed)[1]
          .replace(/^expect /, '')
          .replace(/ {2}\/\/ why$/, '');
  };
  const cases: [string, string][] = [
    ['rmp(g, 0) is shared', 'rmp(g, 0) is assigned'],
    ['rmp(g, 0) is { guest g, 4K, validated }', 'rmp(g, 0) is { guest g, size 2M, not validated }'],
    ['rmp(g, 0) is validated', 'rmp(g, 0) is unvalidated'],
    ['rmp(g, 0) is not assigned', 'rmp(g, 0) is assigned'],
    ['rmp(g, 4M) is private', 'rmp(g, 4M) is not private'],
    ['rmp(g, 0) is asid 3', 'rmp(g, 0) is asid 1'],
    ['attr(g, 0) is shared', 'attr(g, 0) is private'],
    ['attr(g, 4M) is private', 'attr(g, 4M) is shared'],
    ['npt(g, 0) is 2M', 'npt(g, 0) is not present'],
    ['state(g, 0) is GUEST_VALID', 'state(g, 0) is GUEST_INVALID'],
    ['count(rmpupdate) is 2', 'count(rmpupdate) is 1'],
    ['asid_counter(1) is 1', 'asid_counter(1) is 512'],
    ['folio(g, 0) is { order 3, pfn 0x41000 }', 'folio(g, 0) is { order 9, pfn 0x40000 }'],
    ['log contains "nonsense"', 'log not contains "nonsense"'],
    ['all 0..2M rmp(g) is shared', 'all 0..2M rmp(g) is assigned'],
    ['all 0..4M rmp(g) is assigned', 'nothing'],
  ];
  for (const [condition, expected] of cases) test(condition, () => assert.equal(found(condition), expected));
});

describe('allow', () => {
  // The host takes a page from under the guest.
  const text = scenario(
    'vmm.set_memory_attributes(g, 0..4K, PRIVATE)',
    'g.pvalidate(0, 4K)',
    'cpu.rmpupdate(pfn(g, 0))  // by hand',
  );
  const { reported } = checked(text);
  const [rule] = reported.map((one) => one.rule);
  const fixes = offered(text, rule);
  test('on the statement', () => {
    assert.equal(
      steps(fixes[`Allow ${rule} here, with a reason`])[2],
      `cpu.rmpupdate(pfn(g, 0)) allow ${rule} "reason"  // by hand`,
    );
  });
  test('as a block', () => {
    assert.deepEqual(steps(fixes[`Allow ${rule} in a block, with a reason`]).slice(2), [
      `allow ${rule} "reason" {`,
      '  cpu.rmpupdate(pfn(g, 0))',
      '}  // by hand',
    ]);
  });
});

test('an allow that silences nothing goes, and what it was around stays', () => {
  const text = scenario(
    'allow ORDER "a"',
    'vmm.set_memory_attributes(g, 0..4K, PRIVATE)',
    'allow ORDER "b" {',
    '  g.pvalidate(0, 4K)',
    '  g.read(0)',
    '}',
    'g.write(0)  => ok  allow ORDER "c"',
  );
  let now = text;
  for (;;) {
    const [fixed] = Object.values(offered(now, 'ALLOW-UNUSED'));
    if (fixed === undefined) break;
    now = fixed;
  }
  assert.deepEqual(steps(now), [
    'vmm.set_memory_attributes(g, 0..4K, PRIVATE)',
    'g.pvalidate(0, 4K)',
    'g.read(0)',
    'g.write(0)  => ok',
  ]);
});

test('a stub for a C function that nothing defines', () => {
  const { view } = checked(
    `// About this.\n\n/// Of the guest.\n${head.slice(head.indexOf('guest'))}scenario "s" {\n}\n`,
  );
  const report = { rule: 'C-UNDEFINED', start: 0, end: 0, data: { kind: 'stub', name: 'snp_helper' } };
  const [fix] = fixesFor(view, report);
  assert.equal(fix.title, 'Add stub snp_helper returns 0');
  const text = applied(view.analysis.text, fix);
  assert.ok(text.includes('stub snp_helper returns 0\n\n/// Of the guest.'), text);
  const used = checked(scenario('g.read(0)'));
  assert.ok(
    applied(used.text, fixesFor(used.view, report)[0]).startsWith(
      'use kernel "kvm-rfc-v8"\nstub snp_helper returns 0\nguest g {',
    ),
  );
});

test('a C function that a step calls, and nothing defines', () => {
  assert.deepEqual(Object.keys(offered(scenario('kernel.psmsh(pfn(g, 0))'), 'C-UNDEFINED')), [
    'Change to psmash *',
    'Add stub psmsh returns 0',
  ]);
  assert.deepEqual(Object.keys(offered(scenario('kernel.of_a_driver(1)'), 'C-UNDEFINED')), [
    'Add stub of_a_driver returns 0 *',
  ]);
});

test('success that is stated makes a forgotten step the likelier', () => {
  const text = scenario('vmm.set_memory_attributes(g, 0..2M, PRIVATE)', 'g.read(64K)  => ok');
  assert.deepEqual(Object.keys(offered(text, 'OUTCOME')), ['Insert g.pvalidate(0, 2M) *', 'Expect #VC(0x404)']);
});

test('names that were nearly right', () => {
  const fixes = offered(scenario('vmm.set_memory_atributes(g, 0..4K, PRIVATE)'), 'OPERATION');
  assert.deepEqual(Object.keys(fixes), ['Change to set_memory_attributes *']);
});

describe('quantities written in another way', () => {
  const ways = (line: string): string[] => {
    const source = line.startsWith('slot') ? line : scenario(line);
    const text = source.replace('‸', '');
    const analysis = check(text);
    return conversionsAt(analysis, source.indexOf('‸')).map((fix) => {
      const changed = applied(text, fix);
      const problems = (t: string) => check(t).program.scenarios.flatMap((unit) => unit.problems.map((p) => p.message));
      assert.deepEqual(problems(changed), problems(text), fix.title);
      return fix.edits[0].text;
    });
  };
  const cases: [string, string[]][] = [
    ['g.read(‸64K)', ['0x10000', 'gpa(gfn(0x10))']],
    ['g.read(0x1‸0000)', ['64K', 'gpa(gfn(0x10))']],
    ['g.read(gpa‸(gfn(0x10)))', ['gpa(64K)']],
    ['vmm.set_memory_attributes(g, ‸2M..4M, PRIVATE)', ['0x200000', 'gpa(gfn(0x200))']],
    ['cpu.psmash(‸0x40200)', ['262656', 'pfn(g, 2M)', 'pfn(spa(1026M))']],
    ['cpu.psmash(‸pfn(g, 2M))', ['pfn(0x40200)', 'pfn(spa(1026M))']],
    ['cpu.psmash(pfn(g, ‸2M))', ['0x200000', 'gpa(gfn(0x200))']],
    ['cpu.psmash(pfn‸(spa(0x40200000)))', ['pfn(g, 2M)', 'pfn(0x40200)']],
    ['expect rmp(g, ‸64K) is shared', ['0x10000', 'gpa(gfn(0x10))']],
    ['expect rmp(0x4‸0010) is shared', ['262160', 'pfn(g, 64K)', 'pfn(spa(0x40010000))']],
    ['expect npt(g, 0) is pfn ‸0x40010', ['262160', 'pfn(g, 64K)', 'pfn(spa(0x40010000))']],
    ['g.pvalidate(0, ‸4K)', []],
    ['g.psc(‸0..64K, SHARED)', ['gpa(gfn(0))']],
  ];
  for (const [line, expected] of cases) test(line, () => assert.deepEqual(ways(line), expected));
});

// ---------------------------------------------------------------- the corpus

const root = join(import.meta.dirname, '..', '..', '..');
const corpus = ['examples', 'test/conformance/kvm-rfc-v8', 'test/conformance/kvm-6.12']
  .flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.snpscenario'))
      .map((name) => join(root, folder, name)),
  )
  .filter((path) => !readFileSync(path, 'utf8').includes('use patch'));

/** Mistakes as one makes them: an outcome not stated, a step forgotten, another size, another word, a slip in a name. */
function mistakes(text: string, pick: (below: number) => number): string[] {
  const lines = text.split('\n');
  const changes: ((line: string) => string | undefined)[] = [
    (line) => (/=> /.test(line) ? line.replace(/\s*=> [^\s/]+/, '') : undefined),
    (line) => (/^\s+\w+\.\w+\(.*\)\s*$/.test(line) ? `${line}  => FAIL_INPUT` : undefined),
    (line) => (/\bpvalidate\(/.test(line) && !/\bfor\b/.test(line) ? '' : undefined),
    (line) => (/, 4K\)/.test(line) ? line.replace(', 4K)', ', 2M)') : undefined),
    (line) => (/expect .* is shared/.test(line) ? line.replace('is shared', 'is validated') : undefined),
    (line) => (/expect .* is \d+$/.test(line) ? line.replace(/\d+$/, '77') : undefined),
    (line) => (/\.pvalidate/.test(line) ? line.replace('.pvalidate', '.pvaldate') : undefined),
    (line) => (/^\s+\w+\.\w+\(.*\)\s*$/.test(line) ? `${line}  allow ORDER "never"` : undefined),
  ];
  return changes.flatMap((change) => {
    const places = lines.flatMap((line, i) => (change(line) === undefined ? [] : [i]));
    if (places.length === 0) return [];
    const at = places[pick(places.length)];
    return [lines.map((line, i) => (i === at ? (change(line) as string) : line)).join('\n')];
  });
}

const LANGUAGE = new Set(['SYNTAX', 'NAME', 'KIND', 'VALUE', 'ARGUMENT', 'OPERATION', 'OUTCOME-PATTERN', 'DUPLICATE']);

test('every fix that is offered in the corpus does what it is offered for', () => {
  let seed = 7;
  const pick = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const titles = new Map<string, number>();
  for (const path of corpus) {
    for (const text of mistakes(readFileSync(path, 'utf8'), pick)) {
      const before = checked(text, path);
      const fixes = before.reported
        .slice(0, 6)
        .flatMap((report) => fixesFor(before.view, report).map((fix) => ({ report, fix })));
      for (const { report, fix } of fixes) {
        const after = checked(applied(text, fix), path);
        const of = (one: typeof before, rule: string) => one.reported.filter((r) => r.rule === rule).length;
        const what = `${path}: ${fix.title} for line ${report.line + 1} ${report.rule} ${report.message}\n${after.reported.map((r) => `${r.line + 1} ${r.rule} ${r.message}`).join('\n')}`;
        assert.ok(of(after, report.rule) < of(before, report.rule), what);
        const wrong = (one: typeof before) => one.reported.filter((r) => LANGUAGE.has(r.rule)).length;
        assert.ok(wrong(after) <= wrong(before), what);
        const [kind] = fix.title.split(' ');
        titles.set(kind, (titles.get(kind) ?? 0) + 1);
      }
    }
  }
  // It has seen fixes of each kind.
  for (const kind of ['Expect', 'Insert', 'Allow', 'Change', 'Remove'])
    assert.ok(
      [...titles.keys()].some((title) => title.startsWith(kind)),
      `${kind}: ${JSON.stringify([...titles])}`,
    );
});
