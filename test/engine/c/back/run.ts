/** Runs C in the virtual machine, for tests: text in, results out. */
import { Journal } from '../../../../engine/base/journal.ts';
import { createCProgram } from '../../../../engine/c/c-program.ts';
import type { CProgram, CProgramInput } from '../../../../engine/c/program.ts';
import { type FunctionCode, TrapCode } from '../../../../engine/vm/bytecode.ts';
import type { Native } from '../../../../engine/vm/native.ts';
import type { Observer } from '../../../../engine/vm/vm.ts';
import { createVm } from '../../../../engine/vm/vm.ts';

export const TEST_FILE = 'test.c';

export function program(text: string, input: Partial<CProgramInput> = {}): CProgram {
  return createCProgram({
    model: [{ path: TEST_FILE, text }],
    headers: new Map(),
    overrides: [],
    stubs: [],
    natives: [],
    progressTypes: [],
    ...input,
  });
}

export interface Outcome {
  value: number | bigint | undefined;
  /** Rule and message of the trap that ended it, if one did. */
  trap: string | undefined;
  /** Source text that the trap points at. */
  at: string | undefined;
}

export function run(
  p: CProgram,
  name: string,
  args: (number | bigint)[] = [],
  options: { natives?: Native[]; observer?: Observer; loopBudget?: number } = {},
): Outcome {
  const f = p.find(name);
  if (f === undefined) throw new Error(`no function ${name}`);
  const vm = createVm({ program: p, journal: new Journal(), natives: [], ...options });
  const thread = vm.createThread();
  vm.start(thread, f.index, args);
  const result = vm.run(thread, { instructions: 1e9 });
  if (result !== 'trapped') return { value: thread.result(), trap: undefined, at: undefined };
  const { trap } = thread;
  if (trap === undefined) throw new Error('trapped without a trap');
  const problem = trap.problem;
  const at =
    problem === undefined
      ? undefined
      : p.files[problem.origin.file].text.slice(problem.origin.start, problem.origin.end);
  return {
    value: undefined,
    trap: problem === undefined ? nameOf(trap.code) : `${problem.rule}: ${problem.message}`,
    at,
  };
}

const nameOf = (code: number): string => Object.entries(TrapCode).find(([, n]) => n === code)?.[0] ?? String(code);

/** The code of a function by name. */
export function codeOf(p: CProgram, name: string): FunctionCode {
  const f = p.find(name);
  if (f === undefined) throw new Error(`no function ${name}`);
  return p.functionCode(f.index);
}
