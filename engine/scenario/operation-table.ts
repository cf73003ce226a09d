/**
 * Types of the one table of operations and queries. The table drives parsing of arguments, checking, completion, signature help, hover,
 * semantic tokens and the generated reference. The entries stand in `operations.ts` and `queries.ts`; what an operation *does* is one function in
 * `engine/run/operations`, found by the same key.
 */
import type { ActorKind, ValueKind } from './program.ts';

export interface Operand {
  name: string;
  kind: ValueKind;
  /**
   * Words accepted in its place (`PRIVATE`, `SHARED`; `4K`, `2M`), if it is an enumeration. A flag may have two: the word that sets it and the word that
   * clears it (`valid`, `invalid`); without words its name sets it.
   */
  words?: readonly string[];
  /** A named operand is written `asid 1` / `gpa 0`; a flag is its bare name (`assigned`). Otherwise positional. */
  form: 'positional' | 'named' | 'flag';
  /** Text of the default. A flag defaults to false. Any other operand without default is required, unless it is {@link optional}. */
  default?: string;
  /** May be left out without a default in its place. */
  optional?: true;
  doc: string;
}

export interface OperationSpec {
  /** `<actor>.<name>` */
  key: string;
  actor: ActorKind;
  name: string;
  operands: readonly Operand[];
  /** Takes any arguments: `kernel.<function>(…)`. */
  variadic?: true;
  /** Outcomes that are possible, canonical texts, success first. */
  outcomes: readonly string[];
  /** One line, in the manual's words. */
  doc: string;
  /** Section of the APM / GHCB spec / kernel function. */
  source: string;
  /** How it is written. */
  example: string;
}

export interface QueryField {
  name: string;
  kind: ValueKind;
  /** What a field of kind word can be. */
  words?: readonly string[];
  doc: string;
}

export interface QuerySpec {
  /** As written in an `expect`. Two rows share it if their operands differ in number: `rmp(guest, gpa)` and `rmp(pfn)`. */
  key: string;
  operands: readonly Operand[];
  /** Of a query with one field, `is` compares that one: `expect refcount(…) is 1`. */
  fields: readonly QueryField[];
  /**
   * `is <word>`: what the word means as fields, e.g. shared -> { assigned: false }. A text that begins with `@` stands for the operand of that name; any
   * other text is a word or, for a field of kind size, a size.
   */
  words: Readonly<Record<string, Readonly<Record<string, boolean | number | string>>>>;
  doc: string;
  source: string;
  example: string;
}
