/** LOCK-BALANCE: a call into the kernel returns with every lock released that it took. */
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const lockBalance: Invariant = {
  id: 'LOCK-BALANCE',
  spec: '',
  severity: 'error',
  statement: 'A call into the kernel releases every lock it takes, and none that it does not hold.',
  source: 'Documentation/locking; lockdep',
  explanation: `Judged when a call from outside the kernel has returned: a lock still held then is never released, and a release without a matching acquire undoes somebody else's.`,
  check(step: StepView): Finding[] {
    return step.unbalancedLocks.map((lock) => ({
      message:
        lock.depth > 0
          ? `${lock.name} is still held when the call returns (taken here): the next caller deadlocks.`
          : `${lock.name} is released without being held.`,
      event: lock.event,
    }));
  },
};
