/**
 * LOOKUP: an RMP entry that could not be read is neither assigned nor unassigned.
 *
 * snp_lookup_rmpentry() of RFC v8 returns 1, 0 or a negative errno, and callers that test for zero take the errno for "assigned" with a level that
 * nobody has set.
 */
import { hex } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const lookup: Invariant = {
  id: 'LOOKUP',
  spec: 'I-LOOKUP',
  severity: 'warning',
  statement:
    'A failed RMP lookup is an error of its own: the kernel does not go on as if it had said assigned or unassigned.',
  source: 'snp_lookup_rmpentry (RFC v8 12/56), review by Vlastimil Babka; sev_invalidate_private_range (RFC v8 50/56)',
  explanation: `A page that the RMP does not cover has no entry to read. The lookup then fails, and what the kernel does next shows whether it noticed: it must not execute RMPUPDATE or PSMASH on the page, not say in the log that the page is assigned, and not go on to the next lookup of the same page elsewhere as if the first had answered.

Mapping at 4K because the lookup failed is a decision, and fine. Steps of a guest are judged on the first two only, since one access may fault more than once.`,
  repeats: ['COVER'],
  check(step: StepView): Finding[] {
    const { trace } = step;
    // First failed lookup of each page.
    const failed = new Map<number, number>();
    for (let e = step.from; e < step.to; e++) {
      const page = trace.page[e];
      switch (trace.kind[e]) {
        case EventKind.Rmpread: {
          if (trace.code[e] === 0 || trace.site[e] === 0) break;
          const first = failed.get(page);
          if (first === undefined) failed.set(page, e);
          else if (step.actor === undefined && trace.stack[first] !== trace.stack[e])
            return [describe(step, page, first, 'and the kernel goes on with the page all the same')];
          break;
        }
        case EventKind.Rmpupdate:
        case EventKind.Psmash: {
          const first = trace.site[e] === 0 ? undefined : failed.get(page);
          if (first !== undefined)
            return [
              describe(step, page, first, `and ${trace.kind[e] === EventKind.Psmash ? 'PSMASH' : 'RMPUPDATE'} follows`),
            ];
          break;
        }
        case EventKind.Log:
          for (const [pfn, first] of failed) {
            if (step.logLine(trace.a[e]).includes(`assigned for pfn ${hex(pfn)}`))
              return [describe(step, pfn, first, 'and the kernel says that the page is assigned')];
          }
          break;
      }
    }
    return [];
  },
};

function describe(step: StepView, pfn: number, event: number, what: string): Finding {
  const where = step.functionAt(step.trace.site[event]);
  return {
    message: `The RMP entry of pfn ${hex(pfn)} cannot be read${step.covers(pfn) ? '' : ' (the RMP does not cover it)'}, ${what}: a negative errno is taken for an answer${where === undefined ? '' : ` (lookup in ${where}())`}. Test for errors first, and leave level unused then.`,
    event,
    pages: [{ start: pfn, end: pfn + 1 }],
  };
}
