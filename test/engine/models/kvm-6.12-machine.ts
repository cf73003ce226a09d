/** A machine with kvm-6.12 in it, and the loop of a vCPU around it, for the tests of that model. */
import type { Access } from '../../../engine/hardware/access.ts';
import { Fault } from '../../../engine/hardware/fault-codes.ts';
import type { GuestContext } from '../../../engine/hardware/machine.ts';
import { ModelMachine, type ModelOptions, PAGE } from './model-machine.ts';

export const M2 = 512 * PAGE;
export type Guest = ReturnType<ModelMachine['guest']>;

/** `hugeFolios`: guest_memfd folios as large as the slot says. */
export function machine(options: ModelOptions & { hugeFolios?: boolean } = {}): ModelMachine {
  const m = new ModelMachine('kvm-6.12', options);
  if (options.hugeFolios) m.kernel.setOption('gmem-huge-folios', 1);
  return m;
}

export const context = (m: ModelMachine, g: Guest) => m.hardware.guests.get(g.asid) as GuestContext;

/** Try, let KVM handle #NPF, try again. What it came to, after at most `limit` faults. */
function attempt(m: ModelMachine, g: Guest, gpa: number, tryOnce: () => number, limit = 6): string {
  for (let faults = 0; faults <= limit; faults++) {
    const fault = tryOnce();
    if (fault === Fault.None) return faults === 0 ? 'ok' : `ok after ${faults}`;
    if (fault === Fault.VC) return '#VC';
    if (fault !== Fault.NPF) return `fault ${fault}`;
    const r = Number(m.call('scenario_npf', g.vcpu, gpa, m.hardware.faultCode));
    if (r < 0) return `error ${r}`;
    if (r === 0) return `exit ${m.call('scenario_exit_reason', g.vcpu)} flags ${m.call('scenario_exit_flags', g.vcpu)}`;
  }
  return 'stuck';
}

export const access = (m: ModelMachine, g: Guest, gpa: number, kind: Access, cbit = 1): string =>
  attempt(m, g, gpa, () => m.hardware.guestAccess(context(m, g), gpa, kind, cbit));

/** PVALIDATE of 4K (size 0) or 2M (size 1); a code that it returns is `code N`. */
export function pvalidate(m: ModelMachine, g: Guest, gpa: number, size = 0, validate = 1): string {
  let code = 0;
  const outcome = attempt(m, g, gpa, () => {
    code = m.hardware.pvalidate(context(m, g), gpa, size, validate);
    return code === -1 ? m.hardware.fault : Fault.None;
  });
  return outcome.startsWith('ok') && code !== 0 ? `code ${code}` : outcome;
}

export const setAttributes = (m: ModelMachine, g: Guest, gpa: number, size: number, attributes: number): number =>
  Number(m.call('scenario_set_memory_attributes', g.kvm, gpa, size, attributes));

export const punchHole = (m: ModelMachine, g: Guest, gpa: number, size: number): number =>
  Number(m.call('scenario_punch_hole', g.kvm, gpa, size));

/** What must hold whenever no C runs: nothing held, nothing owed. */
export function atRest(m: ModelMachine): unknown {
  return {
    locks: m.kernel.locks.held(),
    problems: m.kernel.locks.problems,
    references: m.kernel.references.outstanding,
  };
}
export const REST = { locks: [], problems: [], references: 0 };
