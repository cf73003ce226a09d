/** Quick fixes: for each thing that a check reports, what can be done about it. */
import type { SyntaxNode as TreeNode } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import { allowableRules } from '../invariants/catalogue.ts';
import type { Fix as Suggestion } from '../scenario/context.ts';
import { nearest } from '../scenario/near-miss.ts';
import type { DocumentView } from '../view.ts';
import { lineStart } from './cursor.ts';
import {
  type Fix,
  indentAt,
  newlineOf,
  type Reported,
  statementAt,
  unitAt,
  withoutClause,
  withoutStatement,
} from './fix.ts';
import { findingsOf, fixesByRunning, holds } from './fix-run.ts';
import { instructionAt, placeOf, type Work } from './trial.ts';

/** What one question may run. */
export const someWork = (): Work => ({ left: 4_000_000 });

/** The fixes of one report, the likeliest first. */
export function fixesFor(view: DocumentView, reported: Reported, work: Work = someWork()): Fix[] {
  const fixes = [...mechanicalFixes(view, reported, work)];
  const kind = dataKind(reported.data);
  if (kind === 'expect-outcome' || reported.rule === 'EXPECT' || reported.rule === 'FAULT') {
    const byRunning = fixesByRunning(view, reported, work);
    // A step that was forgotten is likelier than a failure that was meant, unless one was stated.
    if ((reported.rule === 'FAULT' || statesSuccess(reported.data)) && byRunning.some((fix) => fix.preferred)) {
      for (const fix of fixes) delete fix.preferred;
      fixes.unshift(...byRunning);
    } else {
      for (const fix of byRunning) if (fixes.length > 0) delete fix.preferred;
      fixes.push(...byRunning);
    }
  }
  if (kind === 'stub') fixes.push(...addStub(view, nameIn(reported.data)));
  else if (reported.rule === 'C-UNDEFINED') fixes.push(...undefinedFunction(view, reported));
  if (reported.rule === 'UNREACHED') fixes.push(...removeUnreached(view, reported));
  // A loop of C that never ends is not silenced; an access that cannot complete is.
  if (allowableRules.includes(reported.rule) && (reported.rule !== 'TERM' || kind === 'expect-outcome'))
    fixes.push(...allow(view, reported));
  return fixes;
}

/** Those that need no thought, and no run of the scenario: a file can have all of them at once. */
export function mechanicalFixes(view: DocumentView, reported: Reported, work: Work = someWork()): Fix[] {
  const kind = dataKind(reported.data);
  if (kind === 'expect-outcome') return expectOutcome(view, reported, work);
  if (reported.rule === 'ALLOW-UNUSED') return removeAllow(view, reported);
  const suggestions = suggestionsOf(reported.data);
  return suggestions.map(({ title, replacement }, i) => ({
    title,
    edits: [{ from: reported.start, to: reported.end, text: replacement }],
    ...(i === 0 ? { preferred: true as const } : {}),
    ...(suggestions.length === 1 ? { mechanical: true as const } : {}),
  }));
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const nameIn = (data: unknown): string => (isObject(data) && typeof data.name === 'string' ? data.name : '');

const statesSuccess = (data: unknown): boolean => isObject(data) && data.expected === 'ok';

const dataKind = (data: unknown): unknown => (isObject(data) ? data.kind : undefined);

function suggestionsOf(data: unknown): readonly Suggestion[] {
  return isObject(data) && Array.isArray(data.fixes) ? (data.fixes as Suggestion[]) : [];
}

// ---------------------------------------------------------------- outcomes

function expectOutcome(view: DocumentView, reported: Reported, work: Work): Fix[] {
  const outcome = isObject(reported.data) ? String(reported.data.outcome) : '';
  const statement = statementAt(view, reported.start);
  const unit = unitAt(view, reported.start);
  const pc = unit && instructionAt(unit, reported.start - unit.start);
  // What a sequence does is stated in the sequence, for all that call it.
  if (statement?.type.id !== t.Step || unit === undefined || pc === undefined) return [];
  if (isInSequence(unit.code[pc])) return [];
  const make = (what: string): Fix => ({
    title: `Expect ${what}`,
    edits: [outcomeEdit(view.analysis.text, statement, what)],
  });
  const fix: Fix = { ...make(outcome), preferred: true, mechanical: true };
  if (!isInLoop(statement)) return [fix];
  // Of a loop each turn may come to something else.
  const place = placeOf(unit.code[pc]).start;
  const before = findingsOf(view, unit, reported.rule, work);
  for (const candidate of [
    fix,
    { ...make('fails'), mechanical: true as const },
    { ...make('any'), mechanical: true as const },
  ])
    if (holds({ view, unit, reported, place }, before, candidate.edits, work)) return [candidate];
  return [];
}

const isInSequence = (instruction: object): boolean =>
  'via' in instruction && Array.isArray(instruction.via) && instruction.via.length > 0;

function isInLoop(node: TreeNode): boolean {
  for (let at = node.parent; at !== null; at = at.parent) if (at.type.id === t.ForStatement) return true;
  return false;
}

/** Success is not stated. */
function outcomeEdit(text: string, step: TreeNode, outcome: string) {
  const clause = step.getChild(t.OutcomeClause);
  const call = step.getChildren(t.CallPart).at(-1);
  const end = call?.to ?? step.to;
  if (clause === null) return { from: end, to: end, text: `  => ${outcome}` };
  if (outcome === 'ok') return withoutClause(text, clause.from, clause.to);
  const stated = clause.getChild(t.Outcome);
  return stated === null
    ? { from: clause.from, to: clause.to, text: `=> ${outcome}` }
    : { from: stated.from, to: stated.to, text: outcome };
}

// ---------------------------------------------------------------- allow

function allow(view: DocumentView, reported: Reported): Fix[] {
  const { text } = view.analysis;
  const statement = statementAt(view, reported.start);
  if (statement === undefined) return [];
  const head = `allow ${reported.rule} "\${1:reason}"`;
  const newline = newlineOf(text);
  const indent = indentAt(text, statement.from);
  const unit = indent.includes('\t') ? '\t' : '  ';
  const inner = escapeSnippet(text.slice(statement.from, statement.to)).replaceAll(/\r\n|\r|\n/g, `$&${unit}`);
  return [
    {
      title: `Allow ${reported.rule} here, with a reason`,
      edits: [{ from: statement.to, to: statement.to, text: ` ${head}` }],
      placeholders: true,
    },
    {
      title: `Allow ${reported.rule} in a block, with a reason`,
      edits: [
        {
          from: statement.from,
          to: statement.to,
          text: `${head} {${newline}${indent}${unit}${inner}${newline}${indent}\\}`,
        },
      ],
      placeholders: true,
    },
  ];
}

const escapeSnippet = (text: string): string => text.replace(/[\\$}]/g, '\\$&');

