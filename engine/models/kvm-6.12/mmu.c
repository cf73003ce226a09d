/*
 * Nested page faults and the nested page table: model of arch/x86/kvm/mmu/mmu.c and tdp_mmu.c of v6.12, for guests with two-dimensional paging.
 */

/* Negative results are errors for userspace, 0 is RET_PF_CONTINUE. */
enum {
	RET_PF_CONTINUE = 0,
	RET_PF_RETRY,
	RET_PF_EMULATE,
	RET_PF_WRITE_PROTECTED,
	RET_PF_INVALID,
	RET_PF_FIXED,
	RET_PF_SPURIOUS,
};

struct kvm_page_fault {
	gpa_t addr;
	u64 error_code;
	bool write;
	bool present;
	bool prefetch;
	bool is_private;
	bool map_writable;
	gfn_t gfn;
	struct kvm_memory_slot *slot;
	kvm_pfn_t pfn;
	/* The page that faultin took a reference on; INVALID_PAGE for none. */
	kvm_pfn_t refcounted_pfn;
	u8 max_level;
	u8 goal_level;
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
	if (WARN_ON_ONCE(gfn_end <= gfn_start))
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
static inline u8 kvm_max_level_for_order(int order)
{
	if (order >= KVM_HPAGE_GFN_SHIFT(PG_LEVEL_1G))
		return PG_LEVEL_1G;
	if (order >= KVM_HPAGE_GFN_SHIFT(PG_LEVEL_2M))
		return PG_LEVEL_2M;
	return PG_LEVEL_4K;
}

/* The largest mapping of a private page: by its folio, and by what the architecture says of the page. */
static u8 kvm_max_private_mapping_level(struct kvm *kvm, kvm_pfn_t pfn, u8 max_level, int gmem_order)
{
	u8 req_max_level;

	if (max_level == PG_LEVEL_4K)
		return PG_LEVEL_4K;

	max_level = min(kvm_max_level_for_order(gmem_order), max_level);
	if (max_level == PG_LEVEL_4K)
		return PG_LEVEL_4K;

	req_max_level = kvm_x86_call(private_max_mapping_level)(kvm, pfn);
	if (req_max_level)
		max_level = min(max_level, req_max_level);

	return max_level;
}

/*
 * Whether a large page may be mapped here at all: it lies in its slot, the slot is congruent with the VMM's mapping, and all its pages have one
 * attribute (kvm_lpage_info::disallow_lpage). Where the slot stands in its guest_memfd is not looked at.
 */
static bool lpage_is_allowed(struct kvm_memory_slot *slot, gfn_t gfn, int level)
{
	gfn_t pages = KVM_PAGES_PER_HPAGE(level);
	gfn_t first = round_down(gfn, pages);

	if (first < slot->base_gfn || first + pages > slot->base_gfn + slot->npages)
		return false;
	if ((slot->base_gfn ^ slot->shared_pfn) & (pages - 1))
		return false;
	return !__lpage_is_mixed(slot->kvm->arch.asid, first, level);
}

static void kvm_mmu_hugepage_adjust(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	int level = fault->max_level;

	while (level > PG_LEVEL_4K && !lpage_is_allowed(fault->slot, fault->gfn, level))
		level--;

	fault->goal_level = level;
	fault->pfn = round_down(fault->pfn, (kvm_pfn_t)KVM_PAGES_PER_HPAGE(level));
}

/* What userspace is told about a fault that it has to do something about; the errno comes with it. */
static void kvm_mmu_prepare_memory_fault_exit(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	vcpu->run->exit_reason = KVM_EXIT_MEMORY_FAULT;
	vcpu->run->memory_fault.flags = fault->is_private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;
	vcpu->run->memory_fault.gpa = fault->gfn << PAGE_SHIFT;
	vcpu->run->memory_fault.size = PAGE_SIZE;
}

static int kvm_faultin_pfn_private(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	int max_order, r;

	if (!kvm_slot_can_be_private(fault->slot)) {
		kvm_mmu_prepare_memory_fault_exit(vcpu, fault);
		return -EFAULT;
	}

	r = kvm_gmem_get_pfn(vcpu->kvm, fault->slot, fault->gfn, &fault->pfn, &max_order);
	if (r) {
		kvm_mmu_prepare_memory_fault_exit(vcpu, fault);
		return r;
	}

	fault->refcounted_pfn = fault->pfn;
	fault->map_writable = !(fault->slot->flags & KVM_MEM_READONLY);
	fault->max_level = kvm_max_private_mapping_level(vcpu->kvm, fault->pfn, fault->max_level, max_order);
	return RET_PF_CONTINUE;
}

static int __kvm_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	if (fault->is_private)
		return kvm_faultin_pfn_private(vcpu, fault);

	/* The VMM's mapping: in one piece, so 2M wherever it is aligned. */
	fault->pfn = fault->slot->shared_pfn + (fault->gfn - fault->slot->base_gfn);
	fault->map_writable = !(fault->slot->flags & KVM_MEM_READONLY);
	fault->max_level = min(PG_LEVEL_2M, fault->max_level);
	return RET_PF_CONTINUE;
}

/*
 * Find the page behind the fault. mmu_invalidate_seq is read first, so that neither a page that is taken away nor an attribute that changes from here
 * on goes unnoticed. An access that does not match the attribute is userspace's to resolve, and so is private memory outside all slots.
 */
