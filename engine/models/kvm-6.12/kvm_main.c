/*
 * The generic part of KVM: memory slots, invalidation, and the KVM_SET_MEMORY_ATTRIBUTES ioctl. Model of virt/kvm/kvm_main.c of v6.12.
 */

struct kvm_memory_slot *gfn_to_memslot(struct kvm *kvm, gfn_t gfn)
{
	struct kvm_memslots *slots = kvm_memslots(kvm);
	struct kvm_memory_slot *slot;
	int i;

	for (i = 0; i < slots->used_slots; i++) {
		slot = slots->slots[i];
		if (gfn >= slot->base_gfn && gfn < slot->base_gfn + slot->npages)
			return slot;
	}
	return NULL;
}

struct kvm_vcpu *kvm_get_vcpu_by_id(struct kvm *kvm, int id)
{
	struct kvm_vcpu *vcpu;
	int i;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (vcpu->vcpu_id == id)
			return vcpu;
	}
	return NULL;
}

void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	__tlb_flush(kvm->arch.asid);
}

/* From here to kvm_mmu_invalidate_end(), faults in the range must not be mapped: they see the change of mmu_invalidate_seq and retry. */
void kvm_mmu_invalidate_begin(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	kvm->mmu_invalidate_in_progress++;
	if (kvm->mmu_invalidate_in_progress == 1) {
		kvm->mmu_invalidate_range_start = INVALID_GPA;
		kvm->mmu_invalidate_range_end = INVALID_GPA;
	}
}

void kvm_mmu_invalidate_range_add(struct kvm *kvm, gfn_t start, gfn_t end)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	if (kvm->mmu_invalidate_range_start == INVALID_GPA) {
		kvm->mmu_invalidate_range_start = start;
		kvm->mmu_invalidate_range_end = end;
	} else {
		kvm->mmu_invalidate_range_start = min(kvm->mmu_invalidate_range_start, start);
		kvm->mmu_invalidate_range_end = max(kvm->mmu_invalidate_range_end, end);
	}
}

void kvm_mmu_invalidate_end(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	kvm->mmu_invalidate_seq++;
	kvm->mmu_invalidate_in_progress--;
	KVM_BUG_ON(kvm->mmu_invalidate_in_progress < 0, kvm);
}

/* Whether all of start .. end has these attributes, as far as mask goes. */
bool kvm_range_has_memory_attributes(struct kvm *kvm, gfn_t start, gfn_t end, unsigned long mask, unsigned long attrs)
{
	return __xa_range_uniform(&kvm->mem_attr_array, start, end) && (kvm_get_memory_attributes(kvm, start) & mask) == attrs;
}

static u64 kvm_supported_mem_attributes(struct kvm *kvm)
{
	return kvm_arch_has_private_mem(kvm) ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
}

struct kvm_mmu_notifier_range {
	gfn_t start;
	gfn_t end;
	union kvm_mmu_notifier_arg arg;
	bool (*handler)(struct kvm *kvm, struct kvm_gfn_range *range);
	void (*on_lock)(struct kvm *kvm);
	bool flush_on_ret;
	bool may_block;
};

/* Call the handler for the part of the range in every slot that it touches, under mmu_lock; on_lock first. Not even that where there is no slot. */
static void kvm_handle_gfn_range(struct kvm *kvm, struct kvm_mmu_notifier_range *range)
{
	struct kvm_memslots *slots = kvm_memslots(kvm);
	struct kvm_gfn_range gfn_range;
	bool found_memslot = false, ret = false;
	int i;

	gfn_range.arg = range->arg;
	gfn_range.may_block = range->may_block;

	for (i = 0; i < slots->used_slots; i++) {
		struct kvm_memory_slot *slot = slots->slots[i];

		gfn_range.slot = slot;
		gfn_range.start = max(range->start, slot->base_gfn);
		gfn_range.end = min(range->end, (gfn_t)(slot->base_gfn + slot->npages));
		if (gfn_range.start >= gfn_range.end)
			continue;

		if (!found_memslot) {
			found_memslot = true;
			KVM_MMU_LOCK(kvm);
			if (range->on_lock)
				range->on_lock(kvm);
		}

		ret |= range->handler(kvm, &gfn_range);
	}

	if (range->flush_on_ret && ret)
		kvm_flush_remote_tlbs(kvm);
	if (found_memslot)
		KVM_MMU_UNLOCK(kvm);
}

static bool kvm_pre_set_memory_attributes(struct kvm *kvm, struct kvm_gfn_range *range)
{
	kvm_mmu_invalidate_range_add(kvm, range->start, range->end);
	return kvm_arch_pre_set_memory_attributes(kvm, range);
}

/*
 * Set the attributes of start .. end. Nothing is done where all of them have them already; room for all is reserved before anything changes, so that
 * it cannot stop half-way; the mappings go before the attributes change, and no fault is mapped until they have.
 *
 * The RMP is not touched: it follows at the next private access, or when the page is freed.
 */
static int kvm_vm_set_mem_attributes(struct kvm *kvm, gfn_t start, gfn_t end, unsigned long attributes)
{
	struct kvm_mmu_notifier_range pre_set_range = {
		.start = start,
		.end = end,
		.handler = kvm_pre_set_memory_attributes,
		.on_lock = kvm_mmu_invalidate_begin,
		.flush_on_ret = true,
		.may_block = true,
	};
	struct kvm_mmu_notifier_range post_set_range = {
		.start = start,
		.end = end,
		.arg.attributes = attributes,
		.handler = kvm_arch_post_set_memory_attributes,
		.on_lock = kvm_mmu_invalidate_end,
		.may_block = true,
	};
	void *entry = attributes ? xa_mk_value(attributes) : NULL;
	unsigned long i;
	int r = 0;

	mutex_lock(&kvm->slots_lock);

	if (kvm_range_has_memory_attributes(kvm, start, end, ~0UL, attributes))
		goto out_unlock;

	for (i = start; i < end; i++) {
		r = __xa_reserve(&kvm->mem_attr_array, i);
		if (r)
			goto out_unlock;
		cond_resched();
	}

	kvm_handle_gfn_range(kvm, &pre_set_range);

	/* Room for all of them has been reserved. */
	i = __xa_store_each(&kvm->mem_attr_array, start, end, entry);
	KVM_BUG_ON(i < end, kvm);

	kvm_handle_gfn_range(kvm, &post_set_range);

out_unlock:
	mutex_unlock(&kvm->slots_lock);
	return r;
}

/* KVM_SET_MEMORY_ATTRIBUTES. 0 or -errno. */
int kvm_vm_ioctl_set_mem_attributes(struct kvm *kvm, struct kvm_memory_attributes *attrs)
{
	if (attrs->flags)
		return -EINVAL;
	if (attrs->attributes & ~kvm_supported_mem_attributes(kvm))
		return -EINVAL;
	if (attrs->size == 0 || attrs->address + attrs->size < attrs->address)
		return -EINVAL;
	if (!PAGE_ALIGNED(attrs->address) || !PAGE_ALIGNED(attrs->size))
		return -EINVAL;

	return kvm_vm_set_mem_attributes(kvm, attrs->address >> PAGE_SHIFT, (attrs->address + attrs->size) >> PAGE_SHIFT, attrs->attributes);
}
