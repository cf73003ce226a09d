// What a new scenario begins with holds as it stands: no problem, nothing failed, every choice as good as the first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenarioTemplates } from '../../client/src/scenario-templates.ts';
import { createChecker } from '../../engine/checker.ts';

const host = { resolve: (_from: string, name: string) => name, read: () => ({ error: 'no such file' }) };

/** The text that a snippet leaves when nothing is filled in. @param choice which of a choice's values */
function expand(body: string, choice: number): string {
  const text = body
    .replace(/\$\{\d+\|([^|]*)\|\}/g, (_, values: string) => values.split(',')[choice] as string)
    .replace(/\$\{\d+:([^}]*)\}/g, '$1')
    .replace(/\$\d/g, '');
  assert.doesNotMatch(text, /\$/);
  return text;
}

for (const { label, body } of scenarioTemplates) {
  test(label, () => {
    const choices = /\|([^|]*)\|/.exec(body)?.[1]?.split(',').length ?? 1;
    for (let choice = 0; choice < choices; choice++) {
      const check = createChecker(host).start('new.snpscenario', expand(body, choice));
      while (!check.advance(1e6));
      const { diagnostics, scenarios } = check.result();
      assert.deepEqual(
        diagnostics.map(({ rule, message }) => `${rule}: ${message}`),
        [],
        `choice ${choice}`,
      );
      assert.deepEqual(
        scenarios.map(({ status }) => status),
        ['passed'],
      );
    }
  });
}
