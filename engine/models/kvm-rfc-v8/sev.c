/*
 * Page state conversions of SEV-SNP guests: model of arch/x86/kvm/svm/sev.c after RFC v8 patches 37 (mapping level), 44 (RMP faults),
 * 48 (memory attributes), 49 (private faults) and 50 (invalidation).
 */

/* PSMASH wants the first page of the 2M region. */
static int snp_rmptable_psmash(struct kvm *kvm, kvm_pfn_t pfn)
{
	return psmash(pfn & ~(kvm_pfn_t)(KVM_PAGES_PER_HPAGE(PG_LEVEL_2M) - 1));
}

/*
 * Hand one page back to the hypervisor; what is not assigned already is. A 2M entry is split first.
 *
 * Modelled on purpose (patch 48): the code of a PSMASH that fails comes back as it is, a positive number, and nobody tries again
 * when it says FAIL_INUSE.
 */
static int snp_make_page_shared(struct kvm *kvm, gpa_t gpa, kvm_pfn_t pfn, int level)
{
	int rmp_level;
	int assigned = snp_lookup_rmpentry(pfn, &rmp_level);
	int rc;

	if (assigned < 0)
		return -EINVAL;
	if (assigned == 0)
		return 0;

	if (rmp_level == PG_LEVEL_2M && level == PG_LEVEL_4K) {
		rc = snp_rmptable_psmash(kvm, pfn);
		if (rc != 0)
			return rc;
	}

	return rmp_make_shared(pfn, level);
}

/* The level of a folio; there is no entry between 4K and 2M. */
static inline u8 order_to_level(int order)
{
	u8 level = PG_LEVEL_4K;

	while (level < KVM_MAX_HUGEPAGE_LEVEL && order >= KVM_HPAGE_GFN_SHIFT(level + 1))
		level++;
	return level;
}

/*
 * The RMP follows the attributes of start .. end.
 *
 * Modelled on purpose (patch 48, 20230220183847.59159-49-michael.roth@amd.com):
 *  - a page that cannot be had is passed over, its attribute stays;
 *  - progress is by the folio's order while the entry is by its level, so a folio of order 1 to 8 gets one 4K entry and one above order 9 one
 *    2M entry, and the rest is skipped;
 *  - only the gfn's alignment is looked at, never the pfn's;
 *  - the first failure ends it: what came before stays converted, the rest is not.
 */
int sev_update_mem_attr(struct kvm_memory_slot *slot, unsigned int attr, gfn_t start, gfn_t end)
{
	struct kvm *kvm = slot->kvm;
	struct kvm_sev_info *sev = &to_kvm_svm(kvm)->sev_info;
	bool to_private = attr & KVM_MEMORY_ATTRIBUTE_PRIVATE;
	enum psc_op op = to_private ? SNP_PAGE_STATE_PRIVATE : SNP_PAGE_STATE_SHARED;
	gfn_t gfn, step;

	pr_debug("%s: GFN 0x%llx - 0x%llx, op: %d\n", __func__, start, end, op);

	if (!sev_snp_guest(kvm))
		return 0;

	if (!kvm_slot_can_be_private(slot)) {
		pr_err_ratelimited("%s: memslot for gfn: 0x%llx is not private.\n", __func__, start);
		return -EPERM;
	}

	for (gfn = start; gfn < end; gfn += step) {
		gpa_t gpa = gfn_to_gpa(gfn);
		int level = PG_LEVEL_4K;
		kvm_pfn_t pfn;
		int order, rc;

		step = 1;

		if (kvm_restrictedmem_get_pfn(slot, gfn, &pfn, &order)) {
			pr_warn_ratelimited("%s: failed to retrieve gfn 0x%llx from private FD\n", __func__, gfn);
			continue;
		}

		if (to_private) {
			gfn_t pages = 1UL << order;

			if (order && IS_ALIGNED(gfn, pages) && gfn + pages <= end) {
				level = order_to_level(order);
				step = pages;
			}
			rc = rmp_make_private(pfn, gpa, level, sev->asid, false);
		} else {
			rc = snp_make_page_shared(kvm, gpa, pfn, level);
		}

		put_page(pfn_to_page(pfn));

		if (rc) {
			pr_err_ratelimited("%s: failed op %d gpa %llx pfn %llx level %d rc %d\n",
					   __func__, op, gpa, pfn, level, rc);
			return -EINVAL;
		}
	}

	return 0;
}

/* Patch 49: a private access is one with the C-bit, which the fault tells for SNP guests. */
bool sev_fault_is_private(struct kvm *kvm, gpa_t gpa, u64 error_code, bool *private_fault)
{
	if (!sev_snp_guest(kvm))
		return false;

	*private_fault = (error_code & PFERR_GUEST_ENC_MASK) != 0;
	return true;
}

/*
 * Whether all of start .. end is shared.
 *
 * Modelled on purpose (patch 37): the index goes up before it is used, so the first gfn is left out and the one behind the end looked at.
 */
static bool is_gfn_range_shared(struct kvm *kvm, gfn_t start, gfn_t end)
{
	while (start++ < end) {
		if (kvm_mem_is_private(kvm, start))
			return false;
	}
	return true;
}

