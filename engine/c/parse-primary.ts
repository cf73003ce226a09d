/**
 * Primary expressions (C11 6.5.1): names, constants, strings, parentheses, and what GCC puts in parentheses: statement expressions and compound
 * literals.
 */
import { message, Rule } from './messages.ts';
import { isBuiltin, isMemoryFunction, parseBuiltin } from './parse-builtin.ts';
import { originOf, type Parser } from './parse-cursor.ts';
import { parseTypeName, startsType } from './parse-declaration.ts';
import { nothing, parseAssignment, parseExpression } from './parse-expression.ts';
import { parseInitializer } from './parse-initializer.ts';
import { characterConstant, decodeText, integerConstant } from './parse-literal.ts';
import { parseBlock } from './parse-statement.ts';
import { bounded, decay, isLvalue, number, problem, resolved } from './parse-typing.ts';
import type { VariableSymbol } from './scope.ts';
import type { Expression } from './syntax.ts';
import type { Token } from './token.ts';
import { arrayOf, CHAR, type CType, functionType, INT, renderType, sameType, VOID } from './types.ts';

/** primary = "(" "{" … "}" ")" | "(" expression ")" | "(" type-name ")" "{" … "}" | name | number | character | string+ | _Generic | builtin */
export function parsePrimary(p: Parser): Expression {
  const start = p.token;
  switch (start.kind) {
    case 'number': {
      p.advance();
      const constant = integerConstant(start.text);
      if (constant === undefined)
        return problem(originOf(start), Rule.Unsupported, message.unsupported(`the constant \`${start.text}\``));
      return number(originOf(start), constant.value, constant.type);
    }
    case 'character': {
      p.advance();
      const constant = characterConstant(start.text);
      return number(originOf(start), constant.value, constant.type);
    }
    case 'string': {
      let text = '';
      while (p.token.kind === 'string') {
        text += decodeText(p.token.text);
        p.advance();
      }
      return string(p.originFrom(start), text);
    }
    case 'punctuator':
      if (start.text === '(') return parseParenthesized(p);
      break;
    case 'identifier':
      if (start.text === '_Generic') return parseGeneric(p);
      if (p.isIdentifier()) return parseName(p);
      break;
    default:
      break;
  }
  p.fail(message.expected('an expression', p.found()));
  return nothing(p);
}

export const string = (origin: Expression['origin'], text: string): Expression => ({
  kind: 'string',
  origin,
  type: arrayOf(CHAR, text.length + 1),
  text,
  height: 1,
});

/** "(" expression ")" | "(" "{" statement* "}" ")" | "(" type-name ")" "{" initializers "}" */
function parseParenthesized(p: Parser): Expression {
  const start = p.token;
  if (!p.enter()) return nothing(p);
  p.advance();
  let e: Expression;
  if (p.is('{')) {
    const body = parseBlock(p);
    p.expect(')');
    const last = body.statements[body.statements.length - 1];
    const value = last?.kind === 'expression' ? last.expression : undefined;
    const type = value === undefined ? VOID : decay(value).type;
    if (value !== undefined && last.kind === 'expression') last.expression = decay(value);
    e = bounded(p, {
      kind: 'statement-expression',
      origin: p.originFrom(start),
      type,
      body,
      height: (value?.height ?? 0) + 2,
    });
  } else if (startsType(p, p.token)) {
    const type = parseTypeName(p);
    p.expect(')');
    e = parseCompoundLiteral(p, type, start);
  } else {
    const inner = parseExpression(p);
    p.expect(')');
    // The parentheses belong to what a message underlines.
    e = isLvalue(inner) || inner.kind === 'problem' ? inner : { ...inner, origin: p.originFrom(start) };
  }
  p.leave();
  return e;
}

/** "{" initializers "}" behind "(" type-name ")" */
function parseCompoundLiteral(p: Parser, named: CType, start: Token): Expression {
  const type = resolved(p, named);
  const initializer = parseInitializer(p, type);
  const origin = p.originFrom(start);
  const symbol: VariableSymbol = {
    kind: 'variable',
    name: '(compound literal)',
    type: initializer.type,
    storage: p.functionName === undefined ? 'static' : 'local',
    origin,
    initializer,
    defined: true,
  };
  p.literals.push(symbol);
  const height = initializer.entries.reduce((h, entry) => Math.max(h, entry.value.height), 0) + 1;
  return bounded(p, { kind: 'compound-literal', origin, type: initializer.type, symbol, initializer, height });
}

/** _Generic "(" assignment ("," (type-name | "default") ":" assignment)* ")" */
function parseGeneric(p: Parser): Expression {
  const start = p.token;
  p.advance();
  p.expect('(');
  if (!p.enter()) return nothing(p);
  const control = decay(parseAssignment(p)).type;
  let chosen: Expression | undefined;
  let fallback: Expression | undefined;
  while (p.accept(',')) {
    if (p.accept('default')) {
      p.expect(':');
      fallback = parseAssignment(p);
      continue;
    }
    const type = parseTypeName(p);
    p.expect(':');
    const e = parseAssignment(p);
    if (chosen === undefined && sameType(control, type)) chosen = e;
  }
  p.expect(')');
  p.leave();
  return (
    chosen ??
    fallback ??
    problem(
      p.originFrom(start),
      Rule.Type,
      message.unsupported(`_Generic without an answer for \`${renderType(control)}\``),
    )
  );
}

/** name: an enumeration constant, variable or function, a built-in, or something nobody declared */
function parseName(p: Parser): Expression {
  const token = p.token;
  const origin = originOf(token);
  const name = token.text;
  if (isMemoryFunction(name) && p.peek().text === '(') return parseBuiltin(p);
  const symbol = p.scope.lookup(name);
  if (symbol === undefined) {
    if (isBuiltin(name) && p.peek().text === '(') return parseBuiltin(p);
    if (name === '__func__' || name === '__FUNCTION__' || name === '__PRETTY_FUNCTION__') {
      p.advance();
      return string(origin, p.functionName ?? '');
    }
    p.advance();
    if (p.is('(')) {
      // C90's implicit declaration: kernel code calls thousands of functions whose headers the model does not have.
      const type = functionType(INT, [], false, true);
      return {
        kind: 'function',
        origin,
        type,
        height: 1,
        symbol: { kind: 'function', name, type, scope: p.scope, mustPropagate: false, origin },
      };
    }
    return { ...problem(origin, Rule.Undefined, message.undeclared(name)), name };
  }
  p.advance();
  switch (symbol.kind) {
    case 'constant':
      return number(origin, symbol.value, symbol.type);
    case 'variable':
      p.controls?.add(symbol);
      return { kind: 'variable', origin, type: resolved(p, symbol.type), symbol, height: 1 };
    case 'function':
      return { kind: 'function', origin, type: symbol.type, symbol, height: 1 };
    default:
      p.fail(message.expected('an expression', `the type \`${name}\``), origin);
      return nothing(p);
  }
}
