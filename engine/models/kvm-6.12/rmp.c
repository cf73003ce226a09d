/*
 * The RMP as the host kernel handles it: lookup, dump, PSMASH, RMPUPDATE with the direct map around it, and pages given up.
 *
 * Model of arch/x86/virt/svm/sev.c of v6.12 (which reached mainline with v6.9).
 */

#undef pr_fmt
#define pr_fmt(fmt) "SEV-SNP: " fmt

/* Where the kernel maps all of RAM (PAGE_OFFSET with 4-level paging). */
#define DIRECT_MAP_BASE 0xffff888000000000UL

/* Times a page was given up: see snp_leak_pages(). */
static unsigned long snp_nr_leaked_pages;

/* One entry; -EFAULT beyond the table. */
static int get_rmpentry(u64 pfn, struct rmpentry *entry)
{
	return __rmp_read_raw(pfn, &entry->lo, &entry->hi) ? 0 : -EFAULT;
}

/*
 * The entry of a page, and the level at which its 2M region is held: that stands in the region's first entry. -ENODEV without SNP. A pfn that is
 * no RAM is looked up like any other.
 */
static int __snp_lookup_rmpentry(u64 pfn, struct rmpentry *entry, int *level)
{
	struct rmpentry large_entry;
	int ret;

	if (!cc_platform_has(CC_ATTR_HOST_SEV_SNP))
		return -ENODEV;

	ret = get_rmpentry(pfn, entry);
	if (ret)
		return ret;

	ret = get_rmpentry(ALIGN_DOWN(pfn, PTRS_PER_PMD), &large_entry);
	if (ret)
		return ret;

	*level = RMP_TO_PG_LEVEL(rmpentry_pagesize(&large_entry));
	return 0;
}

int snp_lookup_rmpentry(u64 pfn, bool *assigned, int *level)
{
	struct rmpentry e;
	int ret;

	ret = __snp_lookup_rmpentry(pfn, &e, level);
	if (ret)
		return ret;

	*assigned = rmpentry_assigned(&e);
	return 0;
}

/*
 * An assigned page prints its entry. Of an unassigned one every entry of the 2M region that is not all zero: what stood in the way is one of them.
 */
static void dump_rmpentry(u64 pfn)
{
	u64 first = ALIGN_DOWN(pfn, PTRS_PER_PMD);
	u64 end = first + PTRS_PER_PMD;
	struct rmpentry e;
	int level, ret;
	u64 i;

	ret = __snp_lookup_rmpentry(pfn, &e, &level);
	if (ret) {
		pr_err("Failed to read RMP entry for PFN 0x%llx, error %ld\n", pfn, (long)ret);
		return;
	}

	if (rmpentry_assigned(&e)) {
		pr_info("PFN 0x%llx, RMP entry: [0x%016llx - 0x%016llx]\n", pfn, e.lo, e.hi);
		return;
	}

	pr_info("PFN 0x%llx unassigned, dumping non-zero entries in 2M PFN region: [0x%llx - 0x%llx]\n", pfn, first, end);

	for (i = first; i < end; i++) {
		ret = __snp_lookup_rmpentry(i, &e, &level);
		if (ret)
			pr_err("Error %ld reading RMP entry for PFN 0x%llx\n", (long)ret, i);
		else if (e.lo || e.hi)
			pr_info("PFN: 0x%llx, [0x%016llx - 0x%016llx]\n", i, e.lo, e.hi);
	}
}

/* The entry behind a kernel address, for an oops. Only the direct map is there to be looked through. */
void snp_dump_hva_rmpentry(unsigned long hva)
{
	u64 pfn = (hva - DIRECT_MAP_BASE) >> PAGE_SHIFT;

	if (hva < DIRECT_MAP_BASE || !pfn_valid(pfn) || !__direct_map_level(pfn)) {
		pr_err("Can't dump RMP entry for HVA %lx: no PTE/PFN found\n", hva);
		return;
	}

	dump_rmpentry(pfn);
}

/* Split a 2M entry. The instruction's code comes back as it is: trying again is the caller's. */
int psmash(u64 pfn)
{
	if (!cc_platform_has(CC_ATTR_HOST_SEV_SNP))
		return -ENODEV;
	if (!pfn_valid(pfn))
		return -EINVAL;

	return __psmash(pfn << PAGE_SHIFT);
}

