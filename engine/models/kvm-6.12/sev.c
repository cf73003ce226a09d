/*
 * Page state of SEV-SNP guests: model of arch/x86/kvm/svm/sev.c of v6.12, the hooks that guest_memfd and the MMU call, and the handler of
 * RMP faults.
 */

/* Bring what the CPU caches of a page to memory before its owner changes: there is no cache to be brought. */
#define clflush_cache_range(pfn, size) do { } while (0)

/* PSMASH wants the first page of the 2M region; while another CPU is at work there, it is tried again. */
int snp_rmptable_psmash(kvm_pfn_t pfn)
{
	int ret;

	pfn = ALIGN_DOWN(pfn, (kvm_pfn_t)PTRS_PER_PMD);

	do {
		ret = psmash(pfn);
	} while (ret == PSMASH_FAIL_INUSE);

	return ret;
}

/* A trace event, not a line of the log: shown where debug lines are. */
static void trace_kvm_rmp_fault(struct kvm_vcpu *vcpu, u64 gpa, u64 pfn, u64 error_code, int rmp_level, int psmash_ret)
{
	pr_debug("kvm_rmp_fault: vcpu %u gpa %016llx pfn 0x%llx error_code 0x%llx rmp_level %d psmash_ret %d\n",
		 vcpu->vcpu_id, gpa, pfn, error_code, rmp_level, psmash_ret);
}

/*
 * A nested page fault with the RMP bit that the MMU found nothing wrong with, or mapped. What can be done about it here: a 2M entry of which
 * the guest or the nested page table wants one page is split, and the mapping dropped. That holds for PVALIDATE and RMPADJUST of 4K (SIZEM is
 * set) as for a plain access through a 4K mapping (it is not).
 *
 * Modelled on purpose:
 *  - the range dropped starts at the gfn that faulted, not at the first of its 2M region;
 *  - an entry that is 4K already ends it without dropping the mapping: a 2M mapping over 4K entries is left to the MMU.
 */
void sev_handle_rmp_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	struct kvm *kvm = vcpu->kvm;
	gfn_t gfn = gpa >> PAGE_SHIFT;
	struct kvm_memory_slot *slot;
	int order, rmp_level, ret;
	bool assigned;
	kvm_pfn_t pfn;

	/* An access that does not match the attribute has gone to userspace, so this is a surprise. */
	if (!kvm_mem_is_private(kvm, gfn)) {
		pr_warn_ratelimited("SEV: Unexpected RMP fault for non-private GPA 0x%llx\n", gpa);
		return;
	}

	slot = gfn_to_memslot(kvm, gfn);
	if (!kvm_slot_can_be_private(slot)) {
		pr_warn_ratelimited("SEV: Unexpected RMP fault, non-private slot for GPA 0x%llx\n", gpa);
		return;
	}

	ret = kvm_gmem_get_pfn(kvm, slot, gfn, &pfn, &order);
	if (ret) {
		pr_warn_ratelimited("SEV: Unexpected RMP fault, no backing page for private GPA 0x%llx\n", gpa);
		return;
	}

	ret = snp_lookup_rmpentry(pfn, &assigned, &rmp_level);
	if (ret || !assigned) {
		pr_warn_ratelimited("SEV: Unexpected RMP fault, no assigned RMP entry found for GPA 0x%llx PFN 0x%llx error %d\n",
				    gpa, pfn, ret);
		goto out_no_trace;
	}

	if (rmp_level == PG_LEVEL_4K)
		goto out;

	ret = snp_rmptable_psmash(pfn);
	if (ret) {
		/* Somebody else may have split it in the meantime. */
		if (!snp_lookup_rmpentry(pfn, &assigned, &rmp_level) && assigned && rmp_level == PG_LEVEL_4K)
			goto out;

		pr_warn_ratelimited("SEV: Unable to split RMP entry for GPA 0x%llx PFN 0x%llx ret %d\n", gpa, pfn, ret);
	}

	kvm_zap_gfn_range(kvm, gfn, gfn + PTRS_PER_PMD);

out:
	trace_kvm_rmp_fault(vcpu, gpa, pfn, error_code, rmp_level, ret);
out_no_trace:
	put_page(pfn_to_page(pfn));
}

/* Whether no page of start .. end is assigned, going by the RMP itself. */
static bool is_pfn_range_shared(kvm_pfn_t start, kvm_pfn_t end)
{
	u64 pfn;

	for (pfn = start; pfn < end; pfn++) {
		int rmp_level = PG_LEVEL_NONE;
		bool assigned;
		int ret;

		ret = snp_lookup_rmpentry(pfn, &assigned, &rmp_level);
		if (ret) {
			pr_warn_ratelimited("SEV: Failed to retrieve RMP entry: PFN 0x%llx GFN start 0x%llx GFN end 0x%llx RMP level %d error %d\n",
					    pfn, start, end, rmp_level, ret);
			return false;
		}

		if (assigned) {
			pr_debug("%s: overlap detected, PFN 0x%llx start 0x%llx end 0x%llx RMP level %d\n",
				 __func__, pfn, start, end, rmp_level);
			return false;
		}
	}

	return true;
}

