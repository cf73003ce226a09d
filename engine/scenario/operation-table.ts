/**
 * Types of the one table of operations and queries. The table drives parsing of arguments, checking, completion, signature help, hover,
 * semantic tokens and the generated reference. The entries stand in `operations.ts` and `queries.ts`; what an operation *does* is one function in
 * `engine/run/operations`, found by the same key.
 */
import type { ActorKind, ValueKind } from './program.ts';

export interface Operand {
  name: string;
  kind: ValueKind;
  /** Words accepted in its place (`PRIVATE`, `SHARED`; `4K`, `2M`), if it is an enumeration or a flag. */
  words?: readonly string[];
  /** A named operand is written `asid 1` / `gpa 0`; a flag is its bare name (`assigned`). Otherwise positional. */
  form: 'positional' | 'named' | 'flag';
  /** Text of the default; absent: required. A flag defaults to false. */
  default?: string;
  doc: string;
}

export interface OperationSpec {
  /** `<actor>.<name>` */
  key: string;
  actor: ActorKind;
  name: string;
  operands: readonly Operand[];
  /** Outcomes that are possible, canonical texts, success first. */
  outcomes: readonly string[];
  /** One line, in the manual's words. */
  doc: string;
  /** Section of the APM / GHCB spec / kernel function. */
  source: string;
}

export interface QueryField {
  name: string;
  kind: ValueKind;
  doc: string;
}

export interface QuerySpec {
  key: string;
  operands: readonly Operand[];
  fields: readonly QueryField[];
  /** `is <word>`: what the word means as fields, e.g. shared -> { assigned: false }. */
  words: Readonly<Record<string, Readonly<Record<string, boolean | number | string>>>>;
  doc: string;
  source: string;
}
