/*
 * KVM's objects as of RFC v8 on top of the private-memory series: VM, vCPU, memory slots, and the functions that page state conversions
 * go through. Only what takes part in them.
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

#define KVM_ADDRESS_SPACE_NUM 1
#define KVM_MEM_SLOTS_NUM 64
#define KVM_MAX_VCPUS 64

struct kvm;
struct kvm_vcpu;

struct kvm_memory_slot {
	struct kvm *kvm;
	gfn_t base_gfn;
	unsigned long npages;
	u32 flags;
	short id;
	u16 as_id;
	/* What backs private pages: a restricted file, and the byte in it that base_gfn is. */
	struct file *restricted_file;
	loff_t restricted_offset;
	/* What backs shared pages: the frames behind the VMM's mapping, in one piece. */
	kvm_pfn_t shared_pfn;
};

/* In the order of their gfns. */
struct kvm_memslots {
	int used_slots;
	struct kvm_memory_slot *slots[KVM_MEM_SLOTS_NUM];
};

struct kvm_memslot_iter {
	struct kvm_memslots *slots;
	int index;
	gfn_t end;
	struct kvm_memory_slot *slot;
};

struct kvm_gfn_range {
	struct kvm_memory_slot *slot;
	gfn_t start;
	gfn_t end;
	bool may_block;
};

struct kvm_arch {
	u32 asid;
};

struct kvm {
	rwlock_t mmu_lock;
	struct mutex slots_lock;
	struct srcu_struct srcu;
	struct kvm_memslots memslots[KVM_ADDRESS_SPACE_NUM];
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

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id;
	struct mutex mutex;
	struct kvm_run *run;
};

#define KVM_MMU_LOCK(kvm) write_lock(&(kvm)->mmu_lock)
#define KVM_MMU_UNLOCK(kvm) write_unlock(&(kvm)->mmu_lock)

/* kvm_main.c */
struct kvm_memslots *__kvm_memslots(struct kvm *kvm, int as_id);
struct kvm_memory_slot *gfn_to_memslot(struct kvm *kvm, gfn_t gfn);
struct kvm_vcpu *kvm_get_vcpu_by_id(struct kvm *kvm, int id);
void kvm_flush_remote_tlbs(struct kvm *kvm);
void kvm_mmu_invalidate_begin(struct kvm *kvm);
void kvm_mmu_invalidate_range_add(struct kvm *kvm, gfn_t start, gfn_t end);
void kvm_mmu_invalidate_end(struct kvm *kvm);
int kvm_vm_set_region_attr(struct kvm *kvm, gfn_t start, gfn_t end, u64 attributes);
int kvm_vm_ioctl_set_mem_attributes(struct kvm *kvm, struct kvm_memory_attributes *attrs);
long kvm_restrictedmem_punch_hole(struct kvm *kvm, struct file *file, pgoff_t index, u64 npages);

static inline struct kvm_memslots *kvm_memslots(struct kvm *kvm)
{
	return __kvm_memslots(kvm, 0);
}

/* Slots that share at least one gfn with start .. end, in order; iter->slot is the current one. */
static inline void kvm_memslot_iter_seek(struct kvm_memslot_iter *iter)
{
	struct kvm_memory_slot *slot;

	iter->slot = NULL;
	for (; iter->index < iter->slots->used_slots; iter->index++) {
		slot = iter->slots->slots[iter->index];
		if (slot->base_gfn < iter->end) {
			iter->slot = slot;
			return;
		}
	}
}

static inline void kvm_memslot_iter_start(struct kvm_memslot_iter *iter, struct kvm_memslots *slots, gfn_t start, gfn_t end)
{
	iter->slots = slots;
	iter->end = end;
	iter->index = 0;
	while (iter->index < slots->used_slots &&
	       slots->slots[iter->index]->base_gfn + slots->slots[iter->index]->npages <= start)
		iter->index++;
	kvm_memslot_iter_seek(iter);
}

static inline void kvm_memslot_iter_next(struct kvm_memslot_iter *iter)
{
	iter->index++;
	kvm_memslot_iter_seek(iter);
}

#define kvm_for_each_memslot_in_gfn_range(iter, memslots, start, end)			\
	for (kvm_memslot_iter_start(iter, memslots, start, end); (iter)->slot != NULL;	\
	     kvm_memslot_iter_next(iter))

#define kvm_for_each_vcpu(idx, vcpup, kvm)						\
	for (idx = 0; idx < (kvm)->created_vcpus && ((vcpup) = (kvm)->vcpus[idx]) != NULL; idx++)

static inline bool kvm_slot_can_be_private(const struct kvm_memory_slot *slot)
{
	return slot && (slot->flags & KVM_MEM_PRIVATE);
}

static inline u64 kvm_get_memory_attributes(struct kvm *kvm, gfn_t gfn)
{
	return xa_to_value(xa_load(&kvm->mem_attr_array, gfn));
}

static inline bool kvm_mem_is_private(struct kvm *kvm, gfn_t gfn)
{
	return kvm_get_memory_attributes(kvm, gfn) & KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

/*
 * The frame behind a gfn of a private slot, with a reference on its page; allocates it if need be. *order is that of the folio which holds
 * the page, wherever in it the page stands. 0 or -errno.
 */
static inline int kvm_restrictedmem_get_pfn(struct kvm_memory_slot *slot, gfn_t gfn, kvm_pfn_t *pfn, int *order)
{
	pgoff_t index = gfn - slot->base_gfn + (slot->restricted_offset >> PAGE_SHIFT);

	return __restrictedmem_get_page(slot->restricted_file->id, index, pfn, order);
}

/* x86.c: hooks of the architecture */
void kvm_arch_set_memory_attributes(struct kvm *kvm, struct kvm_memory_slot *slot, u64 attrs, gfn_t start, gfn_t end);
void kvm_arch_post_set_memory_attributes(struct kvm *kvm, struct kvm_memory_slot *slot, u64 attrs, gfn_t start, gfn_t end);
void kvm_arch_invalidate_restricted_mem(struct kvm_memory_slot *slot, gfn_t start, gfn_t end);

/* mmu.c */
bool kvm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range);
void kvm_zap_gfn_range(struct kvm *kvm, gfn_t gfn_start, gfn_t gfn_end);
int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t cr2_or_gpa, u64 error_code);

/* What AMD's part plugs into x86's. */
struct kvm_x86_ops {
	bool (*fault_is_private)(struct kvm *kvm, gpa_t gpa, u64 error_code, bool *private_fault);
	void (*adjust_mapping_level)(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, int *level);
	int (*update_mem_attr)(struct kvm_memory_slot *slot, unsigned int attr, gfn_t start, gfn_t end) __must_propagate;
	void (*invalidate_restricted_mem)(struct kvm_memory_slot *slot, gfn_t start, gfn_t end);
};

extern struct kvm_x86_ops svm_x86_ops;

#define static_call(hook) hook
#define kvm_x86_fault_is_private svm_x86_ops.fault_is_private
#define kvm_x86_adjust_mapping_level svm_x86_ops.adjust_mapping_level
#define kvm_x86_update_mem_attr svm_x86_ops.update_mem_attr
#define kvm_x86_invalidate_restricted_mem svm_x86_ops.invalidate_restricted_mem

#endif
