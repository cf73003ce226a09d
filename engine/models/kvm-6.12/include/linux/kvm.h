/* The part of the KVM UAPI (include/uapi/linux/kvm.h, kvm_para.h of v6.12) that page state conversions use. Shadows the common header. */
#ifndef __LINUX_KVM_H
#define __LINUX_KVM_H

#include <linux/types.h>

#define KVM_MEMORY_ATTRIBUTE_PRIVATE (1ULL << 3)

struct kvm_memory_attributes {
	u64 address;
	u64 size;
	u64 attributes;
	u64 flags;
};

#define KVM_MEM_LOG_DIRTY_PAGES (1UL << 0)
#define KVM_MEM_READONLY (1UL << 1)
#define KVM_MEM_GUEST_MEMFD (1UL << 2)

#define KVM_EXIT_UNKNOWN 0
#define KVM_EXIT_HYPERCALL 3
#define KVM_EXIT_MMIO 6
#define KVM_EXIT_SHUTDOWN 8
#define KVM_EXIT_INTERNAL_ERROR 17
#define KVM_EXIT_MEMORY_FAULT 39

#define KVM_MEMORY_EXIT_FLAG_PRIVATE (1ULL << 3)

/* The hypercall as which every page state change of a guest reaches userspace. */
#define KVM_HC_MAP_GPA_RANGE 12
#define KVM_MAP_GPA_RANGE_PAGE_SZ_4K 0
#define KVM_MAP_GPA_RANGE_PAGE_SZ_2M (1 << 0)
#define KVM_MAP_GPA_RANGE_ENCRYPTED (1 << 4)
#define KVM_MAP_GPA_RANGE_DECRYPTED 0

struct kvm_run {
	u32 exit_reason;
	struct {
		u64 flags;
		u64 gpa;
		u64 size;
	} memory_fault;
	struct {
		u64 nr;
		u64 args[6];
		u64 ret;
		u64 flags;
	} hypercall;
};

#endif
