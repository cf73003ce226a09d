/** What to tell of a call into C that could not go on: the rule it breaks, in words, and the place. */
import type { Location } from '../base/diagnostic.ts';
import { TrapCode } from '../vm/bytecode.ts';
import type { Machine } from './machine.ts';

/** Why simulated C stopped. */
export interface CTrap {
  rule: string;
  message: string;
  site: number;
  stack: number;
  location: Location | undefined;
  data?: unknown;
}

/** Why the machine's thread stopped. It must have. */
export function describeTrap(machine: Machine): CTrap {
  const trap = machine.thread.trap;
  if (trap === undefined) throw new Error('no trap to take');
  const stack = machine.vm.stackNode(machine.thread, machine.thread.depth);
  const base = { site: trap.site, stack, location: undefined };
  if (trap.problem !== undefined) {
    const { problem } = trap;
    const data = problem.name === undefined ? undefined : { kind: 'stub', name: problem.name };
    return {
      ...base,
      rule: problem.rule,
      message: problem.message,
      location: machine.program.location(problem.origin),
      data,
    };
  }
  const where = machine.functionAt(trap.site);
  const within = where === undefined ? '' : ` in ${where}()`;
  if (trap.code === TrapCode.Budget) {
    const code = machine.program.functionCode(trap.function);
    const loop = trap.loop === undefined || trap.loop < 0 ? undefined : code.loops[trap.loop];
    const line = loop === undefined ? undefined : machine.program.location(loop.origin);
    const name = loop === undefined ? 'A call' : `The loop at line ${(line as Location).range.start.line + 1}`;
    const how = trap.endless
      ? 'never ends: nothing changes from one turn to the next'
      : `did not end within ${machine.vm.loopBudget.toLocaleString('en')} turns and was stopped`;
    return {
      ...base,
      rule: 'TERM',
      message: `${name}${within} ${how}. On hardware this is a CPU that never comes back.`,
      location: line,
    };
  }
  return { ...base, rule: 'TRAP', message: `${trap.message}${within}.` };
}
