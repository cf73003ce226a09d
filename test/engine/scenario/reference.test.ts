/** docs/language.md is what the tables say. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { operations } from '../../../engine/scenario/operations.ts';
import { queries } from '../../../engine/scenario/queries.ts';
import { renderLanguageReference } from '../../../engine/scenario/reference.ts';
import { check, problems, scenario } from './scenario-kit.ts';

const page = join(import.meta.dirname, '..', '..', '..', 'docs', 'language.md');

test('docs/language.md is up to date; UPDATE_EXPECT=1 writes it anew', () => {
  const text = renderLanguageReference();
  if (process.env.UPDATE_EXPECT === '1') {
    mkdirSync(join(page, '..'), { recursive: true });
    writeFileSync(page, text);
  }
  const written = readFileSync(page, 'utf8').replaceAll('\r\n', '\n');
  const line = written.split('\n').findIndex((l, i) => l !== text.split('\n')[i]);
  assert.ok(written === text, `line ${line + 1} is not what the tables say: UPDATE_EXPECT=1 writes it anew`);
});

test('every example of the tables is accepted as it stands', () => {
  for (const { key, example } of operations) assert.deepEqual(problems(check(scenario(example))), [], key);
  for (const { key, example } of queries) assert.deepEqual(problems(check(scenario(example))), [], key);
});

test('every outcome of the operations table is one that the language takes', () => {
  for (const { key, example, outcomes } of operations) {
    const step = example.replace(/ =>.*$/, '');
    for (const outcome of outcomes)
      assert.deepEqual(problems(check(scenario(`${step} => ${outcome}`))), [], `${key} => ${outcome}`);
  }
});

test('the example at the top of the reference has no problems', () => {
  const example = /```snpscenario\n([\s\S]*?)```/.exec(renderLanguageReference())?.[1] ?? '';
  assert.notEqual(example, '');
  assert.deepEqual(problems(check(example)), []);
});
