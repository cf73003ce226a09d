/**
 * Options of the kernel models: what the kernel's sources leave open, and what a scenario makes go wrong. Set by `option NAME = VALUE` of the host,
 * read in C by __kernel_option().
 */
export interface KernelOptionRow {
  /** Name in a scenario's `host { option NAME = VALUE }`. */
  name: string;
  /** `flag`: 0 or 1, written off or on. `status`: a number, 0 for none. */
  kind: 'flag' | 'status';
  default: number;
  doc: string;
}

export const kernelOptionTable: readonly KernelOptionRow[] = [
  {
    name: 'fast-page-fault-spurious',
    kind: 'flag',
    default: 1,
    doc: 'A write fault on a mapping that is writable already is taken for spurious by fast_page_fault(), whatever the RMP says of the page.',
  },
  {
    name: 'cpuid-page-valid',
    kind: 'flag',
    default: 1,
    doc: 'The firmware accepts the contents of CPUID pages; off: SNP_LAUNCH_UPDATE of one returns INVALID_PARAM with a corrected page.',
  },
  {
    name: 'page-reclaim-status',
    kind: 'status',
    default: 0,
    doc: 'The status with which SNP_PAGE_RECLAIM fails; 0 lets it do its work.',
  },
];

export function kernelOption(name: string): KernelOptionRow | undefined {
  return kernelOptionTable.find((row) => row.name === name);
}