/* Patch 37: never map a page at a larger level than its RMP entry has. */
void sev_adjust_mapping_level(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, int *level)
{
	int level_orig = *level;
	int rmp_level = PG_LEVEL_4K;
	int assigned;
	gfn_t first = gfn & ~(gfn_t)(PTRS_PER_PMD - 1);

	if (!sev_snp_guest(kvm))
		return;

	assigned = snp_lookup_rmpentry(pfn, &rmp_level);
	if (assigned == 0 && is_gfn_range_shared(kvm, first, first + PTRS_PER_PMD))
		goto out;
	if (assigned == 1 && rmp_level == PG_LEVEL_2M && *level == PG_LEVEL_1G)
		goto out;

	*level = min(*level, rmp_level);
out:
	pr_debug("%s: GFN: 0x%llx, PFN: 0x%llx, level: %d, rmp_level: %d, level_orig: %d, assigned: %d\n",
		 __func__, gfn, pfn, *level, rmp_level, level_orig, assigned);
}

/*
 * A nested page fault with the RMP bit. Patch 44 takes it that only a difference in page size can be the reason: the entry is split and the
 * mapping dropped, and the guest tries again.
 *
 * Modelled on purpose:
 *  - without SIZEM, which hardware sets for PVALIDATE and RMPADJUST only, nothing is done, so a plain access never gets any further;
 *  - the slot is used without a look whether there is one;
 *  - PSMASH is issued also when the entry is 4K already, and its failure only printed;
 *  - the range dropped starts at the gfn that faulted, not at the first of its 2M region.
 */
void handle_rmp_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	struct kvm *kvm = vcpu->kvm;
	gfn_t gfn = gpa_to_gfn(gpa);
	struct kvm_memory_slot *slot;
	int order, rmp_level, rc;
	kvm_pfn_t pfn;

	if (!(error_code & PFERR_GUEST_SIZEM_MASK)) {
		pr_warn_ratelimited("Unexpected RMP fault for GPA 0x%llx, error_code 0x%llx", gpa, error_code);
		return;
	}

	if (!kvm_mem_is_private(kvm, gfn)) {
		pr_warn_ratelimited("Unexpected RMP fault, size-mismatch for non-private GPA 0x%llx\n", gpa);
		return;
	}

	slot = gfn_to_memslot(kvm, gfn);
	if (!(slot->flags & KVM_MEM_PRIVATE)) {
		pr_warn_ratelimited("Unexpected RMP fault, non-private slot for GPA 0x%llx\n", gpa);
		return;
	}

	if (kvm_restrictedmem_get_pfn(slot, gfn, &pfn, &order)) {
		pr_warn_ratelimited("Unexpected RMP fault, no private backing page for GPA 0x%llx\n", gpa);
		return;
	}

	if (snp_lookup_rmpentry(pfn, &rmp_level) != 1) {
		pr_warn_ratelimited("Unexpected RMP fault, no assigned RMP entry for GPA 0x%llx\n", gpa);
		put_page(pfn_to_page(pfn));
		return;
	}

	rc = snp_rmptable_psmash(kvm, pfn);
	if (rc) {
		pr_err_ratelimited("Unable to split RMP entries for GPA 0x%llx PFN 0x%llx ret %d\n", gpa, pfn, rc);
	}

	kvm_zap_gfn_range(kvm, gfn, gfn + PTRS_PER_PMD);
	put_page(pfn_to_page(pfn));
}

/*
 * Pages of a slot are going to be freed: hand them back to the hypervisor first.
 *
 * Modelled on purpose (patch 50):
 *  - the loop includes the gfn behind the end (20221214194056.161492-58-michael.roth@amd.com had it right);
 *  - getting the pfn of a page that was never there allocates it;
 *  - a failed lookup counts as assigned, with a level that nobody set;
 *  - a 2M step is taken whether or not the 2M page could be made shared.
 */
void sev_invalidate_private_range(struct kvm_memory_slot *slot, gfn_t start, gfn_t end)
{
	struct kvm *kvm = slot->kvm;
	gpa_t end_gpa = gfn_to_gpa(end);
	gfn_t gfn = start;

	if (!sev_snp_guest(kvm))
		return;

	if (!kvm_slot_can_be_private(slot)) {
		pr_warn_ratelimited("SEV: Memslot for GFN: 0x%llx is not private.\n", gfn);
		return;
	}

	while (gfn <= end) {
		gpa_t gpa = gfn_to_gpa(gfn);
		int level = PG_LEVEL_4K;
		int order, rc, rmp_level;
		kvm_pfn_t pfn;

		rc = kvm_restrictedmem_get_pfn(slot, gfn, &pfn, &order);
		if (rc) {
			pr_warn_ratelimited("SEV: Failed to retrieve restricted PFN for GFN 0x%llx, rc: %d\n", gfn, rc);
			gfn++;
			continue;
		}

		if (order && IS_ALIGNED(gpa, PMD_SIZE) && gpa + PMD_SIZE <= end_gpa) {
			level = PG_LEVEL_2M;
			if (!snp_lookup_rmpentry(pfn, &rmp_level) || rmp_level == PG_LEVEL_4K)
				level = PG_LEVEL_4K;
		}

		pr_debug("%s: GPA %llx PFN %llx order %d level %d\n", __func__, gpa, pfn, order, level);

		rc = snp_make_page_shared(kvm, gpa, pfn, level);
		if (rc) {
			pr_err("SEV: Failed to restore page to shared, GPA: 0x%llx PFN: 0x%llx order: %d rc: %d\n",
			       gpa, pfn, order, rc);
		}

		put_page(pfn_to_page(pfn));
		gfn += page_level_size(level) / PAGE_SIZE;
	}
}