/*
 * A kernel write through a 2M or 1G mapping faults when any 4K page under it is a guest's. So before a 4K entry changes, the direct map is brought
 * down to 4K there. The page stays mapped, and nothing ever joins the pieces again. A whole 2M page needs nothing: no mapping then covers
 * it together with a page of another owner.
 */
static int adjust_direct_map(u64 pfn, int rmp_level)
{
	int level, ret;

	if (WARN_ONCE(rmp_level > PG_LEVEL_2M, "Unexpected RMP level: %d\n", rmp_level))
		return -EINVAL;
	if (!pfn_valid(pfn))
		return -EINVAL;
	if (rmp_level == PG_LEVEL_2M && (!IS_ALIGNED(pfn, PTRS_PER_PMD) || !pfn_valid(pfn + PTRS_PER_PMD - 1)))
		return -EINVAL;
	if (rmp_level == PG_LEVEL_2M)
		return 0;

	level = __direct_map_level(pfn);
	if (level == PG_LEVEL_NONE || level == PG_LEVEL_4K)
		return 0;

	ret = __set_memory_4k(pfn, 1);
	if (ret)
		pr_warn("Failed to split direct map for PFN 0x%llx, ret: %d\n", pfn, ret);
	return ret;
}

static int rmpupdate(u64 pfn, struct rmp_state *state) __must_propagate;

/*
 * RMPUPDATE. Two CPUs at work in one 2M region make it fail with FAIL_OVERLAP for a moment, so that code is tried again, without a limit.
 *
 * Modelled on purpose (v6.12, still so in later kernels): the instruction gives the same code for an overlap that is there to stay, a 4K entry under
 * a 2M one or the other way round, and then this never ends. Callers have to know that there is none.
 */
static int rmpupdate(u64 pfn, struct rmp_state *state)
{
	int level = RMP_TO_PG_LEVEL(state->pagesize);
	int ret;

	if (!cc_platform_has(CC_ATTR_HOST_SEV_SNP))
		return -ENODEV;

	if (adjust_direct_map(pfn, level))
		return -EFAULT;

	do {
		ret = __rmpupdate(pfn << PAGE_SHIFT, state->gpa, state->assigned, state->pagesize, state->immutable, state->asid);
	} while (ret == RMPUPDATE_FAIL_OVERLAP);

	if (ret) {
		pr_err("RMPUPDATE failed for PFN %llx, pg_level: %d, ret: %d\n", pfn, level, ret);
		dump_rmpentry(pfn);
		dump_stack();
		return -EFAULT;
	}

	return 0;
}

/* Give a page, or 2M of them, to a guest at a guest physical address. The guest has to validate it. */
int rmp_make_private(u64 pfn, u64 gpa, enum pg_level level, u32 asid, bool immutable)
{
	struct rmp_state state = {
		.assigned = 1,
		.asid = asid,
		.immutable = immutable,
		.gpa = gpa,
		.pagesize = PG_LEVEL_TO_RMP(level),
	};

	return rmpupdate(pfn, &state);
}

/* Take a page, or 2M of them, back for the hypervisor. */
int rmp_make_shared(u64 pfn, enum pg_level level)
{
	struct rmp_state state = {
		.pagesize = PG_LEVEL_TO_RMP(level),
	};

	return rmpupdate(pfn, &state);
}

/*
 * Give pages up that cannot be taken back: they are never freed. Every page counts and is dumped. The list is chained through struct page, in which
 * the tail pages of a compound page have no room for it; the pages that a simulated kernel loses are not compound, so all go on the list.
 */
void snp_leak_pages(u64 pfn, unsigned int npages)
{
	struct page *page = pfn_to_page(pfn);

	pr_warn("Leaking PFN range 0x%llx-0x%llx\n", pfn, pfn + npages);

	while (npages--) {
		__leaked_page_add(page);
		dump_rmpentry(pfn);
		snp_nr_leaked_pages++;
		pfn++;
		page = nth_page(page, 1);
	}
}

/* For whoever looks at the counter from outside. */
unsigned long snp_leaked_pages_count(void)
{
	return snp_nr_leaked_pages;
}

/* The files of a model are read as one: what follows prints as before. */
#undef pr_fmt
#define pr_fmt(fmt) fmt
