/* The x86 layer between generic KVM and SVM: model of arch/x86/kvm/x86.c, and of mmu/mmu.c's attribute bookkeeping, of v6.12. */

int kvm_arch_gmem_prepare(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, int max_order)
{
	return kvm_x86_call(gmem_prepare)(kvm, pfn, gfn, max_order);
}

void kvm_arch_gmem_invalidate(kvm_pfn_t start, kvm_pfn_t end)
{
	kvm_x86_call(gmem_invalidate)(start, end);
}

/*
 * Attributes of the range are about to change: drop its mappings, also when pages become private. The shared mapping would stay usable otherwise,
 * and for a page that becomes shared no access would ever fault again.
 */
bool kvm_arch_pre_set_memory_attributes(struct kvm *kvm, struct kvm_gfn_range *range)
{
	if (WARN_ON_ONCE(!kvm_arch_has_private_mem(kvm)))
		return false;

	return kvm_unmap_gfn_range(kvm, range);
}

/*
 * Attributes of the range have changed: mark the large pages that now hold private and shared pages, which must not be mapped as one. The middle
 * of the range is all alike by definition, only the large pages at its two ends have to be looked at.
 */
bool kvm_arch_post_set_memory_attributes(struct kvm *kvm, struct kvm_gfn_range *range)
{
	unsigned long pages, first, last, gfn;
	bool mixed;
	int level;

	lockdep_assert_held_write(&kvm->mmu_lock);

	if (WARN_ON_ONCE(!kvm_arch_has_private_mem(kvm)))
		return false;

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		pages = KVM_PAGES_PER_HPAGE(level);
		first = round_down(range->start, pages);
		last = round_down(range->end - 1, pages);

		for (gfn = first; gfn <= last; gfn += pages) {
			mixed = false;
			if (gfn < range->start || gfn + pages > range->end)
				mixed = !__xa_range_uniform(&kvm->mem_attr_array, gfn, gfn + pages);
			__lpage_set_mixed(kvm->arch.asid, gfn, level, mixed);
		}
	}

	return false;
}
