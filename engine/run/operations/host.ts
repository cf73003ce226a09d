/** What the host does outside KVM's conversion code: kernel and user accesses, DMA, raw instructions, and what can go wrong around it. */

import { errnoNumbers } from '../../base/errno.ts';
import { PG_LEVEL_4K, type PgLevel } from '../../base/units.ts';
import { Access } from '../../hardware/access.ts';
import { Fault, FaultBit } from '../../hardware/fault-codes.ts';
import { rmpCodeName } from '../../hardware/instruction-checks.ts';
import { formatIommuEvent } from '../../hardware/iommu.ts';
import { rmpreadQwords } from '../../hardware/rmpread.ts';
import { EventKind } from '../../trace/trace.ts';
import type { Machine } from '../machine.ts';
import { call, done, flag, guestIndex, number, type Operation, range, type StepArguments, word } from '../operation.ts';
import type { Outcome } from '../outcome.ts';
import { describeFault } from './guest.ts';

const levels: Record<string, PgLevel> = { '4K': 1, '2M': 2, '1G': 3 };

/** An access by the host kernel through the direct map, or through a mapping of a stated level. */
function hostAccess(machine: Machine, args: StepArguments, kind: Access): Outcome {
  const pfn = number(args.values[0]);
  const stated = levels[word(args.values[1])];
  const { hardware } = machine;
  if (stated === undefined && !machine.kernel.directMap.present(pfn)) {
    const code = kind === Access.Write ? FaultBit.W : 0;
    machine.trace.record(EventKind.Fault, 0, pfn, 0, Fault.PF, code, -1);
    return { ok: false, fault: describeFault(Fault.PF, code) };
  }
  const fault = hardware.hostAccess(pfn, kind, stated ?? machine.kernel.directMap.level(pfn));
  return fault === Fault.None ? { ok: true } : { ok: false, fault: describeFault(fault, hardware.faultCode) };
}

/**
 * A write by a process: what faults goes to the kernel's handler, if the model has one, and is done again. The handler may have the mapping split, or
 * the process killed; one that does neither leaves it to fault for ever.
 */
const userWrite: Operation = {
  start(machine, args, state) {
    const level = levels[word(args.values[1])] ?? PG_LEVEL_4K;
    const fault = attemptUserWrite(machine, args, level);
    if (fault === undefined) return done({ ok: true });
    if (machine.program.find(USER_FAULT) === undefined) return done({ ok: false, fault });
    state.push(Phase.Handling);
    return call(USER_FAULT, number(args.values[0]), level);
  },
  resume(machine, args, state, result) {
    const answer = Number(result);
    const level =
      state[0] === Phase.Handling && answer === RMP_PF_SPLIT
        ? PG_LEVEL_4K
        : (levels[word(args.values[1])] ?? PG_LEVEL_4K);
    const fault = attemptUserWrite(machine, args, level);
    if (fault === undefined) return done({ ok: true });
    if (state[0] === Phase.Handling && machine.program.find(USER_SIGBUS) !== undefined) {
      state[0] = Phase.Signal;
      return call(USER_SIGBUS);
    }
    const killed = state[0] === Phase.Signal && answer !== 0;
    return done(killed ? { ok: false, code: 'SIGBUS', fault } : { ok: false, livelock: true, fault });
  },
};

const Phase = { Handling: 0, Signal: 1 } as const;
const USER_FAULT = 'scenario_user_rmp_fault';
const USER_SIGBUS = 'scenario_user_sigbus';
/** The handler's answer that the mapping is to be split (RFC v8 17/56). */
const RMP_PF_SPLIT = 0;

function attemptUserWrite(machine: Machine, args: StepArguments, level: PgLevel): Outcome['fault'] {
  const fault = machine.hardware.hostAccess(number(args.values[0]), Access.Write, level, true);
  return fault === Fault.None ? undefined : describeFault(fault, machine.hardware.faultCode);
}

const instructionOutcome = (code: number, instruction: 'rmpupdate' | 'psmash'): Outcome =>
  code === 0 ? { ok: true } : { ok: false, code: rmpCodeName(code, instruction) };

const instant = (run: (machine: Machine, args: StepArguments) => Outcome): Operation => ({
  start: (machine, args) => done(run(machine, args)),
});

export const hostOperations: Record<string, Operation> = {
  'host.read': instant((machine, args) => hostAccess(machine, args, Access.Read)),
  'host.write': instant((machine, args) => hostAccess(machine, args, Access.Write)),
  'host.user_write': userWrite,
  'host.split_folio': instant((machine, args) => {
    const { start, end } = range(args.values[1]);
    machine.splitFolios(machine.guests[guestIndex(args.values[0])], start / 4096, Math.ceil(end / 4096));
    return { ok: true };
  }),
  'host.fail_get_pfn': instant((machine, args) => {
    const guest = machine.guests[guestIndex(args.values[0])];
    const { start, end } = range(args.values[1]);
    const name = word(args.values[2]) as keyof typeof errnoNumbers;
    machine.failBacking(guest, start / 4096, Math.ceil(end / 4096), errnoNumbers[name] ?? errnoNumbers.ENOMEM);
    return { ok: true };
  }),
  'host.contend': instant((machine, args) => {
    machine.hardware.contention.set(number(args.values[0]), number(args.values[1]));
    return { ok: true };
  }),
  'cpu.rmpupdate': instant((machine, args) => {
    const [pfn, gpa, asid, size, assigned, immutable] = args.values;
    const code = machine.hardware.rmpupdate(
      number(pfn) * 4096,
      number(gpa),
      flag(assigned) ? 1 : 0,
      word(size) === '2M' ? 1 : 0,
      flag(immutable) ? 1 : 0,
      number(asid),
    );
    return instructionOutcome(code, 'rmpupdate');
  }),
  'cpu.psmash': instant((machine, args) =>
    instructionOutcome(machine.hardware.psmash(number(args.values[0]) * 4096), 'psmash'),
  ),
  'cpu.vmsave': instant((machine, args) => {
    const fault = machine.hardware.vmsave(number(args.values[0]));
    return fault === Fault.None ? { ok: true } : { ok: false, fault: describeFault(fault, 0) };
  }),
  'cpu.rmpread': instant((machine, args) => {
    const code = machine.hardware.rmpread(number(args.values[0]) * 4096);
    const entry = machine.hardware.rmpreadEntry;
    if (entry === undefined) return { ok: false, code: rmpCodeName(code) };
    const { high } = rmpreadQwords(entry);
    return { ok: true, value: high };
  }),
  'dev.write': instant((machine, args) => transfer(machine, args, true)),
  'dev.read': instant((machine, args) => transfer(machine, args, false)),
};

/** DMA to or from a page; what the IOMMU stops, the kernel's driver logs. */
function transfer(machine: Machine, args: StepArguments, write: boolean): Outcome {
  const event = machine.hardware.dma(number(args.values[0]) * 4096, write);
  if (event === undefined) return { ok: true };
  machine.kernel.log.append(KERN_ERR, formatIommuEvent(event));
  return { ok: false, code: 'RMP_PAGE_FAULT' };
}

const KERN_ERR = 3;
