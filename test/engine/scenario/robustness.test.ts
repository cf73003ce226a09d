/** Any text is a program and problems; an edit gives what a fresh analysis gives; a broken line costs that line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Analysis, analyze } from '../../../engine/scenario/analyze.ts';
import { check, files, PATH, plain, problems, scenario } from './scenario-kit.ts';

const REAL = `// One page of a 2M private folio becomes shared
use kernel "kvm-rfc-v8"
use patch "0048.mbox"
import "common.snpscenario"
stub snp_dump_rmpentry returns -22

host {
  memory 4G
  cpus 4
  option sizem-on-plain-access = on
}

guest g {
  asid 1
  vcpus 2
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
  slot 1 gpa 4G +16M shared
}

let page = 4K

invariant "no validated page is shared" {
  forall page p: rmp(p) is validated implies rmp(p) is assigned
  forall gpa a of g:
    not (attr(g, a) is private or npt(g, a) is absent)
      implies rmp(g, a + page) is not { guest g, assigned }
}

/// Accepts a range, large pages first.
sequence accept(who, range) {
  who.psc(range, PRIVATE)
  for x in range step 2M {
    who.pvalidate(x, 2M)
  }
}

/// What the patch is about.
scenario "unshare one page" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  accept(g, 0..2M)
  vmm.set_memory_attributes(g,
    64K..68K,   # one page
    SHARED)
  let head = pfn(g, 0)
  expect rmp(g, 64K) is shared
  expect all 68K..2M rmp(g) is { guest g, 4K, not validated }
  g.vcpu(1).vmpl(1).read(64K + page)  => #NPF(RMP|VMPL)
  host.write(head + 1) => #PF(RMP) allow REF "checked elsewhere"
  allow ATTR-RMP "the point of this test"
  cpu.rmpupdate(head, gpa 0, asid 1, 2M, assigned) => FAIL_OVERLAP
  expect log contains "RMPUPDATE"
  expect count(psmash) is 1
}

scenario "later" {
  for gfn in gfn(0)..gfn(4) {
    g.read(gpa(gfn))
    allow ORDER "x" {
      fw.write_rmp_entry(pfn(0x40000), 0x6010fffffffff001, 0x1f)
    }
  }
  kernel.sev_update_mem_attr(slot(g, 0), KVM_MEMORY_ATTRIBUTE_PRIVATE, 0, 512) => EPERM
}
`;
const OTHERS = { 'common.snpscenario': 'let base = 2M\nsequence touch(g, at) {\n  g.write(at)\n  g.read(at)\n}\n' };
const PIECES = [
  ...new Set(REAL.match(/[A-Za-z_]+|[0-9][0-9A-Za-z]*|"[^"\n]*"|=>|\.\.|[^\sA-Za-z0-9]|\n| /g) ?? []),
  '\n',
  '\n',
  ' ',
  '\r\n',
  '\t',
  '"',
  '#',
  '/*',
  'parallel',
  'invariant',
  'matrix',
  '0x',
  '5KB',
  '99999999999999999999999',
  '\u0000',
  '\ud800',
  'é',
  '😀',
  '<<',
  '>>',
  '~',
  'accept(accept, accept)',
];

const host = files(OTHERS);

function wellFormed(analysis: Analysis): void {
  const { program, text } = analysis;
  const inside = (span: { start: number; end: number; file?: number }, base: number, length: number): void => {
    const limit = span.file === undefined ? length : program.imports[span.file].text.length;
    assert.ok(
      span.start >= 0 - (span.file === undefined ? base : 0) && span.start <= span.end && span.end <= limit,
      JSON.stringify(span),
    );
  };
  for (const problem of program.problems) inside(problem.span, 0, text.length);
  for (const unit of program.scenarios) {
    assert.equal(text.slice(unit.start, unit.end), unit.text);
    for (const problem of unit.problems) {
      assert.notEqual(problem.message, '');
      inside(problem.span, 0, unit.text.length + 1);
      for (const related of problem.related ?? []) inside(related.span, unit.start, text.length);
    }
    for (const [at, instruction] of unit.code.entries()) {
      inside(instruction.span, 0, unit.text.length);
      if (instruction.kind === 'for') assert.equal(unit.code[instruction.exit - 1].kind, 'next');
      if (instruction.kind === 'next') assert.equal(unit.code[instruction.head].kind, 'for');
      if (instruction.kind === 'for') assert.ok(instruction.exit > at);
      if (instruction.kind === 'allow') assert.ok(unit.allows[instruction.allow] !== undefined);
      if (instruction.kind === 'let' || instruction.kind === 'for') assert.ok(instruction.variable < unit.variables);
    }
  }
}

/** The text itself, changed by some edits. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.nat(40),
  put: fc.array(fc.constantFrom(...PIECES), { maxLength: 4 }),
});
type Edit = { at: number; cut: number; put: string[] };
function edited(text: string, { at, cut, put }: Edit): string {
  const from = Math.floor(at * text.length);
  return text.slice(0, from) + put.join('') + text.slice(from + cut);
}

test('the text that the others are made from has no problem', () => {
  assert.deepEqual(problems(check(REAL, OTHERS)), []);
});

test('token soup is analysed without an exception', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 120 }), (pieces) => {
      wellFormed(analyze(PATH, pieces.join(''), host));
    }),
    { numRuns: 300 },
  );
});

test('any string is analysed without an exception', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => wellFormed(analyze(PATH, text, host))),
    { numRuns: 200 },
  );
});

test('every truncation of a real scenario is analysed', () => {
  for (let i = 0; i <= REAL.length; i += 3) wellFormed(analyze(PATH, REAL.slice(0, i), host));
});

test('the parser never has to guess: whatever the text, the grammar has a place for it', () => {
  const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((pieces) => pieces.join(' '));
  fc.assert(
    fc.property(
      fc.oneof(
        edit.map((e) => edited(REAL, e)),
        soup.map((s) => `scenario "s" {\n${s}\n}\n`),
      ),
      (text) => {
        const { tree } = analyze(PATH, text, host);
        tree.iterate({
          enter(node) {
            assert.ok(!node.type.isError, `error node at ${node.from} in ${JSON.stringify(text)}`);
          },
        });
      },
    ),
    { numRuns: 500 },
  );
});

test('a broken line costs that line and no other', () => {
  const lines = [
    'g.read(0)',
    'host.write(pfn(g, 0)) => fails',
    'expect rmp(g, 0) is shared',
    'let a = 4K',
    'g.psc(0..2M, PRIVATE)',
    'cpu.psmash(pfn(g, 0))',
  ];
  const whole = check(scenario(...lines)).program.scenarios[0].code;
  assert.equal(whole.length, lines.length);
  const broken = PIECES.filter((piece) => !/[\n\r{}]/.test(piece));
  fc.assert(
    fc.property(fc.nat(lines.length - 1), fc.array(fc.constantFrom(...broken), { maxLength: 8 }), (at, pieces) => {
      const text = pieces.join(' ');
      // Where a declaration begins, the scenario ends.
      fc.pre(!/^\s*(use|import|scenario|sequence|stub)\b/.test(text));
      const unit = check(scenario(...lines.with(at, text))).program.scenarios[0];
      const others = lines.filter((_, i) => i !== at);
      const kept = unit.code.map((i) => unit.text.slice(i.span.start, i.span.end));
      assert.deepEqual(
        kept.filter((line) => others.includes(line)).filter((line, i, all) => all.indexOf(line) === i),
        others,
        JSON.stringify(text),
      );
    }),
    { numRuns: 400 },
  );
});

test('an edit gives what a fresh analysis gives', () => {
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 12 }), (edits) => {
      let text = REAL;
      let analysis = analyze(PATH, text, host);
      for (const e of edits) {
        text = edited(text, e);
        analysis = analyze(PATH, text, host, analysis);
        wellFormed(analysis);
        assert.deepEqual(plain(analysis), plain(analyze(PATH, text, host)), JSON.stringify(text));
      }
    }),
    { numRuns: 150 },
  );
});

test('a scenario that is not closed ends before the next declaration, however much is said between them', () => {
  for (const lines of [1, 30, 300]) {
    const remarks = Array.from({ length: lines }, (_, i) => `// remark ${i} of some length, and then some more of it`);
    const analysis = check(
      ['guest g {', '}', 'scenario "a" {', '  g.read(0)', ...remarks, 'scenario "b" {', '}', ''].join('\n'),
    );
    assert.deepEqual(
      analysis.program.scenarios.map(({ name }) => name),
      ['a', 'b'],
    );
    assert.deepEqual(problems(analysis), ['3 SYNTAX This `{` is never closed: a `}` is missing.']);
  }
});
