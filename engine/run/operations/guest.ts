/**
 * What a guest does: its accesses and its PVALIDATE. A guest access is a small loop on its vCPU: try it in hardware; on #NPF exit into the
 * kernel's C handler; re-enter and try again. When the state that decides about the access keeps recurring, the guest can never progress: that is
 * a livelock, found by comparing states and not by waiting.
 */
import { Access } from '../../hardware/access.ts';
import { bitNames, Fault, PAGE_NOT_VALIDATED } from '../../hardware/fault-codes.ts';
import { FAULTED, rmpCodeName } from '../../hardware/instruction-checks.ts';
import type { GuestContext } from '../../hardware/machine.ts';
import { rmpadjustOperand } from '../../hardware/rmpadjust.ts';
import { EXIT_REASONS } from '../../scenario/words.ts';
import type { Machine, MachineGuest } from '../machine.ts';
import {
  type Action,
  call,
  done,
  flag,
  number,
  type Operation,
  type OperationState,
  type StepArguments,
  word,
} from '../operation.ts';
import type { Outcome } from '../outcome.ts';

/** Times that the same state may come back before the guest is said to be stuck: a handler may need a second try, never a third. */
const RECURRENCES = 3;
/** Re-entries of one access, should the states never recur. */
const RETRY_LIMIT = 1000;

const Phase = { Handling: 0, ExitReason: 1 } as const;

/** One attempt in hardware: the outcome, or undefined if it took #NPF (code in hardware.faultCode). */
type Attempt = (machine: Machine, guest: GuestContext, args: StepArguments, gpa: number) => Outcome | undefined;

function guestOperation(gpaOf: (args: StepArguments) => number, attempt: Attempt): Operation {
  const retry = (machine: Machine, args: StepArguments, state: OperationState): Action => {
    const guest = machine.guests[args.actor.guest as number];
    const gpa = gpaOf(args);
    const outcome = attempt(machine, machine.contextOf(guest), args, gpa);
    if (outcome !== undefined) return done(outcome);
    const now = decidingState(machine, guest, gpa);
    const seen = state.slice(FIRST_STATE).filter((hash) => hash === now).length;
    if (seen >= RECURRENCES || state.length > RETRY_LIMIT)
      return done({ ok: false, livelock: true, fault: currentFault(machine) });
    state.push(now);
    state[0] = Phase.Handling;
    return call('scenario_npf', guest.vcpus[args.actor.vcpu] ?? 0, gpa, machine.hardware.faultCode);
  };
  return {
    start(machine, args, state) {
      state.push(Phase.Handling);
      return retry(machine, args, state);
    },
    resume(machine, args, state, result) {
      const guest = machine.guests[args.actor.guest as number];
      if (state[0] === Phase.ExitReason)
        return done({ ok: false, exit: exitName(Number(result)), fault: currentFault(machine) });
      const n = Number(result);
      if (n < 0) return done({ ok: false, errno: -n, fault: currentFault(machine) });
      if (n > 0) return retry(machine, args, state);
      state[0] = Phase.ExitReason;
      return call('scenario_exit_reason', guest.vcpus[args.actor.vcpu] ?? 0);
    },
  };
}

/** state[0] is the phase, the hashes of the states seen follow. */
const FIRST_STATE = 1;

/** A number for everything that decides how this access goes: NPT entry, RMP entry and head, attribute. */
function decidingState(machine: Machine, guest: MachineGuest, gpa: number): number {
  const { npt } = machine.contextOf(guest);
  const { rmp } = machine.hardware;
  const gfn = Math.floor(gpa / 4096);
  const pfn = npt.walk(gfn);
  let hash = 17;
  const mix = (n: number): void => {
    hash = (hash * 31 + n) % 9007199254740881;
  };
  mix(pfn + 2);
  mix(machine.hardware.faultCode % 4294967291);
  mix(machine.isPrivate(guest.asid, gfn) ? 1 : 0);
  if (pfn >= 0) {
    mix(npt.level);
    mix(npt.writable ? 1 : 0);
    if (rmp.covers(pfn))
      for (const page of [pfn, pfn - (pfn % 512)]) for (let n = 0; n < 4; n++) mix(rmp.word(page, n));
  }
  return hash;
}

