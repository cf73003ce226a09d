/**
 * The operations of the language: what each actor can do, with operands, outcomes and the place in the manual or the kernel that says so. An entry here
 * and a function of the same key in engine/run/operations is all that a new operation takes.
 */
import { firmwareOperations } from './firmware-operations.ts';
import { at, flag, GUEST, named, oneOf, optional, PAGE_TYPE, PFN, size } from './operands.ts';
import type { Operand, OperationSpec } from './operation-table.ts';
import type { ActorKind } from './program.ts';
import { ERRNOS } from './words.ts';

const RANGE = at('range', 'gpa-range', 'Guest-physical bytes, half-open: `0..2M` or `64K +4K`.');
const GPA = at('gpa', 'gpa', 'Guest-physical address.');
const ATTRIBUTE = oneOf('to', ['PRIVATE', 'SHARED'], undefined, 'What the range becomes.');
const VIA: Operand = {
  name: 'via',
  kind: 'word',
  words: ['4K', '2M', '1G'],
  form: 'named',
  optional: true,
  doc: 'Size of the mapping used.',
};
const MAPPING = oneOf(
  'mapping',
  ['private', 'shared'],
  'private',
  'The C-bit of the guest page table: private is C=1, shared is C=0.',
);
/** Pages of VMRUN besides the VMSA, which the kernel's VMCB names. */
const VMCB = optional('vmcb', 'pfn', 'The VMCB, a page of the hypervisor. Left out: not looked at.');
const AVIC = optional('avic', 'pfn', 'The AVIC backing page, of the hypervisor.');
const ACCESS_OUTCOMES = [
  'ok',
  '#NPF(RMP|ENC)',
  '#NPF(RMP)',
  '#NPF(RMP|VMPL)',
  '#VC(0x404)',
  'KVM_EXIT_MEMORY_FAULT',
  'livelock',
];

type Row = Omit<OperationSpec, 'key' | 'actor' | 'name'>;

