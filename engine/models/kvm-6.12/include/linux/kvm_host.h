/*
 * KVM's objects as of v6.12: VM, vCPU, memory slots, and the functions that page state conversions go through. Only what takes part in them.
 */
#ifndef __KVM_HOST_H
#define __KVM_HOST_H

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include <linux/kvm.h>
#include <linux/kvm_types.h>
#include <asm/page-levels.h>

#define KVM_MEM_SLOTS_NUM 64
#define KVM_MAX_VCPUS 64

/* KVM's own mark in a fault's error code: the access is to private memory. Hardware never sets it. */
#define PFERR_PRIVATE_ACCESS BIT_ULL(49)
#define PFERR_SYNTHETIC_MASK PFERR_PRIVATE_ACCESS

struct kvm;
struct kvm_vcpu;

struct kvm_memory_slot {
	struct kvm *kvm;
	gfn_t base_gfn;
	unsigned long npages;
	u32 flags;
	short id;
	u16 as_id;
	/* What backs private pages: a guest_memfd, and the page of it that base_gfn is. */
	struct {
		struct file *file;
		pgoff_t pgoff;
	} gmem;
	/* What backs shared pages: the frames behind the VMM's mapping, in one piece. */
	kvm_pfn_t shared_pfn;
};

/* In the order of their gfns. */
struct kvm_memslots {
	int used_slots;
	struct kvm_memory_slot *slots[KVM_MEM_SLOTS_NUM];
};

union kvm_mmu_notifier_arg {
	unsigned long attributes;
};

struct kvm_gfn_range {
	struct kvm_memory_slot *slot;
	gfn_t start;
	gfn_t end;
	union kvm_mmu_notifier_arg arg;
	bool may_block;
};

struct kvm_arch {
	u32 asid;
	bool has_private_mem;
	/* KVM_PRE_FAULT_MEMORY may be used: the launch is finished. */
	bool pre_fault_allowed;
	/* Hypercalls that userspace wants to see, as bits. */
	u32 hypercall_exit_enabled;
};

struct kvm {
	rwlock_t mmu_lock;
	struct mutex slots_lock;
	struct kvm_memslots memslots;
	unsigned long mmu_invalidate_seq;
	long mmu_invalidate_in_progress;
	gfn_t mmu_invalidate_range_start;
	gfn_t mmu_invalidate_range_end;
	struct xarray mem_attr_array;
	struct kvm_vcpu *vcpus[KVM_MAX_VCPUS];
	int created_vcpus;
	struct kvm_arch arch;
	bool vm_bugged;
};

struct kvm_vcpu_arch {
	/* What finishes an exit to userspace when the vCPU is run again. */
	int (*complete_userspace_io)(struct kvm_vcpu *vcpu);
};

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id;
	struct mutex mutex;
	struct kvm_run *run;
	struct kvm_vcpu_arch arch;
};

#define KVM_MMU_LOCK(kvm) write_lock(&(kvm)->mmu_lock)
#define KVM_MMU_UNLOCK(kvm) write_unlock(&(kvm)->mmu_lock)

#define kvm_for_each_vcpu(idx, vcpup, kvm)						\
	for (idx = 0; idx < (kvm)->created_vcpus && ((vcpup) = (kvm)->vcpus[idx]) != NULL; idx++)

/* kvm_main.c */
struct kvm_memory_slot *gfn_to_memslot(struct kvm *kvm, gfn_t gfn);
struct kvm_vcpu *kvm_get_vcpu_by_id(struct kvm *kvm, int id);
void kvm_flush_remote_tlbs(struct kvm *kvm);
void kvm_mmu_invalidate_begin(struct kvm *kvm);
void kvm_mmu_invalidate_range_add(struct kvm *kvm, gfn_t start, gfn_t end);
void kvm_mmu_invalidate_end(struct kvm *kvm);
bool kvm_range_has_memory_attributes(struct kvm *kvm, gfn_t start, gfn_t end, unsigned long mask, unsigned long attrs);
int kvm_vm_ioctl_set_mem_attributes(struct kvm *kvm, struct kvm_memory_attributes *attrs);

static inline struct kvm_memslots *kvm_memslots(struct kvm *kvm)
{
	return &kvm->memslots;
}

static inline bool kvm_slot_can_be_private(const struct kvm_memory_slot *slot)
{
	return slot && (slot->flags & KVM_MEM_GUEST_MEMFD);
}

static inline unsigned long kvm_get_memory_attributes(struct kvm *kvm, gfn_t gfn)
{
	return xa_to_value(xa_load(&kvm->mem_attr_array, gfn));
}

static inline bool kvm_mem_is_private(struct kvm *kvm, gfn_t gfn)
{
	return kvm_get_memory_attributes(kvm, gfn) & KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

#define kvm_arch_has_private_mem(kvm) ((kvm)->arch.has_private_mem)

/* guest_memfd.c */
typedef int (*kvm_gmem_populate_cb)(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, bool has_source, int order, void *opaque);

int kvm_gmem_get_pfn(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn, kvm_pfn_t *pfn, int *max_order) __must_propagate;
long kvm_gmem_populate(struct kvm *kvm, gfn_t start_gfn, bool has_source, long npages, kvm_gmem_populate_cb post_populate, void *opaque);
long kvm_gmem_punch_hole(struct file *file, pgoff_t start, pgoff_t end);

/* x86.c: hooks of the architecture */
bool kvm_arch_pre_set_memory_attributes(struct kvm *kvm, struct kvm_gfn_range *range);
bool kvm_arch_post_set_memory_attributes(struct kvm *kvm, struct kvm_gfn_range *range);
int kvm_arch_gmem_prepare(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, int max_order) __must_propagate;
void kvm_arch_gmem_invalidate(kvm_pfn_t start, kvm_pfn_t end);

/* mmu.c */
bool kvm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range);
void kvm_zap_gfn_range(struct kvm *kvm, gfn_t gfn_start, gfn_t gfn_end);
int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t cr2_or_gpa, u64 error_code);
long kvm_arch_vcpu_pre_fault_memory(struct kvm_vcpu *vcpu, gpa_t gpa);

/* What AMD's part plugs into x86's. */
struct kvm_x86_ops {
	int (*gmem_prepare)(struct kvm *kvm, kvm_pfn_t pfn, gfn_t gfn, int max_order) __must_propagate;
	void (*gmem_invalidate)(kvm_pfn_t start, kvm_pfn_t end);
	int (*private_max_mapping_level)(struct kvm *kvm, kvm_pfn_t pfn);
};

extern struct kvm_x86_ops svm_x86_ops;

#define kvm_x86_call(hook) svm_x86_ops.hook

#endif
