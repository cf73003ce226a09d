/* Files: only guest_memfd files. Shadows the common header. */
#ifndef _LINUX_FS_H
#define _LINUX_FS_H

#include <linux/types.h>
#include <linux/mutex.h>

struct kvm;

struct file {
	/* Number of the file, as the scenario's host knows it. */
	int id;
	/* The VM it was made for: a guest_memfd belongs to one. */
	struct kvm *kvm;
	/* mapping->invalidate_lock: held while pages come in by launch, and while they go. */
	struct mutex invalidate_lock;
};

#define filemap_invalidate_lock(file) mutex_lock(&(file)->invalidate_lock)
#define filemap_invalidate_unlock(file) mutex_unlock(&(file)->invalidate_lock)

#define FALLOC_FL_KEEP_SIZE 0x01
#define FALLOC_FL_PUNCH_HOLE 0x02

#endif
