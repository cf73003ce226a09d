/**
 * IDEMP: asking for the attribute that a page has already changes nothing.
 *
 * RFC v8 issues RMPUPDATE again for every page of the range. Whether such a repetition keeps Validated is not documented.
 */
import { countPages, type Run } from '../base/runs.ts';
import { agree, formatRuns, plural } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { operandIsAssigned, operandIsLarge, PVALIDATE_VALIDATE, SNP_LAUNCH_UPDATE } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { ConversionRequest, StepView } from './step-view.ts';

export const idemp: Invariant = {
  id: 'IDEMP',
  spec: 'I-IDEMP',
  severity: 'warning',
  statement:
    'Making a page private that is private already executes no RMPUPDATE on it once the guest has validated it.',
  source: 'kvm_vm_set_region_attr (RFC v8 06/56); kvm_vm_set_mem_attributes (virt/kvm/kvm_main.c)',
  explanation: `The processor clears Validated when an entry is changed. Whether writing the very same entry counts as a change is not documented (option idempotent-rmpupdate-keeps-validated): if it does, a VMM that repeats an ioctl takes all its pages from the guest, which dies of #VC 0x404 at its next access.

Judged on validated pages whose attribute the step left as it was and whose entry already was what the RMPUPDATE asks for. Doing again what had failed before is a repair, and fine; where the guest has validated nothing, nothing is at stake. In RFC v8 it is an error, since its ioctl has no early exit; elsewhere a warning.`,
  check(step: StepView): Finding[] {
    const { trace, request } = step;
    if (request?.toPrivate !== true) return [];
    const repeated: Run[] = [];
    let event: number | undefined;
    let lost = 0;
    for (let e = step.from; e < step.to; e++) {
      if (trace.kind[e] !== EventKind.Rmpupdate || trace.code[e] !== 0 || trace.site[e] === 0) continue;
      if (!operandIsAssigned(trace.a[e]) || changedAttribute(step, request, e) || !repeatsValidated(step, e)) continue;
      const pages = operandIsLarge(trace.a[e]) ? 512 : 1;
      event ??= e;
      if (!step.entry(trace.page[e]).validated) lost += pages;
      const last = repeated[repeated.length - 1];
      if (last !== undefined && last.end === trace.page[e]) last.end += pages;
      else repeated.push({ start: trace.page[e], end: trace.page[e] + pages });
    }
    if (event === undefined) return [];
    const n = countPages(repeated);
    const effect =
      lost > 0
        ? `${plural(lost, 'page')} lost Validated by it: the guest takes #VC(0x404) at its next access`
        : 'whether Validated outlives that is not documented';
    return [
      {
        message: `${plural(n, 'page')} of guest ${request.guest.name} (${formatRuns('pfn', repeated)}) ${agree(n, 'was', 'were')} private and validated already, and RMPUPDATE writes ${agree(n, 'its entry', 'their entries')} again; ${effect}. Leave pages alone whose attribute does not change.`,
        event,
        pages: repeated,
        ...(step.eagerRmp ? { severity: 'error' as const } : {}),
      },
    ];
  },
};

/** Whether the step changed the attribute of the page that the RMPUPDATE assigns. */
function changedAttribute(step: StepView, request: ConversionRequest, e: number): boolean {
  const gfn = Math.floor(step.trace.b[e] / 4096);
  return gfn < request.startGfn || gfn >= request.endGfn || step.attributeEvent(request.guest, gfn) >= step.from;
}

/** Whether the entry was what the RMPUPDATE makes of it, and validated. Read off the changes that led there. */
function repeatsValidated(step: StepView, e: number): boolean {
  const { trace } = step;
  let validated: boolean | undefined;
  for (let c = trace.cause[e]; c >= 0; c = trace.cause[c]) {
    switch (trace.kind[c]) {
      case EventKind.Pvalidate:
        validated ??= (trace.a[c] & PVALIDATE_VALIDATE) !== 0;
        break;
      case EventKind.Firmware:
        validated ??= trace.a[c] === SNP_LAUNCH_UPDATE && trace.code[c] === 0;
        break;
      case EventKind.Rmpadjust:
        break;
      case EventKind.Rmpupdate:
        // An earlier repetition kept what there was.
        if (!sameEntry(step, e, c)) return false;
        if (validated !== undefined) return validated;
        break;
      default:
        // Split or written raw since: whatever it was, it is not a plain repetition.
        return false;
    }
  }
  return false;
}

function sameEntry(step: StepView, e: number, c: number): boolean {
  const { trace } = step;
  const immutable = 4;
  const flags = (n: number): number => (n % 2 ** 32) - (n & immutable);
  return trace.code[c] === 0 && flags(trace.a[e]) === flags(trace.a[c]) && trace.b[e] === trace.b[c];
}
