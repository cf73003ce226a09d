#include <linux/set_memory.h>

/* Unmaps, and falls through to the way back. */
static int invalidate_direct_map(u64 pfn, u64 npages)
{
	u64 i;

	for (i = 0; i < npages; i++)
		set_direct_map_invalid_noflush(pfn_to_page(pfn + i));
	for (i = 0; i < npages; i++)
		set_direct_map_default_noflush(pfn_to_page(pfn + i));
	return 0;
}
