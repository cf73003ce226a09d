/**
 * Declarations of variables, functions and typedef names, in blocks and at file scope (C11 6.7), and static assertions, which stand where
 * declarations do.
 */
import { isComplete } from './layout.ts';
import { message } from './messages.ts';
import { assertion } from './parse-builtin.ts';
import { originOf, type Parser } from './parse-cursor.ts';
import { type Attributes, parseDeclarator, parseSpecifiers, type Specifiers } from './parse-declaration.ts';
import { parseConditional, parseExpression } from './parse-expression.ts';
import { parseInitializer } from './parse-initializer.ts';
import { decay, resolved } from './parse-typing.ts';
import type { CSymbol, VariableSymbol } from './scope.ts';
import type { Expression, Initializer, Statement } from './syntax.ts';
import { renderType } from './types.ts';

/** declaration = specifiers (declarator ("=" initializer)? ("," …)*)? ";" */
export function parseDeclaration(p: Parser, statements: Statement[]): void {
  const start = p.token;
  if (isStaticAssert(p)) {
    statements.push({ kind: 'expression', origin: originOf(start), expression: parseStaticAssert(p) });
    return;
  }
  const specifiers = parseSpecifiers(p);
  if (specifiers === undefined || p.accept(';')) return;
  const afterType = p.token;
  do {
    const first = p.token;
    const declared = declareOne(p, specifiers);
    if (declared === undefined) continue;
    const { symbol, initializer } = declared;
    // The first declarator's statement begins with the type.
    const origin = p.originFrom(first === afterType ? start : first);
    if (symbol.kind === 'variable' && symbol.storage === 'local')
      statements.push({ kind: 'declaration', origin, symbol, initializer });
  } while (p.accept(','));
  p.expect(';');
}

export interface Declared {
  symbol: CSymbol;
  initializer: Initializer | undefined;
  attributes: Attributes;
}

/** One declarator with its initialiser, entered into the present scope. */
export function declareOne(p: Parser, specifiers: Specifiers): Declared | undefined {
  const attributes: Attributes = { ...specifiers.attributes };
  const declarator = parseDeclarator(p, specifiers.type, 'named', attributes);
  const { name, origin } = declarator;
  if (p.failure !== undefined) return undefined;
  const type = resolved(p, declarator.type);
  if (specifiers.storage === 'typedef') {
    const symbol: CSymbol = { kind: 'typedef', name, type };
    p.scope.declare(symbol);
    return { symbol, initializer: undefined, attributes };
  }
  if (type.kind === 'function') {
    const symbol: CSymbol = {
      kind: 'function',
      name,
      type,
      scope: p.scope,
      mustPropagate: attributes.mustPropagate === true,
      origin,
    };
    if (attributes.error !== undefined) symbol.error = attributes.error;
    p.scope.declare(symbol);
    return { symbol, initializer: undefined, attributes };
  }
  const atFileScope = p.functionName === undefined;
  const symbol: VariableSymbol = {
    kind: 'variable',
    name,
    type,
    storage:
      specifiers.storage === 'extern' ? 'extern' : atFileScope || specifiers.storage === 'static' ? 'static' : 'local',
    origin,
  };
  if (attributes.cleanup !== undefined) {
    const cleanup = p.scope.lookup(attributes.cleanup);
    if (cleanup?.kind === 'function') symbol.cleanup = cleanup;
    else p.fail(message.undeclared(attributes.cleanup), origin);
  }
  if (atFileScope && specifiers.storage !== 'static') symbol.external = true;
  if (specifiers.storage !== 'extern') symbol.defined = true;
  let initializer: Initializer | undefined;
  // In scope from its own initialiser on (C11 6.2.1): `struct list x = LIST_HEAD_INIT(x)`.
  if (!specifiers.auto) p.scope.declare(symbol);
  if (p.accept('=')) {
    if (specifiers.auto) {
      const at = p.position;
      const value = decay(parseExpression(p));
      symbol.type = value.type;
      if (p.failure === undefined) p.resume(at);
    }
    initializer = parseInitializer(p, symbol.type);
    symbol.type = initializer.type;
    symbol.defined = true;
    if (symbol.storage === 'extern') symbol.storage = 'static';
    if (symbol.storage === 'static') symbol.initializer = initializer;
  }
  if (specifiers.auto) p.scope.declare(symbol);
  if (p.failure !== undefined) return undefined;
  if (symbol.storage !== 'extern' && !isComplete(symbol.type) && !atFileScope) {
    p.fail(message.incomplete(renderType(symbol.type)), origin);
    return undefined;
  }
  return { symbol, initializer, attributes };
}

export const isStaticAssert = (p: Parser): boolean =>
  (p.is('_Static_assert') || p.is('static_assert')) && p.peek().text === '(';

/** _Static_assert "(" constant ("," string)? ")" ";" */
export function parseStaticAssert(p: Parser): Expression {
  const start = p.token;
  p.advance();
  p.expect('(');
  const e = parseConditional(p);
  let text = '';
  if (p.accept(',')) {
    while (p.token.kind === 'string') {
      text += p.token.text.replace(/^"|"$/g, '');
      p.advance();
    }
  }
  p.expect(')');
  const origin = p.originFrom(start);
  p.expect(';');
  return assertion(e, e.value === undefined ? undefined : e.value !== 0n, text || 'the condition is 0', origin);
}

/** Passes over a static assertion where nothing can run. */
export function skipStaticAssert(p: Parser): boolean {
  if (!isStaticAssert(p)) return false;
  parseStaticAssert(p);
  return true;
}
