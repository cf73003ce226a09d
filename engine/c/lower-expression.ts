/**
 * Values: expressions of scalar type into registers.
 *
 * `value(e, want)` evaluates into `want` if given. It is written only when everything else has been read, unless it is a temporary, so that
 * `x = y + x` may go straight into x.
 */
import { IntKind, Op } from '../vm/bytecode.ts';
import { slotsOf } from './layout.ts';
import { assign, compoundAssign } from './lower-assignment.ts';
import { builtin } from './lower-builtin.ts';
import { call } from './lower-call.ts';
import { branch, isUnsigned64 } from './lower-condition.ts';
import type { Lowering } from './lower-context.ts';
import { addressOf, load, place, wrongLayout } from './lower-place.ts';
import { convertRegister, needsConversion } from './lower-range.ts';
import { recordInto } from './lower-record.ts';
import { statementExpression } from './lower-statement.ts';
import { message, Rule } from './messages.ts';
import { badCast } from './parse-typing.ts';
import type { ArithmeticOperator, BinaryExpression, ComparisonExpression, Expression } from './syntax.ts';
import { type CType, intKind, isRecord, renderType } from './types.ts';

const FAMILY: Record<number, Partial<Record<ArithmeticOperator, Op>>> = {
  [IntKind.I32]: {
    '+': Op.ADD_I32,
    '-': Op.SUB_I32,
    '*': Op.MUL_I32,
    '/': Op.DIV_I32,
    '%': Op.MOD_I32,
    '&': Op.AND_I32,
    '|': Op.OR_I32,
    '^': Op.XOR_I32,
    '<<': Op.SHL_I32,
    '>>': Op.SHR_I32,
  },
  [IntKind.U32]: {
    '+': Op.ADD_U32,
    '-': Op.SUB_U32,
    '*': Op.MUL_U32,
    '/': Op.DIV_U32,
    '%': Op.MOD_U32,
    '&': Op.AND_U32,
    '|': Op.OR_U32,
    '^': Op.XOR_U32,
    '<<': Op.SHL_U32,
    '>>': Op.SHR_U32,
  },
  [IntKind.I64]: {
    '+': Op.ADD_I64,
    '-': Op.SUB_I64,
    '*': Op.MUL_I64,
    '/': Op.DIV_I64,
    '%': Op.MOD_I64,
    '&': Op.AND_I64,
    '|': Op.OR_I64,
    '^': Op.XOR_I64,
    '<<': Op.SHL_I64,
    '>>': Op.SHR_I64,
  },
  [IntKind.U64]: {
    '+': Op.ADD_U64,
    '-': Op.SUB_U64,
    '*': Op.MUL_U64,
    '/': Op.DIV_U64,
    '%': Op.MOD_U64,
    '&': Op.AND_U64,
    '|': Op.OR_U64,
    '^': Op.XOR_U64,
    '<<': Op.SHL_U64,
    '>>': Op.SHR_U64,
  },
};
const ADD_IMMEDIATE: Record<number, Op> = {
  [IntKind.I32]: Op.ADDI_I32,
  [IntKind.U32]: Op.ADDI_U32,
  [IntKind.I64]: Op.ADDI_I64,
  [IntKind.U64]: Op.ADDI_U64,
};

/** Evaluate for effect; a value, if there is one, is dropped. */
export function effect(l: Lowering, e: Expression): void {
  l.temporary(() => {
    switch (e.kind) {
      case 'number':
      case 'string':
      case 'variable':
      case 'function':
        return;
      case 'cast':
        effect(l, e.operand);
        return;
      case 'comma':
        effect(l, e.left);
        effect(l, e.right);
        return;
      case 'assignment':
        assign(l, e, false);
        return;
      case 'compound':
        compoundAssign(l, e, false);
        return;
      case 'call':
        call(l, e, undefined, undefined);
        return;
      case 'statement-expression':
        statementExpression(l, e, (last) => effect(l, last));
        return;
      case 'conditional':
      case 'logical':
        effectIf(l, e);
        return;
      case 'problem':
        l.trap(e.origin, e.rule, e.message, e.name);
        return;
      case 'builtin':
        builtin(l, e);
        return;
      default:
        if (isRecord(e.type)) place(l, e);
        else if (e.type.kind !== 'void' && e.type.kind !== 'array' && e.type.kind !== 'function') value(l, e);
    }
  });
}

/** `c ? f() : g()` and `c && f()` as statements */
function effectIf(l: Lowering, e: Expression & { kind: 'conditional' | 'logical' }): void {
  const { emitter } = l;
  const end = emitter.label();
  if (e.kind === 'logical') {
    branch(l, e.left, end, e.operator === '||');
    effect(l, e.right);
  } else {
    const otherwise = emitter.label();
    branch(l, e.condition, otherwise, false);
    if (e.consequent !== undefined) effect(l, e.consequent);
    emitter.jump(end);
    emitter.bind(otherwise);
    effect(l, e.otherwise);
  }
  emitter.bind(end);
}

