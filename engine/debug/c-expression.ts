/**
 * Expressions of C over a stopped machine: names, constants, members, elements, arithmetic, comparisons, logic. No calls and no assignments: looking
 * must not change what is looked at. Evaluated from the text, straight away, with C's precedence (C11 6.5) and usual conversions.
 */
import { findMember, slotsOf } from '../c/layout.ts';
import {
  BOOL,
  type CType,
  commonType,
  INT,
  isInteger,
  isRecord,
  isSigned,
  LONG,
  pointerTo,
  promote,
  renderType,
  UINT,
  ULONG,
  wrap,
} from '../c/types.ts';
import type { Machine } from '../run/machine.ts';
import { OBJECT_SLOTS, PAGE_OBJECT } from '../vm/bytecode.ts';
import type { FrameView } from '../vm/unwind.ts';
import { castType } from './c-casts.ts';
import { type CValue, localsOf, scalarOf } from './c-values.ts';

export type CResult = { value: CValue } | { error: string };

const TOKEN =
  /\s*(?:(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)|([A-Za-z_]\w*)|('(?:\\.|[^'])')|(->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>?:()[\].]))/y;

const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

/** Deeper nesting than this is refused. */
const DEEPEST = 100;

interface Token {
  kind: 'number' | 'name' | 'sign';
  text: string;
  value: bigint;
  type: CType;
}

/** Thrown within this file only, and caught in {@link evaluateC}. */
class Refusal extends Error {}

export function evaluateC(machine: Machine, frame: FrameView | undefined, text: string): CResult {
  try {
    const evaluator = new Evaluator(machine, frame, tokens(text));
    return { value: evaluator.whole() };
  } catch (error) {
    if (error instanceof Refusal) return { error: error.message };
    throw error;
  }
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  let at = 0;
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw new Refusal(`\`${text.slice(at).trim()}\` is no C expression.`);
    at = TOKEN.lastIndex;
    const [, digits, suffix, name, character, sign] = match;
    if (digits !== undefined) found.push(numberToken(digits, suffix ?? ''));
    else if (name !== undefined) found.push({ kind: 'name', text: name, value: 0n, type: INT });
    else if (character !== undefined) {
      const value = BigInt(
        character.length === 3 ? character.charCodeAt(1) : character === "'\\n'" ? 10 : character.charCodeAt(2),
      );
      found.push({ kind: 'number', text: character, value, type: INT });
    } else found.push({ kind: 'sign', text: sign as string, value: 0n, type: INT });
  }
  return found;
}

function numberToken(digits: string, suffix: string): Token {
  const value = BigInt(digits);
  const unsigned = /u/i.test(suffix);
  const long = /l/i.test(suffix) || value > 0xffffffffn;
  const decimal = !/^0x/i.test(digits);
  const type = long
    ? unsigned || value > 0x7fffffffffffffffn
      ? ULONG
      : LONG
    : unsigned || (!decimal && value > 0x7fffffffn)
      ? UINT
      : value > 0x7fffffffn
        ? LONG
        : INT;
  return { kind: 'number', text: digits, value, type };
}

class Evaluator {
  private readonly machine: Machine;
  private readonly frame: FrameView | undefined;
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(machine: Machine, frame: FrameView | undefined, all: readonly Token[]) {
    this.machine = machine;
    this.frame = frame;
    this.tokens = all;
  }

  whole(): CValue {
    if (this.tokens.length === 0) throw new Refusal('There is nothing to evaluate.');
    const value = this.conditional();
    const rest = this.tokens[this.at];
    if (rest !== undefined) throw new Refusal(`\`${rest.text}\` does not belong here.`);
    return value;
  }

  private take(...signs: readonly string[]): string | undefined {
    const token = this.tokens[this.at];
    if (token?.kind !== 'sign' || !signs.includes(token.text)) return undefined;
    this.at++;
    return token.text;
  }

  private need(sign: string): void {
    if (this.take(sign) === undefined) throw new Refusal(`\`${sign}\` is missing.`);
  }

  private conditional(): CValue {
    if (++this.depth > DEEPEST) throw new Refusal('The expression is nested too deeply.');
    const condition = this.binary(0);
    let result = condition;
    if (this.take('?') !== undefined) {
      const yes = this.conditional();
      this.need(':');
      const no = this.conditional();
      result = this.truth(condition) ? yes : no;
    }
    this.depth--;
    return result;
  }

