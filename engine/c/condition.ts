/**
 * Controlling expressions of `#if` and `#elif` (C11 6.10.1): integer constant expressions over intmax_t and uintmax_t, in which every identifier
 * that is left after macro expansion is 0. A constant expression's grammar is a ladder of binary operators, climbed by precedence.
 */
import type { Token } from './token.ts';

/** 64-bit value with its signedness; an unsigned operand makes the operation unsigned (C11 6.3.1.8). */
export interface ConditionValue {
  value: bigint;
  unsigned: boolean;
}

/** What stops an expression: the token it is at and why. */
export interface ConditionError {
  token: Token;
  message: string;
}

/** Binary operators and how tightly they bind. */
const PRECEDENCE: Record<string, number> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};

/** Parentheses, unary operators and `?:` within each other; far beyond any header. */
const DEPTH = 200;

class Stop {
  readonly error: ConditionError;
  constructor(token: Token, message: string) {
    this.error = { token, message };
  }
}

/**
 * Evaluate expanded tokens. `tokens` must not be empty and must not hold an `end` token; `defined` has been replaced already.
 */
export function evaluateCondition(tokens: readonly Token[]): ConditionValue | ConditionError {
  const parser = new ConditionParser(tokens);
  try {
    return parser.whole();
  } catch (stop) {
    // The one jump out of the recursion; it does not leave this function.
    if (stop instanceof Stop) return stop.error;
    throw stop;
  }
}

class ConditionParser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  whole(): ConditionValue {
    const result = this.conditional(true);
    if (this.at < this.tokens.length)
      throw new Stop(
        this.tokens[this.at],
        `\`${this.tokens[this.at].text}\` does not belong here: the condition is complete before it.`,
      );
    return result;
  }

  private peek(): string {
    return this.at < this.tokens.length && this.tokens[this.at].kind === 'punctuator' ? this.tokens[this.at].text : '';
  }

  private here(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)];
  }

  /** conditional = binary [ "?" conditional ":" conditional ] */
  private conditional(evaluated: boolean): ConditionValue {
    if (++this.depth > DEPTH) throw new Stop(this.here(), `This condition is nested more than ${DEPTH} deep.`);
    const condition = this.binary(1, evaluated);
    let result = condition;
    if (this.peek() === '?') {
      this.at++;
      const chosen = condition.value !== 0n;
      const yes = this.conditional(evaluated && chosen);
      if (this.peek() !== ':') throw new Stop(this.here(), 'A `?` in a condition needs its `:`.');
      this.at++;
      const no = this.conditional(evaluated && !chosen);
      const unsigned = yes.unsigned || no.unsigned;
      result = wrap((chosen ? yes : no).value, unsigned);
    }
    this.depth--;
    return result;
  }

  /** binary = unary { operator binary-that-binds-tighter } */
  private binary(least: number, evaluated: boolean): ConditionValue {
    let left = this.unary(evaluated);
    for (;;) {
      const operator = this.peek();
      const level = PRECEDENCE[operator];
      if (level === undefined || level < least) return left;
      const token = this.tokens[this.at++];
      if (operator === '&&' || operator === '||') {
        const decided = operator === '&&' ? left.value === 0n : left.value !== 0n;
        const right = this.binary(level + 1, evaluated && !decided);
        left = truth(decided ? operator === '||' : right.value !== 0n);
      } else {
        const right = this.binary(level + 1, evaluated);
        left = apply(operator, left, right, token, evaluated);
      }
    }
  }

  /** unary = ( "+" | "-" | "~" | "!" ) unary | "(" conditional { "," conditional } ")" | number | character | identifier */
  private unary(evaluated: boolean): ConditionValue {
    if (this.at >= this.tokens.length) throw new Stop(this.here(), 'The condition ends where a value is expected.');
    const token = this.tokens[this.at++];
    if (token.kind === 'punctuator' && '+-~!('.includes(token.text) && token.text.length === 1) {
      if (token.text === '(') {
        let inner = this.conditional(evaluated);
        while (this.peek() === ',') {
          this.at++;
          inner = this.conditional(evaluated);
        }
        if (this.peek() !== ')') throw new Stop(token, 'This `(` of the condition has no `)`.');
        this.at++;
        return inner;
      }
      if (++this.depth > DEPTH) throw new Stop(token, `This condition is nested more than ${DEPTH} deep.`);
      const operand = this.unary(evaluated);
      this.depth--;
      switch (token.text) {
        case '-':
          return wrap(-operand.value, operand.unsigned);
        case '~':
          return wrap(~operand.value, operand.unsigned);
        case '!':
          return truth(operand.value === 0n);
        default:
          return operand;
      }
    }
    switch (token.kind) {
      case 'identifier':
        return { value: 0n, unsigned: false };
      case 'number': {
        const value = integer(token.text);
        if (value === undefined)
          throw new Stop(token, `\`${token.text}\` is no integer; a condition can hold nothing else.`);
        return value;
      }
      case 'character':
        return { value: characterValue(token.text), unsigned: false };
      default:
        throw new Stop(token, `\`${token.text}\` cannot stand in a condition here.`);
    }
  }
}