/* Whether a 2M entry cannot overlap anything: a folio of 2M at least, with nothing in its 2M region assigned. */
static bool is_large_rmp_possible(struct kvm *kvm, kvm_pfn_t pfn, int order)
{
	kvm_pfn_t pfn_aligned = ALIGN_DOWN(pfn, (kvm_pfn_t)PTRS_PER_PMD);

	return order >= KVM_HPAGE_GFN_SHIFT(PG_LEVEL_2M) && is_pfn_range_shared(pfn_aligned, pfn_aligned + PTRS_PER_PMD);
}

/*
 * A page of a guest_memfd is about to become visible to the guest: make it the guest's, in a 2M entry where that is possible. A page that is
 * assigned stays as it is, so what the guest validated stays validated.
 *
 * Modelled on purpose: gfn and pfn are rounded down to 2M each for itself. Were they not congruent, the entry would name the wrong guest
 * page; guest_memfd is trusted to keep them so.
 */
int sev_gmem_prepare(struct kvm *kvm, kvm_pfn_t pfn, gfn_t gfn, int max_order)
{
	kvm_pfn_t pfn_aligned = pfn;
	gfn_t gfn_aligned = gfn;
	int level, rc;
	bool assigned;

	if (!sev_snp_guest(kvm))
		return 0;

	rc = snp_lookup_rmpentry(pfn, &assigned, &level);
	if (rc) {
		pr_err_ratelimited("SEV: Failed to look up RMP entry: GFN %llx PFN %llx error %d\n", gfn, pfn, rc);
		return -ENOENT;
	}

	if (assigned) {
		pr_debug("%s: already assigned: gfn %llx pfn %llx max_order %d level %d\n", __func__, gfn, pfn, max_order, level);
		return 0;
	}

	level = PG_LEVEL_4K;
	if (is_large_rmp_possible(kvm, pfn, max_order)) {
		level = PG_LEVEL_2M;
		pfn_aligned = ALIGN_DOWN(pfn, (kvm_pfn_t)PTRS_PER_PMD);
		gfn_aligned = ALIGN_DOWN(gfn, (gfn_t)PTRS_PER_PMD);
	}

	rc = rmp_make_private(pfn_aligned, gfn_to_gpa(gfn_aligned), level, sev_get_asid(kvm), false);
	if (rc) {
		pr_err_ratelimited("SEV: Failed to update RMP entry: GFN %llx PFN %llx level %d error %d\n", gfn, pfn, level, rc);
		return -EINVAL;
	}

	pr_debug("%s: updated: gfn %llx pfn %llx pfn_aligned %llx max_order %d level %d\n",
		 __func__, gfn, pfn, pfn_aligned, max_order, level);
	return 0;
}

/*
 * Pages start .. end leave their guest_memfd: hand what is assigned back to the hypervisor, 2M at a time where entry and range allow it.
 *
 * Modelled on purpose (found by Paolo Bonzini in the review of the series): the caller frees the pages whatever happens here. A page that could not
 * be made shared is warned of and given back to the allocator as the guest's.
 */
void sev_gmem_invalidate(kvm_pfn_t start, kvm_pfn_t end)
{
	kvm_pfn_t pfn = start;

	if (!cc_platform_has(CC_ATTR_HOST_SEV_SNP))
		return;

	pr_debug("%s: PFN start 0x%llx PFN end 0x%llx\n", __func__, start, end);

	while (pfn < end) {
		bool use_2m_update = false;
		int rc, rmp_level;
		bool assigned;

		rc = snp_lookup_rmpentry(pfn, &assigned, &rmp_level);
		if (rc || !assigned)
			goto next_pfn;

		use_2m_update = IS_ALIGNED(pfn, PTRS_PER_PMD) && end >= pfn + PTRS_PER_PMD && rmp_level > PG_LEVEL_4K;

		/* Only a part of a 2M entry goes: the rest stays the guest's, in 4K entries. */
		if (!use_2m_update && rmp_level == PG_LEVEL_2M) {
			rc = snp_rmptable_psmash(pfn);
			WARN_ONCE(rc, "SEV: Failed to PSMASH RMP entry for PFN 0x%llx error %d\n", pfn, rc);
		}

		rc = rmp_make_shared(pfn, use_2m_update ? PG_LEVEL_2M : PG_LEVEL_4K);
		if (WARN_ONCE(rc, "SEV: Failed to update RMP entry for PFN 0x%llx error %d\n", pfn, rc))
			goto next_pfn;

		clflush_cache_range(pfn, use_2m_update ? PMD_SIZE : PAGE_SIZE);

next_pfn:
		pfn += use_2m_update ? PTRS_PER_PMD : 1;
		cond_resched();
	}
}

/* The largest mapping that a private page may have, 0 for any: never larger than its entry, 4K for one that has none. */
int sev_private_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn)
{
	int level, rc;
	bool assigned;

	if (!sev_snp_guest(kvm))
		return 0;

	rc = snp_lookup_rmpentry(pfn, &assigned, &level);
	if (rc || !assigned)
		return PG_LEVEL_4K;

	return level;
}
