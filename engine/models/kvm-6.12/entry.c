/*
 * Where scenarios come in: what a VMM or a guest does, as calls with plain numbers. Nothing of KVM's own behaviour is here; these only build what
 * the kernel's functions want.
 */

/*
 * KVM_CREATE_VM, and for an SNP guest of type KVM_X86_SNP_VM with its ASID. Returns the VM; NULL if asid is 0. The VM lives as long as the run.
 */
struct kvm *scenario_create_vm(u32 asid, int snp)
{
	struct kvm_svm *svm;

	if (asid == 0)
		return NULL;

	svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	svm->kvm.arch.asid = asid;
	svm->kvm.arch.has_private_mem = snp != 0;
	svm->kvm.arch.pre_fault_allowed = snp == 0;
	svm->kvm.arch.hypercall_exit_enabled = 1U << KVM_HC_MAP_GPA_RANGE;
	svm->sev_info.asid = asid;
	svm->sev_info.active = true;
	svm->sev_info.es_active = true;
	svm->sev_info.snp_active = snp != 0;

	xa_init(&svm->kvm.mem_attr_array);
	__mem_attr_register(&svm->kvm.mem_attr_array, asid);
	__guest_register(asid, snp);
	return &svm->kvm;
}

/* KVM_CREATE_GUEST_MEMFD, or the one with that number if this VM has it already. */
static struct file *scenario_gmem_file(struct kvm *kvm, int id)
{
	struct kvm_memslots *slots = kvm_memslots(kvm);
	struct file *file;
	int i;

	for (i = 0; i < slots->used_slots; i++) {
		file = slots->slots[i]->gmem.file;
		if (file && file->id == id)
			return file;
	}

	file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	file->id = id;
	file->kvm = kvm;
	return file;
}

/*
 * KVM_SET_USER_MEMORY_REGION2 of a new slot. base_gfn, npages: the guest's pages. is_private: private memory of the guest_memfd number `file` may back
 * it, index being the file's page that base_gfn is. shared_pfn: first of the frames behind the VMM's mapping.
 * 0, -EINVAL (empty, or no room), -EEXIST (id in use, or overlapping).
 */
int scenario_add_slot(struct kvm *kvm, int id, u64 base_gfn, u64 npages, int is_private, int file, u64 index, u64 shared_pfn)
{
	struct kvm_memslots *slots = kvm_memslots(kvm);
	struct kvm_memory_slot *slot;
	int i;

	if (npages == 0 || slots->used_slots == KVM_MEM_SLOTS_NUM)
		return -EINVAL;

	for (i = 0; i < slots->used_slots; i++) {
		slot = slots->slots[i];
		if (slot->id == id)
			return -EEXIST;
		if (base_gfn < slot->base_gfn + slot->npages && slot->base_gfn < base_gfn + npages)
			return -EEXIST;
	}

	slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	slot->kvm = kvm;
	slot->id = id;
	slot->base_gfn = base_gfn;
	slot->npages = npages;
	slot->shared_pfn = shared_pfn;
	if (is_private) {
		slot->flags |= KVM_MEM_GUEST_MEMFD;
		slot->gmem.file = scenario_gmem_file(kvm, file);
		slot->gmem.pgoff = index;
	}

	for (i = slots->used_slots; i > 0 && slots->slots[i - 1]->base_gfn > base_gfn; i--)
		slots->slots[i] = slots->slots[i - 1];
	slots->slots[i] = slot;
	slots->used_slots++;

	__memslot_register(kvm->arch.asid, id, base_gfn, npages, is_private, file, index, shared_pfn);
	return 0;
}

/* The slot with this id, NULL if there is none. */
struct kvm_memory_slot *scenario_slot(struct kvm *kvm, int id)
{
	struct kvm_memslots *slots = kvm_memslots(kvm);
	int i;

	for (i = 0; i < slots->used_slots; i++) {
		if (slots->slots[i]->id == id)
			return slots->slots[i];
	}
	return NULL;
}

/* KVM_CREATE_VCPU. Returns the vCPU; NULL if there is no room or the id is taken. */
struct kvm_vcpu *scenario_create_vcpu(struct kvm *kvm, int id)
{
	struct vcpu_svm *svm;

	if (kvm->created_vcpus == KVM_MAX_VCPUS || kvm_get_vcpu_by_id(kvm, id))
		return NULL;

	svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	svm->vcpu.kvm = kvm;
	svm->vcpu.vcpu_id = id;
	svm->vcpu.run = kzalloc(sizeof(*svm->vcpu.run), GFP_KERNEL_ACCOUNT);
	svm->vmcb = kzalloc(sizeof(*svm->vmcb), GFP_KERNEL_ACCOUNT);
	svm->sev_es.ghcb_sa = kzalloc(sizeof(*svm->sev_es.ghcb_sa), GFP_KERNEL_ACCOUNT);
	svm->sev_es.snp_vmsa_gpa = INVALID_PAGE;
	svm->sev_es.vmsa = snp_safe_alloc_page(&svm->vcpu);
	/* sev_es_init_vmcb(): the kernel's own page, until the guest names one. */
	svm->vmcb->control.vmsa_pa = sev_es_guest(kvm) ? page_to_phys(svm->sev_es.vmsa) : INVALID_PAGE;

	kvm->vcpus[kvm->created_vcpus] = &svm->vcpu;
	kvm->created_vcpus++;
	return &svm->vcpu;
}

