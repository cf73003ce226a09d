// What VS Code does while a scenario is typed: which lines are followed by a deeper one, what Enter adds, which words are one word.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const configuration = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../client/language-configuration.json'), 'utf8'),
);
const { increaseIndentPattern, decreaseIndentPattern } = configuration.indentationRules;
const increases = (line: string): boolean => new RegExp(increaseIndentPattern).test(line);
const decreases = (line: string): boolean => new RegExp(decreaseIndentPattern).test(line);

test('a line that leaves something open is followed by a deeper one', () => {
  for (const line of [
    'scenario "a" {',
    'scenario "a // b { # c" {',
    'host { // the host',
    'guest g {  # it',
    '  vmm.set_memory_attributes(g,',
    '  expect rmp(g, 0) is {',
    '  allow ORDER "x" {',
    '  for x in 0..2M step 4K {',
  ])
    assert.ok(increases(line), line);
  for (const line of [
    '// scenario {',
    '/// {',
    '# {',
    '  g.read(0)',
    '  g.read(0)  => #NPF(RMP|ENC)',
    '  expect rmp(g, 0) is { guest g, 4K }',
    '  allow X "a { brace"',
    '  expect log contains "("',
    '}',
    '',
  ])
    assert.ok(!increases(line), line);
});

test('a closing bracket at the beginning of a line stands farther out', () => {
  assert.ok(decreases('  }') && decreases('})') && decreases('\t)'));
  assert.ok(!decreases('  g.read(0)') && !decreases('// }'));
});

/** What Enter between the two halves of a line adds, by the first rule that fits. */
function entered(before: string, after = ''): string | undefined {
  const rule = configuration.onEnterRules.find(
    (one: { beforeText: string; afterText?: string }) =>
      new RegExp(one.beforeText).test(before) && (one.afterText === undefined || new RegExp(one.afterText).test(after)),
  );
  return rule?.action.appendText ?? rule?.action.indent;
}

test('Enter goes on with a comment, and opens braces', () => {
  assert.equal(entered('/// What this is'), '/// ');
  assert.equal(entered('  ///', ' rest'), '/// ');
  assert.equal(entered('//// a line of slashes'), undefined);
  assert.equal(entered('  // a remark', 'goes on'), '// ');
  assert.equal(entered('  // a remark'), undefined);
  assert.equal(entered('scenario "a" {', '}'), 'indentOutdent');
  assert.equal(entered('// {', '}'), '// ');
  assert.equal(entered('  g.read(0)'), undefined);
});

test('words as a double click takes them', () => {
  const words = (line: string): string[] => line.match(new RegExp(configuration.wordPattern, 'g')) ?? [];
  assert.deepEqual(words('g.read(68K) => #NPF(RMP|ENC)'), ['g', 'read', '68K', '#NPF', 'RMP', 'ENC']);
  assert.deepEqual(words('allow ATTR-RMP "x"'), ['allow', 'ATTR-RMP', 'x']);
  assert.deepEqual(words('0x4_0000..0b1'), ['0x4_0000', '0', 'b1']);
});
