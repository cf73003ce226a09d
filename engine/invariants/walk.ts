/** WALK: a guest keeps its code and its page tables in memory that is private and validated. */
import { hex } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { GuestView, StepView } from './step-view.ts';

export const walk: Invariant = {
  id: 'WALK',
  spec: 'I-WALK',
  severity: 'error',
  statement: 'Instruction fetches and page-table walks of a guest go to private, validated pages only.',
  source: 'APM vol. 2, table 15-39',
  explanation: `The processor treats fetches and walks of the guest's page tables as C=1, whatever the page table says, so that the hypervisor cannot feed them. A guest that puts code or page tables into shared memory faults with #NPF, and KVM asks the VMM to convert the page.

A step that states its fault or exit is about just this and not reported. One that states nothing is reported by FAULT or OUTCOME, with this rule's explanation.`,
  repeats: ['SIZE'],
  check(step: StepView): Finding[] {
    const { actor } = step;
    if (actor === undefined || !step.outcome.faulted) return [];
    if (step.stated !== undefined && step.stated !== 'any' && step.stated !== 'fails' && step.stated !== 'ok')
      return [];
    const gfn = target(step, actor);
    if (gfn === undefined) return [];
    const pfn = step.mapped(actor, gfn);
    const entry = pfn === undefined ? undefined : step.entry(pfn);
    const bound = entry?.assigned === true && entry.asid === actor.asid && entry.gfn === gfn;
    if (bound && entry.validated) return [];
    const what = !step.isPrivate(actor, gfn) ? 'shared' : bound ? 'not validated' : 'not assigned to the guest';
    return [
      {
        message: `Guest ${actor.name} ${step.operation === 'guest.fetch' ? 'fetches an instruction' : 'walks a page table'} at GPA ${hex(gfn * 4096)}, which is ${what}: such accesses are C=1 always, whatever its page table says. Code and page tables belong in private, validated memory.`,
        explainsOutcome: true,
      },
    ];
  },
};

/** PFERR bits: instruction fetch, and a fault during the guest's own page walk. */
const FETCH = 16;
const GUEST_PAGE = 2 ** 33;

/** The gfn of the step's last fault, if a fetch or a walk took it. */
function target(step: StepView, guest: GuestView): number | undefined {
  const { trace } = step;
  for (let e = step.to - 1; e >= step.from; e--) {
    if (trace.kind[e] !== EventKind.Fault || trace.space[e] !== guest.asid) continue;
    const code = trace.b[e];
    const named = step.operation === 'guest.fetch' || step.operation === 'guest.walk';
    const told = (code & FETCH) !== 0 || Math.floor(code / GUEST_PAGE) % 2 === 1;
    // #VC carries an exit code instead of bits.
    return named || (told && code > 0xffff) ? trace.page[e] : undefined;
  }
  return undefined;
}
