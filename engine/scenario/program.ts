/**
 * What a `.snpscenario` file means, as plain data: the contract between the language (which produces it) and the runner (which executes
 * it). Nothing here knows the editor or the machine.
 *
 * ## Places
 * Every scenario is a unit of its own whose spans are relative to its first character, so that a unit whose text has not changed can be
 * reused wherever it has moved to. A span in another file (a sequence from an import) names that file and is absolute.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { RmpGeometry } from '../hardware/rmp-geometry.ts';

/** Offsets in UTF-16 code units. `file` undefined: this document, relative to the scenario unit; otherwise index into ScenarioProgram.imports, absolute. */
export interface Span {
  start: number;
  end: number;
  file?: number;
}

export type Severity = Diagnostic['severity'];

/** A problem of syntax or meaning, at a span (absolute in the document when outside units). */
export interface Problem {
  rule: string;
  severity: Severity;
  message: string;
  span: Span;
  related?: { message: string; span: Span }[];
  data?: unknown;
}

// ---------------------------------------------------------------- values and expressions

/** Kinds of quantities; `int` literals adapt to what an operand wants, the others do not mix. */
export type ValueKind =
  | 'int'
  | 'gpa'
  | 'gfn'
  | 'pfn'
  | 'spa'
  | 'size'
  | 'bool'
  | 'word'
  | 'string'
  | 'guest'
  | 'slot'
  | 'vcpu'
  | 'gpa-range'
  | 'gfn-range'
  | 'pfn-range'
  | 'int-range';

export type Value =
  | { kind: 'int' | 'gpa' | 'gfn' | 'pfn' | 'spa' | 'size'; value: number; wide?: bigint }
  | { kind: 'bool'; value: boolean }
  /** A named constant of the kernel or the language: PRIVATE, assigned, KVM_MEMORY_ATTRIBUTE_PRIVATE, vmsa … */
  | { kind: 'word'; word: string }
  | { kind: 'string'; text: string }
  | { kind: 'guest'; guest: number }
  | { kind: 'slot'; guest: number; slot: number }
  | { kind: 'vcpu'; guest: number; vcpu: number }
  /** Half-open. */
  | { kind: 'gpa-range' | 'gfn-range' | 'pfn-range' | 'int-range'; start: number; end: number };

/** What expressions may ask of the running machine. */
export interface MachineView {
  /** The pfn that backs this gpa privately, allocated or as it would be; undefined if no slot covers it. */
  backingPfn(guest: number, gpa: number): number | undefined;
}

/** Thrown never: an expression that cannot be evaluated yields this. */
export interface EvaluationError {
  error: string;
  span: Span;
}

/** A checked expression; evaluation is pure given the variables and the view. */
export interface Expr {
  kind: ValueKind;
  span: Span;
  /** Variables by slot number. */
  evaluate(variables: readonly Value[], view: MachineView): Value | EvaluationError;
}

// ---------------------------------------------------------------- outcomes

/** Pattern after `=>`. */
export interface OutcomePattern {
  span: Span;
  /** ok | fails | any | code (FAIL_OVERLAP) | errno (EPERM) | fault | cf | value | exit | livelock | trap */
  form: 'ok' | 'fails' | 'any' | 'code' | 'errno' | 'fault' | 'cf' | 'value' | 'exit' | 'livelock' | 'trap';
  /** Canonical text as the user would write it. */
  text: string;
  /** code / errno / exit name; fault: `#NPF`, `#PF`, `#VC`, `#GP`, `#UD`. */
  name?: string;
  /** fault: the bits named in parentheses (`RMP`, `ENC`, `SIZEM`, `VMPL`, `SSS`, `P`, `W`, `U`, `I`), or for #VC the number. undefined: not stated. */
  bits?: string[];
  value?: number | bigint;
}

// ---------------------------------------------------------------- steps

export type ActorKind = 'vmm' | 'guest' | 'host' | 'cpu' | 'fw' | 'dev' | 'kernel';

export interface Actor {
  kind: ActorKind;
  /** Index into ScenarioProgram.guests, for guest actors. */
  guest?: number;
  vcpu: number;
  vmpl: number;
}

export interface Step {
  kind: 'step';
  /** The whole step, without the newline. */
  span: Span;
  /** The `actor.operation(...)` part. */
  callSpan: Span;
  /** Key in the operations table, `<actor>.<name>`: `vmm.set_memory_attributes`, `guest.pvalidate`, `cpu.rmpupdate`; `kernel.call` for kernel.<function>(…). */
  operation: string;
  actor: Actor;
  /** In the order of the table's operands; undefined where not given and without default. For kernel.call: the arguments as written. */
  args: (Expr | undefined)[];
  /** For kernel.call. */
  callee?: string;
  expected: OutcomePattern | undefined;
  /** Canonical one-line text of the step for messages (`vmm.set_memory_attributes(g, 0..2M, PRIVATE)`). */
  text: string;
  /** Call sites of the sequences this step was inlined from, outermost first, when it stands in a sequence. */
  via: Span[];
}