static int kvm_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	fault->mmu_seq = vcpu->kvm->mmu_invalidate_seq;
	smp_rmb();

	if (fault->is_private != kvm_mem_is_private(vcpu->kvm, fault->gfn)) {
		kvm_mmu_prepare_memory_fault_exit(vcpu, fault);
		return -EFAULT;
	}

	if (!fault->slot) {
		if (fault->is_private) {
			kvm_mmu_prepare_memory_fault_exit(vcpu, fault);
			return -EFAULT;
		}
		return RET_PF_EMULATE;
	}

	return __kvm_faultin_pfn(vcpu, fault);
}

/*
 * The fast path is for writes to present pages, and never for an access that does not match the attribute: that needs userspace
 * (20240510015822.503071-2-michael.roth@amd.com).
 */
static bool page_fault_can_be_fast(struct kvm *kvm, struct kvm_page_fault *fault)
{
	if (kvm_arch_has_private_mem(kvm) && fault->is_private != kvm_mem_is_private(kvm, fault->gfn))
		return false;

	return fault->present && fault->write;
}

/*
 * A write to what the table already lets the guest write has been taken care of by someone else, thinks the fast path, and lets the guest try
 * again. Modelled on purpose (v6.12): it does not look at why the access faulted, so a 2M mapping over 4K entries of the RMP is not resolved by a write.
 * The option fast-page-fault-spurious takes that away.
 */
static int fast_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	if (!page_fault_can_be_fast(vcpu->kvm, fault))
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

/* Map the page at the level that was found for it. A larger mapping in the way is split, smaller ones give way. */
static int kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	u32 asid = vcpu->kvm->arch.asid;

	kvm_mmu_hugepage_adjust(vcpu, fault);

	if (__npt_level(asid, fault->gfn) > fault->goal_level)
		__npt_split(asid, fault->gfn, fault->goal_level);

	if (__npt_maps(asid, fault->gfn, fault->pfn, fault->goal_level))
		return RET_PF_SPURIOUS;

	__npt_map(asid, fault->gfn, fault->pfn, fault->goal_level, fault->map_writable);
	return RET_PF_FIXED;
}

static int kvm_tdp_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	r = fast_page_fault(vcpu, fault);
	if (r != RET_PF_INVALID)
		return r;

	r = kvm_faultin_pfn(vcpu, fault);
	if (r != RET_PF_CONTINUE)
		return r;

	r = RET_PF_RETRY;
	read_lock(&kvm->mmu_lock);
	if (!is_page_fault_stale(vcpu, fault))
		r = kvm_tdp_mmu_map(vcpu, fault);
	read_unlock(&kvm->mmu_lock);

	if (fault->refcounted_pfn != INVALID_PAGE)
		put_page(pfn_to_page(fault->refcounted_pfn));
	return r;
}

static int kvm_mmu_do_page_fault(struct kvm_vcpu *vcpu, gpa_t cr2_or_gpa, u64 error_code, bool prefetch, u8 *level)
{
	struct kvm_page_fault fault = {
		.addr = cr2_or_gpa,
		.error_code = error_code,
		.write = error_code & PFERR_WRITE_MASK,
		.present = error_code & PFERR_PRESENT_MASK,
		.prefetch = prefetch,
		.is_private = error_code & PFERR_PRIVATE_ACCESS,
		.gfn = cr2_or_gpa >> PAGE_SHIFT,
		.refcounted_pfn = INVALID_PAGE,
		.max_level = KVM_MAX_HUGEPAGE_LEVEL,
		.goal_level = PG_LEVEL_4K,
	};
	int r;

	fault.slot = gfn_to_memslot(vcpu->kvm, fault.gfn);
	r = kvm_tdp_page_fault(vcpu, &fault);
	if (level)
		*level = fault.goal_level;
	return r;
}

/* Greater than 0: enter the guest again. 0: exit to userspace. Less than 0: an error for userspace. */
int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t cr2_or_gpa, u64 error_code)
{
	int r;

	r = kvm_mmu_do_page_fault(vcpu, cr2_or_gpa, error_code, false, NULL);
	if (KVM_BUG_ON(r == RET_PF_INVALID, vcpu->kvm))
		return -EIO;
	if (r < 0)
		return r;
	if (r != RET_PF_EMULATE)
		return 1;

	/* No slot: a device of the VMM's. */
	vcpu->run->exit_reason = KVM_EXIT_MMIO;
	return 0;
}

/*
 * KVM_PRE_FAULT_MEMORY for the page at gpa: fault it in as a guest access would, private if its attribute says so. Not before the launch is
 * finished, because pages of the launch must not be given to the guest by the way. Returns the bytes from gpa on that are mapped now, or -errno.
 */
long kvm_arch_vcpu_pre_fault_memory(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	u64 error_code = PFERR_GUEST_FINAL_MASK;
	u8 level = PG_LEVEL_4K;
	u64 end;
	int r;

	if (!vcpu->kvm->arch.pre_fault_allowed)
		return -EOPNOTSUPP;

	if (kvm_arch_has_private_mem(vcpu->kvm) && kvm_mem_is_private(vcpu->kvm, gpa_to_gfn(gpa)))
		error_code |= PFERR_PRIVATE_ACCESS;

	do {
		r = kvm_mmu_do_page_fault(vcpu, gpa, error_code, true, &level);
	} while (r == RET_PF_RETRY);

	if (r < 0)
		return r;
	if (r == RET_PF_EMULATE)
		return -ENOENT;
	if (WARN_ON_ONCE(r != RET_PF_FIXED && r != RET_PF_SPURIOUS))
		return -EIO;

	end = (gpa & KVM_HPAGE_MASK(level)) + KVM_HPAGE_SIZE(level);
	return end - gpa;
}
