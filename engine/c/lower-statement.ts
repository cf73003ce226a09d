/**
 * Statements: control flow. A loop is `head: branch out unless condition; body; LOOP head`, one fused compare and one back edge a turn. A
 * `goto` backwards is a back edge too, so that every cycle is charged to the step budget.
 */
import { Op } from '../vm/bytecode.ts';
import { slotsOf } from './layout.ts';
import { branch, isUnsigned64 } from './lower-condition.ts';
import { type Lowering, MAX_FRAME } from './lower-context.ts';
import { effect, operand, value } from './lower-expression.ts';
import { initialize, recordInto } from './lower-record.ts';
import { message, Rule } from './messages.ts';
import type { DeclarationStatement, Expression, LoopStatement, Statement, SwitchStatement } from './syntax.ts';
import { isRecord, pointerTo } from './types.ts';

export function statement(l: Lowering, s: Statement): void {
  const { emitter } = l;
  switch (s.kind) {
    case 'block':
      guarded(l, () => {
        for (const literal of s.literals) l.declare(literal, slotsOf(literal.type));
        for (const inner of s.statements) statement(l, inner);
      });
      return;
    case 'expression':
      emitter.beginStatement(s.origin);
      effect(l, s.expression);
      return;
    case 'declaration':
      declaration(l, s);
      return;
    case 'if': {
      emitter.beginStatement(s.condition.origin);
      const otherwise = emitter.label();
      branch(l, s.condition, otherwise, false);
      statement(l, s.consequent);
      if (s.otherwise === undefined) {
        emitter.bind(otherwise);
        return;
      }
      const end = emitter.label();
      emitter.jump(end);
      emitter.bind(otherwise);
      statement(l, s.otherwise);
      emitter.bind(end);
      return;
    }
    case 'loop':
      guarded(l, () => loop(l, s));
      return;
    case 'switch':
      switchStatement(l, s);
      return;
    case 'case': {
      const label = l.caseLabels.get(s);
      if (label !== undefined) emitter.bind(label);
      statement(l, s.body);
      return;
    }
    case 'label':
      emitter.bind(labelOf(l, s.name), true);
      statement(l, s.body);
      return;
    case 'goto':
      emitter.beginStatement(s.origin);
      if (l.guards.length > 0)
        l.trap(s.origin, Rule.Unsupported, message.unsupported('a goto in a block with a scope guard'));
      else if (!l.syntax.labels.has(s.label)) l.trap(s.origin, Rule.Syntax, message.noLabel(s.label));
      else if (emitter.isBound(labelOf(l, s.label))) emitter.loop(labelOf(l, s.label), { origin: s.origin });
      else emitter.jump(labelOf(l, s.label));
      return;
    case 'break':
    case 'continue': {
      emitter.beginStatement(s.origin);
      const left = s.kind === 'break' ? l.open.at(-1) : l.open.findLast((o) => o.continueLabel !== undefined);
      const target = s.kind === 'break' ? left?.breakLabel : left?.continueLabel;
      if (left === undefined || target === undefined) l.trap(s.origin, Rule.Syntax, message.strayKeyword(s.kind));
      else {
        release(l, left.guards);
        emitter.jump(target);
      }
      return;
    }
    case 'return':
      emitter.beginStatement(s.origin);
      returnStatement(l, s.value);
      return;
    case 'problem':
      emitter.beginStatement(s.origin);
      l.trap(s.origin, s.rule, s.message);
      return;
    case 'empty':
      return;
  }
}

/** A block whose scope guards run when it is left at its end. */
export function guarded(l: Lowering, body: () => void): void {
  const before = l.guards.length;
  l.block(body, () => {
    release(l, before);
    l.guards.length = before;
  });
}

/** Call the cleanup functions of the guards above `from`, the last declared first. */
function release(l: Lowering, from: number): void {
  for (let i = l.guards.length - 1; i >= from; i--) {
    const guard = l.guards[i];
    if (guard.cleanup === undefined) continue;
    const { origin } = guard;
    const variable: Expression = { kind: 'variable', origin, type: guard.type, symbol: guard, height: 1 };
    const address: Expression = { kind: 'address', origin, type: pointerTo(guard.type), operand: variable, height: 2 };
    const { type } = guard.cleanup;
    const callee: Expression = { kind: 'function', origin, type, symbol: guard.cleanup, height: 1 };
    effect(l, { kind: 'call', origin, type: type.returns, callee, arguments: [address], height: 3 });
  }
}

function labelOf(l: Lowering, name: string): number {
  let label = l.labels.get(name);
  if (label === undefined) {
    label = l.emitter.label();
    l.labels.set(name, label);
  }
  return label;
}

function declaration(l: Lowering, s: DeclarationStatement): void {
  const { symbol } = s;
  const slots = slotsOf(symbol.type);
  if (slots > MAX_FRAME || l.top + slots > MAX_FRAME) {
    l.trap(s.origin, Rule.Unsupported, message.frameTooBig(l.syntax.name));
    return;
  }
  l.declare(symbol, slots);
  begin(l, s);
  if (symbol.cleanup !== undefined) l.guards.push(symbol);
}