const truth = (b: boolean): ConditionValue => ({ value: b ? 1n : 0n, unsigned: false });
const wrap = (value: bigint, unsigned: boolean): ConditionValue => ({
  value: unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value),
  unsigned,
});

function apply(
  operator: string,
  left: ConditionValue,
  right: ConditionValue,
  token: Token,
  evaluated: boolean,
): ConditionValue {
  if (operator === '<<' || operator === '>>') {
    // The shift's type is its left operand's; a count out of range is undefined in C, x86 takes it modulo 64.
    const count = BigInt.asUintN(6, right.value);
    return wrap(operator === '<<' ? left.value << count : left.value >> count, left.unsigned);
  }
  const unsigned = left.unsigned || right.unsigned;
  const a = wrap(left.value, unsigned).value;
  const b = wrap(right.value, unsigned).value;
  switch (operator) {
    case '*':
      return wrap(a * b, unsigned);
    case '/':
    case '%':
      if (b === 0n) {
        if (evaluated) throw new Stop(token, 'Division by zero in a condition.');
        return { value: 0n, unsigned };
      }
      return wrap(operator === '/' ? a / b : a % b, unsigned);
    case '+':
      return wrap(a + b, unsigned);
    case '-':
      return wrap(a - b, unsigned);
    case '<':
      return truth(a < b);
    case '>':
      return truth(a > b);
    case '<=':
      return truth(a <= b);
    case '>=':
      return truth(a >= b);
    case '==':
      return truth(a === b);
    case '!=':
      return truth(a !== b);
    case '&':
      return wrap(a & b, unsigned);
    case '^':
      return wrap(a ^ b, unsigned);
    default:
      return wrap(a | b, unsigned);
  }
}

const INTEGER = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)([uUlL]{0,3})$/;
const SUFFIX = /^(u?(l|ll)?|(l|ll)u)$/i;

/** An integer constant (C11 6.4.4.1, with GNU binary ones), taken as 64 bits; undefined if it is none. */
export function integer(text: string): ConditionValue | undefined {
  const match = INTEGER.exec(text);
  if (match === null || !SUFFIX.test(match[2])) return undefined;
  const digits = match[1];
  // 4,000 digits would still be exact, but cost more than they are worth.
  if (digits.length > 80) return undefined;
  const octal = digits.length > 1 && digits[0] === '0' && digits[1] >= '0' && digits[1] <= '7';
  const value = BigInt.asUintN(64, BigInt(octal ? `0o${digits.slice(1)}` : digits));
  // A constant that does not fit intmax_t is unsigned (gcc, with a warning for decimal ones).
  return { value, unsigned: /u/i.test(match[2]) || value > 0x7fffffffffffffffn };
}

const ESCAPES: Record<string, number> = { n: 10, t: 9, r: 13, 0: 0, a: 7, b: 8, f: 12, v: 11, e: 27 };

/** Value of a character constant as an `int`; plain `char` is signed on x86. Several characters are put together as gcc does. */
export function characterValue(text: string): bigint {
  const open = text.indexOf("'");
  const body = text.slice(open + 1, text.length > open + 1 && text.endsWith("'") ? -1 : undefined);
  const wide = open > 0;
  let value = 0n;
  let count = 0;
  for (let i = 0; i < body.length; i++) {
    let code = body.codePointAt(i) ?? 0;
    if (code > 0xffff) i++;
    if (code === 92 && i + 1 < body.length) {
      i++;
      const letter = body[i];
      const octal = /^[0-7]{1,3}/.exec(body.slice(i));
      const hex = /^x([0-9a-fA-F]{1,8})/.exec(body.slice(i));
      if (octal) {
        code = Number.parseInt(octal[0], 8);
        i += octal[0].length - 1;
      } else if (hex) {
        code = Number.parseInt(hex[1], 16);
        i += hex[1].length;
      } else code = ESCAPES[letter] ?? letter.charCodeAt(0);
    }
    value = wide ? BigInt(code) : BigInt.asIntN(32, (value << 8n) | BigInt(code & 0xff));
    count++;
  }
  return count === 1 && !wide ? BigInt.asIntN(8, value) : value;
}
