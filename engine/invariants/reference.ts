/**
 * The reference of the rules, made from the table: `docs/rules.md`, and a page for each rule that its diagnostics link to, `docs/rules/<ID>.md`.
 * Pure: what the pages show as examples is given, text and what the checker says of it.
 */
import { invariants, rules } from './catalogue.ts';
import type { RuleInfo } from './invariant.ts';

/** A scenario as an example of a rule. */
export interface RuleExample {
  text: string;
  /** C that it uses, by file name. */
  files: Readonly<Record<string, string>>;
  /** `15:3 error ORDER …`: one line for each diagnostic. */
  diagnostics: readonly string[];
}

export interface RuleExamples {
  violates?: RuleExample;
  near?: RuleExample;
}

const isInvariant = new Set(invariants.map((rule) => rule.id));
const ABOUT_RUNS = ['OUTCOME', 'FAULT', 'EXPECT', 'TERM', 'TRAP', 'UNREACHED', 'ALLOW-UNUSED'];

/** docs/rules.md: all rules, a line each. */
export function renderRulesReference(): string {
  const runs = rules.filter((rule) => ABOUT_RUNS.includes(rule.id));
  const c = rules.filter((rule) => rule.id.startsWith('C-') || rule.id === 'PATCH');
  const rest = rules.filter((rule) => !isInvariant.has(rule.id) && !runs.includes(rule) && !c.includes(rule));
  return [
    '# Rules',
    '',
    '<!-- Made from the rule table by `renderRulesReference()`. UPDATE_EXPECT=1 with test/engine/invariants/docs.test.ts writes it anew. -->',
    '',
    'Every diagnostic carries the id of a rule. `allow RULE "reason"` silences one of the invariants on the next statement or a block; an `allow` that silences nothing is a warning.',
    '',
    '## Invariants',
    '',
    'Judged when a step has come to rest: on the pages that it touched, and on what the kernel did during it. A page that was in violation before is not reported again. What the kernel repairs by itself on the next fault is no violation, and what one rule has said of a cause no other repeats.',
    '',
    ...table(invariants),
    '## What a run came to',
    '',
    ...table(runs),
    '## Kernel C',
    '',
    'Reported at the place in C, and only when a scenario reaches it.',
    '',
    ...table(c),
    '## The scenario language',
    '',
    ...table(rest),
  ].join('\n');
}

function table(of: readonly RuleInfo[]): string[] {
  const rows = of.map((rule) => `| [${rule.id}](rules/${rule.id}.md) | ${rule.severity} | ${cell(rule.statement)} |`);
  return ['| rule | severity | statement |', '|---|---|---|', ...rows, ''];
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** docs/rules/<ID>.md. */
export function renderRulePage(rule: RuleInfo, examples: RuleExamples = {}): string {
  const spec = rule.spec === '' ? '' : ` Catalogue: ${rule.spec}.`;
  const others = invariants.find((invariant) => invariant.id === rule.id)?.repeats ?? [];
  const links = others.map((id) => `[${id}](${id}.md)`).join(', ');
  return [
    `# ${rule.id}`,
    '',
    '<!-- Made from the rule table by `renderRulePage()`. UPDATE_EXPECT=1 with test/engine/invariants/docs.test.ts writes it anew. -->',
    '',
    `**${rule.statement}**`,
    '',
    `Severity: ${rule.severity}.${spec} Source: ${rule.source}.`,
    '',
    ...(rule.explanation === undefined ? [] : [rule.explanation, '']),
    ...(links === '' ? [] : [`Silent where ${links} has said the same of the same step.`, '']),
    ...(examples.violates === undefined ? [] : ['## A scenario that breaks it', '', ...example(examples.violates)]),
    ...(examples.near === undefined ? [] : ['## One that comes close', '', ...example(examples.near)]),
    ...(isInvariant.has(rule.id) || rule.id === 'TERM'
      ? ['## Silence it', '', `\`allow ${rule.id} "reason"\` above a statement, or above a block of them.`, '']
      : []),
    '[All rules](../rules.md)',
    '',
  ].join('\n');
}

function example({ text, files, diagnostics }: RuleExample): string[] {
  return [
    ...fenced('snpscenario', text),
    ...Object.entries(files).flatMap(([name, c]) => [`With \`${name}\`:`, '', ...fenced('c', c)]),
    ...(diagnostics.length === 0
      ? ['Nothing is reported.', '']
      : ['What is reported:', '', ...fenced('text', diagnostics.join('\n'))]),
  ];
}

const fenced = (language: string, text: string): string[] => [`\`\`\`${language}`, text.trimEnd(), '```', ''];
