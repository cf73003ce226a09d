// Every invariant is violated by a scenario that is about it, which breaks nothing else, and not by one that comes close.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { allowableRules, invariants, ruleInfo } from '../../../engine/invariants/catalogue.ts';
import type { RuleInfo } from '../../../engine/invariants/invariant.ts';
import { ruleScenario } from './rule-scenarios.ts';

const golden = fileURLToPath(new URL('golden.txt', import.meta.url));

for (const rule of [...invariants, ruleInfo('TERM') as RuleInfo]) {
  test(`${rule.id}: a scenario that violates it, and one that comes close`, () => {
    const violates = ruleScenario(rule.id, 'violates');
    const near = ruleScenario(rule.id, 'near');
    assert.ok(violates !== undefined && near !== undefined, 'both scenarios exist');
    // In a C file of the scenario's own the same is told on its line.
    const named = violates.diagnostics.map((line) => /:\d+ (\w+) (\S+)/.exec(line));
    assert.ok(named.length > 0, 'it is reported');
    for (const [index, match] of named.entries()) {
      assert.equal(match?.[2], rule.id, violates.diagnostics[index]);
      assert.ok(match?.[1] === 'error' || match?.[1] === 'warning');
    }
    assert.deepEqual(near.diagnostics, []);
  });
}

test('what the rules say, as golden text', () => {
  const text = invariants
    .map((rule) => [`== ${rule.id}`, ...(ruleScenario(rule.id, 'violates')?.diagnostics ?? [])].join('\n'))
    .join('\n');
  if (process.env.UPDATE_EXPECT) writeFileSync(golden, `${text}\n`);
  assert.ok(existsSync(golden), 'UPDATE_EXPECT=1 writes it');
  assert.equal(`${text}\n`, readFileSync(golden, 'utf8'), 'UPDATE_EXPECT=1 accepts the change');
});

test('every scenario belongs to a rule', () => {
  const folder = fileURLToPath(new URL('scenarios/', import.meta.url));
  for (const name of readdirSync(folder)) {
    const id = name.split('.')[0];
    assert.ok(ruleInfo(id) !== undefined, name);
  }
});

test('the table: ids, statements, and rules that others keep silent for', () => {
  const ids = invariants.map((rule) => rule.id);
  assert.equal(new Set(ids).size, ids.length);
  for (const rule of invariants) {
    assert.match(rule.id, /^[A-Z]+(-[A-Z]+)*$/);
    assert.match(rule.statement, /^[A-Z].*[^.]\.$/s, rule.id);
    assert.ok(rule.explanation.length > 100, rule.id);
    assert.ok(allowableRules.includes(rule.id));
    for (const other of rule.repeats ?? [])
      assert.ok(ids.includes(other) && other !== rule.id, `${rule.id} repeats ${other}`);
  }
});

test('the whole catalogue of invariants is there', () => {
  const wanted =
    'COUNT TAIL OVERLAP IMM OWNER GPA-INJ ATTR-RMP SIZE ALIGN ZAP PSMASH-ZAP DM HOSTW VALID CF PSC RETRY LOOKUP REF LEAK FREE LAUNCH INUSE COVER IDEMP PARTIAL LOCK WALK VMPL BOUND ORDER ASIDCNT HEADONLY SWALLOW TERM';
  for (const id of wanted.split(' ')) assert.equal(ruleInfo(id)?.spec, `I-${id}`);
});
