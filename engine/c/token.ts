/**
 * Tokens that know where they came from, through macro expansion and patches.
 *
 * `file`/`start`/`end` point into the text the user sees (for a patch: the patch file itself, so a squiggle lands on the `+` line).
 * A token made by a macro points at the macro's *use*; `definition` points at the token in the macro body it came from.
 */
import type { Origin } from '../vm/bytecode.ts';

export type TokenKind = 'identifier' | 'number' | 'string' | 'character' | 'punctuator' | 'end';

export interface Token {
  kind: TokenKind;
  /** Spelling as written (strings with quotes and escapes, undecoded). */
  text: string;
  /** Index into the program's files. */
  file: number;
  start: number;
  end: number;
  /** White space or a comment stands before it (matters for `#` and for function-like `#define`). */
  spaceBefore: boolean;
  /** First token of its line (directives). */
  lineStart: boolean;
  definition?: Origin;
}

/** A piece of a file at top level, found by balanced tokens without understanding it. */
export interface Item {
  /** `function`: `… name ( … ) { … }`; `declaration`: ends with `;`; `stray`: tokens that fit nothing (reported only where they matter). */
  kind: 'function' | 'declaration' | 'stray';
  /** For functions: the name. For others: undefined. */
  name: string | undefined;
  /** From a patch: every line of it was added by the patch. Always true for whole files. */
  whole: boolean;
  origin: Origin;
  /** The item's tokens, macro-expanded with the macros in force at its place; computed on first use; ends with an `end` token. Never throws. */
  tokens(): Token[];
}

export interface CProblem {
  origin: Origin;
  rule: string;
  message: string;
}

/** One translation unit (or the added parts of a patch), split into items. */
export interface Unit {
  items: Item[];
  problems: CProblem[];
  /** Macro in force at the unit's end: expands `name` to tokens (undefined if it is no object-like macro). */
  macro(name: string): Token[] | undefined;
}
