/* Files: only those that back private memory. */
#ifndef _LINUX_FS_H
#define _LINUX_FS_H

#include <linux/types.h>

struct file {
	/* Number of the restricted file, as the scenario's host knows it. */
	int id;
};

#define FALLOC_FL_KEEP_SIZE 0x01
#define FALLOC_FL_PUNCH_HOLE 0x02

#endif
