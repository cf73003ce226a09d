/*
 * The RMP as the host kernel handles it: lookup, dump, PSMASH and RMPUPDATE with the direct map around it.
 *
 * Model of arch/x86/kernel/sev.c after RFC v8 patches 12 (lookup), 13 (dump), 14 (RMPUPDATE and PSMASH) and 15 (direct map).
 */

/* Words of an entry; -ENXIO without SNP, -EINVAL for a pfn that is no RAM, -EFAULT beyond the table. */
static int rmp_read_entry(u64 pfn, struct rmpentry *entry)
{
	if (!cpu_feature_enabled(X86_FEATURE_SEV_SNP))
		return -ENXIO;
	if (!pfn_valid(pfn))
		return -EINVAL;
	if (!__rmp_read(pfn, &entry->lo, &entry->hi))
		return -EFAULT;
	return 0;
}

/*
 * Whether a page is assigned is told by its own entry, the size by the first entry of its 2M region: the 511 entries behind a 2M entry are
 * assigned and say nothing else.
 */
int snp_lookup_rmpentry(u64 pfn, int *level)
{
	struct rmpentry entry, head;
	int ret;

	ret = rmp_read_entry(pfn, &entry);
	if (ret)
		return ret;

	ret = rmp_read_entry(pfn - pfn % PTRS_PER_PMD, &head);
	if (ret)
		return ret;

	*level = RMP_TO_X86_PG_LEVEL(rmpentry_pagesize(&head));
	return rmpentry_assigned(&entry);
}

/*
 * An assigned page prints its entry; an unassigned one every entry of its 2M region that is not all zero, since one of those is what stood in
 * the way. The gpa printed is the field of the entry, not the address.
 */
void sev_dump_rmpentry(u64 pfn)
{
	struct rmpentry e;
	u64 first = pfn - pfn % PTRS_PER_PMD;
	u64 low, high;
	u64 i;

	if (rmp_read_entry(pfn, &e)) {
		pr_info("Failed to read RMP entry for PFN 0x%llx\n", pfn);
		return;
	}

	if (rmpentry_assigned(&e)) {
		pr_info("RMPEntry paddr 0x%llx [assigned=%d immutable=%d pagesize=%d gpa=0x%lx asid=%d vmsa=%d validated=%d]\n",
			pfn << PAGE_SHIFT, rmpentry_assigned(&e), rmpentry_immutable(&e), rmpentry_pagesize(&e),
			(unsigned long)rmpentry_gpa(&e), rmpentry_asid(&e), rmpentry_vmsa(&e), rmpentry_validated(&e));
		return;
	}

	for (i = first; i < first + PTRS_PER_PMD; i++) {
		if (!__rmp_read_raw(i, &low, &high) || (!low && !high))
			continue;
		pr_info("RMPEntry paddr 0x%llx: [high=0x%016llx low=0x%016llx]\n", i << PAGE_SHIFT, high, low);
	}
}

/* Split a 2M entry. The instruction's code comes back as it is, FAIL_INUSE included: nobody retries (patch 14). */
int psmash(u64 pfn)
{
	pr_debug("%s: PFN: 0x%llx\n", __func__, pfn);

	if (!pfn_valid(pfn))
		return -EINVAL;
	if (!cpu_feature_enabled(X86_FEATURE_SEV_SNP))
		return -ENXIO;

	return __psmash(pfn << PAGE_SHIFT);
}

/* Map pages into the direct map again, one by one; stops at the first that fails. */
static int restore_direct_map(u64 pfn, u64 npages)
{
	u64 i = __set_direct_map_each(pfn, npages, true);
	int ret = i < npages ? set_direct_map_default_noflush(pfn_to_page(pfn + i)) : 0;

	/* Modelled on purpose (patch 15): errors are negative, so this never warns. */
	if (ret > 0)
		WARN(1, "Failed to restore direct map for pfn 0x%llx\n", pfn + i);
	return ret;
}

