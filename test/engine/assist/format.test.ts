/** The formatter: what it makes of a text, and what it may never do to one. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyChanges, FORMAT_STYLE, format } from '../../../engine/assist/format.ts';
import { formatRange } from '../../../engine/assist/format-part.ts';
import { parse } from '../../../engine/scenario/parse.ts';

const formatted = (text: string, options = FORMAT_STYLE): string =>
  applyChanges(text, format(text, parse(text).tree, options));

/** Node names in order, with the text of those that have no children. */
function shape(text: string): string {
  const nodes: string[] = [];
  parse(text).tree.iterate({
    enter(node) {
      if (node.name.endsWith('Comment')) nodes.push(text.slice(node.from, node.to).trimEnd());
      else
        nodes.push(
          node.node.firstChild === null
            ? `${node.name} ${text.slice(node.from, node.to).replace(/\s+/g, '')}`
            : node.name,
        );
    },
  });
  return nodes.join('\n');
}

const root = join(import.meta.dirname, '../../..');
const folder = (path: string): { path: string; text: string }[] =>
  readdirSync(join(root, path))
    .filter((name) => name.endsWith('.snpscenario'))
    .map((name) => ({ path: join(path, name), text: readFileSync(join(root, path, name), 'utf8') }));

test('examples and libraries are formatted', () => {
  for (const { path, text } of [...folder('examples'), ...folder('engine/scenario/library')])
    assert.equal(formatted(text), text, path);
});

test('of the conformance scenarios at most the place of an outcome changes', () => {
  const loose = (text: string): string => text.replace(/ +=>/g, ' =>');
  for (const { path, text } of [...folder('test/conformance/kvm-rfc-v8'), ...folder('test/conformance/kvm-6.12')]) {
    const now = formatted(text);
    assert.equal(loose(now), loose(text), path);
    assert.equal(formatted(now), now, path);
  }
});

const cases: [string, string, string][] = [
  [
    'indentation, tokens, blank lines',
    '\n\nuse   kernel "kvm-rfc-v8"\nhost{\n\n\tmemory   4G\n      cpus 4 }\n\n\n\nscenario "a"  {\ng . read( 64K ,shared )=>ok\n  }',
    'use kernel "kvm-rfc-v8"\nhost {\n  memory 4G\n  cpus 4 }\n\nscenario "a" {\n  g.read(64K, shared)  => ok\n}\n',
  ],
  [
    'operators and ranges',
    'scenario "a" {\n  let a=1+2*(3<<4)\n  let b=- 1\n  let r=0..2M\n  let s = a .. a+4K\n  g.psc(64K +4K,SHARED)\n  expect all 0..2M rmp( g )is{4K,not validated,}\n  for x in - 1..2  step  1 { }\n}\n',
    'scenario "a" {\n  let a = 1 + 2 * (3 << 4)\n  let b = -1\n  let r = 0..2M\n  let s = a .. a + 4K\n  g.psc(64K +4K, SHARED)\n  expect all 0..2M rmp(g) is { 4K, not validated, }\n  for x in - 1..2  step  1 { }\n}\n',
  ],
  [
    'outcomes of a run stand below each other',
    'scenario "a" {\n  g.read(64K) => #NPF( RMP | ENC )\n  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n  g.pvalidate(64K, 2M)=>CF = 1\n\n  g.read(0)   => - EPERM\n}\n',
    'scenario "a" {\n  g.read(64K)           => #NPF(RMP|ENC)\n  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n  g.pvalidate(64K, 2M)  => CF=1\n\n  g.read(0)  => -EPERM\n}\n',
  ],
  [
    'lines within brackets keep their shape',
    'scenario "a" {\n      vmm.set_memory_attributes(g,\n          64K..68K,   # one page\n     SHARED\n  )\n}\n',
    'scenario "a" {\n  vmm.set_memory_attributes(g,\n      64K..68K,   # one page\n    SHARED\n  )\n}\n',
  ],
  [
    'formulas keep their shape',
    'invariant "x" {\nforall gpa a of g :\n    attr(g,a) is private and(npt(g, a) is mapped)\n      implies rmp(g, a) is { guest g }\n}\n',
    'invariant "x" {\n  forall gpa a of g:\n      attr(g, a) is private and (npt(g, a) is mapped)\n        implies rmp(g, a) is { guest g }\n}\n',
  ],
  [
    'comments: a column stays one, the rest keeps its distance',
    'host { // the host\n    memory 4G   // all of it\n    cpus  4     // and these\n  // on its own\n}// end\n',
    'host { // the host\n  memory 4G   // all of it\n  cpus 4      // and these\n  // on its own\n} // end\n',
  ],
  ['a brace on its own line stays there', 'scenario "a"\n  {\n g.read(0)\n   }\n', 'scenario "a"\n{\n  g.read(0)\n}\n'],
  [
    'broken lines stay as they are, what is around them does not',
    'scenario "a" {\n g.read(0\n   g.read(  1 )\n      expect   rmp(g,0)  is\n g.write( 2 )\n  }\n',
    'scenario "a" {\n g.read(0\n  g.read(1)\n      expect   rmp(g,0)  is\n  g.write(2)\n}\n',
  ],
  [
    'reserved constructs stay as they are',
    'scenario "a" {\n parallel {\n\n\n   x  }\n g.read(0)\n}\n',
    'scenario "a" {\n parallel {\n\n\n   x  }\n  g.read(0)\n}\n',
  ],
  [
    'a word with dashes',
    'host {\n  option transient-conflict=by-entry\n}\n',
    'host {\n  option transient-conflict = by-entry\n}\n',
  ],
  ['CRLF', 'host{\r\n\r\n\r\nmemory 4G\r\n}', 'host {\r\n  memory 4G\r\n}\r\n'],
  [
    'characters beyond the BMP',
    'scenario "😀😀"  {\n  foo("😀")=>ok // 😀  \n  g.read(0)=>ok\n}\n',
    'scenario "😀😀" {\n  foo("😀")   => ok // 😀\n  g.read(0)  => ok\n}\n',
  ],
  [
    'half a character in a comment',
    'host {\n memory 4G // a\ud800 b\n cpus 1\n}\n',
    'host {\n memory 4G // a\ud800 b\n  cpus 1\n}\n',
  ],
  ['nothing', '', ''],
  ['blank lines only', '\n \n\t\n', ''],
];

