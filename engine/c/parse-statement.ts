/**
 * Statements (C11 6.8), one function per production. A statement that cannot be read becomes a `problem`, which traps if it is reached; the
 * parser goes on behind it.
 */
import { message, Rule } from './messages.ts';
import { originOf, type Parser } from './parse-cursor.ts';
import { skipAttributes, startsType } from './parse-declaration.ts';
import { parseConstant, parseExpression } from './parse-expression.ts';
import { condition, convert, promoted } from './parse-typing.ts';
import { isStaticAssert, parseDeclaration } from './parse-variable.ts';
import type { VariableSymbol } from './scope.ts';
import type { BlockStatement, CaseStatement, Expression, LoopStatement, Statement } from './syntax.ts';
import type { Token } from './token.ts';
import { isInteger, renderType, VOID, wrap } from './types.ts';

/** block = "{" statement* "}" */
export function parseBlock(p: Parser): BlockStatement {
  const start = p.token;
  const statements: Statement[] = [];
  const outer = p.literals;
  const literals: VariableSymbol[] = [];
  p.literals = literals;
  p.expect('{');
  p.inScope(() => {
    while (!p.atEnd() && !p.is('}')) parseInto(p, statements);
  });
  p.expect('}');
  p.literals = outer;
  return { kind: 'block', origin: p.originFrom(start), statements, literals };
}

/** One statement or declaration, with recovery: whatever happens, the parser is further on and without a failure. */
function parseInto(p: Parser, statements: Statement[]): void {
  const start = p.position;
  const before = statements.length;
  const { depth, scope, controls, literals } = p;
  if (isDeclaration(p)) parseDeclaration(p, statements);
  else statements.push(parseStatement(p));
  const failure = p.failure;
  if (failure === undefined) return;
  p.depth = depth;
  p.scope = scope;
  p.controls = controls;
  p.literals = literals;
  p.resume(behindStatement(p, start));
  statements.length = before;
  statements.push({ kind: 'problem', origin: failure.origin, rule: Rule.Syntax, message: failure.message });
}

const isDeclaration = (p: Parser): boolean =>
  (startsType(p, p.token) && !(p.peek().text === ':' && p.isIdentifier()) && !isAttributeStatement(p)) ||
  isStaticAssert(p);

/** `__attribute__((fallthrough));` */
function isAttributeStatement(p: Parser): boolean {
  if (!p.token.text.startsWith('__attribute')) return false;
  return p.tokens[p.matching(p.position + 1)]?.text === ';';
}

/**
 * Behind the statement that begins at `start`: its `;` outside of brackets, or the `}` that closes its last block; before the enclosing
 * block's `}` if neither comes first.
 */
function behindStatement(p: Parser, start: number): number {
  let depth = 0;
  for (let i = start; i < p.tokens.length; i++) {
    const { text, kind } = p.tokens[i];
    if (kind === 'end') return i;
    if (kind !== 'punctuator') continue;
    if (text === '{' || text === '(' || text === '[') depth++;
    else if (text === '}' || text === ')' || text === ']') {
      if (depth === 0) {
        // The enclosing block's brace; a stray `)` is passed over so that the parser always moves on.
        if (text === '}' && i > start) return i;
        return i + 1;
      }
      depth--;
      if (depth === 0 && text === '}' && !continues(p, i + 1)) return i + 1;
    } else if (text === ';' && depth === 0) return i + 1;
  }
  return p.tokens.length;
}

/** Does the statement go on behind a `}`: `else`, the `while` of a `do`, or an initialiser's `;`? */
function continues(p: Parser, position: number): boolean {
  const text = p.tokens[position]?.text;
  return text === 'else' || text === ';' || text === ',' || text === ')';
}

/** statement = labelled | block | if | loop | switch | jump | asm | expression? ";" */
export function parseStatement(p: Parser): Statement {
  const start = p.token;
  if (!p.enter()) return { kind: 'empty', origin: originOf(start) };
  const statement = parseUnlabelled(p, start);
  p.leave();
  return statement;
}