/** A register that holds the value and is only read: a local's own if it is one. `aside` may be used otherwise. */
export function operand(l: Lowering, e: Expression, aside?: number): number {
  const own = isRecord(e.type) ? undefined : registerOf(e);
  if (own !== undefined) return own;
  if (e.kind === 'cast' && !badCast(e) && !needsConversion(e.operand, e.type) && e.operand.type.kind !== 'void')
    return operand(l, e.operand, aside);
  return value(l, e, aside);
}

/** The register of a local variable, or of a member of one. */
function registerOf(e: Expression): number | undefined {
  if (e.kind === 'variable') return e.symbol.register;
  if (e.kind !== 'member' || e.bits !== undefined || e.overlaid) return undefined;
  const outer = registerOf(e.record);
  return outer === undefined ? undefined : outer + e.slot;
}

/** The value of `e` in a register: `want` if given. */
export function value(l: Lowering, e: Expression, want?: number): number {
  const { emitter } = l;
  if (e.value !== undefined) {
    const into = want ?? l.take();
    emitter.load(into, e.value);
    return into;
  }
  switch (e.kind) {
    case 'variable':
    case 'member':
    case 'dereference':
    case 'compound-literal':
    case 'string': {
      if (isRecord(e.type) || e.type.kind === 'array' || e.type.kind === 'function') return wrongType(l, e, want);
      const direct = e.kind === 'variable' ? e.symbol.register : undefined;
      if (direct !== undefined) return want === undefined ? direct : l.move(want, direct);
      const into = want ?? l.take();
      return l.temporary(() => load(l, place(l, e, l.isTemporary(into) ? into : undefined), into));
    }
    case 'address':
      return address(l, e.operand, want);
    case 'function': {
      const into = want ?? l.take();
      emitter.emit(Op.LDFUNC, into, l.host.functionIndex(e.symbol));
      return into;
    }
    case 'unary':
      return withOperands(l, want, (into, aside) => {
        const source = operand(l, e.operand, aside);
        if (e.operator === '!') emitter.emit(Op.LNOT, into, source);
        else emitter.emit(e.operator === '-' ? Op.NEG : Op.NOT, into, source, intKind(e.type));
      });
    case 'binary':
      return binary(l, e, want);
    case 'comparison':
      return comparison(l, e, want);
    case 'logical': {
      const into = want ?? l.take();
      const no = emitter.label();
      const end = emitter.label();
      branch(l, e, no, false);
      emitter.load(into, 1n);
      emitter.jump(end);
      emitter.bind(no);
      emitter.load(into, 0n);
      emitter.bind(end);
      return into;
    }
    case 'pointer-add':
      return pointerAdd(l, e, want);
    case 'pointer-difference':
      return withOperands(l, want, (into, aside) => {
        const left = operand(l, e.left, aside);
        emitter.emit(Op.PDIFF, into, left, operand(l, e.right));
        if (e.step === 1) return;
        const step = l.take();
        emitter.load(step, BigInt(e.step));
        emitter.emit(Op.DIV_I64, into, into, step);
      });
    case 'conditional':
      return conditional(l, e, want);
    case 'assignment':
      return assign(l, e, true, want) as number;
    case 'compound':
      return compoundAssign(l, e, true, want) as number;
    case 'cast':
      return cast(l, e, want);
    case 'call':
      return call(l, e, want, undefined);
    case 'comma':
      effect(l, e.left);
      return value(l, e.right, want);
    case 'statement-expression': {
      const into = want ?? l.take();
      statementExpression(l, e, (last) => {
        value(l, last, into);
      });
      return into;
    }
    case 'builtin':
      return builtin(l, e, want);
    case 'problem':
      l.trap(e.origin, e.rule, e.message, e.name);
      return want ?? l.take();
    default:
      return want ?? l.take();
  }
}

function wrongType(l: Lowering, e: Expression, want: number | undefined): number {
  l.trap(e.origin, Rule.Type, message.notScalar(renderType(e.type)));
  return want ?? l.take();
}

/** Runs `body` with the register for the result and one that an operand may be evaluated in. */
export function withOperands(
  l: Lowering,
  want: number | undefined,
  body: (into: number, aside: number | undefined) => void,
): number {
  const into = want ?? l.take();
  l.temporary(() => body(into, l.isTemporary(into) ? into : undefined));
  return into;
}

function address(l: Lowering, of: Expression, want: number | undefined): number {
  if (of.kind === 'function') return value(l, of, want);
  const into = want ?? l.take();
  return l.temporary(() => addressOf(l, place(l, of, l.isTemporary(into) ? into : undefined), into));
}

