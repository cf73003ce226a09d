/* invalidate_direct_map() as it was meant: only a failure maps again what was unmapped before it. */
static int invalidate_direct_map(u64 pfn, u64 npages)
{
	u64 done;
	int ret;

	for (done = 0; done < npages; done++) {
		ret = set_direct_map_invalid_noflush(pfn_to_page(pfn + done));
		if (ret) {
			restore_direct_map(pfn, done);
			return ret;
		}
	}

	return 0;
}
