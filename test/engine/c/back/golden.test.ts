/** What lowering makes of C, as listings: a change of the code generator is a readable diff. `UPDATE_EXPECT=1` refreshes them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { disassemble } from '../../../../engine/vm/disassemble.ts';
import { codeOf, program } from './run.ts';

const FOLDER = join(import.meta.dirname, 'golden');

for (const name of readdirSync(FOLDER).filter((f) => f.endsWith('.c'))) {
  test(`listing of ${name}`, () => {
    const p = program(readFileSync(join(FOLDER, name), 'utf8'), { progressTypes: ['gfn_t'] });
    const names = { functionName: (i: number) => p.functionName(i), staticName: (i: number) => p.statics[i].name };
    const actual = [...p.names()]
      .map((f) => {
        const code = codeOf(p, f);
        const problems = code.problems.map((x, i) => `problem ${i}: ${x.rule} ${x.message}\n`);
        return `${disassemble(code, names).trimEnd()}\n${problems.join('')}`;
      })
      .join('\n');
    const path = join(FOLDER, name.replace(/\.c$/, '.txt'));
    if (process.env.UPDATE_EXPECT === '1') writeFileSync(path, actual);
    assert.equal(actual, readFileSync(path, 'utf8'));
  });
}
