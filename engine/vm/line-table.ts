/** Looking up where an instruction came from. */
import type { FunctionCode, LineRow, LocalInfo } from './bytecode.ts';

/** The row in force at `pc`; undefined before the first row. */
export function lineRow(code: FunctionCode, pc: number): LineRow | undefined {
  const rows = code.lines;
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle].pc <= pc) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : rows[low - 1];
}

/** True if a debugger may stop before the instruction at `pc`: a statement begins there. */
export function isStatement(code: FunctionCode, pc: number): boolean {
  const row = lineRow(code, pc);
  return row?.statement === true && row.pc === pc;
}

/** The variables in scope at `pc`, in declaration order. */
export function localsAt(code: FunctionCode, pc: number): LocalInfo[] {
  return code.locals.filter((local) => local.from <= pc && pc < local.to);
}