  private binary(level: number): CValue {
    if (level === LEVELS.length) return this.unary();
    let left = this.binary(level + 1);
    for (let sign = this.take(...LEVELS[level]); sign !== undefined; sign = this.take(...LEVELS[level]))
      left = this.combine(sign, left, this.binary(level + 1));
    return left;
  }

  private combine(sign: string, left: CValue, right: CValue): CValue {
    if (sign === '&&') return flag(this.truth(left) && this.truth(right));
    if (sign === '||') return flag(this.truth(left) || this.truth(right));
    const a = this.number(left);
    const b = this.number(right);
    const pointer = left.type.kind === 'pointer' ? left : right.type.kind === 'pointer' ? right : undefined;
    const compared = compare(
      sign,
      a,
      b,
      pointer === undefined ? commonType(promote(left.type), promote(right.type)) : pointer.type,
    );
    if (compared !== undefined) return flag(compared);
    if (pointer !== undefined) return this.pointerSum(sign, left, right, a, b);
    const shift = sign === '<<' || sign === '>>';
    const type = shift ? promote(left.type) : commonType(promote(left.type), promote(right.type));
    return rvalue(type, wrap(arithmetic(sign, wrap(a, type), shift ? b : wrap(b, type)), type));
  }

  private pointerSum(sign: string, left: CValue, right: CValue, a: bigint, b: bigint): CValue {
    const to = left.type.kind === 'pointer' ? left.type.to : right.type.kind === 'pointer' ? right.type.to : INT;
    const slots = BigInt(Math.max(1, slotsOf(this.machine.program.completed(to))));
    if (sign === '+' && left.type.kind !== right.type.kind) {
      const [base, index] = left.type.kind === 'pointer' ? [a, b] : [b, a];
      return rvalue(left.type.kind === 'pointer' ? left.type : right.type, base + index * slots);
    }
    if (sign === '-' && right.type.kind !== 'pointer') return rvalue(left.type, a - b * slots);
    if (sign === '-' && left.type.kind === 'pointer') return rvalue(LONG, (a - b) / slots);
    throw new Refusal(`\`${sign}\` does not go with a pointer.`);
  }

  private unary(): CValue {
    if (++this.depth > DEEPEST) throw new Refusal('The expression is nested too deeply.');
    const result = this.prefixed();
    this.depth--;
    return result;
  }

  private prefixed(): CValue {
    const cast = this.cast();
    if (cast !== undefined) return rvalue(cast, wrap(this.number(this.unary()), cast));
    const sign = this.take('!', '-', '+', '~', '*', '&');
    switch (sign) {
      case undefined:
        return this.postfix(this.primary());
      case '!':
        return flag(!this.truth(this.unary()));
      case '*':
        return this.dereference(this.unary());
      case '&': {
        const of = this.unary();
        if (of.place === undefined || of.bits !== undefined) throw new Refusal('This has no address.');
        return rvalue(pointerTo(of.type), BigInt(of.place));
      }
      default: {
        const operand = this.unary();
        const type = promote(operand.type);
        const n = this.number(operand);
        return rvalue(type, wrap(sign === '-' ? -n : sign === '~' ? ~n : n, type));
      }
    }
  }

  /** `(u64)`, if it stands here. */
  private cast(): CType | undefined {
    const end = this.tokens.findIndex((token, i) => i > this.at && token.kind !== 'name');
    if (this.tokens[this.at]?.text !== '(' || this.tokens[end]?.text !== ')') return undefined;
    const type = castType(this.tokens.slice(this.at + 1, end).map(({ text }) => text));
    if (type !== undefined) this.at = end + 1;
    return type;
  }

  private postfix(start: CValue): CValue {
    let value = start;
    for (;;) {
      const sign = this.take('.', '->', '[');
      if (sign === undefined) return value;
      if (sign === '[') {
        const index = this.conditional();
        this.need(']');
        value = this.element(value, this.number(index));
      } else value = this.member(sign === '->' ? this.dereference(value) : value);
    }
  }

  private element(of: CValue, index: bigint): CValue {
    if (of.type.kind === 'array' && of.place !== undefined) {
      const type = this.machine.program.completed(of.type.of);
      return { type, place: of.place + Number(index) * slotsOf(type) };
    }
    if (of.type.kind !== 'pointer') throw new Refusal(`A ${renderType(of.type)} has no elements.`);
    return this.dereference(this.combine('+', of, rvalue(LONG, index)));
  }

