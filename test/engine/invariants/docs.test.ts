// docs/rules.md and the page of every rule are what the table and the scenarios of the rules say, and diagnostics link to them.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rules } from '../../../engine/invariants/catalogue.ts';
import { renderRulePage, renderRulesReference } from '../../../engine/invariants/reference.ts';
import { ruleHref } from '../../../server/common/rule-docs.ts';
import { ruleScenario } from './rule-scenarios.ts';

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url));

function upToDate(name: string, text: string): void {
  const path = join(docs, name);
  if (process.env.UPDATE_EXPECT) writeFileSync(path, text);
  assert.ok(existsSync(path), `${name} does not exist: UPDATE_EXPECT=1 writes it`);
  assert.equal(readFileSync(path, 'utf8'), text, `${name}: UPDATE_EXPECT=1 writes it anew`);
}

test('docs/rules.md', () => upToDate('rules.md', renderRulesReference()));

test('docs/rules: a page for every rule, and no other', () => {
  mkdirSync(join(docs, 'rules'), { recursive: true });
  for (const rule of rules) {
    const violates = ruleScenario(rule.id, 'violates');
    const near = ruleScenario(rule.id, 'near');
    const page = renderRulePage(rule, {
      ...(violates === undefined ? {} : { violates }),
      ...(near === undefined ? {} : { near }),
    });
    upToDate(`rules/${rule.id}.md`, page);
  }
  const pages = rules.map((rule) => `${rule.id}.md`).sort();
  assert.deepEqual(readdirSync(join(docs, 'rules')).sort(), pages);
});

test('the link of every diagnostic leads to a page, and links between pages hold', () => {
  for (const rule of rules) {
    const page = ruleHref('', rule.id) as string;
    assert.ok(existsSync(join(docs, page)), page);
    for (const [, target] of readFileSync(join(docs, page), 'utf8').matchAll(/\]\(([^)]+\.md)\)/g))
      assert.ok(existsSync(join(docs, 'rules', target)), `${page}: ${target}`);
  }
  for (const [, target] of readFileSync(join(docs, 'rules.md'), 'utf8').matchAll(/\]\(([^)]+\.md)\)/g))
    assert.ok(existsSync(join(docs, target)), target);
});
