/*
 * Nested page faults and the nested page table: model of arch/x86/kvm/mmu/mmu.c (TDP MMU) with the private-memory series and RFC v8
 * patches 1 (whose fault it is), 37 (level) and 43 (zap).
 */

enum ret_pf {
	RET_PF_CONTINUE,
	RET_PF_RETRY,
	RET_PF_INVALID,
	RET_PF_FIXED,
	RET_PF_SPURIOUS,
	RET_PF_USER,
};

struct kvm_page_fault {
	gpa_t addr;
	u64 error_code;
	bool write;
	bool present;
	bool is_private;
	gfn_t gfn;
	struct kvm_memory_slot *slot;
	kvm_pfn_t pfn;
	int max_level;
	int goal_level;
	unsigned long mmu_seq;
};

bool kvm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range)
{
	lockdep_assert_held_write(&kvm->mmu_lock);
	return __npt_zap(kvm->arch.asid, range->start, range->end) != 0;
}

/* Drop every mapping that reaches into gfn_start .. gfn_end; a large one goes as a whole. */
void kvm_zap_gfn_range(struct kvm *kvm, gfn_t gfn_start, gfn_t gfn_end)
{
	if (gfn_end <= gfn_start)
		return;

	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_begin(kvm);
	kvm_mmu_invalidate_range_add(kvm, gfn_start, gfn_end);
	if (__npt_zap(kvm->arch.asid, gfn_start, gfn_end))
		kvm_flush_remote_tlbs(kvm);
	kvm_mmu_invalidate_end(kvm);
	KVM_MMU_UNLOCK(kvm);
}

/* The largest mapping a folio of this order can carry. */
static int kvm_max_level_for_order(int order)
{
	if (order >= KVM_HPAGE_GFN_SHIFT(PG_LEVEL_1G))
		return PG_LEVEL_1G;
	if (order >= KVM_HPAGE_GFN_SHIFT(PG_LEVEL_2M))
		return PG_LEVEL_2M;
	return PG_LEVEL_4K;
}

/* A large page must lie in its slot, be congruent with what backs it, and hold only pages of one attribute. */
static bool kvm_lpage_is_allowed(struct kvm_page_fault *fault, int level)
{
	struct kvm_memory_slot *slot = fault->slot;
	gfn_t pages = KVM_PAGES_PER_HPAGE(level);
	gfn_t first = round_down(fault->gfn, pages);
	gfn_t backing = fault->is_private ? slot->restricted_offset >> PAGE_SHIFT : slot->shared_pfn;

	if (first < slot->base_gfn || first + pages > slot->base_gfn + slot->npages)
		return false;
	if ((slot->base_gfn ^ backing) & (pages - 1))
		return false;
	return !__lpage_is_mixed(slot->kvm->arch.asid, first, level);
}

static void kvm_mmu_hugepage_adjust(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	int level = fault->max_level;

	while (level > PG_LEVEL_4K && !kvm_lpage_is_allowed(fault, level))
		level--;

	if (kvm_slot_can_be_private(fault->slot))
		static_call(kvm_x86_adjust_mapping_level)(vcpu->kvm, fault->gfn, fault->pfn, &level);

	fault->goal_level = level;
	fault->pfn = round_down(fault->pfn, (kvm_pfn_t)KVM_PAGES_PER_HPAGE(level));
}

/* Tell userspace that it has to convert the page first. */
static int kvm_do_memory_fault_exit(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	vcpu->run->exit_reason = KVM_EXIT_MEMORY_FAULT;
	vcpu->run->memory.flags = fault->is_private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;
	vcpu->run->memory.gpa = fault->gfn << PAGE_SHIFT;
	vcpu->run->memory.size = PAGE_SIZE;
	return RET_PF_USER;
}

static int kvm_faultin_pfn_private(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	int order;

	/* Modelled on purpose (private-memory series): whatever the reason, the guest faults again and again until the page can be had. */
	if (kvm_restrictedmem_get_pfn(fault->slot, fault->gfn, &fault->pfn, &order))
		return RET_PF_RETRY;

	fault->max_level = min(kvm_max_level_for_order(order), fault->max_level);
	return RET_PF_CONTINUE;
}

