// The TextMate grammar, run by the engine that VS Code runs it with. One line of a scenario, and the scope of each of its tokens.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import textmate from 'vscode-textmate';
import { loadGrammar } from './grammar-kit.ts';

const grammar = await loadGrammar();

/** `text scope` for each token that is not blank: the innermost scope, without `.snpscenario`. */
function scopes(line: string): string[] {
  return grammar
    .tokenizeLine(line, textmate.INITIAL)
    .tokens.map(({ startIndex, endIndex, scopes }) => ({
      text: line.slice(startIndex, endIndex).trim(),
      scope: (scopes.at(-1) as string).replaceAll('.snpscenario', ''),
    }))
    .filter(({ text, scope }) => text !== '' && !scope.startsWith('punctuation.') && scope !== 'source')
    .map(({ text, scope }) => `${text} ${scope}`);
}

const lines: Record<string, string[]> = {
  'use kernel "kvm-rfc-v8" // bundled': [
    'use keyword.control.import',
    'kernel keyword.control.import',
    'kvm-rfc-v8 string.quoted.double',
    'bundled comment.line.double-slash',
  ],
  'host {': ['host storage.type'],
  '  memory 4G': ['memory support.type.property-name', '4 constant.numeric.decimal', 'G keyword.other.unit'],
  'guest g {': ['guest storage.type', 'g entity.name.type.guest'],
  '  slot 0 gpa 0..1G private folio 2M pfn 0x40000': [
    'slot support.type.property-name',
    '0 constant.numeric.decimal',
    'gpa variable.parameter',
    '0 constant.numeric.decimal',
    '.. keyword.operator.range',
    '1 constant.numeric.decimal',
    'G keyword.other.unit',
    'private constant.language',
    'folio variable.parameter',
    '2 constant.numeric.decimal',
    'M keyword.other.unit',
    'pfn variable.parameter',
    '0x40000 constant.numeric.hex',
  ],
  '/// what follows': ['what follows comment.line.documentation'],
  '  # a remark': ['a remark comment.line.number-sign'],
  'scenario "one page" {': ['scenario storage.type', 'one page entity.name.section'],
  'invariant "no validated page is shared" { forall page p: rmp(p) is validated implies rmp(p) is assigned }': [
    'invariant storage.type',
    'no validated page is shared entity.name.section',
    'forall keyword.control.loop',
    'page storage.type',
    'p variable.parameter',
    'rmp support.function',
    'is keyword.operator.word',
    'validated constant.language',
    'implies keyword.operator.word',
    'rmp support.function',
    'is keyword.operator.word',
    'assigned constant.language',
  ],
  '  forall gpa a of g:': [
    'forall keyword.control.loop',
    'gpa storage.type',
    'a variable.parameter',
    'of keyword.control.loop',
    'g variable.other.guest',
  ],
  '    implies (npt(g, a) is mapped or not (attr(g, a) is not SHARED))': [
    'implies keyword.operator.word',
    'npt support.function',
    'is keyword.operator.word',
    'mapped constant.language',
    'or keyword.operator.word',
    'not keyword.operator.word',
    'attr support.function',
    'is keyword.operator.word',
    'not keyword.operator.word',
    'SHARED constant.language',
  ],
  '  g.read(68K) => #NPF(RMP|ENC)': [
    'g variable.other.guest',
    'read entity.name.function.member',
    '68 constant.numeric.decimal',
    'K keyword.other.unit',
    '=> keyword.operator.arrow',
    '#NPF constant.other.fault',
    'RMP constant.other',
    '| keyword.operator',
    'ENC constant.other',
  ],
  '  cpu.psmash(pfn(g, 0)) => fails': [
    'cpu variable.language.actor',
    'psmash entity.name.function.member',
    'pfn support.function',
    '0 constant.numeric.decimal',
    '=> keyword.operator.arrow',
    'fails constant.language.outcome',
  ],
  '  g.vcpu(1).pvalidate(0, 2M)': [
    'g variable.other.guest',
    'vcpu entity.name.function.member',
    '1 constant.numeric.decimal',
    'pvalidate entity.name.function.member',
    '0 constant.numeric.decimal',
    '2 constant.numeric.decimal',
    'M keyword.other.unit',
  ],
  '  expect rmp(g, 64K) is shared': [
    'expect keyword.control.assert',
    'rmp support.function',
    '64 constant.numeric.decimal',
    'K keyword.other.unit',
    'is keyword.operator.word',
    'shared constant.language',
  ],
  '  for x in 0..2M step 4K {': [
    'for keyword.control.loop',
    'x variable.parameter',
    'in keyword.control.loop',
    '0 constant.numeric.decimal',
    '.. keyword.operator.range',
    '2 constant.numeric.decimal',
    'M keyword.other.unit',
    'step keyword.control.loop',
    '4 constant.numeric.decimal',
    'K keyword.other.unit',
  ],
  '  g.read(0)  => livelock allow TERM "known"': [
    'g variable.other.guest',
    'read entity.name.function.member',
    '0 constant.numeric.decimal',
    '=> keyword.operator.arrow',
    'livelock constant.language.outcome',
    'allow keyword.control.directive',
    'TERM constant.other.rule',
    'known string.quoted.double',
  ],
  '  g.vcpu(1).vmpl(2).write(0)': [
    'g variable.other.guest',
    'vcpu entity.name.function.member',
    '1 constant.numeric.decimal',
    'vmpl entity.name.function.member',
    '2 constant.numeric.decimal',
    'write entity.name.function.member',
    '0 constant.numeric.decimal',
  ],
  '  expect rmp(g, 0) is { guest g, 4K, not validated, vmsa }': [
    'expect keyword.control.assert',
    'rmp support.function',
    '0 constant.numeric.decimal',
    'is keyword.operator.word',
    'guest variable.parameter',
    '4 constant.numeric.decimal',
    'K keyword.other.unit',
    'not keyword.operator.word',
    'validated constant.language',
    'vmsa constant.language',
  ],
  '  expect folio(g, 0) is not unallocated  // yet': [
    'expect keyword.control.assert',
    'folio support.function',
    '0 constant.numeric.decimal',
    'is keyword.operator.word',
    'not keyword.operator.word',
    'unallocated constant.language',
    'yet comment.line.double-slash',
  ],
  '  expect log contains "ret: 4"': [
    'expect keyword.control.assert',
    'log support.variable',
    'contains keyword.operator.word',
    'ret: 4 string.quoted.double',
  ],
  '  allow ATTR-RMP "until the zap"': [
    'allow keyword.control.directive',
    'ATTR-RMP constant.other.rule',
    'until the zap string.quoted.double',
  ],
};

for (const [line, expected] of Object.entries(lines)) {
  test(`highlights: ${line.trim()}`, () => assert.deepEqual(scopes(line), expected));
}

test('a string that is not closed ends with its line', () => {
  const { ruleStack } = grammar.tokenizeLine('use patch "0048', textmate.INITIAL);
  const next = grammar.tokenizeLine('host {', ruleStack);
  assert.ok(next.tokens.some(({ scopes }) => scopes.includes('storage.type.snpscenario')));
});
