/** Declarations: host, guests, slots, stubs, sequences, imports. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, problems, scenario, steps } from './scenario-kit.ts';

test('what is left open is filled in so that nothing overlaps', () => {
  const { program } = check(`guest a {
  slot 0 gpa 0..2G private folio 2M
  slot 1 gpa 4G..5G private folio 1G
}
guest b {
  asid 1
  slot 0 gpa 0..4M private folio 2M pfn 0x40000
}
host { memory 16G }
`);
  const [a, b] = program.guests;
  assert.deepEqual([a.asid, b.asid], [2, 1]);
  const frames = [...a.slots, ...b.slots]
    .map((s) => [s.pfn, s.pfn + (s.gpaEnd - s.gpaStart) / 4096])
    .sort((x, y) => x[0] - y[0]);
  for (let i = 1; i < frames.length; i++) assert.ok(frames[i][0] >= frames[i - 1][1], JSON.stringify(frames));
  assert.equal(b.slots[0].pfn, 0x40000);
  assert.equal(a.slots[1].pfn % 2 ** 18, 0);
});

test('settings that make no sense are said so and left out', () => {
  const text = `host {
  memory 3
  cpus 0
  memry 4G
  option sizem-on-plain-acces = on
  option sizem-on-plain-access = maybe
}
guest g {
  asid 5000
  slot 0 gpa 0..1G privat
  slot 1 gpa 0..1G private folio 3M
  slot 2 gpa 0..1G private folio 2M pfn 0x40001
  slot 3 gpa 0..1G shared pfn 4
  slot 4 gpa 5..1M
  slot 5 gpa 0..1M
  slot 5 gpa 1M..2M
  slot 6 gpa 512K..2M
  slot 7 gpa 8G..16G private
}
guest vmm { }
guest g { }
host { }
stub f returns 0
stub f returns 1
`;
  assert.deepEqual(
    problems(check(text)).map((p) => p.slice(0, 60)),
    [
      '2 VALUE Host memory is 16M to 65536G, and this is 3.',
      '3 VALUE The number of CPUs is 1 to 8192, and this is 0.',
      '4 NAME The host has no setting `memry`. Did you mean `memory`',
      '5 NAME There is no option `sizem-on-plain-acces`. Did you me',
      '6 VALUE `sizem-on-plain-access` is on or off. A plain guest ',
      '9 VALUE An ASID is 1 to 1022, and this is 5000.',
      '10 NAME A slot has no setting `privat`. Did you mean `private',
      '11 VALUE A folio has a power of 2 of pages: 4K, 8K, … 2M, … 1',
      '12 VALUE A backing of 2M folios starts at a pfn that is a mul',
      '13 ARGUMENT `folio`, `pfn` and `offset` are about private bac',
      '14 VALUE A slot has whole pages, at least one: its bounds are',
      '16 DUPLICATE Guest g has a slot 5 already.',
      '17 VALUE Slot 6 overlaps slot 5 (0..1M).',
      "18 VALUE 8G for slot 7 do not fit into the host's 4G of memor",
      '20 DUPLICATE `vmm` is an actor of the language; a guest needs ',
      '21 DUPLICATE There is a guest `g` already.',
      '22 DUPLICATE There is one host, and it is declared already.',
      '24 DUPLICATE `f` has a stub already.',
    ].map((p) => p.slice(0, 60)),
  );
});

const SEQUENCES = `guest g {
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}
sequence accept(who, range, size) {
  who.psc(range, PRIVATE)
  for x in range step 2M {
    who.pvalidate(x, size)
  }
}
sequence both(g1, at) {
  accept(g1, at +2M, 2M)
  g1.read(at)
}
scenario "s" {
  both(g, 4M)
}
`;

test('a sequence is written out where it is called, and its steps know the way', () => {
  const analysis = check(SEQUENCES);
  assert.deepEqual(problems(analysis), []);
  const { program } = analysis;
  const [unit] = program.scenarios;
  assert.deepEqual(
    unit.code.map((i) => (i.kind === 'step' ? i.text : i.kind)),
    ['who.psc(range, PRIVATE)', 'for', 'who.pvalidate(x, size)', 'next', 'g1.read(at)'],
  );
  const [psc] = steps(unit);
  assert.deepEqual(psc.args[0]?.evaluate([], { backingPfn: () => undefined }), {
    kind: 'gpa-range',
    start: 4 << 20,
    end: 6 << 20,
  });
  const at = (span: { start: number; end: number; file?: number }): string =>
    span.file === undefined
      ? unit.text.slice(span.start, span.end)
      : program.imports[span.file].text.slice(span.start, span.end);
  assert.deepEqual(psc.via.map(at), ['both(g, 4M)', 'accept(g1, at +2M, 2M)']);
  assert.equal(at(psc.span), 'who.psc(range, PRIVATE)');
});

test('a problem of a sequence is said once, at the sequence; one that comes of the arguments, at the call', () => {
  const text = SEQUENCES.replace('who.psc(range', 'who.pcs(range').replace(
    'both(g, 4M)',
    'both(g, 4M)\n  both(g, 8M)\n  both(g, gfn(4))',
  );
  assert.deepEqual(
    problems(check(text)).map((p) => p.slice(0, 90)),
    [
      '5 OPERATION A guest has no operation `pcs`. Did you mean `psc`?',
      '17 KIND In sequence `accept`, with these arguments: `x` is a gfn, and `pvalidate` takes a gp',
      '17 KIND In sequence `both`, with these arguments: `at` is a gfn, and `read` takes a gpa. Wri',
    ].map((p) => p.slice(0, 90)),
  );
});

test('sequences do not recur and do not explode', () => {
  const circle = check(
    'guest g { }\nsequence a(x) {\n  b(x)\n}\nsequence b(x) {\n  a(x)\n}\nscenario "s" {\n  a(g)\n}\n',
  );
  assert.match(problems(circle).join('\n'), /calls itself \(a → b → a\)/);
  const tower = Array.from({ length: 40 }, (_, i) => `sequence s${i}() {\n  s${i + 1}()\n  s${i + 1}()\n}\n`).join('');
  const exploding = check(`${tower}sequence s40() { }\nscenario "s" {\n  s0()\n}\n`);
  assert.match(problems(exploding).join('\n'), /more than 100,000 steps/);
});

test('an import lends sequences and lets', () => {
  const analysis = check(
    'import "lib.snpscenario"\nguest g {\n  slot 0 gpa 0..1G private\n}\nscenario "s" {\n  touch(g)\n  g.read(page)\n}\n',
    {
      'lib.snpscenario': 'let page = 64K\nsequence touch(who) {\n  who.write(page)\n}\n',
    },
  );
  assert.deepEqual(problems(analysis), []);
  const { program } = analysis;
  assert.deepEqual(
    program.imports.map((f) => f.path),
    ['main.snpscenario', 'lib.snpscenario'],
  );
  const [write, read] = steps(program.scenarios[0]);
  assert.equal(write.span.file, 1);
  assert.deepEqual(write.args[0]?.evaluate([], { backingPfn: () => undefined }), { kind: 'gpa', value: 65536 });
  assert.deepEqual(read.args[0]?.evaluate([], { backingPfn: () => undefined }), { kind: 'gpa', value: 65536 });
});

test('imports that cannot be had, that are wrong, that go round in a circle', () => {
  const of = (others: Record<string, string>, text = 'import "a"\n'): string[] => problems(check(text, others));
  assert.deepEqual(of({}), ['1 FILE a cannot be read: no such file. Paths are relative to this file.']);
  assert.deepEqual(of({ a: 'let x =\n' }), [
    '1 IMPORT a has a problem on line 1: Expected a value, found the end of the line.',
  ]);
  assert.match(of({ a: 'import "b"\n', b: 'import "a"\n' }).join('\n'), /a imports itself \(a → b → a\)/);
  assert.match(of({ a: 'import "main.snpscenario"\n' }).join('\n'), /main.snpscenario imports itself/);
  assert.match(
    of({ a: 'let x = 1\n', b: 'let x = 2\n' }, 'import "a"\nimport "b"\n').join('\n'),
    /^2 DUPLICATE `x` of this file is already imported/,
  );
});

test('what is reserved or misplaced is said so', () => {
  const found = problems(
    check(
      'use kernel "a", "b"\nuse patches "x"\nparallel { }\ng.read(0)\nfoo bar\n}\nscenario s { }\nscenario "t" { }\nscenario "t" { }\n',
    ),
  );
  assert.deepEqual(
    found.map((p) => p.split(' ').slice(0, 2).join(' ')),
    ['1 RESERVED', '2 NAME', '3 RESERVED', '4 SYNTAX', '5 SYNTAX', '6 SYNTAX', '7 SYNTAX', '9 DUPLICATE'],
  );
});

test('a block that is never closed ends where the next declaration begins', () => {
  const analysis = check(
    `guest g {\n  asid 1\nscenario "a" {\n  g.read(0)\n  for x in 0..4 {\n    g.read(x)\nscenario "b" {\n  g.read(1)\n}\n`,
  );
  assert.deepEqual(
    problems(analysis).map((p) => p.slice(0, 18)),
    ['1 SYNTAX This `{` ', '3 SYNTAX This `{` ', '5 SYNTAX This `{` '],
  );
  assert.deepEqual(
    analysis.program.scenarios.map((s) => [s.name, steps(s).length]),
    [
      ['a', 2],
      ['b', 1],
    ],
  );
});

test('scenario() of the kit has no problems of its own', () => assert.deepEqual(problems(check(scenario())), []));
