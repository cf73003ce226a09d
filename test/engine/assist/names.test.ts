/** Names that are kept between edits are those that a fresh look finds; the same of colours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { semanticTokens } from '../../../engine/assist/semantic-tokens.ts';
import { type Analysis, analyze } from '../../../engine/scenario/analyze.ts';
import { allNames } from '../../../engine/scenario/names.ts';
import { files } from '../scenario/scenario-kit.ts';

const TEXT = `import "common"
let size = 4K
guest g {
  slot 0 gpa 0..1G private
}
scenario "one" {
  let at = 64K + size
  g.read(at)
  touch(g, at)
  for x in 0..4 {
    g.write(x * size)
  }
}
sequence again(who) {
  who.read(size)
}
scenario "two" {
  again(g)
  let at = 0
  g.pvalidate(at, 2M)  => CF=1
  expect rmp(g, at) is { guest g, 4K }
}
scenario "three" {
  let y = size
  g.read(y)
}
`;
const host = files({ common: 'sequence touch(who, at) {\n  who.read(at)\n}\n' });
const PIECES = [
  '',
  '',
  ' ',
  '\n',
  'x',
  'at',
  'size',
  'g',
  '{',
  '}',
  '"',
  '  let z = 1\n',
  'guest h {\n}\n',
  'scenario "n" {\n g.read(0)\n}\n',
  '// c\n',
];

const tokens = (analysis: Analysis): unknown[] =>
  [...semanticTokens(analysis)].map((chunk) => [chunk.start, chunk.end, chunk.tokens]);

test('after any edits', () => {
  const edit = fc.tuple(fc.nat(), fc.nat(5), fc.constantFrom(...PIECES));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 8 }), (edits) => {
      let text = TEXT;
      let analysis = analyze('main', text, host);
      allNames(analysis);
      tokens(analysis);
      for (const [at, length, piece] of edits) {
        const from = at % (text.length + 1);
        text = text.slice(0, from) + piece + text.slice(from + length);
        analysis = analyze('main', text, host, analysis);
        const fresh = analyze('main', text, host);
        assert.deepEqual(allNames(analysis), allNames(fresh));
        assert.deepEqual(tokens(analysis), tokens(fresh));
      }
    }),
    { numRuns: 400 },
  );
});
