/** What a scenario file declares, as a tree: for outlines and for finding a declaration by name. From the syntax alone, so it costs little. */
import type { SyntaxNode, Tree } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import { stringValue } from '../scenario/syntax.ts';

export type OutlineKind =
  | 'use'
  | 'import'
  | 'stub'
  | 'host'
  | 'guest'
  | 'slot'
  | 'let'
  | 'sequence'
  | 'invariant'
  | 'scenario';

export interface OutlineItem {
  kind: OutlineKind;
  /** Never empty. */
  name: string;
  /** What is said beside it: parameters, a path's purpose, a value. */
  detail: string;
  start: number;
  end: number;
  nameStart: number;
  nameEnd: number;
  children: OutlineItem[];
}

/** In the order of the text. */
export function outline(text: string, tree: Tree): OutlineItem[] {
  const items: OutlineItem[] = [];
  const cursor = tree.cursor();
  if (!cursor.firstChild()) return items;
  do {
    const item = itemOf(text, cursor.type.id, () => cursor.node);
    if (item !== undefined) items.push(item);
  } while (cursor.nextSibling());
  return items;
}

function itemOf(text: string, type: number, node: () => SyntaxNode): OutlineItem | undefined {
  switch (type) {
    case t.UseDeclaration: {
      const [, what] = childrenOf(node());
      return item(text, 'use', node(), child(node(), t.String), what === undefined ? '' : source(text, what));
    }
    case t.ImportDeclaration:
      return item(text, 'import', node(), child(node(), t.String), '');
    case t.StubDeclaration:
      return item(text, 'stub', node(), child(node(), t.Name), 'stub');
    case t.HostDeclaration:
      return item(text, 'host', node(), node().firstChild, '');
    case t.GuestDeclaration:
      return item(text, 'guest', node(), child(node(), t.Name), '', slotsOf(text, node()));
    case t.LetStatement:
      return letOf(text, node());
    case t.SequenceDeclaration: {
      const parameters = child(node(), t.Parameters);
      return item(
        text,
        'sequence',
        node(),
        child(node(), t.Name),
        parameters === null ? '' : oneLine(source(text, parameters)),
        letsIn(text, child(node(), t.DeclarationBlock)),
      );
    }
    case t.InvariantDeclaration:
      return item(text, 'invariant', node(), child(node(), t.String), 'invariant');
    case t.ScenarioDeclaration:
      return item(
        text,
        'scenario',
        node(),
        child(node(), t.String) ?? child(node(), t.Name),
        '',
        letsIn(text, child(node(), t.DeclarationBlock)),
      );
    default:
      return undefined;
  }
}

function item(
  text: string,
  kind: OutlineKind,
  node: SyntaxNode,
  named: SyntaxNode | null,
  detail: string,
  children: OutlineItem[] = [],
): OutlineItem {
  const at = named ?? node.firstChild ?? node;
  return {
    kind,
    name: named === null ? `${kind} without a name` : nameOf(text, named) || `${kind} without a name`,
    detail,
    start: node.from,
    end: node.to,
    nameStart: at.from,
    nameEnd: at.to,
    children,
  };
}

function letOf(text: string, node: SyntaxNode): OutlineItem {
  const value = childrenOf(node).at(-1);
  const hasValue = value !== undefined && value.type.id !== t.kwLet && childrenOf(node).length > 2;
  return item(text, 'let', node, child(node, t.Name), hasValue ? oneLine(source(text, value)) : '');
}

function slotsOf(text: string, guest: SyntaxNode): OutlineItem[] {
  const settings = child(guest, t.Settings);
  if (settings === null) return [];
  return settings.getChildren('Setting').flatMap((setting) => {
    const [word, id] = childrenOf(setting);
    if (word === undefined || id === undefined || source(text, word) !== 'slot') return [];
    const rest = oneLine(text.slice(id.to, setting.to));
    return [{ ...item(text, 'slot', setting, null, rest), name: `slot ${source(text, id)}`, nameEnd: id.to }];
  });
}

/** The `let`s of a block, those of blocks within it left out. */
function letsIn(text: string, block: SyntaxNode | null): OutlineItem[] {
  if (block === null) return [];
  const found: OutlineItem[] = [];
  const cursor = block.cursor();
  if (!cursor.firstChild()) return found;
  do {
    if (cursor.type.id === t.LetStatement) found.push(letOf(text, cursor.node));
  } while (cursor.nextSibling());
  return found;
}

const source = (text: string, node: SyntaxNode): string => text.slice(node.from, node.to);
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 80);

function nameOf(text: string, node: SyntaxNode): string {
  const written = source(text, node);
  if (node.type.id !== t.String) return written;
  return oneLine(stringValue(written) ?? stringValue(`${written}"`) ?? written);
}

function child(node: SyntaxNode, type: number): SyntaxNode | null {
  for (let c = node.firstChild; c !== null; c = c.nextSibling) if (c.type.id === type) return c;
  return null;
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let c = node.firstChild; c !== null; c = c.nextSibling)
    if (c.type.id !== t.LineComment && c.type.id !== t.DocComment) found.push(c);
  return found;
}
