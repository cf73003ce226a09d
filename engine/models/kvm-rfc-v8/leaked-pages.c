/* Pages that could not be taken back: model of drivers/crypto/ccp/sev-dev.c after RFC v8 patch 23. */

/* Times that pages were given up, not pages: see below. */
static unsigned long snp_nr_leaked_pages;

/*
 * Modelled on purpose (patch 23): the page that is added never advances, so a range of more than one page adds its first page again and again,
 * which ties the list into a loop; and the counter goes up by one whatever npages says.
 */
void snp_mark_pages_offline(unsigned long pfn, unsigned int npages)
{
	struct page *page = pfn_to_page(pfn);

	WARN(1, "psc failed, pfn 0x%lx pages %d (marked offline)\n", pfn, npages);

	while (npages--) {
		__leaked_page_add(page);
		sev_dump_rmpentry(pfn++);
	}

	snp_nr_leaked_pages++;
}

/* For whoever looks at the counter from outside. */
unsigned long snp_leaked_pages_count(void)
{
	return snp_nr_leaked_pages;
}