function parseUnlabelled(p: Parser, start: Token): Statement {
  const origin = (): Statement['origin'] => p.originFrom(start);
  if (p.is('{')) return parseBlock(p);
  if (p.accept(';')) return { kind: 'empty', origin: origin() };
  if (start.kind === 'identifier') {
    switch (start.text) {
      case 'if':
        return parseIf(p, start);
      case 'while':
      case 'do':
      case 'for':
        return parseLoop(p, start);
      case 'switch':
        return parseSwitch(p, start);
      case 'case':
      case 'default':
        return parseCase(p, start);
      case 'break':
      case 'continue':
        p.advance();
        p.expect(';');
        return { kind: start.text, origin: origin() };
      case 'goto': {
        p.advance();
        const label = p.token;
        if (!p.isIdentifier())
          p.fail(p.is('*') ? message.unsupported('a computed goto') : message.expected('a label', p.found()));
        p.advance();
        p.expect(';');
        return { kind: 'goto', origin: origin(), label: label.text };
      }
      case 'return': {
        p.advance();
        let value: Expression | undefined;
        if (!p.is(';')) {
          const e = parseExpression(p);
          value = p.returns === undefined || p.returns.kind === 'void' ? convert(p, e, VOID) : convert(p, e, p.returns);
        }
        p.expect(';');
        return { kind: 'return', origin: origin(), value };
      }
      case 'asm':
      case '__asm__':
      case '__asm':
        return parseAsm(p, start);
      case '__label__':
        while (!p.atEnd() && !p.is(';')) p.advance();
        p.expect(';');
        return { kind: 'empty', origin: origin() };
      default:
        break;
    }
    if (p.isIdentifier() && p.peek().text === ':') {
      p.advance();
      p.advance();
      p.labels++;
      p.labelNames.add(start.text);
      skipAttributes(p, {});
      // A label may stand before a declaration or the closing brace (C23, GCC).
      const body: Statement =
        p.is('}') || isDeclaration(p) ? { kind: 'empty', origin: originOf(start) } : parseStatement(p);
      return { kind: 'label', origin: originOf(start), name: start.text, body };
    }
    if (
      isAttributeStatement(p) ||
      (start.text === 'fallthrough' && p.peek().text === ';' && p.scope.lookup('fallthrough') === undefined)
    ) {
      while (!p.atEnd() && !p.is(';')) p.advance();
      p.expect(';');
      return { kind: 'empty', origin: origin() };
    }
  }
  if (p.isIdentifier() && p.peek().kind === 'identifier' && p.scope.lookup(start.text) === undefined) {
    p.fail(message.unknownType(start.text));
  }
  const expression = parseExpression(p);
  const at = origin();
  p.expect(';');
  return { kind: 'expression', origin: at, expression };
}

/** The statement that a label or case stands before: it may fail, the label stays. */
function parseBehindLabel(p: Parser): Statement {
  if (p.failure !== undefined) return { kind: 'empty', origin: originOf(p.token) };
  const start = p.token;
  const list: Statement[] = [];
  parseInto(p, list);
  return list.length === 1 ? list[0] : { kind: 'block', origin: p.originFrom(start), statements: list, literals: [] };
}

/** if = "if" "(" expression ")" statement ("else" statement)? */
function parseIf(p: Parser, start: Token): Statement {
  p.advance();
  const test = parseCondition(p);
  const consequent = parseSub(p);
  const otherwise = p.accept('else') ? parseSub(p) : undefined;
  return { kind: 'if', origin: p.originFrom(start), condition: test, consequent, otherwise };
}

/** "(" expression ")" as something that is tested */
function parseCondition(p: Parser): Expression {
  p.expect('(');
  const e = condition(parseExpression(p));
  p.expect(')');
  return e;
}

/** The body of an if or a loop: recovers by itself, so that a bad line costs that line. */
function parseSub(p: Parser): Statement {
  if (p.failure !== undefined || p.atEnd()) {
    p.fail(message.expected('a statement', p.found()));
    return { kind: 'empty', origin: originOf(p.token) };
  }
  const start = p.token;
  const list: Statement[] = [];
  p.inScope(() => parseInto(p, list));
  return list.length === 1 ? list[0] : { kind: 'block', origin: p.originFrom(start), statements: list, literals: [] };
}

