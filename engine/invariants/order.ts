/**
 * ORDER: a loop that converts page by page goes on by as many pages as it converted.
 *
 * RFC v8 48/56 sets `npages = 1 << order` for a folio of any order but issues one RMPUPDATE, of 4K for orders 1..8 and of 2M for orders above 9:
 * the rest of the folio is passed over.
 */
import { hex, plural } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { operandIsLarge } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const order: Invariant = {
  id: 'ORDER',
  spec: 'I-ORDER',
  severity: 'error',
  statement: 'A conversion loop advances by exactly the pages whose RMP entries it updated.',
  source: 'sev_update_mem_attr (RFC v8 48/56); review by Dave Hansen',
  explanation: `RMPUPDATE knows 4K and 2M. A loop that goes on by the folio's size after one update passes over pages that were never converted, or converts some twice.

Judged from the trace: each time a loop variable that counts pages advances, the advance is compared with the RMP entries updated since its last advance. Rounds that updated nothing (an attribute loop, a page that was shared already) are not judged.`,
  check,
};

function check(step: StepView): Finding[] {
  const { trace } = step;
  let updated = 0;
  // RMP entries updated when each loop (by its call stack) last advanced.
  const before = new Map<number, number>();
  const bySite = new Map<number, { event: number; advanced: number; updated: number; gfn: number; times: number }>();
  for (let e = step.from; e < step.to; e++) {
    const kind = trace.kind[e];
    if (kind === EventKind.Rmpupdate) {
      if (trace.code[e] === 0) updated += operandIsLarge(trace.a[e]) ? 512 : 1;
    } else if (kind === EventKind.Progress) {
      const stack = trace.stack[e];
      const done = updated - (before.get(stack) ?? 0);
      before.set(stack, updated);
      if (done === 0 || done === trace.a[e]) continue;
      const known = bySite.get(trace.site[e]);
      if (known !== undefined) known.times++;
      else
        bySite.set(trace.site[e], {
          event: e,
          advanced: trace.a[e],
          updated: done,
          gfn: trace.b[e] - trace.a[e],
          times: 1,
        });
    }
  }
  return [...bySite.values()].map((m) => describe(step, m));
}

function describe(
  step: StepView,
  m: { event: number; advanced: number; updated: number; gfn: number; times: number },
): Finding {
  const name = step.functionAt(step.trace.site[m.event]);
  const skipped = m.advanced - m.updated;
  const entries = m.updated === 1 ? '1 RMP entry' : `${m.updated} RMP entries`;
  const again = m.times > 1 ? ` (${m.times} times in this step)` : '';
  const effect =
    skipped > 0
      ? `${plural(skipped, 'page')} from gfn ${hex(m.gfn + m.updated)} are passed over with the attribute already stored.`
      : `${plural(-skipped, 'page')} are gone over twice.`;
  return {
    message: `${name === undefined ? 'The loop' : `${name}()`} advances by ${plural(m.advanced, 'page')} at gfn ${hex(m.gfn)} but updated ${entries}${again}: ${effect} RMPUPDATE knows 4K and 2M only; advance by the size that was used, or update every page of the folio.`,
    event: m.event,
  };
}
