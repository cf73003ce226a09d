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

const BLOCK = 4096;

/** Compares by blocks first: string comparison runs at memory speed, a loop over characters does not. */
export function changeBetween(old: string, now: string): Change {
  const shorter = Math.min(old.length, now.length);
  let prefix = 0;
  while (prefix + BLOCK <= shorter && old.slice(prefix, prefix + BLOCK) === now.slice(prefix, prefix + BLOCK))
    prefix += BLOCK;
  while (prefix < shorter && old.charCodeAt(prefix) === now.charCodeAt(prefix)) prefix++;
  const rest = shorter - prefix;
  let suffix = 0;
  while (
    suffix + BLOCK <= rest &&
    old.slice(old.length - suffix - BLOCK, old.length - suffix) ===
      now.slice(now.length - suffix - BLOCK, now.length - suffix)
  ) {
    suffix += BLOCK;
  }
  while (suffix < rest && old.charCodeAt(old.length - suffix - 1) === now.charCodeAt(now.length - suffix - 1)) suffix++;
  return { prefix, oldEnd: old.length - suffix, newEnd: now.length - suffix };
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
