/** What a trap says: made once, when the thread stops, so that the interpreter carries nothing but a code and a number. */
import { type FunctionCode, Op, TrapCode } from './bytecode.ts';
import type { Thread, Trap } from './thread.ts';
import type { Vm } from './vm.ts';

/**
 * Stop `thread` at instruction `pc` of its running frame. `operand` is the loop for TrapCode.Budget (-1 for a call), the problem for
 * TrapCode.Unsupported, the function for TrapCode.StackOverflow.
 */
export function stop(vm: Vm, thread: Thread, pc: number, code: number, operand: number): void {
  const index = thread.functions[thread.depth];
  const source = vm.load(index).source;
  thread.pcs[thread.depth] = pc;
  thread.status = 'trapped';
  const trap: Trap = {
    code: code as TrapCode,
    message: messageOf(vm, thread, source, pc, code, operand),
    function: index,
    pc,
    site: vm.siteOf(index, pc),
  };
  if (code === TrapCode.Budget) {
    trap.loop = operand;
    if (thread.endless) trap.endless = true;
  }
  const problem = code === TrapCode.Unsupported ? source.problems[operand] : undefined;
  if (problem !== undefined && source.code[pc * 4] === Op.TRAP) {
    trap.problem = problem;
    trap.message = problem.message;
    if (problem.rule === 'C-UNDEFINED') trap.code = TrapCode.Undefined;
  }
  thread.trap = trap;
}

function messageOf(vm: Vm, thread: Thread, source: FunctionCode, pc: number, code: number, operand: number): string {
  if (code === TrapCode.Budget) {
    const where = operand >= 0 ? `loop ${operand} of ${source.name}` : `a call in ${source.name}`;
    if (thread.endless) return `${where} goes round in circles: nothing changes from one turn to the next`;
    return `${where} used up the budget of ${vm.loopBudget} turns and calls`;
  }
  if (code === TrapCode.StackOverflow) {
    const callee = vm.load(operand).source.name;
    return `the stack overflows in the call of ${callee}, ${thread.depth + 2} calls deep`;
  }
  switch (source.code[pc * 4]) {
    case Op.CALLN:
      return vm.call.trapMessage;
    case Op.CALLP:
      return code === TrapCode.NullDereference ? 'NULL is called' : 'what is called is no function';
    case Op.PADD:
      return 'a pointer is moved out of its object';
    case Op.PDIFF:
      return 'two pointers into different objects are subtracted';
    case Op.LD:
    case Op.ST:
    case Op.COPY:
    case Op.ZERO:
      return vm.access.message;
    case Op.TRAP:
      return 'this code cannot run';
    default:
      return 'division by zero';
  }
}