function removeAllow(view: DocumentView, reported: Reported): Fix[] {
  const { text } = view.analysis;
  const fix = (edits: Fix['edits']): Fix[] => [
    { title: 'Remove this allow', edits, preferred: true, mechanical: true },
  ];
  for (
    let node: TreeNode | null = view.analysis.tree.resolveInner(reported.start, 1);
    node !== null;
    node = node.parent
  ) {
    if (node.type.id === t.AllowClause) return fix([withoutClause(text, node.from, node.to)]);
    if (node.type.id !== t.AllowStatement) continue;
    const block = node.getChild(t.Block);
    if (block === null) return fix([withoutStatement(text, node.from, node.to)]);
    return fix(unwrapped(text, node, block));
  }
  return [];
}

/** The lines of a block without what is around them, one level to the left. */
function unwrapped(text: string, node: TreeNode, block: TreeNode): Fix['edits'] {
  const close = block.lastChild;
  if (close?.type.id !== t.BlockClose) return [];
  const open = text.indexOf('{', block.from) + 1;
  const inner = text.slice(open, close.from);
  if (!/[\r\n]/.test(inner)) return [{ from: node.from, to: node.to, text: inner.trim() }];
  const unit = indentAt(text, node.from).includes('\t') ? /^\t/gm : /^ {1,2}/gm;
  const lines = inner
    .replace(/^[ \t]*(?:\r\n|\r|\n)/, '')
    .replace(unit, '')
    .trimEnd();
  const indent = indentAt(text, node.from);
  return [
    { from: node.from, to: node.to, text: lines.startsWith(indent) ? lines.slice(indent.length) : lines.trimStart() },
  ];
}

// ---------------------------------------------------------------- others

function removeUnreached(view: DocumentView, reported: Reported): Fix[] {
  const statement = statementAt(view, reported.start);
  if (statement === undefined) return [];
  return [{ title: 'Remove this step', edits: [withoutStatement(view.analysis.text, statement.from, statement.to)] }];
}

/** A function that a step calls by name. */
function undefinedFunction(view: DocumentView, reported: Reported): Fix[] {
  const { text } = view.analysis;
  const call = statementAt(view, reported.start)?.getChildren(t.CallPart).at(-1)?.getChild(t.Name);
  if (call === null || call === undefined) return [];
  const name = text.slice(call.from, call.to);
  const near = nearest(name, view.environment()?.functionNames() ?? []);
  const stub = addStub(view, name);
  if (near === undefined) return stub;
  for (const fix of stub) delete fix.preferred;
  return [
    { title: `Change to ${near}`, edits: [{ from: call.from, to: call.to, text: near }], preferred: true },
    ...stub,
  ];
}

/** Behind what the file uses, or at its top. */
function addStub(view: DocumentView, name: string): Fix[] {
  if (!/^\w+$/.test(name)) return [];
  const { text, tree } = view.analysis;
  const newline = newlineOf(text);
  const kinds = [t.StubDeclaration, t.UseDeclaration, t.ImportDeclaration];
  let last: TreeNode | undefined;
  for (const kind of kinds) {
    last = tree.topNode.getChildren(kind).at(-1);
    if (last !== undefined) break;
  }
  const line = `stub ${name} returns 0`;
  const title = `Add ${line}`;
  if (last !== undefined) {
    const end = /[^\r\n]*/y;
    end.lastIndex = last.to;
    const at = last.to + (end.exec(text) as RegExpExecArray)[0].length;
    return [{ title, edits: [{ from: at, to: at, text: `${newline}${line}` }], preferred: true }];
  }
  // In front of the first declaration and what documents it.
  let first = tree.topNode.firstChild;
  while (first !== null && (first.type.id === t.LineComment || first.type.id === t.DocComment))
    first = first.nextSibling;
  let at = lineStart(text, first?.from ?? 0);
  for (
    let before = lineStart(text, at - 1);
    at > 0 && /^[ \t]*\/\/\//.test(text.slice(before, at));
    before = lineStart(text, at - 1)
  )
    at = before;
  return [{ title, edits: [{ from: at, to: at, text: `${line}${newline}${newline}` }], preferred: true }];
}
