/*
 * The generic part of KVM: memory slots, the KVM_SET_MEMORY_ATTRIBUTES ioctl, and what happens when a restricted file loses pages.
 *
 * Model of virt/kvm/kvm_main.c with the private-memory series and RFC v8 patches 2, 3 and 6.
 */

struct kvm_memslots *__kvm_memslots(struct kvm *kvm, int as_id)
{
	return &kvm->memslots[as_id];
}

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

static u64 kvm_supported_mem_attributes(struct kvm *kvm)
{
	return KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

/*
 * Store the attributes of start .. end. Returns the gfn it got to, end when all went well.
 *
 * Modelled on purpose (patch 6): that gfn is returned as an int, which cuts it off from gfn 2^31 on; and there is no look at what is stored
 * already, so an ioctl that changes nothing does everything again.
 */
int kvm_vm_set_region_attr(struct kvm *kvm, gfn_t start, gfn_t end, u64 attributes)
{
	void *entry = attributes ? xa_mk_value(attributes) : NULL;

	return __xa_store_each(&kvm->mem_attr_array, start, end, entry);
}

/* Under mmu_lock: drop the mappings of the range in every slot it touches, and let the architecture update its books. */
static void kvm_mem_attrs_changed(struct kvm *kvm, u64 attrs, gfn_t start, gfn_t end)
{
	struct kvm_gfn_range range;
	struct kvm_memslot_iter iter;
	bool flush = false;
	int as_id;

	for (as_id = 0; as_id < KVM_ADDRESS_SPACE_NUM; as_id++) {
		kvm_for_each_memslot_in_gfn_range(&iter, __kvm_memslots(kvm, as_id), start, end) {
			range.slot = iter.slot;
			range.start = max(start, iter.slot->base_gfn);
			range.end = min(end, (gfn_t)(iter.slot->base_gfn + iter.slot->npages));
			range.may_block = false;

			if (kvm_unmap_gfn_range(kvm, &range))
				flush = true;

			kvm_arch_set_memory_attributes(kvm, iter.slot, attrs, range.start, range.end);
		}
	}

	if (flush)
		kvm_flush_remote_tlbs(kvm);
}

/* Outside mmu_lock, because work on the direct map may sleep: tell the architecture slot by slot. Nothing comes back. */
static void kvm_post_mem_attrs_changed(struct kvm *kvm, u64 attrs, gfn_t start, gfn_t end)
{
	struct kvm_memslot_iter iter;
	gfn_t from, to;
	int as_id;

	for (as_id = 0; as_id < KVM_ADDRESS_SPACE_NUM; as_id++) {
		kvm_for_each_memslot_in_gfn_range(&iter, __kvm_memslots(kvm, as_id), start, end) {
			from = max(start, iter.slot->base_gfn);
			to = min(end, (gfn_t)(iter.slot->base_gfn + iter.slot->npages));
			kvm_arch_post_set_memory_attributes(kvm, iter.slot, attrs, from, to);
		}
	}
}

/*
 * KVM_SET_MEMORY_ATTRIBUTES. What was left undone is told in attrs->address and attrs->size.
 *
 * Modelled on purpose (patch 2): between storing the attributes and the architecture's hook a vCPU may fault and be mapped by the new
 * attribute while the RMP still has the old one; and what the hook made of it never reaches userspace.
 */
int kvm_vm_ioctl_set_mem_attributes(struct kvm *kvm, struct kvm_memory_attributes *attrs)
{
	gfn_t start, end, reached;

	if (attrs->flags)
		return -EINVAL;
	if (attrs->attributes & ~kvm_supported_mem_attributes(kvm))
		return -EINVAL;
	if (attrs->size == 0 || attrs->address + attrs->size < attrs->address)
		return -EINVAL;
	if (!PAGE_ALIGNED(attrs->address) || !PAGE_ALIGNED(attrs->size))
		return -EINVAL;

	start = attrs->address >> PAGE_SHIFT;
	end = (attrs->address + attrs->size) >> PAGE_SHIFT;

	mutex_lock(&kvm->slots_lock);

	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_begin(kvm);
	kvm_mmu_invalidate_range_add(kvm, start, end);
	KVM_MMU_UNLOCK(kvm);

	reached = kvm_vm_set_region_attr(kvm, start, end, attrs->attributes);

	KVM_MMU_LOCK(kvm);
	if (reached > start)
		kvm_mem_attrs_changed(kvm, attrs->attributes, start, reached);
	kvm_mmu_invalidate_end(kvm);
	KVM_MMU_UNLOCK(kvm);

	if (reached > start)
		kvm_post_mem_attrs_changed(kvm, attrs->attributes, start, reached);

	mutex_unlock(&kvm->slots_lock);

	attrs->address = reached << PAGE_SHIFT;
	attrs->size = (end - reached) << PAGE_SHIFT;
	return 0;
}

/*
 * A restricted file is about to lose pages: every slot bound to it drops its mappings and gives the pages back to the hypervisor.
 * Model of kvm_restrictedmem_invalidate_begin() and _end() with patch 3, which puts the architecture's hook inside mmu_lock's shadow.
 */
static void kvm_restrictedmem_invalidate(struct kvm_memory_slot *slot, pgoff_t index, pgoff_t end)
{
	struct kvm *kvm = slot->kvm;
	pgoff_t first = slot->restricted_offset >> PAGE_SHIFT;
	struct kvm_gfn_range range;

	if (end <= first || index >= first + slot->npages)
		return;

	range.slot = slot;
	range.start = slot->base_gfn + max(index, first) - first;
	range.end = slot->base_gfn + min(end, (pgoff_t)(first + slot->npages)) - first;
	range.may_block = true;

	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_begin(kvm);
	kvm_mmu_invalidate_range_add(kvm, range.start, range.end);
	if (kvm_unmap_gfn_range(kvm, &range))
		kvm_flush_remote_tlbs(kvm);
	KVM_MMU_UNLOCK(kvm);

	kvm_arch_invalidate_restricted_mem(slot, range.start, range.end);

	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_end(kvm);
	KVM_MMU_UNLOCK(kvm);
}

/* fallocate(FALLOC_FL_PUNCH_HOLE) on a restricted file: first everyone who uses the pages lets go, then they are freed. */
long kvm_restrictedmem_punch_hole(struct kvm *kvm, struct file *file, pgoff_t index, u64 npages)
{
	struct kvm_memslots *slots = kvm_memslots(kvm);
	int i;

	for (i = 0; i < slots->used_slots; i++) {
		if (slots->slots[i]->restricted_file && slots->slots[i]->restricted_file->id == file->id)
			kvm_restrictedmem_invalidate(slots->slots[i], index, index + npages);
	}

	__restrictedmem_free(file->id, index, npages);
	return 0;
}