for (const [name, before, after] of cases) {
  test(name, () => {
    assert.equal(formatted(before), after);
    assert.equal(formatted(after), after);
  });
}

test('tabs, if the editor wants them', () => {
  const tabs = formatted('scenario "a" {\n  for x in 0..1 {\n    g.read(0)\n  }\n}\n', { indent: '\t' });
  assert.equal(tabs, 'scenario "a" {\n\tfor x in 0..1 {\n\t\tg.read(0)\n\t}\n}\n');
  assert.equal(formatted(tabs, { indent: '\t' }), tabs);
  assert.equal(formatted(tabs), 'scenario "a" {\n  for x in 0..1 {\n    g.read(0)\n  }\n}\n');
});

// ---------------------------------------------------------------- what never happens

const SOURCES = [...folder('examples'), ...folder('test/conformance/kvm-rfc-v8').slice(0, 25)].map(({ text }) => text);
const PIECES = [
  ...new Set(SOURCES.join('\n').match(/[A-Za-z_]+|[0-9][0-9A-Za-z]*|"[^"\n]*"|=>|\.\.|[^\sA-Za-z0-9]/g) ?? []),
  ...[
    '\n',
    '\n',
    '\r\n',
    ' ',
    '  ',
    '\t',
    '"',
    '// c',
    '/// d\n',
    '# x',
    '{',
    '}',
    '(',
    ')',
    '#NPF',
    'parallel {',
    '😀',
    '\ufeff',
    '\u00a0',
    '\ud800',
    '-',
    '+',
    ' +',
    '..',
  ],
];
/** A real text in which some places are replaced by something, most of them white space. */
const mutated = fc
  .tuple(
    fc.constantFrom(...SOURCES),
    fc.array(
      fc.tuple(fc.nat(), fc.nat(8), fc.oneof(fc.constantFrom(' ', '', '\n', '\t', '\n\n'), fc.constantFrom(...PIECES))),
      {
        maxLength: 12,
      },
    ),
  )
  .map(([text, edits]) => {
    for (const [at, length, piece] of edits) {
      const from = at % (text.length + 1);
      text = text.slice(0, from) + piece + text.slice(from + length);
    }
    return text;
  });
const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join(' '));
const anyText = fc.oneof(mutated, soup, fc.string({ unit: 'binary' }));

test('formatting twice is formatting once', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const once = formatted(text);
      assert.equal(formatted(once), once);
    }),
    { numRuns: 1500 },
  );
});

test('a range without an end, at the end of the text', () => {
  for (const text of ['l..', 'l..\n', '  l..  \n']) assert.equal(formatted(text), 'l..\n');
});

test('tree and comments stay, and so does every character that is no space', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const once = formatted(text);
      assert.equal(once.replace(/\s+/g, ''), text.replace(/\s+/g, ''));
      assert.equal(shape(once), shape(text));
    }),
    { numRuns: 1500 },
  );
});

test('a range is formatted as it is with everything around it', () => {
  fc.assert(
    fc.property(anyText, fc.nat(), fc.nat(200), (text, at, length) => {
      const { tree } = parse(text);
      const from = at % (text.length + 1);
      const to = Math.min(text.length, from + length);
      const first = Math.max(...['\n', '\r'].map((end) => text.lastIndexOf(end, from - 1))) + 1;
      const behind = text.slice(to).search(/[\n\r]/);
      const last = behind < 0 ? text.length : to + behind;
      const all = format(text, tree).filter((change) => change.from >= (from === 0 ? 0 : first) && change.to <= last);
      assert.deepEqual(formatRange(text, tree, from, to), all);
    }),
    { numRuns: 1500 },
  );
});
