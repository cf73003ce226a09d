/**
 * A whole function: parameters into the first registers, the body, and the end that C lets one fall off.
 */
import { type FunctionCode, Op } from '../vm/bytecode.ts';
import { slotsOf } from './layout.ts';
import { type LowerHost, Lowering, MAX_FRAME } from './lower-context.ts';
import { statement } from './lower-statement.ts';
import { message, Rule } from './messages.ts';
import type { FunctionSyntax } from './syntax.ts';
import { isRecord } from './types.ts';

export function lowerFunction(syntax: FunctionSyntax, host: LowerHost): FunctionCode {
  const l = new Lowering(syntax, host);
  const { emitter } = l;
  const { returns } = syntax.type;
  if (isRecord(returns)) l.resultPointer = l.take();
  l.block(() => {
    for (const parameter of syntax.parameters) l.declare(parameter, slotsOf(parameter.type));
    const parameterSlots = l.top;
    statement(l, syntax.body);
    emitter.beginStatement({ ...syntax.origin, start: Math.max(syntax.origin.start, syntax.origin.end - 1) });
    emitter.emit(Op.RETV);
    if (emitter.bindMissing()) l.trap(syntax.origin, Rule.Syntax, message.unreadable());
    l.parameterSlots = parameterSlots;
  });
  const { name, origin } = syntax;
  const { parameterSlots } = l;
  const returnsValue = returns.kind !== 'void' && !isRecord(returns);
  if (l.frameSize > MAX_FRAME * 2)
    return trapFunction(name, origin, parameterSlots, Rule.Unsupported, message.frameTooBig(name));
  return emitter.finish(name, Math.max(l.frameSize, 1), parameterSlots, returnsValue, origin);
}

/** A function that cannot be compiled at all: one TRAP. */
export function trapFunction(
  name: string,
  origin: FunctionCode['origin'],
  parameterSlots: number,
  rule: string,
  text: string,
  missing?: string,
): FunctionCode {
  const problem = { origin, rule, message: text, ...(missing === undefined ? {} : { name: missing }) };
  return {
    name,
    code: Int32Array.of(Op.TRAP, 0, 0, 0),
    constants: new Float64Array(0),
    wideConstants: new BigInt64Array(0),
    frameSize: Math.max(1, parameterSlots),
    parameterSlots,
    returnsValue: false,
    lines: [{ pc: 0, origin, statement: true }],
    loops: [],
    problems: [problem],
    locals: [],
    origin,
  };
}
