/* The x86 layer between generic KVM and SVM: model of arch/x86/kvm/x86.c and mmu/mmu.c's attribute bookkeeping with RFC v8 patches 2 and 3. */

/*
 * Which large pages of a slot have private and shared pages under them and must not be mapped as one. The middle of the range is all alike by
 * definition, only the large pages at its two ends have to be looked at.
 */
void kvm_arch_set_memory_attributes(struct kvm *kvm, struct kvm_memory_slot *slot, u64 attrs, gfn_t start, gfn_t end)
{
	gfn_t pages, first, last, gfn;
	int level;
	bool mixed;

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		pages = KVM_PAGES_PER_HPAGE(level);
		first = round_down(start, pages);
		last = round_down(end - 1, pages);

		for (gfn = first; gfn <= last; gfn += pages) {
			mixed = false;
			if (gfn == first || gfn == last)
				mixed = !__xa_range_uniform(&kvm->mem_attr_array, gfn, gfn + pages);
			__lpage_set_mixed(kvm->arch.asid, gfn, level, mixed);
		}
	}
}

/*
 * Modelled on purpose (patch 2): a failed update is worth a warning and nothing else. The attribute stays stored and the ioctl says that all
 * is well.
 */
void kvm_arch_post_set_memory_attributes(struct kvm *kvm, struct kvm_memory_slot *slot, u64 attrs, gfn_t start, gfn_t end)
{
	int ret = static_call(kvm_x86_update_mem_attr)(slot, attrs, start, end);

	if (ret) {
		pr_warn_ratelimited("Failed to update GFN range 0x%llx-0x%llx with attributes 0x%lx. Ret: %d\n",
				    start, end, (unsigned long)attrs, ret);
	}
}

void kvm_arch_invalidate_restricted_mem(struct kvm_memory_slot *slot, gfn_t start, gfn_t end)
{
	static_call(kvm_x86_invalidate_restricted_mem)(slot, start, end);
}
