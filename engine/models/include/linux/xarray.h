/* xarrays hold the memory attributes of a VM and nothing else here; xa_load() is a native. */
#ifndef _LINUX_XARRAY_H
#define _LINUX_XARRAY_H

#include <linux/types.h>

struct xarray {
	int id;
};

#define xa_mk_value(v) ((void *)(((unsigned long)(v) << 1) | 1))
#define xa_to_value(entry) ((unsigned long)(entry) >> 1)
#define xa_is_value(entry) ((unsigned long)(entry) & 1)

#define xa_init(xa) do { } while (0)

/* As the kernel's, an error comes back in the disguise of an entry; the previous entry does not. */
#define xa_store(xa, index, entry, gfp) ((void *)(long)__xa_store((xa), (index), (entry)))
#define xa_err(entry) ((int)(long)(entry))

#endif
