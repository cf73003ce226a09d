/** The reference page of the rules, made from the table: `docs/rules.md`. */
import { invariants, rules } from './catalogue.ts';
import type { RuleInfo } from './invariant.ts';

export function renderRulesReference(): string {
  const isInvariant = new Set(invariants.map((rule) => rule.id));
  const behaviour = ['OUTCOME', 'FAULT', 'EXPECT', 'TERM', 'TRAP', 'UNREACHED', 'ALLOW-UNUSED'];
  const c = rules.filter((rule) => rule.id.startsWith('C-') || rule.id === 'PATCH');
  const rest = rules.filter((rule) => !isInvariant.has(rule.id) && !behaviour.includes(rule.id) && !c.includes(rule));
  return [
    '# Rules',
    '',
    'Every diagnostic carries the id of a rule. This page is made from the rule table; `npm run generate:docs` renews it.',
    '',
    '## Invariants',
    '',
    'Judged after every step, for the pages that the step touched, and from what the kernel did during it. `allow RULE "reason"` silences one on a step or a block; an `allow` that silences nothing is a warning.',
    '',
    ...invariants.flatMap(section),
    '## What a run came to',
    '',
    ...rules.filter((rule) => behaviour.includes(rule.id)).flatMap(section),
    '## Kernel C',
    '',
    'Reported at the place in C, and only when a scenario reaches it.',
    '',
    ...c.flatMap(section),
    '## The scenario language',
    '',
    ...rest.flatMap(section),
  ].join('\n');
}

function section(rule: RuleInfo): string[] {
  const spec = rule.spec === '' ? '' : ` (${rule.spec})`;
  return [`### ${rule.id}${spec}`, '', rule.statement, '', `Severity: ${rule.severity}. Source: ${rule.source}.`, ''];
}
