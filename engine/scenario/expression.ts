/**
 * Checked expressions. What is known while the text is analysed is a {@link Constant}; the others are evaluated when the step runs, with the variables and
 * the machine of that moment. Evaluation never throws: what cannot be evaluated is an error with the place that is to blame.
 */
import {
  compute,
  convertNumber,
  convertRange,
  exactOf,
  isNumberKind,
  isRangeKind,
  type NumberKind,
  type NumberValue,
  numberValue,
  type Operator,
  type RangeKind,
  type RangeValue,
  rangeValue,
} from './numbers.ts';
import type { EvaluationError, Expr, MachineView, Span, Value, ValueKind } from './program.ts';
import { formatQuantity } from './quantity.ts';

type Variables = readonly Value[];

export class Constant implements Expr {
  readonly kind: ValueKind;
  readonly span: Span;
  readonly value: Value;
  /** A number written with a suffix: an amount of bytes, no frame number. */
  readonly suffixed: boolean;
  constructor(value: Value, span: Span, suffixed = false) {
    this.kind = value.kind;
    this.span = span;
    this.value = value;
    this.suffixed = suffixed;
  }
  evaluate(): Value {
    return this.value;
  }
}

/** Stands for a parameter while a sequence is checked by itself: of every kind, and without value. */
export class Unknown implements Expr {
  readonly kind: ValueKind = 'int';
  readonly span: Span;
  constructor(span: Span) {
    this.span = span;
  }
  evaluate(): EvaluationError {
    return { error: 'a parameter has no value outside a call', span: this.span };
  }
}

export class Variable implements Expr {
  readonly kind: ValueKind;
  readonly span: Span;
  readonly slot: number;
  constructor(kind: ValueKind, slot: number, span: Span) {
    this.kind = kind;
    this.span = span;
    this.slot = slot;
  }
  evaluate(variables: Variables): Value | EvaluationError {
    return variables[this.slot] ?? { error: 'this variable has no value here', span: this.span };
  }
}

/** A `let` of the whole file: evaluated where it is used. */
export class Shared implements Expr {
  readonly kind: ValueKind;
  readonly span: Span;
  readonly of: Expr;
  constructor(of: Expr, span: Span) {
    this.kind = of.kind;
    this.span = span;
    this.of = of;
  }
  evaluate(variables: Variables, view: MachineView): Value | EvaluationError {
    const value = this.of.evaluate(variables, view);
    return 'error' in value ? { error: value.error, span: this.span } : value;
  }
}

export class Binary implements Expr {
  readonly kind: NumberKind;
  readonly span: Span;
  readonly operator: Operator;
  readonly left: Expr;
  readonly right: Expr;
  constructor(kind: NumberKind, operator: Operator, left: Expr, right: Expr, span: Span) {
    this.kind = kind;
    this.span = span;
    this.operator = operator;
    this.left = left;
    this.right = right;
  }
  evaluate(variables: Variables, view: MachineView): Value | EvaluationError {
    const a = this.left.evaluate(variables, view);
    if ('error' in a) return a;
    const b = this.right.evaluate(variables, view);
    if ('error' in b) return b;
    const result = binary(this.kind, this.operator, a as NumberValue, b as NumberValue);
    return 'problem' in result ? { error: result.problem, span: this.span } : result;
  }
}

export function binary(
  kind: NumberKind,
  operator: Operator,
  a: NumberValue,
  b: NumberValue,
): NumberValue | { problem: string } {
  const n = compute(operator, exactOf(a), exactOf(b));
  return typeof n === 'object' ? n : numberValue(kind, n);
}

export class RangeOf implements Expr {
  readonly kind: RangeKind;
  readonly span: Span;
  readonly start: Expr;
  /** The end, or the length. */
  readonly second: Expr;
  readonly isLength: boolean;
  constructor(kind: RangeKind, start: Expr, second: Expr, isLength: boolean, span: Span) {
    this.kind = kind;
    this.span = span;
    this.start = start;
    this.second = second;
    this.isLength = isLength;
  }
  evaluate(variables: Variables, view: MachineView): Value | EvaluationError {
    const start = this.start.evaluate(variables, view);
    if ('error' in start) return start;
    const second = this.second.evaluate(variables, view);
    if ('error' in second) return second;
    const result = makeRange(this.kind, start as NumberValue, second as NumberValue, this.isLength);
    return 'problem' in result ? { error: result.problem, span: this.span } : result;
  }
}

export function makeRange(
  kind: RangeKind,
  start: NumberValue,
  second: NumberValue,
  isLength: boolean,
): RangeValue | { problem: string } {
  if (!isLength) return rangeValue(kind, exactOf(start), exactOf(second));
  if (exactOf(second) < 0)
    return { problem: `a length is not negative, and this is ${formatQuantity(exactOf(second))}` };
  const end = compute('+', exactOf(start), exactOf(second));
  return typeof end === 'object' ? end : rangeValue(kind, exactOf(start), end);
}

/** A quantity or range as another kind: a plain number taking the kind that is wanted, or `gfn(gpa)` and its like. */
export class Converted implements Expr {
  readonly kind: NumberKind | RangeKind;
  readonly span: Span;
  readonly of: Expr;
  constructor(kind: NumberKind | RangeKind, of: Expr, span: Span) {
    this.kind = kind;
    this.span = span;
    this.of = of;
  }
  evaluate(variables: Variables, view: MachineView): Value | EvaluationError {
    const value = this.of.evaluate(variables, view);
    if ('error' in value) return value;
    const result = converted(value, this.kind);
    return 'problem' in result ? { error: result.problem, span: this.span } : result;
  }
}

export function converted(value: Value, to: NumberKind | RangeKind): NumberValue | RangeValue | { problem: string } {
  const result = isRangeKind(to)
    ? 'start' in value
      ? convertRange(value, to)
      : undefined
    : isNumberKind(value.kind)
      ? convertNumber(value as NumberValue, to)
      : undefined;
  return result ?? { problem: `a ${value.kind} is no ${to}` };
}

/** First or one-past-last of a range. */
export class Bound implements Expr {
  readonly kind: NumberKind;
  readonly span: Span;
  readonly of: Expr;
  readonly end: boolean;
  constructor(kind: NumberKind, of: Expr, end: boolean, span: Span) {
    this.kind = kind;
    this.span = span;
    this.of = of;
    this.end = end;
  }
  evaluate(variables: Variables, view: MachineView): Value | EvaluationError {
    const value = this.of.evaluate(variables, view);
    if ('error' in value) return value;
    const range = value as RangeValue;
    return { kind: this.kind, value: this.end ? range.end : range.start };
  }
}

/** `pfn(g, gpa)`: the frame behind a GPA, known to the machine only. */
export class Backing implements Expr {
  readonly kind = 'pfn' as const;
  readonly span: Span;
  readonly guest: number;
  readonly guestName: string;
  readonly gpa: Expr;
  constructor(guest: number, guestName: string, gpa: Expr, span: Span) {
    this.span = span;
    this.guest = guest;
    this.guestName = guestName;
    this.gpa = gpa;
  }
  evaluate(variables: Variables, view: MachineView): Value | EvaluationError {
    const gpa = this.gpa.evaluate(variables, view);
    if ('error' in gpa) return gpa;
    const at = (gpa as NumberValue).value;
    const pfn = view.backingPfn(this.guest, at);
    if (pfn === undefined)
      return { error: `no slot of guest ${this.guestName} covers gpa ${formatQuantity(at)}`, span: this.span };
    return { kind: 'pfn', value: pfn };
  }
}