/* KVM_SET_MEMORY_ATTRIBUTES of size bytes from gpa on. What the ioctl returns. */
long scenario_set_memory_attributes(struct kvm *kvm, u64 gpa, u64 size, u64 attributes)
{
	struct kvm_memory_attributes attrs = {
		.address = gpa,
		.size = size,
		.attributes = attributes,
	};

	return kvm_vm_ioctl_set_mem_attributes(kvm, &attrs);
}

/*
 * #VMEXIT(NPF) of this vCPU with gpa in EXITINFO2 and the error code in EXITINFO1. Greater than 0: the guest is entered again and repeats the
 * access; 0: exit to userspace, see scenario_exit_reason(); less than 0: KVM_RUN fails with that errno. KVM_RUN says -EFAULT together with
 * KVM_EXIT_MEMORY_FAULT; a VMM takes that for an exit, and so it is one here.
 */
int scenario_npf(struct kvm_vcpu *vcpu, u64 gpa, u64 error_code)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	int r;

	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	svm->vmcb->control.exit_code = 0x400;
	svm->vmcb->control.exit_info_1 = error_code;
	svm->vmcb->control.exit_info_2 = gpa;

	r = npf_interception(vcpu);
	if (r == -EFAULT && vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT)
		return 0;
	return r;
}

/* KVM_EXIT_* of the last exit to userspace. */
u32 scenario_exit_reason(struct kvm_vcpu *vcpu)
{
	return vcpu->run->exit_reason;
}

/* Of a KVM_EXIT_MEMORY_FAULT: the flags (bit 3: the access was private) and the gpa. */
u64 scenario_exit_flags(struct kvm_vcpu *vcpu)
{
	return vcpu->run->memory_fault.flags;
}

u64 scenario_exit_gpa(struct kvm_vcpu *vcpu)
{
	return vcpu->run->memory_fault.gpa;
}

/*
 * KVM_SEV_SNP_LAUNCH_UPDATE of size bytes from gpa on; type as KVM_SEV_SNP_PAGE_TYPE_*. As a VMM does it, the ioctl is called until all is done or it
 * fails. Its pages have to be private by attribute already. 0 or -errno.
 */
long scenario_launch_update(struct kvm *kvm, u64 gpa, u64 size, int type)
{
	struct kvm_sev_snp_launch_update params = {
		.gfn_start = gpa_to_gfn(gpa),
		.has_source = type != KVM_SEV_SNP_PAGE_TYPE_ZERO,
		.len = size,
		.type = type,
	};
	int ret;

	if (!PAGE_ALIGNED(gpa))
		return -EINVAL;

	do {
		ret = snp_launch_update(kvm, &params);
	} while (!ret && params.len);

	return ret;
}

/* KVM_SEV_SNP_LAUNCH_FINISH. What the ioctl returns. */
long scenario_launch_finish(struct kvm *kvm)
{
	return snp_launch_finish(kvm);
}

/* KVM_PRE_FAULT_MEMORY of size bytes from gpa on: 0 when all, or some, are mapped, or the errno of the first. */
long scenario_pre_fault_memory(struct kvm_vcpu *vcpu, u64 gpa, u64 size)
{
	u64 left = size;
	long r;

	if (!PAGE_ALIGNED(gpa) || !PAGE_ALIGNED(size) || size == 0)
		return -EINVAL;

	do {
		r = kvm_arch_vcpu_pre_fault_memory(vcpu, gpa);
		if (r < 0)
			break;
		r = min((u64)r, left);
		gpa += r;
		left -= r;
	} while (left);

	return left == size ? r : 0;
}

/* See vmm_punch_hole(). */
long scenario_punch_hole(struct kvm *kvm, u64 gpa, u64 size)
{
	return vmm_punch_hole(kvm, gpa, size);
}

/*
 * A page state change that the guest asks for (op: 1 private, 2 shared): one page by the MSR protocol, more by the GHCB. The VMM reacts as vmm.c says.
 * Returns what the guest is told, 0 for success.
 */
u64 scenario_psc(struct kvm_vcpu *vcpu, u64 gpa, u64 size, int op)
{
	if (size == PAGE_SIZE)
		return guest_psc_msr(vcpu, gpa_to_gfn(gpa), op);
	return guest_psc_ghcb(vcpu, gpa_to_gfn(gpa), size >> PAGE_SHIFT, op);
}

/*
 * VMGEXIT AP_CREATION by this vCPU for the one with this APIC id; request 0: create on INIT, 1: create, 2: destroy. 0 or -errno (the guest
 * gets #GP).
 */
int scenario_ap_creation(struct kvm_vcpu *vcpu, u32 apic_id, u32 request, u64 vmsa_gpa)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	svm->vmcb->control.ghcb_gpa = 0;
	svm->vmcb->control.exit_code = SVM_VMGEXIT_AP_CREATION;
	svm->vmcb->control.exit_info_1 = ((u64)apic_id << 32) | request;
	svm->vmcb->control.exit_info_2 = vmsa_gpa;
	return min(0, sev_handle_vmgexit(vcpu));
}

/* Physical address of the VMSA page that a vCPU would be run with; all ones if it has none. */
u64 scenario_vmsa_pa(struct kvm_vcpu *vcpu)
{
	return to_svm(vcpu)->vmcb->control.vmsa_pa;
}

/* A process's write to a page took #PF with the RMP bit. 1: it tries again; v6.12 has nothing that would split its mapping. */
int scenario_user_rmp_fault(u64 pfn, int level)
{
	return 1;
}

/* The kernel's own write to a page through the direct map took #PF with this error code: leaves the oops in the log. */
void scenario_kernel_rmp_fault(u64 pfn, u64 error_code)
{
	show_rmp_fault_oops(error_code, 0xffff888000000000UL + (pfn << PAGE_SHIFT));
}
