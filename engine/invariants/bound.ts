/**
 * BOUND: a call that is about a range leaves the rest alone.
 *
 * RFC v8 50/56 walks `while (gfn <= end)` where v7 had `<`: the first page behind a hole is taken from the guest as well.
 */
import { clip, countPages, type Run, Runs } from '../base/runs.ts';
import { formatRuns, hex, plural } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { operandIsLarge } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { GuestRange, StepView } from './step-view.ts';

export const bound: Invariant = {
  id: 'BOUND',
  spec: 'I-BOUND',
  severity: 'error',
  statement: 'What a call does to a range of gfns stays within [start, end).',
  source: 'sev_invalidate_private_range (RFC v8 50/56; v7 57 had the bound right)',
  explanation: `An index that runs one page too far converts a page that nobody asked for: a private page becomes unassigned with its attribute still private, or a page is allocated behind a hole.

Judged on RMPUPDATEs and on pages got from the private file during a step that names a range: a conversion, a launch update, a hole. PSMASH of the 2M entry that a range begins or ends in, and zapping its mapping, reach outside by nature and are fine.`,
  check(step: StepView): Finding[] {
    const { range } = step;
    if (range === undefined) return [];
    const updated = outside(step, range, EventKind.Rmpupdate);
    const got = outside(step, range, EventKind.GetPfn);
    const gfns = updated.length > 0 ? updated : got;
    if (gfns.length === 0) return [];
    const frames = step.framesBehind(range.guest, gfns);
    const event = firstOn(step, updated.length > 0 ? EventKind.Rmpupdate : EventKind.GetPfn, frames);
    const asked =
      range.startGfn < range.endGfn
        ? formatRuns('gfn', [{ start: range.startGfn, end: range.endGfn }])
        : `no page at all (an empty range at gfn ${hex(range.startGfn)})`;
    return [
      {
        message:
          updated.length > 0
            ? `The call is about ${asked}, but changes the RMP entries of ${plural(countPages(gfns), 'page')} outside it (${formatRuns('gfn', gfns)}). Ranges are half-open: \`gfn < end\`.`
            : `The call is about ${asked}, but takes ${plural(countPages(gfns), 'page')} outside it from the private file (${formatRuns('gfn', gfns)}), allocating what was not there. Ranges are half-open: \`gfn < end\`.`,
        pages: frames,
        ...(event === undefined ? {} : { event }),
      },
    ];
  },
};

/** gfns outside the range whose pages the kernel handled with events of this kind. */
function outside(step: StepView, range: GuestRange, kind: number): readonly Run[] {
  const { trace } = step;
  const pages = new Runs();
  for (let e = step.from; e < step.to; e++) {
    if (trace.kind[e] !== kind || trace.code[e] !== 0 || trace.site[e] === 0) continue;
    const large = kind === EventKind.Rmpupdate && operandIsLarge(trace.a[e]);
    pages.add(trace.page[e], trace.page[e] + (large ? 512 : 1));
  }
  if (pages.empty) return [];
  const gfns = step.gfnsBackedBy(range.guest, pages.merged());
  return [...clip(gfns, 0, range.startGfn), ...clip(gfns, range.endGfn, Number.MAX_SAFE_INTEGER)];
}

function firstOn(step: StepView, kind: number, frames: readonly Run[]): number | undefined {
  const { trace } = step;
  for (let e = step.from; e < step.to; e++)
    if (
      trace.kind[e] === kind &&
      trace.site[e] !== 0 &&
      frames.some((r) => r.start <= trace.page[e] && trace.page[e] < r.end)
    )
      return e;
  return undefined;
}