/** A condition on one field of a query's result. */
export type FieldPattern =
  | { field: string; test: 'equals'; value: Expr; span: Span }
  | { field: string; test: 'flag'; value: boolean; span: Span };

export interface Expect {
  kind: 'expect';
  span: Span;
  /** Key in the queries table: rmp, npt, attr, directmap, folio, state, refcount, subpage_count, asid_counter, log … */
  query: string;
  args: (Expr | undefined)[];
  /** `expect all <range> …`: the query runs for each page of the range, its page operand taken from it. */
  all: { range: Expr; operand: number } | undefined;
  /** `is word` and `is { … }` become field patterns by the table's words (`shared` = assigned false); `not` negates the whole. */
  patterns: FieldPattern[];
  negated: boolean;
  /** For `log contains "…"`. */
  contains: string | undefined;
  text: string;
  via: Span[];
}

/** Scenario code: flat, with a program counter, so that a run's position is two numbers and its variables. */
export type Instruction =
  | Step
  | Expect
  | { kind: 'let'; variable: number; value: Expr; span: Span; via: Span[] }
  /** Enter: variable = start; if it is not < end go to `exit`. */
  | { kind: 'for'; variable: number; range: Expr; step: Expr | undefined; exit: number; span: Span; via: Span[] }
  /** Back edge to the `for` at `head`: variable += step. */
  | { kind: 'next'; head: number; span: Span; via: Span[] }
  /** `allow RULE "reason"` for the next instruction (`scope: step`) or up to the matching `allow-end`. */
  | { kind: 'allow'; allow: number; span: Span }
  | { kind: 'allow-end'; allow: number; span: Span };

export interface Allow {
  rule: string;
  reason: string;
  span: Span;
}

export interface ScenarioUnit {
  name: string;
  /** `///` text. */
  doc: string;
  /** Absolute span of the whole declaration in the document; everything inside is relative to its start. */
  start: number;
  end: number;
  /** Span of the name string, relative. */
  nameSpan: Span;
  code: Instruction[];
  /** Number of variable slots. */
  variables: number;
  variableNames: string[];
  allows: Allow[];
  /** Problems inside this unit, relative. A step with a problem is left out of `code`; the rest still runs. */
  problems: Problem[];
  text: string;
}

// ---------------------------------------------------------------- declarations

export interface SlotConfig {
  id: number;
  /** Bytes, half-open, 4K-aligned. */
  gpaStart: number;
  gpaEnd: number;
  private: boolean;
  /** log2 of the folio size in 4K pages. */
  folioOrder: number;
  /** First pfn of the backing. Always given or defaulted by the analysis so that slots do not overlap. */
  pfn: number;
  /** Index in pages of the slot's first page within its restrictedmem file. */
  fileOffset: number;
  span: Span;
}

export interface GuestConfig {
  name: string;
  asid: number;
  snp: boolean;
  vcpus: number;
  slots: SlotConfig[];
  span: Span;
}

export interface HostConfig {
  memoryBytes: number;
  /** Memory that the RMP covers, from address 0; all if not given. */
  coveredBytes?: number;
  /** Where the RMP lies, in one piece or in segments. Then it says what is covered. */
  rmp?: RmpGeometry;
  /** Frames that are HV-Fixed. */
  fixed?: { start: number; end: number }[];
  cpus: number;
  /** Options by kebab-case name, checked against the engine's option table. */
  options: { name: string; value: boolean | number | string; span: Span }[];
}

/** A rule of the user's own: all of its `forall`s hold after every step. */
export interface UserInvariant {
  name: string;
  /** Of the name's text, absolute in the document. */
  nameSpan: Span;
  foralls: ForAll[];
}

/** `forall page p: …` or `forall gpa a of g: …`; the page is variable 0 of the claims. */
export interface ForAll {
  /** Index into ScenarioProgram.guests for the GPAs of a guest; undefined for host frames. */
  guest: number | undefined;
  variable: string;
  formula: Formula;
}

export type Formula =
  | { is: 'claim'; claim: Expect }
  | { is: 'not'; of: Formula; text: string }
  | { is: 'and' | 'or' | 'implies'; left: Formula; right: Formula; text: string };

export interface UseSource {
  kind: 'source' | 'patch';
  path: string;
  span: Span;
}

export interface ScenarioProgram {
  kernel: { name: string; span: Span | undefined };
  uses: UseSource[];
  stubs: { name: string; value: number; span: Span }[];
  host: HostConfig;
  guests: GuestConfig[];
  /** In the order of the text. */
  invariants: UserInvariant[];
  scenarios: ScenarioUnit[];
  /** Files that spans can name by index (Span.file): first this document, then those it imports. Empty if there are no sequences. */
  imports: { path: string; text: string }[];
  /** Problems outside scenarios, absolute. */
  problems: Problem[];
  /**
   * Changes whenever anything outside the scenarios changes meaning (uses, stubs, host, guests, sequences, lets, imports): two programs
   * with equal keys give equal runs for equal unit texts.
   */
  environmentKey: string;
}
