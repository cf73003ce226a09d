/*
 * KVM_SEV_SNP_LAUNCH_UPDATE: plaintext pages become part of the guest's initial, measured memory; and KVM_SEV_SNP_LAUNCH_FINISH, which adds the
 * vCPUs' VMSA pages. Model of arch/x86/kvm/svm/sev.c after RFC v8 patches 35 and 36 (20230220183847.59159-{36,37}-michael.roth@amd.com).
 */

struct snp_launch_update_params {
	struct kvm *kvm;
	int page_type;
	u32 vmpl_perms;
	/* What the firmware said last. */
	int fw_error;
};

/* Let the firmware give the page up: what it holds of the page is lost. A page that it does not give up stays immutable. */
static int snp_page_reclaim(u64 pfn)
{
	return __snp_page_reclaim(pfn, RMP_PG_SIZE_4K) ? -EIO : 0;
}

/* Hand a page back to the hypervisor, or give it up for good: one that was not reclaimed refuses (FAIL_PERMISSION). */
static int host_rmp_make_shared(u64 pfn, enum pg_level level, bool leak)
{
	int rc = rmp_make_shared(pfn, level);

	if (rc && leak)
		snp_mark_pages_offline(pfn, page_level_size(level) >> PAGE_SHIFT);
	return rc;
}

/*
 * The pages of one slot. They have to be unassigned; each is filled, given to the guest as an immutable 4K page and then taken over by the
 * firmware.
 *
 * Modelled on purpose (patch 35): a page that is assigned already ends it on the spot, with the references on all pages so far and the array
 * of pfns left behind; and any other failure makes all pages shared again, those that are part of the measurement too.
 */
static int snp_launch_update_gfn_handler(struct kvm *kvm, struct kvm_gfn_range *range, struct snp_launch_update_params *params)
{
	struct kvm_sev_info *sev = &to_kvm_svm(kvm)->sev_info;
	u64 npages = range->end - range->start;
	kvm_pfn_t *pfns;
	int rmp_level, order, assigned;
	u64 n = 0;
	u64 i;
	gfn_t gfn;
	int ret = 0;

	if (!kvm_slot_can_be_private(range->slot)) {
		pr_err("SEV-SNP requires restricted memory.\n");
		return -EINVAL;
	}

	pfns = kvmalloc_array(npages, sizeof(*pfns), GFP_KERNEL_ACCOUNT);
	if (!pfns)
		return -ENOMEM;

	for (gfn = range->start; gfn < range->end; gfn++) {
		ret = kvm_restrictedmem_get_pfn(range->slot, gfn, &pfns[n], &order);
		if (ret)
			goto restore;
		n++;

		assigned = snp_lookup_rmpentry(pfns[n - 1], &rmp_level);
		if (assigned) {
			pr_err("Failed to ensure GFN 0x%llx is in initial shared state, ret: %d\n", gfn, assigned);
			return -EFAULT;
		}

		/* The plaintext, through the direct map. */
		__host_write_page(pfns[n - 1]);

		ret = rmp_make_private(pfns[n - 1], gfn << PAGE_SHIFT, PG_LEVEL_4K, sev->asid, true);
		if (ret) {
			ret = -EFAULT;
			goto restore;
		}

		params->fw_error = __snp_launch_update(sev->asid, pfns[n - 1], params->page_type, RMP_PG_SIZE_4K, params->vmpl_perms);
		if (params->fw_error) {
			pr_err("SEV-SNP launch update failed, ret: 0x%x, fw_error: 0x%x\n", -EIO, params->fw_error);
			ret = -EIO;
			if (snp_page_reclaim(pfns[n - 1]))
				goto restore;

			/* The firmware rejected a CPUID page and left a corrected one: userspace gets to see it. */
			if (params->page_type == SNP_PAGE_TYPE_CPUID && params->fw_error == SEV_RET_INVALID_PARAM)
				host_rmp_make_shared(pfns[n - 1], PG_LEVEL_4K, true);
			goto restore;
		}
	}

	/* Modelled on purpose (patch 35): only slots_lock is held and nobody is told, so a vCPU may go on with the mapping that it has. */
	kvm_vm_set_region_attr(kvm, range->start, range->end, KVM_MEMORY_ATTRIBUTE_PRIVATE);

restore:
	for (i = 0; i < n; i++) {
		/* A page that was handed back a moment ago is unassigned; this does it again. */
		if (ret)
			host_rmp_make_shared(pfns[i], PG_LEVEL_4K, true);
		put_page(pfn_to_page(pfns[i]));
	}

	kvfree(pfns);
	return ret;
}

/* The range may touch several slots; the first failure ends it. */
int snp_launch_update(struct kvm *kvm, gfn_t start, gfn_t end, int page_type, u32 vmpl_perms)
{
	struct snp_launch_update_params params = {
		.kvm = kvm,
		.page_type = page_type,
		.vmpl_perms = vmpl_perms,
	};
	struct kvm_memslot_iter iter;
	struct kvm_gfn_range range;
	int ret = 0;

	if (!sev_snp_guest(kvm))
		return -ENOTTY;
	if (start >= end || page_type < SNP_PAGE_TYPE_NORMAL || page_type > SNP_PAGE_TYPE_CPUID)
		return -EINVAL;

	mutex_lock(&kvm->slots_lock);
	kvm_for_each_memslot_in_gfn_range(&iter, kvm_memslots(kvm), start, end) {
		range.slot = iter.slot;
		range.start = max(start, iter.slot->base_gfn);
		range.end = min(end, (gfn_t)(iter.slot->base_gfn + iter.slot->npages));
		range.may_block = true;

		ret = snp_launch_update_gfn_handler(kvm, &range, &params);
		if (ret)
			break;
	}
	mutex_unlock(&kvm->slots_lock);

	return ret;
}

/* Where the firmware finds the state of a vCPU that the guest has no memory for. */
#define INITIAL_VMSA_GPA 0xFFFFFFFFF000ULL

/*
 * The kernel's own page with the vCPU's first state goes to the guest as well. Writing the state is an ordinary write: done again, after
 * a first finish, it hits a page that is the guest's.
 */
static int snp_launch_update_vmsa(struct kvm *kvm)
{
	struct kvm_sev_info *sev = &to_kvm_svm(kvm)->sev_info;
	struct kvm_vcpu *vcpu;
	struct vcpu_svm *svm;
	u64 pfn;
	int i, ret;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		svm = to_svm(vcpu);
		pfn = page_to_pfn(svm->sev_es.vmsa);

		__host_write_page(pfn);

		ret = rmp_make_private(pfn, INITIAL_VMSA_GPA, PG_LEVEL_4K, sev->asid, true);
		if (ret)
			return ret;

		if (__snp_launch_update(sev->asid, pfn, SNP_PAGE_TYPE_VMSA, RMP_PG_SIZE_4K, 0)) {
			snp_page_reclaim(pfn);
			host_rmp_make_shared(pfn, PG_LEVEL_4K, true);
			return -EIO;
		}

		svm->vmcb->control.vmsa_pa = PFN_PHYS(pfn);
	}

	return 0;
}

/* Nothing keeps userspace from finishing twice. */
int snp_launch_finish(struct kvm *kvm)
{
	int ret;

	if (!sev_snp_guest(kvm))
		return -ENOTTY;

	ret = snp_launch_update_vmsa(kvm);
	if (!ret && __snp_launch_finish(to_kvm_svm(kvm)->sev_info.asid))
		ret = -EIO;
	if (!ret)
		to_kvm_svm(kvm)->sev_info.launch_finished = true;
	return ret;
}