export function currentFault(machine: Machine): NonNullable<Outcome['fault']> {
  const { fault, faultCode } = machine.hardware;
  return describeFault(fault, faultCode);
}

/** A fault as outcomes name it. The GUEST_FINAL and GUEST_PAGE bits say where in the walk it happened, which no scenario asks. */
export function describeFault(fault: Fault, code: number): NonNullable<Outcome['fault']> {
  if (fault === Fault.VC) return { name: '#VC', bits: [`0x${(code === 0 ? PAGE_NOT_VALIDATED : code).toString(16)}`] };
  if (fault === Fault.GP) return { name: '#GP', bits: [] };
  if (fault === Fault.UD) return { name: '#UD', bits: [] };
  const bits = bitNames(code)
    .filter((bit) => bit !== 'GUEST_FINAL' && bit !== 'GUEST_PAGE')
    .map((bit) => (bit === 'ID' ? 'I' : bit));
  return { name: fault === Fault.PF ? '#PF' : '#NPF', bits };
}

/** KVM_EXIT_* by its number; one that has no name here keeps the number. */
export const exitName = (reason: number): string => EXIT_REASONS.get(reason) ?? `KVM_EXIT_${reason}`;

function access(kind: Access): Operation {
  return guestOperation(
    (args) => number(args.values[0]),
    (machine, guest, args, gpa) => {
      const cbit = word(args.values[1]) === 'shared' ? 0 : 1;
      const fault = machine.hardware.guestAccess(guest, gpa, kind, cbit, args.actor.vmpl, false, args.actor.vcpu);
      if (fault === Fault.None) return { ok: true };
      if (fault === Fault.NPF) return undefined;
      return { ok: false, fault: describeFault(fault, machine.hardware.faultCode) };
    },
  );
}

const pvalidate = guestOperation(
  (args) => number(args.values[0]),
  (machine, guest, args, gpa) => {
    const large = word(args.values[1]) === '2M' ? 1 : 0;
    const validate = flag(args.values[2]) ? 1 : 0;
    const code = machine.hardware.pvalidate(guest, gpa, large, validate, args.actor.vmpl, args.actor.vcpu);
    if (code === FAULTED) {
      const { fault } = machine.hardware;
      return fault === Fault.NPF ? undefined : { ok: false, fault: currentFault(machine) };
    }
    if (code !== 0) return { ok: false, code: rmpCodeName(code) };
    // CF=1 is EAX=0 with nothing changed: a guest must take it as an attack (APM vol. 2, 15.36.6).
    return machine.hardware.carry === 1 ? { ok: false, cf: 1 } : { ok: true, cf: 0 };
  },
);

/** A guest instruction that came to EAX, or faulted in another way than #NPF. */
function instructionOutcome(machine: Machine, code: number): Outcome | undefined {
  if (code === FAULTED)
    return machine.hardware.fault === Fault.NPF ? undefined : { ok: false, fault: currentFault(machine) };
  return code === 0 ? { ok: true } : { ok: false, code: rmpCodeName(code) };
}

const rmpadjust = guestOperation(
  (args) => number(args.values[0]),
  (machine, guest, args, gpa) => {
    const [, size, target, perms, vmsa] = args.values;
    const rdx = rmpadjustOperand(number(target), number(perms), flag(vmsa));
    const large = word(size) === '2M' ? 1 : 0;
    return instructionOutcome(
      machine,
      machine.hardware.rmpadjust(guest, gpa, large, rdx, args.actor.vmpl, args.actor.vcpu),
    );
  },
);

const rmpquery = guestOperation(
  (args) => number(args.values[0]),
  (machine, guest, args, gpa) => {
    const code = machine.hardware.rmpquery(guest, gpa, number(args.values[1]), args.actor.vmpl);
    const found = machine.hardware.rmpqueryResult;
    return found === undefined ? instructionOutcome(machine, code) : { ok: true, value: found.mask };
  },
);

export const guestOperations: Record<string, Operation> = {
  'guest.read': access(Access.Read),
  'guest.write': access(Access.Write),
  'guest.fetch': access(Access.Fetch),
  'guest.pvalidate': pvalidate,
  'guest.rmpadjust': rmpadjust,
  'guest.rmpquery': rmpquery,
};
