/**
 * Expressions (C11 6.5), one function per production, with GCC's statement expressions, `a ?: b`, `typeof` and the built-ins kernel code uses.
 */
import { alignOf, findMember, isComplete, sizeOf, slotsOf } from './layout.ts';
import { message, Rule } from './messages.ts';
import { originOf, type Parser } from './parse-cursor.ts';
import { parseTypeName, startsType } from './parse-declaration.ts';
import { parsePrimary } from './parse-primary.ts';
import {
  above,
  address,
  assignment,
  binary,
  bounded,
  comparison,
  compound,
  conditional,
  convert,
  decay,
  dereference,
  logical,
  number,
  problem,
  promoted,
  resolved,
  sizeType,
  unary,
} from './parse-typing.ts';
import type { ArithmeticOperator, Expression } from './syntax.ts';
import type { Token } from './token.ts';
import { type CType, INT, isRecord, isScalar, renderType, sameType } from './types.ts';

const LEVELS: Record<string, number> = {
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
const ASSIGNMENTS = new Set(['+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=']);

/** What is left in place of an expression that could not be read; the failure is reported by the statement. */
export const nothing = (p: Parser): Expression => number(originOf(p.token), 0n, INT);

/** expression = assignment ("," assignment)* */
export function parseExpression(p: Parser): Expression {
  let left = parseAssignment(p);
  while (p.accept(',')) {
    const right = decay(parseAssignment(p));
    left = bounded(p, {
      kind: 'comma',
      origin: { ...left.origin, end: Math.max(left.origin.end, right.origin.end) },
      type: right.type,
      left,
      right,
      height: above(left, right),
    });
  }
  return left;
}

/** assignment = conditional (("=" | "+=" | …) assignment)? */
export function parseAssignment(p: Parser): Expression {
  if (!p.enter()) return nothing(p);
  const start = p.token;
  const target = parseConditional(p);
  let result = target;
  if (p.accept('=')) {
    result = assignment(p, target, parseAssignment(p));
  } else if (p.token.kind === 'punctuator' && ASSIGNMENTS.has(p.token.text)) {
    const operator = p.token.text.slice(0, -1) as ArithmeticOperator;
    p.advance();
    const operand = parseAssignment(p);
    result = compound(p, operator, target, operand, p.originFrom(start));
  }
  p.leave();
  return result;
}

/** conditional = binary ("?" expression? ":" conditional)? */
export function parseConditional(p: Parser): Expression {
  const test = parseBinary(p, 1);
  if (!p.accept('?')) return test;
  if (!p.enter()) return test;
  const consequent = p.is(':') ? undefined : parseExpression(p);
  p.expect(':');
  const otherwise = parseConditional(p);
  p.leave();
  return conditional(p, test, consequent, otherwise);
}

/** binary = cast (operator cast)*, by precedence */
function parseBinary(p: Parser, level: number): Expression {
  let left = parseCast(p);
  for (;;) {
    const operator = p.token.text;
    const own = p.token.kind === 'punctuator' ? LEVELS[operator] : undefined;
    if (own === undefined || own < level) return left;
    p.advance();
    const right = parseBinary(p, own + 1);
    if (operator === '&&' || operator === '||') left = logical(p, operator, left, right);
    else if (own === 6 || own === 7) left = comparison(p, operator as '==', left, right);
    else left = binary(p, operator as ArithmeticOperator, left, right);
  }
}

/** cast = "(" type-name ")" cast | unary */
export function parseCast(p: Parser): Expression {
  if (!p.is('(') || !startsType(p, p.peek())) return parseUnary(p);
  // A compound literal is a postfix expression: `(struct s){ … }.member`.
  if (p.tokens[p.matching(p.position)]?.text === '{') return parseUnary(p);
  const start = p.token;
  p.advance();
  if (!p.enter()) return nothing(p);
  const type = parseTypeName(p);
  p.expect(')');
  const operand = parseCast(p);
  let result = castTo(p, operand, type);
  p.leave();
  if (result.kind !== 'problem') result = { ...result, origin: p.originFrom(start) };
  return result;
}

function castTo(p: Parser, operand: Expression, type: CType): Expression {
  if (isRecord(type) && isRecord(operand.type) && sameType(type, operand.type)) return operand;
  return convert(p, operand, type, true);
}

/** unary = ("+" | "-" | "!" | "~" | "*" | "&" | "++" | "--" | "__extension__") cast | sizeof | _Alignof | postfix */
export function parseUnary(p: Parser): Expression {
  const start = p.token;
  if (start.kind !== 'punctuator') {
    if (start.kind === 'identifier') {
      if (start.text === 'sizeof' || /^(_Alignof|__alignof__|__alignof)$/.test(start.text))
        return parseSizeof(p, start.text === 'sizeof');
      if (start.text === '__extension__') {
        p.advance();
        return p.enter() ? leaving(p, parseCast(p)) : nothing(p);
      }
    }
    return parsePostfix(p);
  }
  const text = start.text;
  switch (text) {
    case '+':
    case '-':
    case '!':
    case '~':
    case '*':
    case '&':
    case '++':
    case '--':
    case '&&':
      break;
    default:
      return parsePostfix(p);
  }
  p.advance();
  if (!p.enter()) return nothing(p);
  const operand = text === '++' || text === '--' ? parseUnary(p) : parseCast(p);
  p.leave();
  const origin = p.originFrom(start);
  switch (text) {
    case '*':
      return dereference(p, operand, origin);
    case '&':
      return address(p, operand, origin);
    case '++':
    case '--':
      return compound(p, text === '++' ? '+' : '-', operand, number(origin, 1n, INT), origin);
    case '&&':
      return problem(origin, Rule.Unsupported, message.unsupported('the address of a label'));
    default:
      return unary(p, text as '-', operand, origin);
  }
}

function leaving(p: Parser, e: Expression): Expression {
  p.leave();
  return e;
}

/** ("sizeof" | "_Alignof") ("(" type-name ")" | unary) */
function parseSizeof(p: Parser, size: boolean): Expression {
  const start = p.token;
  p.advance();
  if (!p.enter()) return nothing(p);
  let type: CType;
  const isType = p.is('(') && startsType(p, p.peek());
  const literal = isType && p.tokens[p.matching(p.position)]?.text === '{';
  if (isType && !literal) {
    p.advance();
    type = parseTypeName(p);
    p.expect(')');
  } else type = parseUnary(p).type;
  p.leave();
  const origin = p.originFrom(start);
  type = resolved(p, type);
  if (!isComplete(type) && type.kind !== 'void' && type.kind !== 'function')
    return problem(origin, Rule.Type, message.incomplete(renderType(type)), sizeType);
  const value = BigInt(size ? sizeOf(type) : alignOf(type));
  const node: Expression = { kind: 'number', origin, type: sizeType, value, height: 1 };
  return size ? { ...node, slots: slotsOf(type) } : node;
}

/** postfix = primary ("[" expression "]" | "(" arguments ")" | "." name | "->" name | "++" | "--")* */
function parsePostfix(p: Parser): Expression {
  const start = p.token;
  let e = parsePrimary(p);
  for (;;) {
    if (p.token.kind !== 'punctuator') return e;
    switch (p.token.text) {
      case '[': {
        p.advance();
        const index = parseExpression(p);
        p.expect(']');
        const origin = p.originFrom(start);
        const sum = binary(p, '+', e, index);
        e = dereference(p, sum.kind === 'problem' ? sum : { ...sum, origin }, origin);
        break;
      }
      case '(':
        e = parseCall(p, e, start);
        break;
      case '.':
      case '->': {
        const arrow = p.token.text === '->';
        p.advance();
        const name = p.token;
        if (name.kind !== 'identifier') {
          p.fail(message.expected('a member name', p.found()));
          return e;
        }
        p.advance();
        const record = arrow ? dereference(p, e, e.origin) : e;
        e = member(p, record, name.text, p.originFrom(start));
        break;
      }
      case '++':
      case '--': {
        const operator = p.token.text === '++' ? '+' : '-';
        p.advance();
        const origin = p.originFrom(start);
        e = compound(p, operator, e, number(origin, 1n, INT), origin, true);
        break;
      }
      default:
        return e;
    }
    if (p.failure !== undefined) return e;
  }
}

/** `record.name`, through anonymous members. */
export function member(p: Parser, record: Expression, name: string, origin: Expression['origin']): Expression {
  if (record.kind === 'problem') return { ...record, origin };
  const type = resolved(p, record.type);
  if (!isRecord(type)) return problem(origin, Rule.Type, message.notARecord(renderType(type)));
  if (!type.complete) return problem(origin, Rule.Type, message.incomplete(renderType(type)));
  const found = findMember(type, name);
  if (found === undefined) return problem(origin, Rule.Type, message.noMember(renderType(type), name));
  const e: Expression = {
    kind: 'member',
    origin,
    type: resolved(p, found.member.type),
    record,
    name,
    slot: found.slot,
    overlaid: found.overlaid,
    mustPropagate: found.member.mustPropagate === true,
    height: record.height + 1,
  };
  if (found.member.bits !== undefined) e.bits = found.member.bits;
  return bounded(p, e);
}

/** arguments = (assignment ("," assignment)*)? */
export function parseArguments(p: Parser): Expression[] {
  const list: Expression[] = [];
  if (p.is(')')) return list;
  do {
    list.push(parseAssignment(p));
  } while (p.accept(','));
  return list;
}

/** "(" arguments ")" behind the expression that is called */
function parseCall(p: Parser, callee: Expression, start: Token): Expression {
  p.advance();
  const given = parseArguments(p);
  p.expect(')');
  const origin = p.originFrom(start);
  if (callee.kind === 'problem') return { ...callee, origin };
  const target = decay(callee);
  const type = target.type.kind === 'pointer' ? target.type.to : target.type;
  if (type.kind !== 'function') return problem(origin, Rule.Type, message.notCallable(renderType(callee.type)));
  const name =
    callee.kind === 'function' ? callee.symbol.name : callee.kind === 'member' ? callee.name : renderType(callee.type);
  const returns = resolved(p, type.returns);
  if (
    !type.unspecified &&
    (given.length < type.parameters.length || (!type.variadic && given.length > type.parameters.length))
  ) {
    return problem(origin, Rule.Type, message.tooFew(name, type.parameters.length, given.length), returns);
  }
  const values = given.map((argument, i) => {
    if (!type.unspecified && i < type.parameters.length)
      return convert(p, argument, resolved(p, type.parameters[i].type));
    return promoted(p, argument);
  });
  const called = callee.kind === 'function' ? callee : target;
  return bounded(p, {
    kind: 'call',
    origin,
    type: returns,
    callee: called,
    arguments: values,
    height: above(called, ...values),
  });
}

/** A scalar constant expression: enumeration values, array bounds, case labels, bit-field widths. */
export function parseConstant(p: Parser, what: string): bigint | undefined {
  const e = parseConditional(p);
  if (p.failure !== undefined) return undefined;
  if (e.value !== undefined && isScalar(e.type)) return e.value;
  p.fail(e.kind === 'problem' ? e.message : message.notConstant(what), e.origin);
  return undefined;
}