const table: Readonly<Record<ActorKind, Readonly<Record<string, Row>>>> = {
  vmm: {
    set_memory_attributes: {
      operands: [GUEST, RANGE, ATTRIBUTE],
      outcomes: ['ok', 'EINVAL', 'ENOMEM', 'EFAULT', 'EPERM', 'EEXIST', 'E2BIG'],
      doc: 'KVM_SET_MEMORY_ATTRIBUTES: KVM is to treat a range of guest memory as private or as shared.',
      source: 'Documentation/virt/kvm/api.rst, KVM_SET_MEMORY_ATTRIBUTES',
      example: 'vmm.set_memory_attributes(g, 0..2M, PRIVATE)',
    },
    launch_update: {
      operands: [GUEST, RANGE, PAGE_TYPE],
      outcomes: ['ok', 'EFAULT', 'EINVAL', 'EEXIST', 'EIO', 'ENOMEM'],
      doc: 'KVM_SEV_SNP_LAUNCH_UPDATE: add initial memory to the guest, encrypted and (but for UNMEASURED) measured by firmware.',
      source: 'Documentation/virt/kvm/x86/amd-memory-encryption.rst, KVM_SEV_SNP_LAUNCH_UPDATE',
      example: 'vmm.launch_update(g, 0..64K, NORMAL)',
    },
    launch_finish: {
      operands: [GUEST],
      outcomes: ['ok', 'EFAULT', 'EIO', 'ENOTTY', 'trap'],
      doc: "KVM_SEV_SNP_LAUNCH_FINISH: the vCPUs' first state joins the initial memory, and the guest may run.",
      source: 'Documentation/virt/kvm/x86/amd-memory-encryption.rst, KVM_SEV_SNP_LAUNCH_FINISH',
      example: 'vmm.launch_finish(g)',
    },
    punch_hole: {
      operands: [GUEST, RANGE],
      outcomes: ['ok', 'EINVAL', 'ENOSYS'],
      doc: 'fallocate(FALLOC_FL_PUNCH_HOLE) on the private backing: the VMM discards the pages of a range.',
      source: 'fallocate(2); virt/kvm/guest_memfd.c',
      example: 'vmm.punch_hole(g, 0..2M)',
    },
  },
  guest: {
    pvalidate: {
      operands: [
        GPA,
        size('Page size in ECX.'),
        {
          name: 'validate',
          kind: 'bool',
          words: ['valid', 'invalid'],
          form: 'flag',
          default: 'true',
          doc: 'EDX: `valid` sets Validated, `invalid` clears it.',
        },
      ],
      outcomes: [
        'ok',
        'CF=1',
        'FAIL_INPUT',
        'FAIL_SIZEMISMATCH',
        '#NPF(RMP|ENC)',
        '#NPF(RMP|ENC|SIZEM)',
        '#GP',
        'KVM_EXIT_MEMORY_FAULT',
        'livelock',
      ],
      doc: 'PVALIDATE: set or clear Validated of a page that the guest owns. CF=1 says that nothing changed.',
      source: 'APM vol. 3, PVALIDATE; vol. 2, 15.36.6',
      example: 'g.pvalidate(0, 2M)',
    },
    rmpadjust: {
      operands: [
        GPA,
        size('Page size in RCX.'),
        named('vmpl', 'int', '1', 'Target VMPL, less privileged than the one that executes.'),
        named('perms', 'int', '0', 'Its permissions: R 1, W 2, user X 4, supervisor X 8, SSS 0x10.'),
        flag('vmsa', 'The page becomes a VMSA; without it, it is none any more. Ignored outside VMPL0.'),
      ],
      outcomes: [
        'ok',
        'FAIL_INPUT',
        'FAIL_PERMISSION',
        'FAIL_INUSE',
        'FAIL_SIZEMISMATCH',
        '#NPF(RMP|ENC)',
        '#NPF(RMP|ENC|SIZEM)',
        '#VC(0x404)',
        'KVM_EXIT_MEMORY_FAULT',
        'livelock',
      ],
      doc: 'RMPADJUST: set the permissions of a less privileged VMPL on a page and, at VMPL0, whether the page is a VMSA.',
      source: 'APM vol. 3, RMPADJUST; vol. 2, 15.36.7',
      example: 'g.rmpadjust(64K, vmpl 1, perms 3)',
    },
    rmpquery: {
      operands: [
        GPA,
        named('vmpl', 'int', '1', 'The VMPL that is asked about, less privileged than the one that executes.'),
      ],
      outcomes: ['ok', 'FAIL_PERMISSION', '#NPF(RMP|ENC)', '#VC(0x404)', 'KVM_EXIT_MEMORY_FAULT', 'livelock'],
      doc: "RMPQUERY: read a VMPL's permissions on a page. The value is the mask.",
      source: 'APM vol. 3, RMPQUERY; vol. 2, 15.36.7',
      example: 'g.rmpquery(64K, vmpl 1)',
    },
    read: {
      operands: [GPA, MAPPING],
      outcomes: ACCESS_OUTCOMES,
      doc: 'A data read by the guest. With C=0 the RMP is not consulted.',
      source: 'APM vol. 2, 15.36.10',
      example: 'g.read(64K)',
    },
    write: {
      operands: [GPA, MAPPING],
      outcomes: ACCESS_OUTCOMES,
      doc: 'A data write by the guest. With C=0 the page must be hypervisor-owned.',
      source: 'APM vol. 2, 15.36.10',
      example: 'g.write(64K, shared)',
    },
    fetch: {
      operands: [GPA, MAPPING],
      outcomes: ACCESS_OUTCOMES,
      doc: 'An instruction fetch by the guest; the hardware treats it as C=1 whatever the page table says.',
      source: 'APM vol. 2, 15.36.10',
      example: 'g.fetch(0)',
    },
    psc: {
      operands: [RANGE, ATTRIBUTE],
      outcomes: ['ok', 'fails', 'KVM_EXIT_VMGEXIT', 'KVM_EXIT_HYPERCALL'],
      doc: 'SNP Page State Change VMGEXIT: the guest asks the hypervisor to convert a range. The guest does not validate by it.',
      source: 'GHCB specification, 4.1.6 SNP Page State Change',
      example: 'g.psc(0..2M, PRIVATE)',
    },
    ap_create: {
      operands: [
        at('vcpu', 'int', 'APIC id of the vCPU to start.'),
        at('vmsa', 'gpa', 'Guest-physical address of its VMSA page.'),
      ],
      outcomes: ['ok', '#GP', 'trap'],
      doc: 'SNP AP Creation VMGEXIT: start another vCPU from a VMSA page of the guest. A request that the hypervisor refuses is a #GP.',
      source: 'GHCB specification, 4.1.9 SNP AP Creation',
      example: 'g.ap_create(1, 64K)',
    },
    vmrun: {
      operands: [
        VMCB,
        AVIC,
        optional('hsave', 'pfn', "VM_HSAVE_PA, where the host's state is saved: of the hypervisor."),
      ],
      outcomes: ['ok', '#GP', 'KVM_EXIT_FAIL_ENTRY'],
      doc: 'VMRUN of the vCPU, which stays in the guest until `vmexit`: its VMSA, VMCB and AVIC backing page are in use, RMP instructions refuse them and host writes to them fault.',
      source: 'APM vol. 2, 15.36.12 and table 15-41',
      example: 'g.vcpu(1).vmrun(vmcb 0x1200)',
    },
    vmexit: {
      operands: [VMCB, AVIC],
      outcomes: ['ok'],
      doc: '#VMEXIT of a vCPU that is in the guest since `vmrun`: its VMSA, and the pages given, are not in use any more.',
      source: 'APM vol. 2, 15.36.12',
      example: 'g.vcpu(1).vmexit(vmcb 0x1200)',
    },
  },
  host: {
    read: {
      operands: [PFN],
      outcomes: ['ok', '#PF'],
      doc: 'A read by the host kernel through the direct map. The RMP does not forbid it; private memory reads as ciphertext.',
      source: 'APM vol. 2, 15.36.10',
      example: 'host.read(pfn(g, 0))',
    },
    write: {
      operands: [PFN, VIA],
      outcomes: ['ok', '#PF(RMP)', '#PF'],
      doc: 'A write by the host kernel, through the direct map unless `via` says otherwise. Through a 2M or 1G mapping, every 4K page of the 2M region must be hypervisor-owned.',
      source: 'APM vol. 2, 15.36.10',
      example: 'host.write(pfn(g, 68K))',
    },
    user_write: {
      operands: [PFN, VIA],
      outcomes: ['ok', '#PF(RMP)', 'SIGBUS'],
      doc: 'A write by host user space through its own mapping of the page, 4K unless `via` says otherwise.',
      source: 'arch/x86/mm/fault.c, do_user_addr_fault()',
      example: 'host.user_write(pfn(g, 0))',
    },
    split_folio: {
      operands: [GUEST, RANGE],
      outcomes: ['ok'],
      doc: 'The host splits the folios that back a range privately into single pages; what they hold stays.',
      source: 'mm/huge_memory.c, split_folio()',
      example: 'host.split_folio(g, 0..2M)',
    },
    fail_get_pfn: {
      operands: [
        GUEST,
        RANGE,
        oneOf('errno', ERRNOS, 'ENOMEM', 'What getting a backing page of the range fails with from now on.'),
      ],
      outcomes: ['ok'],
      doc: 'From now on the backing pages of a range cannot be had: kvm_restrictedmem_get_pfn() and kvm_gmem_get_pfn() fail for them.',
      source: 'mm/restrictedmem.c; virt/kvm/guest_memfd.c',
      example: 'host.fail_get_pfn(g, 64K +4K, ENOSPC)',
    },
    contend: {
      operands: [
        PFN,
        {
          name: 'times',
          kind: 'int',
          form: 'positional',
          default: '1',
          doc: 'How many instructions meet the contention.',
        },
      ],
      outcomes: ['ok'],
      doc: 'Another CPU holds the 2M region of a page: the next RMPUPDATE or PSMASH on it return FAIL_OVERLAP or FAIL_INUSE. With option contended-access-faults, accesses that need an RMP check meet it as well.',
      source: 'arch/x86/virt/svm/sev.c, rmpupdate()',
      example: 'host.contend(pfn(g, 0), 2)',
    },
  },
  cpu: {
    rmpupdate: {
      operands: [
        PFN,
        named('gpa', 'gpa', '0', 'Guest-physical address that the page is bound to.'),
        named('asid', 'int', '0', 'ASID of the owner.'),
        size('Page_Size of the new entry.'),
        flag('assigned', 'Assigned=1.'),
        flag('immutable', 'Immutable=1.'),
      ],
      outcomes: ['ok', 'FAIL_INPUT', 'FAIL_PERMISSION', 'FAIL_INUSE', 'FAIL_OVERLAP'],
      doc: 'RMPUPDATE: write a new RMP entry. Without `assigned` the page becomes hypervisor-owned.',
      source: 'APM vol. 3, RMPUPDATE; vol. 2, 15.36.5',
      example: 'cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 2M, assigned)',
    },
    psmash: {
      operands: [PFN],
      outcomes: ['ok', 'FAIL_INPUT', 'FAIL_PERMISSION', 'FAIL_INUSE', 'FAIL_BADADDR'],
      doc: 'PSMASH: replace a 2M entry by 512 4K entries that keep its other fields.',
      source: 'APM vol. 3, PSMASH; vol. 2, 15.36.11',
      example: 'cpu.psmash(pfn(g, 0))',
    },
    vmsave: {
      operands: [PFN],
      outcomes: ['ok', '#GP'],
      doc: 'VMSAVE to a page, which must be hypervisor-owned.',
      source: 'APM vol. 2, 15.36.12 and table 15-41',
      example: 'cpu.vmsave(0x1200)',
    },
    rmpread: {
      operands: [PFN],
      outcomes: ['ok', 'FAIL_INPUT'],
      doc: 'RMPREAD: read the architectural fields of an entry. The value is the second quadword of its format: bit 0 Assigned, 8 Page_Size, 9 region status, 16 Immutable, 32 and up the ASID.',
      source: 'APM vol. 3, RMPREAD; arch/x86/virt/svm/sev.c, struct rmpread',
      example: 'cpu.rmpread(pfn(g, 0))',
    },
  },
  fw: firmwareOperations,
  dev: {
    write: {
      operands: [PFN],
      outcomes: ['ok', 'RMP_PAGE_FAULT'],
      doc: 'DMA write by a device. The IOMMU lets it reach shared pages only.',
      source: 'APM vol. 2, 15.36.10; AMD I/O Virtualization Technology, RMP checks',
      example: 'dev.write(pfn(g, 0)) => RMP_PAGE_FAULT',
    },
    read: {
      operands: [PFN],
      outcomes: ['ok', 'RMP_PAGE_FAULT'],
      doc: 'DMA read by a device. The IOMMU lets it reach shared pages only.',
      source: 'AMD I/O Virtualization Technology, RMP checks',
      example: 'dev.read(pfn(g, 0)) => RMP_PAGE_FAULT',
    },
  },
  kernel: {
    call: {
      operands: [],
      variadic: true,
      outcomes: ['ok', 'fails', 'trap'],
      doc: 'Call a C function of the kernel model, the patch or the source. Arguments are quantities, guests (struct kvm *), `slot(g, 0)`, `vcpu(g, 0)` and constants by their C name. A negative result is its errno; any other result but 0 is a value.',
      source: 'the C that the scenario uses',
      example: 'kernel.sev_update_mem_attr(slot(g, 0), KVM_MEMORY_ATTRIBUTE_PRIVATE, 0, 512)',
    },
  },
};

