/** What is said about an invariant that is wrong, where, and that the rest of the file is none the worse for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allNames, referencesTo } from '../../../engine/scenario/names.ts';
import { check, problems, underlined } from './scenario-kit.ts';

const GUEST = 'guest g {\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\n';
const AFTER = '\nscenario "s" {\n  g.read(0)\n}\n';

/** text from line 4 on, underlined, RULE, start of the message. */
const table: [text: string, underlined: string, rule: string, message: string][] = [
  ['invariant "x" { forall page p: p }', '}', 'SYNTAX', 'Expected `is` and what it is to be, found `}`.'],
  ['invariant "x" { forall page p: }', '}', 'SYNTAX', 'Expected what is to hold:'],
  ['invariant "x" { forall page p rmp(p) is private }', 'rmp', 'SYNTAX', 'Expected `:` and what is to hold'],
  ['invariant "x" { forall page: rmp(p) is private }', ':', 'SYNTAX', 'Expected a name for the page, found `:`.'],
  ['invariant "x" { forall pages p: rmp(p) is private }', 'pages', 'NAME', '`forall` goes over host frames'],
  [
    'invariant "x" { forall gpa a: attr(g, a) is private }',
    'gpa a',
    'ARGUMENT',
    'A GPA is one of a guest: `forall gpa a of g',
  ],
  ['invariant "x" { forall gpa a of h: attr(g, a) is private }', 'h', 'NAME', 'There is no guest `h`.'],
  ['invariant "x" { forall page p of g: rmp(p) is private }', 'of g', 'ARGUMENT', '`page` is a host frame'],
  ['invariant "x" { forall page g: rmp(g) is private }', 'g', 'DUPLICATE', '`g` is declared already'],
  ['invariant "x" { rmp(p) is private }', 'rmp(p) is private ', 'SYNTAX', 'An invariant says `forall page p: …`'],
  ['invariant "x" { }', '{ }', 'SYNTAX', 'The invariant is empty'],
  [
    'invariant x { forall page p: rmp(p) is private }',
    'x',
    'SYNTAX',
    'The name of an invariant stands in quotes: "x".',
  ],
  ['invariant "" { forall page p: rmp(p) is private }', '""', 'VALUE', 'The name of an invariant is empty.'],
  ['invariant', 'invariant', 'SYNTAX', 'Expected the name of the invariant in quotes'],
  ['invariant "x"', '"', 'SYNTAX', 'Expected `{` here.'],
  ['invariant "x" {', '{', 'SYNTAX', 'This `{` is never closed'],
  ['invariant "x" {\n  forall page p: rmp(p) is private', '{', 'SYNTAX', 'This `{` is never closed'],
  ['invariant "x" { forall page p: rmp(p) is private or }', '}', 'SYNTAX', 'Expected what is to hold:'],
  ['invariant "x" { forall page p: rmp(p) is priv }', 'priv', 'NAME', '`rmp` has no field and no word `priv`.'],
  ['invariant "x" { forall page p: npt(g, p) is absent }', 'p', 'KIND', '`p` is a pfn, and `npt` takes a gpa.'],
  [
    'invariant "x" { forall page p: log contains "a" }',
    'log contains "a"',
    'ARGUMENT',
    'The log says nothing about a page',
  ],
  ['invariant "x" { forall page p: rmp(q) is private }', 'q', 'NAME', 'Nothing is called `q` here.'],
  ['invariant "x" { forall page p: (rmp(p) is private }', 'private', 'SYNTAX', '`)` is missing'],
  ['invariant "x" { forall page p: rmp(p }', 'p', 'SYNTAX', '`)` is missing'],
  [
    'invariant "x" { forall page p: rmp(p) is 2M\n  forall page q: rmp(q) is }',
    '}',
    'SYNTAX',
    'Expected what it is to be',
  ],
];

for (const [text, place, rule, message] of table) {
  test(text, () => {
    const analysis = check(GUEST + text + AFTER);
    const found = problems(analysis);
    assert.equal(found.length, 1, found.join('\n'));
    const wanted = `${rule} ${message}`;
    assert.equal(found[0].replace(/^\d+ /, '').slice(0, wanted.length), wanted);
    assert.deepEqual(underlined(analysis), [place]);
    assert.equal(analysis.program.invariants.length, 0);
    assert.equal(analysis.program.scenarios[0].code.length, 1);
  });
}

const GOOD = `invariant "one" {
  // From forall on a newline is space.
  forall page p:
    rmp(p) is {
      private,
      validated }
    implies
    refcount(p) is 1 + 2

  forall gpa a of g: not (attr(g, a) is not private) or npt(g, a) is 2M and rmp(g, a) is not shared
}
`;

test('several lines, several statements', () => {
  const analysis = check(GUEST + GOOD + AFTER);
  assert.deepEqual(problems(analysis), []);
  const [{ name, foralls }] = analysis.program.invariants;
  assert.equal(name, 'one');
  assert.deepEqual(
    foralls.map(({ guest, variable, formula }) => [guest, variable, formula.is]),
    [
      [undefined, 'p', 'implies'],
      [0, 'a', 'or'],
    ],
  );
});

test('its words are words only there, and its names are names', () => {
  const words = check(
    'let implies = 4\nguest invariant {\n}\nscenario "s" {\n  let and = 1\n  let forall = and + implies\n  let of = 3\n  let or = of\n  invariant.read(0)\n}\n',
  );
  assert.deepEqual(problems(words), []);
  const analysis = check(GUEST + GOOD + AFTER);
  const declared = allNames(analysis).find((name) => name.name === 'a' && name.declares);
  assert.ok(declared !== undefined);
  assert.equal(referencesTo(analysis, declared).length, 4);
});

test('the same name twice', () => {
  const one = 'invariant "x" { forall page p: rmp(p) is private }\n';
  const analysis = check(one + one);
  assert.deepEqual(problems(analysis), [
    '2 DUPLICATE There is an invariant "x" already; reports tell invariants apart by name.',
  ]);
  assert.equal(analysis.program.invariants.length, 1);
});

test('an imported file keeps its invariants, and a file of invariants alone lends nothing', () => {
  const analysis = check(`import "other"\n${GUEST}${AFTER}`, { other: GUEST + GOOD });
  assert.deepEqual(problems(analysis), []);
  assert.equal(analysis.program.invariants.length, 0);
});
