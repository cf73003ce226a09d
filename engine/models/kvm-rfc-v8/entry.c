/*
 * Where scenarios come in: what a VMM or a guest does, as calls with plain numbers. Nothing of KVM's own behaviour is here; these only build what
 * the kernel's functions want.
 */

/*
 * KVM_CREATE_VM, and for an SNP guest KVM_SNP_INIT with its ASID. Returns the VM; NULL if asid is 0.
 * The VM lives as long as the run.
 */
struct kvm *scenario_create_vm(u32 asid, int snp)
{
	struct kvm_svm *svm;

	if (asid == 0)
		return NULL;

	svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	svm->kvm.arch.asid = asid;
	svm->sev_info.asid = asid;
	svm->sev_info.active = true;
	svm->sev_info.es_active = true;
	svm->sev_info.snp_active = snp != 0;

	xa_init(&svm->kvm.mem_attr_array);
	__mem_attr_register(&svm->kvm.mem_attr_array, asid);
	__guest_register(asid, snp);
	return &svm->kvm;
}

/*
 * KVM_SET_USER_MEMORY_REGION of a new slot. base_gfn, npages: the guest's pages. is_private: private memory of the restricted file number `file`
 * may back it, index being the file's page that base_gfn is. shared_pfn: first of the frames behind the VMM's mapping.
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
		slot->flags |= KVM_MEM_PRIVATE;
		slot->restricted_file = kzalloc(sizeof(*slot->restricted_file), GFP_KERNEL_ACCOUNT);
		slot->restricted_file->id = file;
		slot->restricted_offset = index << PAGE_SHIFT;
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
	svm->vmcb->control.vmsa_pa = INVALID_PAGE;
	svm->sev_es.snp_vmsa_gpa = INVALID_PAGE;
	svm->sev_es.vmsa = snp_safe_alloc_page(&svm->vcpu);

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
 * access; 0: exit to userspace, see scenario_exit_reason(); less than 0: KVM_RUN fails with that errno.
 */
int scenario_npf(struct kvm_vcpu *vcpu, u64 gpa, u64 error_code)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	svm->vmcb->control.exit_code = 0x400;
	svm->vmcb->control.exit_info_1 = error_code;
	svm->vmcb->control.exit_info_2 = gpa;
	return npf_interception(vcpu);
}

/* KVM_EXIT_* of the last exit to userspace. */
u32 scenario_exit_reason(struct kvm_vcpu *vcpu)
{
	return vcpu->run->exit_reason;
}

/* Of a KVM_EXIT_MEMORY_FAULT: the flags (bit 3: the access was private) and the gpa. */
u64 scenario_exit_flags(struct kvm_vcpu *vcpu)
{
	return vcpu->run->memory.flags;
}

u64 scenario_exit_gpa(struct kvm_vcpu *vcpu)
{
	return vcpu->run->memory.gpa;
}

/* KVM_SEV_SNP_LAUNCH_UPDATE of size bytes from gpa on; type as SNP_PAGE_TYPE_*. What the ioctl returns. */
long scenario_launch_update(struct kvm *kvm, u64 gpa, u64 size, int type)
{
	if (!PAGE_ALIGNED(gpa) || !PAGE_ALIGNED(size))
		return -EINVAL;
	return snp_launch_update(kvm, gpa_to_gfn(gpa), gpa_to_gfn(gpa + size), type, 0);
}

/* KVM_SEV_SNP_LAUNCH_FINISH. What the ioctl returns. */
long scenario_launch_finish(struct kvm *kvm)
{
	return snp_launch_finish(kvm);
}

/*
 * fallocate(FALLOC_FL_PUNCH_HOLE) on the restricted files behind size bytes from gpa on. -EINVAL if no private slot is there or the range is empty or
 * not made of whole pages, otherwise what fallocate() returns.
 */
long scenario_punch_hole(struct kvm *kvm, u64 gpa, u64 size)
{
	gfn_t start = gpa_to_gfn(gpa);
	gfn_t end = gpa_to_gfn(gpa + size);
	struct kvm_memslot_iter iter;
	long ret = -EINVAL;
	gfn_t from, to;

	if (size == 0 || !PAGE_ALIGNED(gpa) || !PAGE_ALIGNED(size))
		return -EINVAL;

	kvm_for_each_memslot_in_gfn_range(&iter, kvm_memslots(kvm), start, end) {
		if (!kvm_slot_can_be_private(iter.slot))
			continue;
		from = max(start, iter.slot->base_gfn);
		to = min(end, (gfn_t)(iter.slot->base_gfn + iter.slot->npages));
		ret = kvm_restrictedmem_punch_hole(kvm, iter.slot->restricted_file,
						   from - iter.slot->base_gfn + (iter.slot->restricted_offset >> PAGE_SHIFT),
						   to - from);
		if (ret)
			break;
	}
	return ret;
}

/*
 * A page state change that the guest asks for (op: SNP_PAGE_STATE_*): one page by the MSR protocol, more by the GHCB; the VMM answers the
 * exit with KVM_SET_MEMORY_ATTRIBUTES. Returns what the guest is told, 0 for success; what the VMM's ioctl returned does not show.
 */
u64 scenario_psc(struct kvm_vcpu *vcpu, u64 gpa, u64 size, int op)
{
	u64 attributes = op == SNP_PAGE_STATE_PRIVATE ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;

	if (size == PAGE_SIZE) {
		sev_handle_vmgexit_msr_protocol(vcpu, GHCB_MSR_PSC_REQ | gpa | ((u64)op << GHCB_MSR_PSC_OP_SHIFT));
		scenario_set_memory_attributes(vcpu->kvm, gpa, size, attributes);
		return snp_complete_psc_msr_protocol(vcpu) >> GHCB_MSR_PSC_ERROR_SHIFT;
	}

	snp_begin_psc(vcpu, INVALID_GPA);
	scenario_set_memory_attributes(vcpu->kvm, gpa, size, attributes);
	snp_complete_psc(vcpu);
	return to_svm(vcpu)->sev_es.ghcb.sw_exit_info_2;
}

/*
 * VMGEXIT AP_CREATION by this vCPU for the one with this APIC id; request 0: create on INIT, 1: create, 2: destroy. 0 or -errno (the guest
 * gets #GP).
 */
int scenario_ap_creation(struct kvm_vcpu *vcpu, u32 apic_id, u32 request, u64 vmsa_gpa)
{
	return sev_snp_ap_creation(vcpu, apic_id, request, vmsa_gpa);
}

/* Physical address of the VMSA page that a vCPU would be run with; all ones if it has none. */
u64 scenario_vmsa_pa(struct kvm_vcpu *vcpu)
{
	return to_svm(vcpu)->vmcb->control.vmsa_pa;
}

/*
 * A process's write to a page mapped at PG_LEVEL_* `level` took #PF with the RMP bit. Returns RMP_PF_*: 0 the mapping is to be split, 1 try again
 * (or SIGBUS: the log tells), 2 nothing is mapped.
 */
int scenario_user_rmp_fault(u64 pfn, int level)
{
	struct user_mapping mapping = {
		.present = true,
		.pfn = pfn,
		.level = level,
	};

	return handle_user_rmp_page_fault(&mapping, pfn << PAGE_SHIFT);
}

/* The kernel's own write to a page through the direct map took #PF with this error code: leaves the oops in the log. */
void scenario_kernel_rmp_fault(u64 pfn, u64 error_code)
{
	show_rmp_fault_oops(pfn, error_code, 0xffff888000000000UL + (pfn << PAGE_SHIFT));
}