function begin(l: Lowering, { symbol, initializer, origin }: DeclarationStatement): void {
  if (initializer === undefined) return;
  l.emitter.beginStatement(origin);
  const register = symbol.register as number;
  const [first] = initializer.entries;
  if (symbol.type.kind !== 'array' && !isRecord(symbol.type)) {
    l.temporary(() => value(l, first.value, register));
    return;
  }
  initialize(l, initializer, { at: 'register', register });
}

function loop(l: Lowering, s: LoopStatement): void {
  const { emitter } = l;
  for (const first of s.initial) statement(l, first);
  const head = emitter.label();
  const next = emitter.label();
  const end = emitter.label();
  l.open.push({ breakLabel: end, continueLabel: next, guards: l.guards.length, controls: s.controls });
  const info = { origin: s.head };
  emitter.bind(head, emitter.reachable || s.hasLabels);
  if (s.form !== 'do' && s.condition !== undefined) {
    emitter.beginStatement(s.condition.origin);
    branch(l, s.condition, end, false);
  }
  statement(l, s.body);
  emitter.bind(next);
  if (s.step !== undefined) {
    emitter.beginStatement(s.step.origin);
    effect(l, s.step);
  }
  if (s.form === 'do' && s.condition !== undefined) {
    emitter.beginStatement(s.condition.origin);
    branch(l, s.condition, end, false);
  }
  emitter.origin = s.head;
  emitter.loop(head, info);
  emitter.bind(end);
  l.open.pop();
}

function switchStatement(l: Lowering, s: SwitchStatement): void {
  const { emitter } = l;
  const end = emitter.label();
  emitter.beginStatement(s.control.origin);
  let fallback = end;
  for (const c of s.cases) {
    const label = emitter.label();
    l.caseLabels.set(c, label);
    if (c.low === undefined) fallback = label;
  }
  const known = s.control.value;
  if (known !== undefined) {
    const taken = s.cases.find((c) => c.low !== undefined && known >= c.low && known <= (c.high as bigint));
    emitter.jump(taken === undefined ? fallback : (l.caseLabels.get(taken) as number));
  } else {
    l.temporary(() => {
      const control = operand(l, s.control);
      const less = isUnsigned64(s.control) ? Op.JLT_U64 : Op.JLT;
      const lessOrEqual = isUnsigned64(s.control) ? Op.JLE_U64 : Op.JLE;
      const constant = l.take();
      for (const c of s.cases) {
        if (c.low === undefined || c.high === undefined) continue;
        const label = l.caseLabels.get(c) as number;
        emitter.load(constant, c.low);
        if (c.low === c.high) {
          emitter.branch(Op.JEQ, control, constant, label);
          continue;
        }
        const outside = emitter.label();
        emitter.branch(less, control, constant, outside);
        emitter.load(constant, c.high);
        emitter.branch(lessOrEqual, control, constant, label);
        emitter.bind(outside);
      }
    });
    emitter.jump(fallback);
  }
  l.open.push({ breakLabel: end, continueLabel: undefined, guards: l.guards.length, controls: new Set() });
  statement(l, s.body);
  l.open.pop();
  emitter.bind(end);
}

function returnStatement(l: Lowering, e: Expression | undefined): void {
  const { emitter } = l;
  if (e === undefined) {
    release(l, 0);
    emitter.emit(Op.RETV);
    return;
  }
  l.temporary(() => {
    if (isRecord(e.type) && l.resultPointer !== undefined) {
      // Made aside first: the value may read what the pointer points at.
      const slots = slotsOf(e.type);
      const aside = l.take(Math.max(slots, 1));
      recordInto(l, e, { at: 'register', register: aside });
      const source = l.take();
      emitter.emit(Op.LEA, source, aside);
      emitter.emit(Op.COPY, l.resultPointer, source, slots);
      release(l, 0);
      emitter.emit(Op.RETV);
      return;
    }
    if (e.type.kind === 'void') {
      effect(l, e);
      release(l, 0);
      emitter.emit(Op.RETV);
      return;
    }
    if (e.kind === 'problem') {
      effect(l, e);
      return;
    }
    if (l.guards.length === 0) {
      emitter.emit(Op.RET, operand(l, e));
      return;
    }
    // The value is worked out before the guards are released.
    const result = value(l, e, l.take());
    release(l, 0);
    emitter.emit(Op.RET, result);
  });
}

/** "({ … })": the last statement's expression goes to `last`, inside the block's scope. */
export function statementExpression(
  l: Lowering,
  e: Expression & { kind: 'statement-expression' },
  last: (e: Expression) => void,
): void {
  guarded(l, () => {
    const { literals, statements } = e.body;
    for (const literal of literals) l.declare(literal, slotsOf(literal.type));
    statements.forEach((s, i) => {
      if (i === statements.length - 1 && s.kind === 'expression') {
        l.emitter.beginStatement(s.origin);
        last(s.expression);
      } else statement(l, s);
    });
  });
}
