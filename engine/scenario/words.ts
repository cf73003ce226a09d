/** The words of the language that are no names of the user's: outcomes, codes, states, settings. One place, so that every table agrees. */
import { errnoNumbers } from '../base/errno.ts';

export const ACTORS = ['vmm', 'host', 'cpu', 'fw', 'dev', 'kernel'] as const;
export type ActorWord = (typeof ACTORS)[number];

export const ACTOR_DOCS: Readonly<Record<ActorWord | 'guest', string>> = {
  vmm: 'The VMM: the ioctls and fallocate() calls that change guest memory.',
  guest:
    'A guest, by its name: its instructions, memory accesses and VMGEXITs. `g.vcpu(1)` is its second vCPU, `g.vmpl(1)` its VMPL1; both can be joined.',
  host: 'Other accesses of the host kernel and of host user space, and what happens to memory behind KVM.',
  cpu: 'Raw instructions in host mode, past the kernel.',
  fw: 'SNP firmware (AMD-SP) commands.',
  dev: 'A device: DMA through the IOMMU.',
  kernel: 'Any C function of the kernel model, the patch or the source: `kernel.psmash(pfn(g, 0))`.',
};

/** Return codes of the RMP instructions (APM vol. 3; the kernel's names). */
export const RETURN_CODES = [
  'FAIL_INPUT',
  'FAIL_PERMISSION',
  'FAIL_INUSE',
  'FAIL_OVERLAP',
  'FAIL_SIZEMISMATCH',
  'FAIL_BADADDR',
] as const;

/** Status codes of SNP firmware commands (SNP ABI, table of status codes) without their SEV_RET_ prefix. */
export const FIRMWARE_CODES = [
  'INVALID_PLATFORM_STATE',
  'INVALID_GUEST_STATE',
  'INVALID_CONFIG',
  'INVALID_LEN',
  'ALREADY_OWNED',
  'POLICY_FAILURE',
  'INACTIVE',
  'INVALID_ADDRESS',
  'ASID_OWNED',
  'INVALID_ASID',
  'DFFLUSH_REQUIRED',
  'INVALID_GUEST',
  'INVALID_COMMAND',
  'ACTIVE',
  'HWERROR',
  'UNSUPPORTED',
  'INVALID_PARAM',
  'RESOURCE_LIMIT',
  'INVALID_PAGE_SIZE',
  'INVALID_PAGE_STATE',
  'INVALID_MDATA_ENTRY',
  'INVALID_PAGE_OWNER',
  'AEAD_OFLOW',
  'RMP_INIT_REQUIRED',
] as const;

/** What else a step can come to: an IOMMU event, a signal. */
export const EVENT_CODES = ['RMP_PAGE_FAULT', 'SIGBUS'] as const;

/** KVM exit reasons a step can end in, by number (include/uapi/linux/kvm.h); MEMORY_FAULT had 38 in the private-memory series. */
export const EXIT_REASONS: ReadonlyMap<number, string> = new Map([
  [38, 'KVM_EXIT_MEMORY_FAULT'],
  [39, 'KVM_EXIT_MEMORY_FAULT'],
  [50, 'KVM_EXIT_VMGEXIT'],
  [3, 'KVM_EXIT_HYPERCALL'],
  [6, 'KVM_EXIT_MMIO'],
  [9, 'KVM_EXIT_FAIL_ENTRY'],
  [17, 'KVM_EXIT_INTERNAL_ERROR'],
  [8, 'KVM_EXIT_SHUTDOWN'],
  [24, 'KVM_EXIT_SYSTEM_EVENT'],
  [0, 'KVM_EXIT_UNKNOWN'],
]);
export const EXITS: readonly string[] = [...new Set(EXIT_REASONS.values())];

/** A reason that has no name here, as a kernel of the user's may have: `KVM_EXIT_42`. */
export const EXIT_BY_NUMBER = /^KVM_EXIT_\d+$/;

export const ERRNOS: readonly string[] = Object.keys(errnoNumbers);

/** Faults, and the bits of their error codes that can be named (APM vol. 2, 8.2.15 and 15.36.10). */
export const FAULTS = ['#NPF', '#PF', '#VC', '#GP', '#UD', '#DB'] as const;
export const FAULT_BITS: readonly { name: string; bit: number }[] = [
  { name: 'P', bit: 0 },
  { name: 'W', bit: 1 },
  { name: 'U', bit: 2 },
  { name: 'I', bit: 4 },
  { name: 'RMP', bit: 31 },
  { name: 'ENC', bit: 34 },
  { name: 'SIZEM', bit: 35 },
  { name: 'VMPL', bit: 36 },
  { name: 'SSS', bit: 37 },
];

/** States of a page as SNP firmware tells them apart. */
export const PAGE_STATES: readonly { name: string; doc: string }[] = [
  { name: 'HYPERVISOR', doc: 'Assigned=0, Immutable=0.' },
  { name: 'HV_FIXED', doc: 'Assigned=0, Immutable=1: hypervisor-owned for good.' },
  { name: 'FIRMWARE', doc: 'Assigned=1, ASID 0, Immutable=1, GPA 0.' },
  { name: 'FIRMWARE_IOMMU', doc: 'A firmware page that the IOMMU uses.' },
  { name: 'RECLAIM', doc: 'Assigned=1, ASID 0, Immutable=0: given back by firmware.' },
  { name: 'CONTEXT', doc: 'A guest context page.' },
  { name: 'METADATA', doc: 'A page of swap metadata.' },
  { name: 'PRE_GUEST', doc: 'Assigned to a guest, Immutable=1: before SNP_LAUNCH_UPDATE.' },
  { name: 'PRE_SWAP', doc: 'Assigned to a guest, Immutable=1, Validated=1.' },
  { name: 'GUEST_INVALID', doc: 'Assigned to a guest, Validated=0.' },
  { name: 'GUEST_VALID', doc: 'Assigned to a guest, Validated=1.' },
  { name: 'DEFAULT', doc: 'Not covered by the RMP.' },
];

/** Instructions that `count(…)` counts. */
export const INSTRUCTIONS = ['rmpupdate', 'psmash', 'pvalidate', 'rmpadjust'] as const;

/** Outcomes that are neither code, errno, exit nor fault. */
export const PLAIN_OUTCOMES: readonly { name: string; doc: string }[] = [
  { name: 'ok', doc: 'Success. A step without `=>` expects it.' },
  { name: 'fails', doc: 'Anything but success.' },
  { name: 'any', doc: 'Whatever happens: the step only prepares what follows.' },
  { name: 'livelock', doc: 'The guest can never get past this access: the same state keeps recurring.' },
  { name: 'trap', doc: 'The kernel C stopped: a bad pointer, BUG(), a construct that cannot run.' },
];

export const OUTCOME_WORDS: readonly string[] = [
  ...PLAIN_OUTCOMES.map((outcome) => outcome.name),
  'CF=1',
  ...RETURN_CODES,
  ...FAULTS.slice(0, 5),
  ...EXITS,
  ...EVENT_CODES,
  ...FIRMWARE_CODES,
  ...ERRNOS,
];