  private member(of: CValue): CValue {
    const token = this.tokens[this.at++];
    if (token?.kind !== 'name') throw new Refusal("A member's name is missing.");
    const type = this.machine.program.completed(of.type);
    if (!isRecord(type) || of.place === undefined) throw new Refusal(`A ${renderType(of.type)} has no members.`);
    const found = findMember(type, token.text);
    if (found === undefined) throw new Refusal(`${renderType(type)} has no member ${token.text}.`);
    const value: CValue = { type: this.machine.program.completed(found.member.type), place: of.place + found.slot };
    if (found.member.bits !== undefined) value.bits = found.member.bits;
    return value;
  }

  private dereference(value: CValue): CValue {
    if (value.type.kind === 'array' && value.place !== undefined)
      return { type: this.machine.program.completed(value.type.of), place: value.place };
    if (value.type.kind !== 'pointer') throw new Refusal(`A ${renderType(value.type)} is no pointer.`);
    const pointer = Number(this.number(value));
    const to = this.machine.program.completed(value.type.to);
    if (pointer === 0) throw new Refusal('The pointer is NULL.');
    if (pointer >= PAGE_OBJECT * OBJECT_SLOTS)
      throw new Refusal('A struct page is opaque; see refcount() and rmp() of its pfn.');
    if (to.kind === 'void' || to.kind === 'function' || (isRecord(to) && !to.complete))
      throw new Refusal(`A ${renderType(to)} cannot be looked at.`);
    return { type: to, place: pointer };
  }

  private primary(): CValue {
    if (this.take('(') !== undefined) {
      const value = this.conditional();
      this.need(')');
      return value;
    }
    const token = this.tokens[this.at++];
    if (token === undefined) throw new Refusal('The expression ends too early.');
    if (token.kind === 'number') return rvalue(token.type, token.value);
    if (token.kind === 'name') return this.name(token.text);
    throw new Refusal(`\`${token.text}\` does not belong here.`);
  }

  private name(name: string): CValue {
    const { machine, frame } = this;
    if (frame !== undefined) {
      const local = localsOf(machine, frame).findLast((one) => one.name === name);
      if (local !== undefined) return local.value;
    }
    if (name === 'true' || name === 'false') return rvalue(BOOL, name === 'true' ? 1n : 0n);
    const constant = machine.program.constant(name);
    if (constant !== undefined)
      return rvalue(constant > 0x7fffffff || constant < -0x80000000 ? LONG : INT, BigInt(constant));
    const variable = machine.program.staticVariable(name);
    if (variable !== undefined) return { type: variable.type, place: machine.vm.staticPointer(variable.index) };
    throw new Refusal(`Nothing here is called ${name}.`);
  }

  private number(value: CValue): bigint {
    if (value.type.kind === 'array' && value.place !== undefined) return BigInt(value.place);
    const number = scalarOf(this.machine, value);
    if (number !== undefined) return BigInt(number);
    if (isInteger(value.type) || value.type.kind === 'pointer') throw new Refusal(`${this.machine.vm.access.message}.`);
    throw new Refusal(`A ${renderType(value.type)} is no number.`);
  }

  private truth(value: CValue): boolean {
    return this.number(value) !== 0n;
  }
}

const rvalue = (type: CType, n: bigint): CValue => ({
  type,
  place: undefined,
  value: n >= -(2n ** 53n) && n <= 2n ** 53n ? Number(n) : isSigned(type) ? n : BigInt.asIntN(64, n),
});
const flag = (yes: boolean): CValue => rvalue(INT, yes ? 1n : 0n);

function compare(sign: string, a: bigint, b: bigint, type: CType): boolean | undefined {
  const x = wrap(a, type);
  const y = wrap(b, type);
  switch (sign) {
    case '==':
      return x === y;
    case '!=':
      return x !== y;
    case '<':
      return x < y;
    case '>':
      return x > y;
    case '<=':
      return x <= y;
    case '>=':
      return x >= y;
    default:
      return undefined;
  }
}

function arithmetic(sign: string, a: bigint, b: bigint): bigint {
  switch (sign) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
    case '%':
      if (b === 0n) throw new Refusal('This divides by zero.');
      return sign === '/' ? a / b : a % b;
    case '<<':
      return a << (b & 63n);
    case '>>':
      return a >> (b & 63n);
    case '&':
      return a & b;
    case '|':
      return a | b;
    default:
      return a ^ b;
  }
}
