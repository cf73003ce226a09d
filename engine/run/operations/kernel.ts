/** Calls into the kernel's C: the ioctls a VMM issues, and any function by name. */
import { Fault } from '../../hardware/fault-codes.ts';
import type { VmrunPages } from '../../hardware/vmrun.ts';
import type { Value } from '../../scenario/program.ts';
import type { Machine } from '../machine.ts';
import {
  type Action,
  call,
  done,
  errnoOutcome,
  guestIndex,
  number,
  type Operation,
  range,
  type StepArguments,
  word,
} from '../operation.ts';
import type { Outcome } from '../outcome.ts';
import { pageTypes } from './firmware.ts';
import { currentFault } from './guest.ts';

/** KVM_MEMORY_ATTRIBUTE_PRIVATE (include/uapi/linux/kvm.h). */
const ATTRIBUTE_PRIVATE = 2 ** 3;

const ioctl = (start: (machine: Machine, args: StepArguments) => Action): Operation => ({
  start,
  resume: (_machine, _args, _state, result) => done(errnoOutcome(result)),
});

function onRange(name: string, args: StepArguments, machine: Machine, ...more: number[]): Action {
  const guest = machine.guests[guestIndex(args.values[0])];
  const { start, end } = range(args.values[1]);
  return call(name, guest.kvm, start, end - start, ...more);
}

/** Any C function: the arguments as its prototype takes them, the result as a value. */
const callByName: Operation = {
  start(machine, args) {
    const name = args.callee as string;
    const slots: (number | bigint)[] = [];
    for (const value of args.values) {
      const slot = argument(machine, value);
      if (typeof slot === 'string') return done({ ok: false, trap: slot });
      slots.push(slot);
    }
    return call(name, ...slots);
  },
  resume(machine, args, _state, result) {
    const { returns } = machine.program.find(args.callee as string) ?? { returns: undefined };
    if (returns === undefined || returns.kind === 'void') return done({ ok: true });
    // A kernel function that returns int says failure with a negative errno; anything else is a value.
    const n = Number(result);
    if (returns.kind === 'int' && returns.signed && n < 0 && n >= -4095)
      return done({ ok: false, errno: -n, value: result });
    return done({ ok: true, value: result });
  },
};

function argument(machine: Machine, value: Value | undefined): number | bigint | string {
  if (value === undefined) return 0;
  switch (value.kind) {
    case 'int':
    case 'gpa':
    case 'gfn':
    case 'pfn':
    case 'spa':
    case 'size':
      return value.wide ?? value.value;
    case 'bool':
      return value.value ? 1 : 0;
    case 'word': {
      const constant = machine.program.constant(value.word);
      return constant ?? `The kernel's C knows no constant ${value.word}.`;
    }
    case 'guest':
      return machine.guests[value.guest].kvm;
    case 'vcpu':
      return machine.guests[value.guest].vcpus[value.vcpu] ?? 'There is no such vCPU.';
    case 'slot':
      return (
        machine.slotPointer(value.guest, value.slot) ??
        `Guest ${machine.guests[value.guest].name} has no slot ${value.slot}.`
      );
    default:
      return `A ${value.kind} cannot be passed to C.`;
  }
}

/** Request of the AP Creation VMGEXIT: start the vCPU now (GHCB specification, 4.1.9). */
const AP_CREATE = 1;

const vcpuOf = (machine: Machine, args: StepArguments): number =>
  machine.guests[args.actor.guest as number].vcpus[args.actor.vcpu] ?? 0;

/** Something about the page that the vCPU's VMCB names as its VMSA; -1 when it names none. */
function onVmsaPage(run: (machine: Machine, args: StepArguments, pfn: number) => Outcome): Operation {
  return {
    start: (machine, args) => call('scenario_vmsa_pa', vcpuOf(machine, args)),
    resume: (machine, args, _state, result) =>
      done(run(machine, args, BigInt(result) >= NO_VMSA ? -1 : Math.floor(Number(result) / 4096))),
  };
}

/** A frame that need not be given. */
const frame = (value: Value | undefined): number | undefined => (value === undefined ? undefined : number(value));

/** Those pages that are given. */
function given(pages: { [what in keyof VmrunPages]: number | undefined }): VmrunPages {
  return Object.fromEntries(Object.entries(pages).filter(([, page]) => page !== undefined));
}

/** No address has more than 52 bits; a VMCB without a VMSA holds all ones. */
const NO_VMSA = 1n << 52n;

export const kernelOperations: Record<string, Operation> = {
  'vmm.set_memory_attributes': ioctl((machine, args) =>
    onRange(
      'scenario_set_memory_attributes',
      args,
      machine,
      word(args.values[2]) === 'PRIVATE' ? ATTRIBUTE_PRIVATE : 0,
    ),
  ),
  'vmm.launch_update': ioctl((machine, args) =>
    onRange('scenario_launch_update', args, machine, pageTypes[word(args.values[2])] ?? 1),
  ),
  'vmm.launch_finish': ioctl((machine, args) =>
    call('scenario_launch_finish', machine.guests[guestIndex(args.values[0])].kvm),
  ),
  'vmm.punch_hole': ioctl((machine, args) => onRange('scenario_punch_hole', args, machine)),
  'guest.psc': ioctl((machine, args) => {
    const guest = machine.guests[args.actor.guest as number];
    const { start, end } = range(args.values[0]);
    return call(
      'scenario_psc',
      guest.vcpus[args.actor.vcpu] ?? 0,
      start,
      end - start,
      word(args.values[1]) === 'PRIVATE' ? 1 : 2,
    );
  }),
  'guest.ap_create': {
    start: (machine, args) =>
      call('scenario_ap_creation', vcpuOf(machine, args), number(args.values[0]), AP_CREATE, number(args.values[1])),
    resume: (_machine, _args, _state, result) =>
      done(result === 0 ? { ok: true } : { ...errnoOutcome(result), fault: { name: '#GP', bits: [] } }),
  },
  'guest.vmrun': onVmsaPage((machine, args, vmsa) => {
    const [vmcb, avic, hsave] = args.values.map(frame);
    const guest = machine.contextOf(machine.guests[args.actor.guest as number]);
    const fault = machine.hardware.enter(guest, { vmsa, ...given({ vmcb, avic, hsave }) });
    if (fault === Fault.None) return { ok: true };
    return fault === Fault.GP
      ? { ok: false, fault: currentFault(machine) }
      : { ok: false, exit: 'KVM_EXIT_FAIL_ENTRY' };
  }),
  'guest.vmexit': onVmsaPage((machine, args, vmsa) => {
    const [vmcb, avic] = args.values.map(frame);
    machine.hardware.exit({ vmsa, ...given({ vmcb, avic }) });
    return { ok: true };
  }),
  'kernel.call': callByName,
};
