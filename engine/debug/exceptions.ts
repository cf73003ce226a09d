/** What a debugger can stop at besides breakpoints: faults, outcomes, rules. One filter each. */
import { Fault, formatFault } from '../hardware/fault-codes.ts';
import { FAULTED } from '../hardware/instruction-checks.ts';
import { invariants, ruleInfo } from '../invariants/catalogue.ts';
import type { Machine } from '../run/machine.ts';
import { EventKind } from '../trace/trace.ts';

export interface ExceptionFilter {
  id: string;
  label: string;
  description: string;
  /** Whether it is on unless somebody turns it off. */
  initially: boolean;
}

const FAULTS: readonly { name: string; fault: number; description: string }[] = [
  { name: '#NPF', fault: Fault.NPF, description: 'A nested page fault: the guest exits to the kernel.' },
  { name: '#PF', fault: Fault.PF, description: 'A page fault of the host, an RMP violation among them.' },
  { name: '#VC', fault: Fault.VC, description: 'The guest touches a page that it has not validated.' },
  { name: '#GP', fault: Fault.GP, description: 'A general-protection fault of an instruction.' },
  { name: '#UD', fault: Fault.UD, description: 'An instruction that does not exist here.' },
  { name: 'RMP_PAGE_FAULT', fault: Fault.Iommu, description: 'The IOMMU refuses a device access to a page.' },
  { name: 'VMEXIT_INVALID', fault: Fault.VmexitInvalid, description: 'VMRUN refuses the VMSA.' },
];

/** Rules that are no invariants, but come of running. */
const RUNNING = [
  'EXPECT',
  'OUTCOME',
  'FAULT',
  'TERM',
  'TRAP',
  'C-UNDEFINED',
  'C-UNSUPPORTED',
  'C-SYNTAX',
  'C-TYPE',
  'VALUE',
  'INVARIANT',
];

export const exceptionFilters: readonly ExceptionFilter[] = [
  {
    id: 'failed',
    label: 'Failed outcomes',
    description: 'A step does not succeed, whether the scenario expects that or not.',
    initially: false,
  },
  ...FAULTS.map(({ name, description }) => ({
    id: `fault:${name}`,
    label: `Fault ${name}`,
    description,
    initially: false,
  })),
  ...[...RUNNING, ...invariants.map((rule) => rule.id)].flatMap((id) => {
    const rule = ruleInfo(id);
    return rule === undefined
      ? []
      : [
          {
            id: `rule:${id}`,
            label: `Rule ${id}`,
            description: rule.statement,
            initially: rule.severity === 'error' || id === 'OUTCOME',
          },
        ];
  }),
];

const GUEST_INSTRUCTIONS: ReadonlySet<number> = new Set([EventKind.Pvalidate, EventKind.Rmpadjust, EventKind.Rmpquery]);

/** The filter that the event just recorded belongs to: that of its fault. */
export function filterOfEvent(machine: Machine, event: number): string | undefined {
  const { trace } = machine;
  const kind = trace.kind[event];
  // The guest's instructions tell of their faults by their own events; what it was, the hardware still knows.
  const fault =
    kind === EventKind.Fault
      ? trace.a[event]
      : GUEST_INSTRUCTIONS.has(kind) && trace.code[event] === FAULTED
        ? machine.hardware.fault
        : Fault.None;
  const name = FAULTS.find((one) => one.fault === fault)?.name;
  return name === undefined ? undefined : `fault:${name}`;
}

/** `#NPF(RMP|ENC) at gfn 0x10`. */
export function describeFaultEvent(machine: Machine, event: number): string {
  const { trace } = machine;
  const where =
    trace.page[event] < 0 ? '' : ` at ${trace.space[event] === 0 ? 'pfn' : 'gfn'} 0x${trace.page[event].toString(16)}`;
  return `${formatFault(trace.a[event], trace.b[event])}${where}`;
}