/** `left op right`, with an immediate where there is one. */
function binary(l: Lowering, e: BinaryExpression, want: number | undefined): number {
  return withOperands(l, want, (into, aside) => {
    const kind = intKind(e.type);
    if (e.operator === '+' && isSmall(e.left))
      addImmediate(l, kind, into, operand(l, e.right, aside), Number(e.left.value));
    else if (e.operator === '+' && isSmall(e.right))
      addImmediate(l, kind, into, operand(l, e.left, aside), Number(e.right.value));
    else if (e.operator === '-' && isSmall(e.right))
      addImmediate(l, kind, into, operand(l, e.left, aside), -Number(e.right.value));
    else {
      const left = operand(l, e.left, aside);
      const right = operand(l, e.right, left === aside ? undefined : aside);
      arithmetic(l, e.operator, kind, into, left, right);
    }
  });
}

/** A constant that fits an instruction's operand, and so does its negative. */
export const isSmall = (e: Expression): e is Expression & { value: bigint } =>
  e.value !== undefined && e.value > -(1n << 31n) && e.value < 1n << 31n;

export function addImmediate(l: Lowering, kind: IntKind, into: number, from: number, by: number): void {
  l.emitter.emit(ADD_IMMEDIATE[kind], into, from, by);
}
export function arithmetic(
  l: Lowering,
  operator: ArithmeticOperator,
  kind: IntKind,
  into: number,
  left: number,
  right: number,
): void {
  l.emitter.emit(FAMILY[kind][operator] as Op, into, left, right);
}

function comparison(l: Lowering, e: ComparisonExpression, want: number | undefined): number {
  return withOperands(l, want, (into, aside) => {
    const left = operand(l, e.left, aside);
    const right = operand(l, e.right, left === aside ? undefined : aside);
    const wide = isUnsigned64(e.left);
    const op =
      e.operator === '=='
        ? Op.EQ
        : e.operator === '!='
          ? Op.NE
          : e.operator === '<'
            ? wide
              ? Op.LT_U64
              : Op.LT
            : wide
              ? Op.LE_U64
              : Op.LE;
    l.emitter.emit(op, into, left, right);
  });
}

function pointerAdd(l: Lowering, e: Expression & { kind: 'pointer-add' }, want: number | undefined): number {
  return withOperands(l, want, (into, aside) => {
    const { index, step, subtract } = e;
    if (index.value !== undefined) {
      const slots = Number(subtract ? -index.value : index.value) * step;
      const from = operand(l, e.pointer, aside);
      if (slots === 0) l.move(into, from);
      else l.emitter.emit(Op.PADDI, into, from, slots);
      return;
    }
    const pointer = operand(l, e.pointer, aside);
    l.emitter.emit(Op.PADD, into, pointer, scaled(l, index, step, subtract));
  });
}

/** An index in slots, negative if it is subtracted. */
export function scaled(l: Lowering, index: Expression, step: number, subtract: boolean): number {
  const plain = operand(l, index);
  const factor = subtract ? -step : step;
  if (factor === 1) return plain;
  const into = l.take();
  l.emitter.emit(Op.SCALE, into, plain, factor);
  return into;
}

function conditional(l: Lowering, e: Expression & { kind: 'conditional' }, want: number | undefined): number {
  const { emitter } = l;
  const into = want ?? l.take();
  const end = emitter.label();
  if (e.consequent === undefined) {
    // a ?: b evaluates a once.
    return l.temporary(() => {
      const test = operand(l, e.condition);
      const otherwise = emitter.label();
      emitter.branch(Op.JF, test, 0, otherwise);
      convertRegister(l, e.condition, e.type, test, into);
      emitter.jump(end);
      emitter.bind(otherwise);
      value(l, e.otherwise, into);
      emitter.bind(end);
      return into;
    });
  }
  const otherwise = emitter.label();
  branch(l, e.condition, otherwise, false);
  if (e.type.kind === 'void') effect(l, e.consequent);
  else value(l, e.consequent, into);
  emitter.jump(end);
  emitter.bind(otherwise);
  if (e.type.kind === 'void') effect(l, e.otherwise);
  else value(l, e.otherwise, into);
  emitter.bind(end);
  return into;
}

function cast(l: Lowering, e: Expression & { kind: 'cast' }, want: number | undefined): number {
  const from = e.operand;
  if (e.type.kind === 'void') {
    effect(l, from);
    return want ?? l.take();
  }
  if (badCast(e)) {
    wrongLayout(l, e, from.type);
    return want ?? l.take();
  }
  if (!needsConversion(from, e.type)) return value(l, from, want);
  return withOperands(l, want, (into, aside) => {
    l.emitter.emit(Op.CVT, into, operand(l, from, aside), intKind(e.type));
  });
}

/** The value as a record's home or a scalar's register, for arguments and results. */
export function argument(l: Lowering, e: Expression, into: number): number {
  const type: CType = e.type;
  if (isRecord(type)) {
    recordInto(l, e, { at: 'register', register: into });
    return slotsOf(type);
  }
  value(l, e, into);
  return 1;
}