static int kvm_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	if (fault->is_private != kvm_mem_is_private(vcpu->kvm, fault->gfn))
		return kvm_do_memory_fault_exit(vcpu, fault);

	if (fault->is_private)
		return kvm_faultin_pfn_private(vcpu, fault);

	fault->pfn = fault->slot->shared_pfn + (fault->gfn - fault->slot->base_gfn);
	fault->max_level = min(PG_LEVEL_2M, fault->max_level);
	return RET_PF_CONTINUE;
}

/*
 * A write to what the table already lets the guest write has been taken care of by someone else, thinks the fast path, and lets the guest try
 * again. Modelled on purpose: it does not look at why the access faulted, so a mismatch with the RMP (or a private access to a shared
 * mapping) is never resolved this way (patches 20240510015822.503071-{2,3}-michael.roth@amd.com).
 */
static int fast_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	if (!fault->present || !fault->write)
		return RET_PF_INVALID;
	if (!__kernel_option("fast-page-fault-spurious"))
		return RET_PF_INVALID;
	if (__npt_writable(vcpu->kvm->arch.asid, fault->gfn))
		return RET_PF_SPURIOUS;
	return RET_PF_INVALID;
}

static bool is_page_fault_stale(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;

	if (kvm->mmu_invalidate_in_progress && fault->gfn >= kvm->mmu_invalidate_range_start &&
	    fault->gfn < kvm->mmu_invalidate_range_end)
		return true;
	return kvm->mmu_invalidate_seq != fault->mmu_seq;
}

static int direct_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	r = fast_page_fault(vcpu, fault);
	if (r != RET_PF_INVALID)
		return r;

	fault->mmu_seq = kvm->mmu_invalidate_seq;

	r = kvm_faultin_pfn(vcpu, fault);
	if (r != RET_PF_CONTINUE)
		return r;

	r = RET_PF_RETRY;
	KVM_MMU_LOCK(kvm);
	if (!is_page_fault_stale(vcpu, fault)) {
		/* Rounds fault->pfn down to the level: keep the page for the reference that is held on it. */
		kvm_pfn_t pfn = fault->pfn;

		kvm_mmu_hugepage_adjust(vcpu, fault);
		if (!__npt_maps(kvm->arch.asid, fault->gfn, fault->pfn, fault->goal_level))
			__npt_map(kvm->arch.asid, fault->gfn, fault->pfn, fault->goal_level,
				  !(fault->slot->flags & KVM_MEM_READONLY));
		fault->pfn = pfn;
		r = RET_PF_FIXED;
	}
	KVM_MMU_UNLOCK(kvm);

	if (fault->is_private)
		put_page(pfn_to_page(fault->pfn));
	return r;
}

/* Greater than 0: enter the guest again. 0: exit to userspace. Less than 0: an error for userspace. */
int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t cr2_or_gpa, u64 error_code)
{
	struct kvm_page_fault fault = {
		.addr = cr2_or_gpa,
		.error_code = error_code,
		.write = error_code & PFERR_WRITE_MASK,
		.present = error_code & PFERR_PRESENT_MASK,
		.gfn = cr2_or_gpa >> PAGE_SHIFT,
		.max_level = KVM_MAX_HUGEPAGE_LEVEL,
	};
	int r;

	/* Only SNP tells private accesses apart by the fault; for others the attribute says what the page is. */
	if (!static_call(kvm_x86_fault_is_private)(vcpu->kvm, fault.addr, error_code, &fault.is_private))
		fault.is_private = kvm_mem_is_private(vcpu->kvm, fault.gfn);

	fault.slot = gfn_to_memslot(vcpu->kvm, fault.gfn);
	if (!fault.slot) {
		vcpu->run->exit_reason = KVM_EXIT_MMIO;
		return 0;
	}

	r = direct_page_fault(vcpu, &fault);
	if (r < 0)
		return r;
	if (r == RET_PF_USER)
		return 0;
	return 1;
}
