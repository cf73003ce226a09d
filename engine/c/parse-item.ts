/**
 * Top-level items (C11 6.9): a declaration is entered into its file's scope; of a function definition the signature is read first and the
 * body only when the function is compiled.
 */
import type { Origin } from '../vm/bytecode.ts';
import { message, Rule } from './messages.ts';
import { type Failure, Parser } from './parse-cursor.ts';
import { type Attributes, parseDeclarator, parseSpecifiers } from './parse-declaration.ts';
import { parseBlock } from './parse-statement.ts';
import { resolved } from './parse-typing.ts';
import { declareOne, skipStaticAssert } from './parse-variable.ts';
import type { FunctionSymbol, Scope, VariableSymbol } from './scope.ts';
import type { FunctionSyntax } from './syntax.ts';
import type { Item } from './token.ts';

/** declaration = specifiers (declarator ("=" initializer)? ("," …)*)? ";" ; the failure, if it could not be read */
export function parseFileDeclaration(item: Item, scope: Scope): Failure | undefined {
  const p = new Parser(item.tokens(), scope);
  while (!p.atEnd()) {
    if (p.accept(';') || skipStaticAssert(p)) continue;
    const specifiers = parseSpecifiers(p);
    if (specifiers === undefined) break;
    if (p.accept(';')) continue;
    do {
      declareOne(p, specifiers);
    } while (p.accept(','));
    p.expect(';');
  }
  return p.failure;
}

/** The head of a function definition. */
export interface FunctionHead {
  symbol: FunctionSymbol;
  isStatic: boolean;
  /** Where the body's tokens begin. */
  body: number;
  parser: Parser;
}

/** head = specifiers declarator, before "{" */
export function parseFunctionHead(item: Item, scope: Scope): FunctionHead | Failure {
  const p = new Parser(item.tokens(), scope);
  const specifiers = parseSpecifiers(p);
  if (specifiers === undefined) return p.failure ?? unreadable(item.origin);
  const attributes: Attributes = { ...specifiers.attributes };
  const declarator = parseDeclarator(p, specifiers.type, 'named', attributes);
  if (p.failure !== undefined) return p.failure;
  if (declarator.type.kind !== 'function' || !p.is('{'))
    return { origin: declarator.origin, message: message.expected('a function body', p.found()) };
  const symbol: FunctionSymbol = {
    kind: 'function',
    name: declarator.name,
    type: declarator.type,
    scope,
    mustPropagate: attributes.mustPropagate === true,
    origin: declarator.origin,
  };
  return { symbol, isStatic: specifiers.storage === 'static', body: p.position, parser: p };
}

const unreadable = (origin: Origin): Failure => ({ origin, message: message.expected('a function', 'something else') });

/** function = head block */
export function parseFunctionBody(head: FunctionHead, origin: Origin): FunctionSyntax {
  const { symbol } = head;
  const p = new Parser(head.parser.tokens, symbol.scope);
  p.resume(head.body);
  p.functionName = symbol.name;
  p.returns = resolved(p, symbol.type.returns);
  const parameters: VariableSymbol[] = [];
  return p.inScope(() => {
    for (const { name, type } of symbol.type.parameters) {
      const parameter: VariableSymbol = {
        kind: 'variable',
        name,
        type: resolved(p, type),
        storage: 'parameter',
        origin,
      };
      parameters.push(parameter);
      if (name !== '') p.scope.declare(parameter);
    }
    const body = parseBlock(p);
    if (p.failure !== undefined) {
      const { origin: at, message: text } = p.failure;
      body.statements.push({ kind: 'problem', origin: at, rule: Rule.Syntax, message: text });
    }
    return { name: symbol.name, type: symbol.type, parameters, body, origin, labels: p.labelNames };
  });
}
