/** What an edit leaves alone stays the very same object; names are found where they stand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyze } from '../../../engine/scenario/analyze.ts';
import { nameAt, referencesTo } from '../../../engine/scenario/names.ts';
import { check, files, PATH, plain, problems } from './scenario-kit.ts';

const GUEST = 'guest g {\n  slot 0 gpa 0..1G private\n}\n';
const unit = (name: string, ...lines: string[]): string =>
  `scenario "${name}" {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;

test('a scenario that is not edited stays the same unit, and moves', () => {
  const before = GUEST + unit('a', 'g.read(0)') + unit('b', 'g.read(1)') + unit('c', 'g.read(2)');
  const first = analyze(PATH, before, files());
  const [a, b, c] = first.program.scenarios;
  const after = before.replace('g.read(1)', 'g.read(0x1000)\n  g.write(5)');
  const second = analyze(PATH, after, files(), first);
  const [a2, b2, c2] = second.program.scenarios;
  assert.equal(a2, a);
  assert.notEqual(b2, b);
  assert.equal(c2, c);
  assert.equal(after.slice(c2.start, c2.end), c2.text);
  assert.equal(second.program.environmentKey, first.program.environmentKey);
});

test('in the edited scenario, the steps in front of the edit and behind it stay the same objects', () => {
  const lines = Array.from({ length: 20 }, (_, i) => `g.read(${i}K)`);
  const first = analyze(PATH, GUEST + unit('a', ...lines), files());
  const old = [...first.program.scenarios[0].code];
  const text = GUEST + unit('a', ...lines.with(10, 'g.write(64K, shared) => fails'));
  const second = analyze(PATH, text, files(), first);
  const now = second.program.scenarios[0].code;
  assert.deepEqual(
    now.map((step, i) => step === old[i]),
    lines.map((_, i) => i !== 10),
  );
  assert.deepEqual(plain(second), plain(analyze(PATH, text, files())));
});

test('a let that changes is seen by the steps behind it', () => {
  const text = (value: string): string => GUEST + unit('a', `let at = ${value}`, 'g.read(at)');
  const first = analyze(PATH, text('4K'), files());
  const second = analyze(PATH, text('8K'), files(), first);
  assert.deepEqual(plain(second), plain(analyze(PATH, text('8K'), files())));
});

test('a change of the surroundings makes every unit anew', () => {
  const first = analyze(PATH, GUEST + unit('a', 'g.read(0)'), files());
  const second = analyze(PATH, GUEST.replace('1G', '2G') + unit('a', 'g.read(0)'), files(), first);
  assert.notEqual(second.program.scenarios[0], first.program.scenarios[0]);
  assert.notEqual(second.program.environmentKey, first.program.environmentKey);
});

test('a comment between declarations changes nothing', () => {
  const first = analyze(PATH, GUEST + unit('a', 'g.read(0)'), files());
  const second = analyze(PATH, `${GUEST}// why\n${unit('a', 'g.read(0)')}`, files(), first);
  assert.equal(second.program.scenarios[0], first.program.scenarios[0]);
  assert.equal(second.program.environmentKey, first.program.environmentKey);
});

test('a changed import is noticed', () => {
  const text = `import "lib"\n${GUEST}${unit('a', 'g.read(page)')}`;
  const first = analyze(PATH, text, files({ lib: 'let page = 4K\n' }));
  const second = analyze(PATH, text, files({ lib: 'let page = 8K\n' }), first);
  assert.notEqual(second.program.environmentKey, first.program.environmentKey);
  assert.deepEqual(plain(second), plain(analyze(PATH, text, files({ lib: 'let page = 8K\n' }))));
});

test('steps of a sequence keep their place when the sequence moves', () => {
  const sequence = 'sequence s(who) {\n  who.read(0)\n}\n';
  const rest = GUEST + unit('a', 's(g)');
  const first = analyze(PATH, sequence + rest, files());
  const second = analyze(PATH, `// moved\n${sequence}${rest}`, files(), first);
  assert.deepEqual(plain(second), plain(analyze(PATH, `// moved\n${sequence}${rest}`, files())));
});

test('an analysis that has been built on is not built on again', () => {
  const text = GUEST + unit('a', 'g.read(0)') + unit('b', 'g.read(1)');
  const first = analyze(PATH, text, files());
  analyze(PATH, `// longer\n${text}`, files(), first);
  const again = analyze(PATH, text, files(), first);
  assert.deepEqual(plain(again), plain(analyze(PATH, text, files())));
});

test('names know what they refer to', () => {
  const text = `guest g {
  slot 0 gpa 0..1G private
}
let page = 4K
sequence touch(who, at) {
  who.read(at)
}
scenario "s" {
  let head = pfn(g, page)
  host.write(head)
  touch(g, page)
}
`;
  const analysis = check(text);
  assert.deepEqual(problems(analysis), []);
  const at = (needle: string, nth = 0): number => {
    let offset = -1;
    for (let i = 0; i <= nth; i++) offset = text.indexOf(needle, offset + 1);
    return offset;
  };
  const definition = (offset: number): string => {
    const name = nameAt(analysis, offset);
    return name?.definition === undefined
      ? `${name?.kind}`
      : `${name.kind} ${text.slice(name.definition.start, name.definition.end)} ${name.definition.start}`;
  };
  assert.equal(definition(at('g, page')), `guest g ${at('g {')}`);
  assert.equal(definition(at('page)')), `variable page ${at('page')}`);
  assert.equal(definition(at('head)')), `variable head ${at('head')}`);
  assert.equal(definition(at('touch', 1)), `sequence touch ${at('touch')}`);
  assert.equal(definition(at('who.read')), `variable who ${at('who')}`);
  assert.equal(definition(at('write')), 'operation');
  assert.equal(definition(at('pfn(')), 'function');
  const page = nameAt(analysis, at('page'));
  assert.ok(page?.declares);
  assert.deepEqual(
    referencesTo(analysis, page).map((name) => name.start),
    [at('page'), at('page', 1), at('page', 2)],
  );
});

test('an allow that comes to wait, or no longer waits, is not taken over with what stands behind it', () => {
  const lines = ['allow ORDER "a"', 'allow ATTR-RMP "b" {', '  g.read(0)', '}', 'g.read(1)', 'g.read(2)', 'g.read(3)'];
  const whole = GUEST + unit('a', ...lines);
  const edits: [string, string][] = [
    ['allow ATTR-RMP "b" {', 'allow ATTR-RMP "b"'],
    ['allow ATTR-RMP "b" {', '4Kallow ATTR-RMP "b" {'],
    ['ATTR-RMP "b"', 'ATTR\nRMP "b"'],
    ['  }', '  0}'],
    ['allow ORDER', '"allow ORDER'],
  ];
  for (const [from, to] of edits) {
    const broken = whole.replace(from, to);
    assert.notEqual(broken, whole);
    let last = analyze(PATH, whole, files());
    for (const text of [broken, whole, broken]) {
      last = analyze(PATH, text, files(), last);
      assert.deepEqual(plain(last), plain(analyze(PATH, text, files())), text);
    }
  }
});
