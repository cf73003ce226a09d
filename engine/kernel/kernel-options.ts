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
  {
    name: 'gmem-huge-folios',
    kind: 'flag',
    default: 0,
    doc: 'In kvm-6.12, a guest_memfd has folios as large as the slot says, as in trees with patches for that; off: of one page, as in v6.12.',
  },
  {
    name: 'launch-update-eio',
    kind: 'flag',
    default: 0,
    doc: 'In kvm-6.12, KVM_SEV_SNP_LAUNCH_UPDATE answers every failure with EIO, as v6.12 does; off: with its reason (EEXIST: the page was used before).',
  },
  {
    name: 'vmm-discards-backing',
    kind: 'flag',
    default: 1,
    doc: 'In kvm-6.12, a VMM that made pages shared for a guest punches a hole into the guest_memfd; off: it only sets the attributes.',
  },
  {
    name: 'vmm-map-gpa-range-errno',
    kind: 'status',
    default: 0,
    doc: 'In kvm-6.12, the errno with which the VMM answers KVM_HC_MAP_GPA_RANGE without doing anything; 0 lets it do its work.',
  },
];

export function kernelOption(name: string): KernelOptionRow | undefined {
  return kernelOptionTable.find((row) => row.name === name);
}
