// The outline of a text names the scenarios that the analysis of the same text finds, whatever the text is.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { analyze } from '../../../engine/scenario/analyze.ts';
import { outlineScenarios, scenarioIds } from '../../../engine/scenario/outline.ts';

const host = { resolve: (_from: string, name: string) => name, read: () => ({ error: 'no such file' }) };

function agree(text: string): void {
  const { scenarios } = analyze('a.snpscenario', text, host).program;
  assert.deepEqual(
    outlineScenarios(text),
    scenarios.map(({ name, doc, start, end }) => ({ name, doc, start, end })),
  );
}

test('the outline of every example is that of its analysis', () => {
  const files = globSync('examples/*.snpscenario');
  assert.ok(files.length > 5);
  for (const file of files) agree(readFileSync(file, 'utf8'));
});

test('and of scenarios with no name, half a name or a brace too few', () => {
  const pieces = [
    'scenario',
    ' ',
    '"a \\"b\\""',
    '"open',
    'bare',
    '{',
    '}',
    '\n',
    '/// doc\n',
    'cpu.psmash(1)',
    '//',
    '\r\n',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => agree(parts.join(''))),
    { numRuns: 500 },
  );
});

test('ids are the names, and differ', () => {
  assert.deepEqual(scenarioIds(['a', 'b', 'a', 'a (2)', 'a', '']), ['a', 'b', 'a (2)', 'a (2) (2)', 'a (3)', '']);
});
