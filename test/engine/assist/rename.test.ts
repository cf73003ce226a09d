/** Renaming: whatever name is changed, everything means what it meant, and changing it back gives the text that was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyChanges } from '../../../engine/assist/format.ts';
import { referentAt } from '../../../engine/assist/referent.ts';
import { rename } from '../../../engine/assist/rename.ts';
import { type Analysis, analyze } from '../../../engine/scenario/analyze.ts';
import { allNames } from '../../../engine/scenario/names.ts';
import { files } from '../scenario/scenario-kit.ts';

const COMMON = `let small = 4K
sequence touch(who, at) {
  who.read(at + small)
}
`;
const MAIN = `import "common"
let size = 4K * 2
guest g {
  slot 0 gpa 0..1G private
}
guest h {
  slot 0 gpa 0..size * 512 private
}
invariant "x" {
  forall gpa a of g: attr(g, a) is private implies rmp(g, a) is { guest g, gpa size }
}
sequence again(who, range) {
  for x in range step small {
    touch(who, x)
  }
}
scenario "one" {
  let at = 64K + size
  again(g, at +4K)
  for x in 0..4 {
    for y in 0..x {
      h.write(x * size + y)
    }
  }
  expect rmp(g, at) is { guest g, 4K }
}
scenario "two" {
  let at = 0
  g.vcpu(0).pvalidate(at, 2M)  => CF=1
  again(h, at..small)
}
`;

const load = (texts: Record<string, string>): Analysis[] =>
  Object.entries(texts).map(([path, text]) => analyze(path, text, files(texts)));
const count = ({ program }: Analysis): number =>
  program.scenarios.reduce((sum, unit) => sum + unit.problems.length, program.problems.length);
/** What refers to what, by order. */
const meaning = (analysis: Analysis): string[] => {
  const names = allNames(analysis);
  return names.map(({ kind, definition }) => {
    const at = definition?.file === undefined ? names.findIndex((other) => other.start === definition?.start) : -2;
    return `${kind} ${at}`;
  });
};

const TEXTS = { main: MAIN, common: COMMON };
const NEW = [
  'fresh',
  'at',
  'size',
  'g',
  'x',
  'who',
  'small',
  'touch',
  'step',
  'in',
  'expect',
  'all',
  'gpa',
  'guest',
  'is',
  'range',
  'rmp',
  'not',
];

test('any name, to any other', () => {
  const [main] = load(TEXTS);
  const places = allNames(main).filter(({ definition }) => definition !== undefined);
  let given = 0;
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.constantFrom(...NEW), (place, newName) => {
      const before = load(TEXTS);
      const referent = referentAt(before[0], place.start, files(TEXTS));
      assert.ok(referent?.is === 'declared');
      const result = rename(referent, newName, before, files(TEXTS));
      if ('error' in result) return;
      if (result.length > 0) given++;
      const texts: Record<string, string> = { ...TEXTS };
      for (const { path, changes } of result) texts[path] = applyChanges(texts[path], changes);
      const after = load(texts);
      for (const [i, analysis] of after.entries()) {
        assert.equal(count(analysis), count(before[i]));
        assert.deepEqual(meaning(analysis), meaning(before[i]));
      }
      // And back, from where the name stands now.
      const again = allNames(after[0])[allNames(before[0]).findIndex(({ start }) => start === place.start)];
      const back = referentAt(after[0], again.start, files(texts));
      assert.ok(back?.is === 'declared');
      const undone = rename(back, place.name, after, files(texts));
      assert.ok(!('error' in undone), `${place.name} → ${newName}: ${JSON.stringify(undone)}`);
      for (const { path, changes } of undone) texts[path] = applyChanges(texts[path], changes);
      assert.deepEqual(texts, TEXTS);
    }),
    { numRuns: 500 },
  );
  assert.ok(given > 100, `${given} names were given`);
});

test('a name that is taken is refused with a reason', () => {
  const before = load(TEXTS);
  const at = (text: string) => {
    const referent = referentAt(before[0], MAIN.indexOf(text), files(TEXTS));
    assert.ok(referent?.is === 'declared');
    return referent;
  };
  const error = (text: string, newName: string) => {
    const result = rename(at(text), newName, before, files(TEXTS));
    return 'error' in result ? result.error : 'given';
  };
  assert.match(error('touch(who', 'again'), /^There is a sequence `again` already \(main:12\)\.$/);
  assert.match(error('size = ', 'small'), /^There is a variable `small` already|`small` would mean something else/);
  assert.match(error('g {', 'h'), /^There is a guest `h` already \(main:6\)\.$/);
  assert.match(error('g {', 'vmm'), /actor/);
  assert.match(error('g {', '1g'), /is no name/);
});
