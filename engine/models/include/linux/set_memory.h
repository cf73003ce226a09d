/* Direct map of the kernel: set_direct_map_{invalid,default}_noflush() are natives. */
#ifndef _LINUX_SET_MEMORY_H
#define _LINUX_SET_MEMORY_H

#include <linux/mm.h>

#endif
