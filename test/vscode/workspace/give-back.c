static int give_back(struct kvm_memory_slot *slot, gfn_t gfn, kvm_pfn_t pfn)
{
	int level;
	int rc;

	if (snp_lookup_rmpentry(pfn, &level) <= 0)
		return 0;
	if (level == PG_LEVEL_2M) {
		rc = psmash(pfn & ~511ULL);
		if (rc)
			return rc;
	}
	pr_info("gfn %llx goes back\n", gfn);
	return rmp_make_shared(pfn, PG_LEVEL_4K);
}

int sev_update_mem_attr(struct kvm_memory_slot *slot, unsigned int attr, gfn_t start, gfn_t end)
{
	struct kvm_sev_info *sev = &to_kvm_svm(slot->kvm)->sev_info;
	kvm_pfn_t pfn;
	gfn_t gfn;
	int order;
	int rc;

	if (kvm_restrictedmem_get_pfn(slot, start, &pfn, &order))
		return -EINVAL;
	put_page(pfn_to_page(pfn));
	if (attr & KVM_MEMORY_ATTRIBUTE_PRIVATE)
		return rmp_make_private(pfn, gfn_to_gpa(start), PG_LEVEL_2M, sev->asid, false);

	for (gfn = start; gfn < end; gfn++) {
		rc = give_back(slot, gfn, pfn + (gfn - start));
		if (rc)
			return rc;
	}
	return 0;
}