/** loop = "while" "(" e ")" s | "do" s "while" "(" e ")" ";" | "for" "(" (declaration | e? ";") e? ";" e? ")" s */
function parseLoop(p: Parser, start: Token): Statement {
  const form = start.text as LoopStatement['form'];
  const loop: LoopStatement = {
    kind: 'loop',
    form,
    origin: originOf(start),
    initial: [],
    condition: undefined,
    step: undefined,
    body: { kind: 'empty', origin: originOf(start) },
    head: originOf(start),
    hasLabels: false,
    controls: new Set(),
  };
  const labels = p.labels;
  p.advance();
  if (form === 'do') {
    loop.body = parseSub(p);
    const tail = p.token;
    p.expect('while');
    loop.condition = controlling(p, loop, parseCondition);
    loop.head = p.originFrom(tail);
    p.expect(';');
  } else if (form === 'while') {
    loop.condition = controlling(p, loop, parseCondition);
    loop.head = p.originFrom(start);
    loop.body = parseSub(p);
  } else {
    p.inScope(() => {
      p.expect('(');
      if (startsType(p, p.token)) parseDeclaration(p, loop.initial);
      else {
        const first = p.token;
        if (!p.is(';'))
          loop.initial.push({ kind: 'expression', expression: parseExpression(p), origin: p.originFrom(first) });
        p.expect(';');
      }
      if (!p.is(';')) loop.condition = controlling(p, loop, (q) => condition(parseExpression(q)));
      p.expect(';');
      if (!p.is(')')) loop.step = parseExpression(p);
      p.expect(')');
      loop.head = p.originFrom(start);
      loop.body = parseSub(p);
    });
  }
  loop.origin = p.originFrom(start);
  loop.hasLabels = p.labels > labels;
  return loop;
}

/** Reads a controlling expression, noting the variables it names. */
function controlling(p: Parser, loop: LoopStatement, read: (p: Parser) => Expression): Expression {
  const outer = p.controls;
  p.controls = loop.controls;
  const e = read(p);
  p.controls = outer;
  return e;
}

/** switch = "switch" "(" expression ")" statement */
function parseSwitch(p: Parser, start: Token): Statement {
  p.advance();
  p.expect('(');
  const raw = parseExpression(p);
  p.expect(')');
  const control = promoted(p, raw);
  if (control.kind !== 'problem' && !isInteger(control.type))
    p.fail(message.notScalar(renderType(control.type)), control.origin);
  const outer = p.switch;
  const cases: CaseStatement[] = [];
  p.switch = { cases, type: control.type };
  const body = parseSub(p);
  p.switch = outer;
  return { kind: 'switch', origin: p.originFrom(start), control, cases, body };
}

/** case = ("case" constant ("..." constant)? | "default") ":" statement */
function parseCase(p: Parser, start: Token): Statement {
  const inside = p.switch;
  p.labels++;
  const isDefault = start.text === 'default';
  p.advance();
  let low: bigint | undefined;
  let high: bigint | undefined;
  if (!isDefault) {
    low = parseConstant(p, 'a case label');
    high = p.accept('...') ? parseConstant(p, 'a case label') : low;
  }
  p.expect(':');
  const origin = p.originFrom(start);
  if (inside === undefined) p.fail(message.strayKeyword(start.text), origin);
  skipAttributes(p, {});
  const statement: CaseStatement = { kind: 'case', origin, low, high, body: { kind: 'empty', origin } };
  if (p.failure === undefined && inside !== undefined) {
    if (low !== undefined && high !== undefined) {
      statement.low = wrap(low, inside.type);
      statement.high = wrap(high, inside.type);
    }
    inside.cases.push(statement);
  }
  if (!p.is('}') && !isDeclaration(p)) statement.body = parseBehindLabel(p);
  return statement;
}

/** asm = "asm" qualifier* "(" … ")" ";" : an empty one is a compiler barrier, which the simulator does not need */
function parseAsm(p: Parser, start: Token): Statement {
  p.advance();
  while (p.token.kind === 'identifier' && !p.atEnd()) p.advance();
  const empty = p.peek().kind === 'string' && p.peek().text === '""';
  const behind = p.matching(p.position);
  p.expect('(');
  while (!p.atEnd() && p.position < behind) p.advance();
  const origin = p.originFrom(start);
  p.expect(';');
  if (empty) return { kind: 'empty', origin };
  return { kind: 'problem', origin, rule: Rule.Unsupported, message: message.unsupported('inline assembly') };
}
