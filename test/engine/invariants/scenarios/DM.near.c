#include <linux/set_memory.h>

static int invalidate_direct_map(u64 pfn, u64 npages)
{
	u64 i;

	for (i = 0; i < npages; i++) {
		if (set_direct_map_invalid_noflush(pfn_to_page(pfn + i)))
			return -EFAULT;
	}
	return 0;
}
