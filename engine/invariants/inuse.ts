/** INUSE: pages that the processor has locked for a running vCPU are left alone, and do not stand at a 2M boundary. */
import { hex } from '../base/text.ts';
import { Check, checkOf } from '../hardware/instruction-checks.ts';
import { EventKind } from '../trace/trace.ts';
import { attempts, FAIL_INUSE, lastingFailures } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const inuse: Invariant = {
  id: 'INUSE',
  spec: 'I-INUSE',
  severity: 'warning',
  statement:
    'Pages in use by VMRUN (VMCB, VMSA, AVIC backing) are not converted while the vCPU runs, and are not 2M-aligned on parts with the erratum.',
  source: 'APM vol. 2, 15.36.12; Linux 75253db41a46 (snp_safe_alloc_page)',
  explanation: `From VMRUN to #VMEXIT the processor marks the VMCB, the AVIC backing page and the VMSA. RMP instructions on them return FAIL_INUSE, and waiting is of no use while the vCPU stays in the guest: it has to be kicked out first.

On early SNP parts a marked page at a 2M boundary makes every write through a large mapping of its region fault. Kernels allocate two pages and keep the other one.`,
  check(step: StepView): Finding[] {
    return [...converted(step), ...aligned(step)];
  },
};

function converted(step: StepView): Finding[] {
  const { trace } = step;
  return lastingFailures(step).flatMap((e): Finding[] => {
    const check = checkOf(trace.a[e]);
    if (trace.code[e] !== FAIL_INUSE || check === Check.ContendedSame || check === Check.ContendedOther) return [];
    const pfn = trace.page[e];
    const n = attempts(step, e);
    const what = step.marks(pfn).vmsa
      ? 'the VMSA of a vCPU that is in the guest'
      : 'in use by a vCPU that is in the guest';
    return [
      {
        message: `${trace.kind[e] === EventKind.Psmash ? 'PSMASH' : 'RMPUPDATE'} at pfn ${hex(pfn)}: FAIL_INUSE${n > 1 ? ` ${n} times` : ''}, the page is ${what}. Retrying cannot help before its #VMEXIT: stop the vCPU, or refuse the conversion.`,
        event: e,
        pages: [{ start: pfn, end: pfn + 1 }],
      },
    ];
  });
}

function aligned(step: StepView): Finding[] {
  if (!step.inUse2mErratum) return [];
  const { trace } = step;
  const known = step.violating('INUSE', 0);
  const findings: Finding[] = [];
  for (let e = step.from; e < step.to; e++) {
    const pfn = trace.page[e];
    if (trace.kind[e] !== EventKind.RmpWrite || pfn % 512 !== 0) continue;
    const entry = step.rawEntry(pfn);
    // The lock bit of immutable entries is the firmware's.
    const bad = step.marks(pfn).locked && !entry.immutable;
    if (!known.set(pfn, bad) || !bad) continue;
    findings.push({
      message: `pfn ${hex(pfn)} is in use by VMRUN and 2M-aligned: on parts with the erratum every write through a large mapping of its region takes #PF(RMP). Allocate it anywhere else (snp_safe_alloc_page).`,
      event: e,
      pages: [{ start: pfn, end: pfn + 1 }],
    });
  }
  return findings;
}
