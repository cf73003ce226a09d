/**
 * What a place in a scenario file refers to: something declared in a scenario file, something of the language, a C function, a file or a kernel model.
 */
import type { SyntaxNode as LezerNode } from '@lezer/common';
import type { FileHost } from '../check.ts';
import * as t from '../generated/scenario-parser-terms.ts';
import type { Analysis } from '../scenario/analyze.ts';
import { DOCUMENT } from '../scenario/imports.ts';
import { libraryPath, namesLibrary } from '../scenario/library.ts';
import { type NamedPlace, nameAt } from '../scenario/names.ts';
import { stringValue } from '../scenario/syntax.ts';

/** Offsets in a text. */
export interface Place {
  start: number;
  end: number;
}

export type Referent = {
  at: Place;
} /** Declared in a scenario file: `path` is the file, `declared` the name's place in it. */ & (
  | { is: 'declared'; name: NamedPlace; path: string; declared: Place }
  /** An operation, a query or a function of the language. */
  | { is: 'language'; name: NamedPlace }
  /** `kernel.<function>(…)` or `stub`. */
  | { is: 'c-function'; name: string }
  /** `import`, `use patch`, `use source`: the path as files are known by. */
  | { is: 'file'; path: string }
  | { is: 'kernel'; name: string }
);

/** @param host tells what a path in the file means */
export function referentAt(analysis: Analysis, offset: number, host: Pick<FileHost, 'resolve'>): Referent | undefined {
  const name = nameAt(analysis, offset);
  if (name !== undefined) return referentOf(analysis, name);
  const node = analysis.tree.resolveInner(offset, 1);
  const before = analysis.tree.resolveInner(offset, -1);
  return (
    named(analysis, node, host) ?? named(analysis, before, host) ?? unread(analysis, node) ?? unread(analysis, before)
  );
}

/** A name in a statement that is broken, so that nothing of it has been read: it can still mean what the file declares. */
function unread(analysis: Analysis, node: LezerNode): Referent | undefined {
  const parent = node.parent?.type.id;
  if (node.type.id !== t.Name || parent === undefined || NO_EXPRESSION.has(parent)) return undefined;
  const text = analysis.text.slice(node.from, node.to);
  const { home } = analysis.declarations;
  const isCall = parent === t.SequenceCall;
  const found = isCall ? home.sequences.get(text) : home.scope.find(text);
  if (found === undefined) return undefined;
  const kind = isCall ? 'sequence' : 'is' in found && found.is === 'guest' ? 'guest' : 'variable';
  const { start, end, file = DOCUMENT } = found.declared;
  const definition = file === DOCUMENT ? { start, end } : { start, end, file };
  return referentOf(analysis, { start: node.from, end: node.to, kind, name: text, definition, declares: false });
}

/** Where a name stands that is no variable, guest or sequence. */
const NO_EXPRESSION: ReadonlySet<number> = new Set([
  t.CallPart,
  t.Call,
  t.Query,
  t.Outcome,
  t.FaultBits,
  t.UseDeclaration,
  t.ImportDeclaration,
  t.ScenarioDeclaration,
  t.GuestDeclaration,
  t.SequenceDeclaration,
  t.StubDeclaration,
  t.Parameters,
]);

/** What a name of an analysed file refers to. */
export function referentOf(analysis: Analysis, name: NamedPlace): Referent {
  const at = { start: name.start, end: name.end };
  if (name.kind === 'operation' && name.name === 'kernel.call')
    return { at, is: 'c-function', name: analysis.text.slice(at.start, at.end) };
  const { definition } = name;
  if (definition === undefined) return { at, is: 'language', name };
  const path = definition.file === undefined ? analysis.path : analysis.program.imports[definition.file].path;
  return { at, is: 'declared', name, path, declared: { start: definition.start, end: definition.end } };
}

/** A file, a model or a stubbed function: what the syntax says and no scope knows. */
function named(analysis: Analysis, node: LezerNode, host: Pick<FileHost, 'resolve'>): Referent | undefined {
  const { parent } = node;
  if (parent === null) return undefined;
  const at = { start: node.from, end: node.to };
  const source = analysis.text.slice(node.from, node.to);
  if (node.type.id === t.Name && parent.type.id === t.StubDeclaration && isNth(node, 1))
    return { at, is: 'c-function', name: source };
  if (node.type.id !== t.String) return undefined;
  const text = stringValue(source);
  if (text === undefined || text === '') return undefined;
  if (parent.type.id === t.ImportDeclaration)
    return { at, is: 'file', path: namesLibrary(text) ? libraryPath(text) : host.resolve(analysis.path, text) };
  if (parent.type.id !== t.UseDeclaration) return undefined;
  const what = parent.firstChild?.nextSibling;
  switch (what && analysis.text.slice(what.from, what.to)) {
    case 'kernel':
      return { at, is: 'kernel', name: text };
    case 'patch':
    case 'source':
      return { at, is: 'file', path: host.resolve(analysis.path, text) };
    default:
      return undefined;
  }
}

/** Whether the node is the `n`-th child of its parent, from 0, comments not counted. */
function isNth(node: LezerNode, n: number): boolean {
  let index = 0;
  for (let before = node.prevSibling; before !== null; before = before.prevSibling) {
    if (before.type.id !== t.LineComment && before.type.id !== t.DocComment) index++;
  }
  return index === n;
}

/** Every file that a scenario file names, in the order of the text, with where it does. */
export function namedFiles(analysis: Analysis, host: Pick<FileHost, 'resolve'>): { at: Place; path: string }[] {
  const found: { at: Place; path: string }[] = [];
  const cursor = analysis.tree.cursor();
  if (!cursor.firstChild()) return found;
  do {
    if (cursor.type.id !== t.ImportDeclaration && cursor.type.id !== t.UseDeclaration) continue;
    for (let node = cursor.node.firstChild; node !== null; node = node.nextSibling) {
      const referent = node.type.id === t.String ? named(analysis, node, host) : undefined;
      if (referent?.is === 'file') found.push({ at: referent.at, path: referent.path });
    }
  } while (cursor.nextSibling());
  return found;
}