export const operations: readonly OperationSpec[] = Object.entries(table).flatMap(([actor, rows]) =>
  Object.entries(rows).map(([name, row]) => ({ key: `${actor}.${name}`, actor: actor as ActorKind, name, ...row })),
);

const byKey = new Map(operations.map((operation) => [operation.key, operation]));
export const operation = (key: string): OperationSpec | undefined => byKey.get(key);

export const operationsOf = (actor: ActorKind): readonly OperationSpec[] => operations.filter((o) => o.actor === actor);

/** `set_memory_attributes(guest, range, PRIVATE|SHARED)`, for messages and signature help. */
export function signature(name: string, operands: readonly Operand[]): string {
  return `${name}(${operands.map(operandSignature).join(', ')})`;
}

export function operandSignature(operand: Operand): string {
  const choice = operand.words === undefined || operand.words.length > 6 ? undefined : operand.words.join('|');
  const optional = operand.form === 'flag' || operand.default !== undefined || operand.optional === true;
  const text =
    operand.form === 'flag'
      ? (choice ?? operand.name)
      : operand.form === 'named'
        ? `${operand.name} ${choice ?? operand.kind}`
        : (choice ?? operand.name);
  return optional ? `[${text}]` : text;
}

/** Words that stand for something in an operand of any operation. */
export const operandWords: ReadonlySet<string> = new Set(
  operations.flatMap((o) =>
    o.operands.flatMap((operand) => [...(operand.words ?? []), ...(operand.form === 'flag' ? [operand.name] : [])]),
  ),
);