/* Take pages out of the direct map. Nothing flushes the TLB. */
static int invalidate_direct_map(u64 pfn, u64 npages)
{
	u64 i = __set_direct_map_each(pfn, npages, false);
	int ret = i < npages ? set_direct_map_invalid_noflush(pfn_to_page(pfn + i)) : 0;

	/*
	 * Modelled on purpose (patch 15, found by Tom Dohrmann, Y/9AEyiMLKfj+/mK@notebook): success falls through to here as well, so every
	 * page that was just unmapped is mapped again. What remains is that the mapping is now 4K.
	 */
	if (ret > 0)
		WARN(1, "Failed to invalidate direct map for pfn 0x%llx\n", pfn + i);
	restore_direct_map(pfn, i);
	return ret;
}

static int rmpupdate(u64 pfn, struct rmp_state *val) __must_propagate;

/*
 * RMPUPDATE with the direct map kept in step: out before a page is assigned, back in after it is not any more.
 *
 * Any code other than success is retried, four times the number of CPUs, also those that no retry will change (patch 14). When the
 * instruction fails for good the direct map stays as it is (patch 15).
 */
static int rmpupdate(u64 pfn, struct rmp_state *val)
{
	int max_attempts = 4 * num_present_cpus();
	int level = RMP_TO_X86_PG_LEVEL(val->pagesize);
	int npages = level == PG_LEVEL_4K ? 1 : PTRS_PER_PMD;
	int attempts = 0;
	int ret;

	if (!pfn_valid(pfn))
		return -EINVAL;
	if (!cpu_feature_enabled(X86_FEATURE_SEV_SNP))
		return -ENXIO;

	if (val->assigned && invalidate_direct_map(pfn, npages)) {
		pr_err("Failed to unmap %d pages at pfn 0x%llx from the direct_map\n", npages, pfn);
		return -EFAULT;
	}

	do {
		ret = __rmpupdate(pfn << PAGE_SHIFT, val->gpa, val->assigned, val->pagesize, val->immutable, val->asid);
		attempts++;
		if (ret) {
			/* Modelled on purpose (patch 14): the code is printed as the ASID and the ASID as the code. */
			pr_debug("RMPUPDATE retry needed, ASID: %d, ret: %d, pfn: %llx, npages: %d, level: %d, assigned: %d, attempts: %d (max: %d)\n",
				 ret, val->asid, pfn, npages, level, val->assigned, attempts, max_attempts);
		}
	} while (ret && attempts < max_attempts);

	if (ret) {
		pr_err("RMPUPDATE failed after %d attempts, ret: %d, pfn: %llx, npages: %d, level: %d\n",
		       attempts, ret, pfn, npages, level);
		sev_dump_rmpentry(pfn);
		dump_stack();
		return -EFAULT;
	}

	if (attempts > 1) {
		pr_debug("RMPUPDATE succeeded after %d attempts, ASID: %d, ret: %d, pfn: %llx, npages: %d\n",
			 attempts, val->asid, ret, pfn, npages);
	}

	if (!val->assigned && restore_direct_map(pfn, npages)) {
		pr_err("Failed to map %d pages at pfn 0x%llx into the direct_map\n", npages, pfn);
		return -EFAULT;
	}

	return 0;
}

/* Give a page, or 2M of them, to a guest at a guest physical address. The guest has to validate it. */
int rmp_make_private(u64 pfn, u64 gpa, enum pg_level level, int asid, bool immutable)
{
	struct rmp_state val = {
		.gpa = gpa,
		.assigned = 1,
		.pagesize = X86_TO_RMP_PG_LEVEL(level),
		.immutable = immutable,
		.asid = asid,
	};

	pr_debug("%s: GPA: 0x%llx, PFN: 0x%llx, level: %d, immutable: %d\n", __func__, gpa, pfn, level, immutable);
	return rmpupdate(pfn, &val);
}

/* Take a page, or 2M of them, back for the hypervisor. */
int rmp_make_shared(u64 pfn, enum pg_level level)
{
	struct rmp_state val = {
		.pagesize = X86_TO_RMP_PG_LEVEL(level),
	};

	pr_debug("%s: PFN: 0x%llx, level: %d\n", __func__, pfn, level);
	return rmpupdate(pfn, &val);
}
