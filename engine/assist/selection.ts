/** What a selection grows to, step by step: a word, its expression, the statement, the block's inside, the block, the declaration, the file. */
import type { SyntaxNode, Tree } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';

/** From the smallest on, each within the next and larger. */
export function selectionAt(text: string, tree: Tree, offset: number): { start: number; end: number }[] {
  const steps: { start: number; end: number }[] = [];
  const put = (start: number, end: number): void => {
    const last = steps.at(-1);
    if (start > offset || end < offset || end <= start) return;
    if (last !== undefined && (start > last.start || end < last.end)) return;
    if (last !== undefined && start === last.start && end === last.end) return;
    steps.push({ start, end });
  };
  const right = tree.resolveInner(offset, 1);
  const left = tree.resolveInner(offset, -1);
  // At the end of a word what is before the cursor counts.
  let node: SyntaxNode | null = left.to - left.from < right.to - right.from ? left : right;
  for (let depth = 0; node !== null && depth < 500; node = node.parent, depth++) {
    const { from, to, type } = node;
    const first = text[from];
    const last = text[to - 1];
    const isQuoted = type.id === t.String && last === '"' && to - from > 1;
    const isBracketed = (first === '{' && last === '}') || (first === '(' && last === ')');
    if (isQuoted || isBracketed) {
      const inside = text.slice(from + 1, to - 1);
      put(from + 1 + (inside.length - inside.trimStart().length), from + 1 + inside.trimEnd().length);
      put(from + 1, to - 1);
    }
    put(from, to);
  }
  put(0, text.length);
  return steps;
}
