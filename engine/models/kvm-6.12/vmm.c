/*
 * What a VMM does with KVM_HC_MAP_GPA_RANGE: it sets the attributes and then discards the backing that is not used any more. Not KVM; the options
 * vmm-discards-backing and vmm-map-gpa-range-errno make it a VMM that does otherwise.
 */

/*
 * fallocate(FALLOC_FL_PUNCH_HOLE) on the guest_memfds behind size bytes from gpa on. -EINVAL if no private slot is there or the range is empty or
 * not made of whole pages, otherwise what fallocate() returns.
 */
long vmm_punch_hole(struct kvm *kvm, gpa_t gpa, u64 size)
{
	struct kvm_memslots *slots = kvm_memslots(kvm);
	u64 start = gpa_to_gfn(gpa);
	u64 end = gpa_to_gfn(gpa + size);
	struct kvm_memory_slot *slot;
	long ret = -EINVAL;
	u64 from, to;
	int i;

	if (size == 0 || !PAGE_ALIGNED(gpa) || !PAGE_ALIGNED(size))
		return -EINVAL;

	for (i = 0; i < slots->used_slots; i++) {
		slot = slots->slots[i];
		from = max(start, slot->base_gfn);
		to = min(end, (u64)(slot->base_gfn + slot->npages));
		if (!kvm_slot_can_be_private(slot) || from >= to)
			continue;

		ret = kvm_gmem_punch_hole(slot->gmem.file, from - slot->base_gfn + slot->gmem.pgoff, to - slot->base_gfn + slot->gmem.pgoff);
		if (ret)
			break;
	}

	return ret;
}

/*
 * The answer to KVM_HC_MAP_GPA_RANGE, 0 or -errno. Pages that became private: madvise(MADV_DONTNEED) on the VMM's own mapping, whose frames are not
 * simulated. Pages that became shared: a hole in the guest_memfd, which is what makes them shared in the RMP.
 */
static long vmm_map_gpa_range(struct kvm *kvm, gpa_t gpa, u64 npages, u64 attributes)
{
	bool to_private = attributes & KVM_MAP_GPA_RANGE_ENCRYPTED;
	struct kvm_memory_attributes attrs = {
		.address = gpa,
		.size = npages << PAGE_SHIFT,
		.attributes = to_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};
	long ret;

	if (__kernel_option("vmm-map-gpa-range-errno"))
		return -__kernel_option("vmm-map-gpa-range-errno");

	ret = kvm_vm_ioctl_set_mem_attributes(kvm, &attrs);
	if (ret || to_private || !__kernel_option("vmm-discards-backing"))
		return ret;

	return vmm_punch_hole(kvm, gpa, npages << PAGE_SHIFT);
}

/* The vCPU has exited with KVM_EXIT_HYPERCALL: answer, and run it again. What KVM does then: 0 is the next exit, 1 the guest runs. */
int vmm_run_hypercall_exit(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int (*complete)(struct kvm_vcpu *vcpu) = vcpu->arch.complete_userspace_io;

	run->hypercall.ret = (u64)vmm_map_gpa_range(vcpu->kvm, run->hypercall.args[0], run->hypercall.args[1], run->hypercall.args[2]);

	vcpu->arch.complete_userspace_io = NULL;
	return complete(vcpu);
}
