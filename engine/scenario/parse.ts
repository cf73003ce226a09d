/**
 * Text to tree, incrementally: from a previous parse only what an edit touched is read again. Parsing never fails; see scenario.grammar for what a
 * mistake costs.
 */
import { type Tree, TreeFragment } from '@lezer/common';
import { parser } from '../generated/scenario-parser.ts';

export interface Parsed {
  text: string;
  tree: Tree;
  fragments: readonly TreeFragment[];
}

/** The one stretch in which two texts differ. */
export interface Change {
  /** Length of the common beginning. */
  prefix: number;
  /** End of the differing stretch in the old text. */
  oldEnd: number;
  /** And in the new. */
  newEnd: number;
}

/** Compares by blocks first, ever smaller ones: string comparison runs at memory speed, a loop over characters does not. */
export function changeBetween(old: string, now: string): Change {
  const shorter = Math.min(old.length, now.length);
  let prefix = 0;
  for (let block = 1 << 16; block >= 64; block >>= 2) {
    while (prefix + block <= shorter && old.slice(prefix, prefix + block) === now.slice(prefix, prefix + block))
      prefix += block;
  }
  while (prefix < shorter && old.charCodeAt(prefix) === now.charCodeAt(prefix)) prefix++;
  const rest = shorter - prefix;
  let a = old.length;
  let b = now.length;
  const last = old.length - rest;
  for (let block = 1 << 16; block >= 64; block >>= 2) {
    while (a - block >= last && old.slice(a - block, a) === now.slice(b - block, b)) {
      a -= block;
      b -= block;
    }
  }
  while (a > last && old.charCodeAt(a - 1) === now.charCodeAt(b - 1)) {
    a--;
    b--;
  }
  return { prefix, oldEnd: a, newEnd: b };
}

export function parse(text: string, previous?: Parsed, change?: Change): Parsed {
  if (previous === undefined) {
    const tree = parser.parse(text);
    return { text, tree, fragments: TreeFragment.addTree(tree) };
  }
  if (previous.text === text) return previous;
  const { prefix, oldEnd, newEnd } = change ?? changeBetween(previous.text, text);
  const kept = TreeFragment.applyChanges(previous.fragments, [
    { fromA: prefix, toA: oldEnd, fromB: prefix, toB: newEnd },
  ]);
  const tree = parser.parse(text, kept);
  return { text, tree, fragments: TreeFragment.addTree(tree, kept) };
}
