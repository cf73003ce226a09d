// Every example passes on the bundled model, and gives the same verdicts with the mailed patch in place of the model's functions.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createChecker } from '../../../engine/checker.ts';
import { finish, lines, memoryHost } from './check-text.ts';

const folder = fileURLToPath(new URL('../../../examples/', import.meta.url));
const examples = readdirSync(folder).filter((name) => name.endsWith('.snpscenario'));

test('there are at least six examples', () => assert.ok(examples.length >= 6));

for (const name of examples) {
  test(`${name} holds on the bundled model`, () => {
    const result = finish(createChecker(memoryHost()), name, readFileSync(join(folder, name), 'utf8'));
    assert.deepEqual(lines(result), []);
    assert.ok(result.scenarios.length > 0);
    for (const scenario of result.scenarios) assert.equal(scenario.status, 'passed', scenario.name);
  });
}

test('every example gives the same verdicts with RFC v8 48/56 as it was mailed', (t) => {
  const patches = process.env.SNP_PATCH_DIR;
  if (patches === undefined) return t.skip('SNP_PATCH_DIR not set: the mailed patch is not tested');
  const file = readdirSync(patches).find((name) => name.startsWith('0048')) as string;
  const text = readFileSync(join(patches, file), 'utf8');
  for (const name of examples) {
    const source = readFileSync(join(folder, name), 'utf8');
    const model = finish(createChecker(memoryHost()), name, source);
    const patched = finish(createChecker(memoryHost({ [file]: text })), name, source, {
      overrides: [{ kind: 'patch', path: file }],
    });
    assert.deepEqual(patched.scenarios, model.scenarios, name);
    assert.deepEqual(lines(patched), lines(model), name);
  }
});
