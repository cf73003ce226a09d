/**
 * What names mean at a place: guests, `let`s, loop variables, parameters, sequences. Blocks around the place are walked from the outside in, so that an
 * inner name hides an outer one, and only what stands in front of the place counts.
 */
import type { SyntaxNode as TreeNode } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import type { Analysis } from '../scenario/analyze.ts';
import { expression } from '../scenario/analyze-expression.ts';
import { Context } from '../scenario/context.ts';
import { DOCUMENT } from '../scenario/imports.ts';
import type { ValueKind } from '../scenario/program.ts';
import { Scope, type Sequence } from '../scenario/scope.ts';
import { docAbove, syntaxNode } from '../scenario/syntax.ts';
import { lineStart } from './cursor.ts';

export interface VisibleName {
  readonly name: string;
  readonly what: 'guest' | 'let' | 'loop' | 'parameter';
  /** undefined: anything, a parameter. */
  readonly kind: ValueKind | undefined;
  /** As it is declared, on one line. */
  readonly declared: string;
}

/** `blockNode`: the block that the place is in; undefined at the top of the file. */
export function visibleNames(analysis: Analysis, blockNode: TreeNode | undefined, before: number): VisibleName[] {
  const names = new Map<string, VisibleName>();
  const scope = new Scope(analysis.declarations.home.scope);
  // At the top of a file only what is declared above.
  const line = blockNode === undefined ? lineStart(analysis.text, before) : Number.POSITIVE_INFINITY;
  for (const binding of [...scope.all()].reverse()) {
    if (binding.is !== 'guest' && binding.declared.file === DOCUMENT && binding.declared.start >= line) continue;
    if (binding.is === 'guest')
      names.set(binding.name, { name: binding.name, what: 'guest', kind: 'guest', declared: `guest ${binding.name}` });
    else {
      const kind =
        binding.is === 'value' ? binding.value.kind : binding.is === 'shared' ? binding.expr.kind : undefined;
      const declared = `let ${binding.name}${binding.is === 'shared' && binding.declared.file === DOCUMENT ? valueAfter(analysis.text, binding.declared.end) : ''}`;
      names.set(binding.name, { name: binding.name, what: 'let', kind, declared });
    }
  }
  const blocks: TreeNode[] = [];
  for (let node = blockNode ?? null; node !== null; node = node.parent) blocks.unshift(node);
  for (const node of blocks) {
    if (node.type.id === t.SequenceDeclaration) {
      for (const parameter of node.getChild(t.Parameters)?.getChildren(t.Name) ?? [])
        bind(names, scope, {
          name: analysis.text.slice(parameter.from, parameter.to),
          what: 'parameter',
          kind: undefined,
          declared: 'parameter',
        });
    } else if (node.type.id === t.ForStatement) loopVariable(analysis, node, names, scope);
    else if (node.type.id === t.DeclarationBlock || node.type.id === t.Block)
      lets(analysis, node, before, names, scope);
  }
  return [...names.values()];
}

function bind(names: Map<string, VisibleName>, scope: Scope, name: VisibleName): void {
  names.set(name.name, name);
  const declared = { start: 0, end: 0 };
  // A variable: its kind is all that matters here.
  if (name.kind === undefined) scope.bind({ name: name.name, declared, is: 'unknown' });
  else scope.bind({ name: name.name, declared, is: 'variable', slot: 0, kind: name.kind });
}

function lets(
  analysis: Analysis,
  block: TreeNode,
  before: number,
  names: Map<string, VisibleName>,
  scope: Scope,
): void {
  const cursor = block.cursor();
  if (!cursor.firstChild()) return;
  do {
    if (cursor.from >= before) return;
    if (cursor.type.id !== t.LetStatement || cursor.to >= before) continue;
    const node = syntaxNode(cursor);
    const name = node.children[1];
    const value = node.children.at(-1);
    if (name?.type !== t.Name || value === undefined || value === name) continue;
    const kind = kindOf(analysis, scope, value);
    const declared = analysis.text.slice(node.from, node.to).replace(/\s+/g, ' ');
    bind(names, scope, { name: analysis.text.slice(name.from, name.to), what: 'let', kind, declared });
  } while (cursor.nextSibling());
}

function loopVariable(analysis: Analysis, node: TreeNode, names: Map<string, VisibleName>, scope: Scope): void {
  const loop = syntaxNode(node.cursor());
  const name = loop.children[1];
  const range = loop.children[3];
  if (name?.type !== t.Name) return;
  const kind = range === undefined ? undefined : kindOf(analysis, scope, range);
  const head = analysis.text.slice(loop.from, range?.to ?? name.to).replace(/\s+/g, ' ');
  const element = kind?.endsWith('-range') ? (kind.slice(0, -'-range'.length) as ValueKind) : undefined;
  bind(names, scope, { name: analysis.text.slice(name.from, name.to), what: 'loop', kind: element, declared: head });
}

function kindOf(analysis: Analysis, scope: Scope, node: ReturnType<typeof syntaxNode>): ValueKind | undefined {
  const { home, guests } = analysis.declarations;
  const ctx = new Context({
    text: analysis.text,
    base: 0,
    file: undefined,
    scope,
    home,
    guests,
    sink: () => {},
    names: undefined,
  });
  return expression(ctx, node, 'known')?.kind;
}

const valueAfter = (text: string, end: number): string => {
  const line = /[^\r\n]*/y;
  line.lastIndex = end;
  return (line.exec(text)?.[0] ?? '').replace(/\s*(?:\/\/|#).*$/, '');
};

/** What a sequence says of itself: its documentation and how it is called. */
export function describeSequence(sequence: Sequence): { signature: string; doc: string } {
  const signature = `${sequence.name}(${sequence.parameters.map((p) => p.name).join(', ')})`;
  return { signature, doc: docAbove(sequence.home.text, sequence.declared.start) };
}
