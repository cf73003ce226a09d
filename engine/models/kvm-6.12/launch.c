/*
 * KVM_SEV_SNP_LAUNCH_UPDATE: pages become part of the guest's initial, measured memory; and KVM_SEV_SNP_LAUNCH_FINISH, which adds the vCPUs' VMSA
 * pages. Model of arch/x86/kvm/svm/sev.c of v6.12.
 */

/* Hand a page back to the hypervisor, or give it up for good: one that was not reclaimed refuses (FAIL_PERMISSION). */
static int kvm_rmp_make_shared(struct kvm *kvm, u64 pfn, enum pg_level level)
{
	if (KVM_BUG_ON(rmp_make_shared(pfn, level), kvm)) {
		snp_leak_pages(pfn, page_level_size(level) >> PAGE_SHIFT);
		return -EIO;
	}
	return 0;
}

/* Let the firmware give the page up, and the guest too. Nobody gets a page that the firmware keeps. */
static int snp_page_reclaim(struct kvm *kvm, u64 pfn)
{
	int fw_err = __snp_page_reclaim(pfn, RMP_PG_SIZE_4K);

	if (fw_err) {
		pr_err("Failed to reclaim PFN %llx, rc %d fw_err %d\n", pfn, -EIO, fw_err);
		kvm->vm_bugged = true;
		snp_leak_pages(pfn, 1);
		return -EIO;
	}

	return kvm_rmp_make_shared(kvm, pfn, PG_LEVEL_4K);
}

struct sev_gmem_populate_args {
	int type;
	int fw_error;
};

/*
 * 1 << order pages of a guest_memfd that nobody has had: each is filled, given to the guest as an immutable 4K page and taken over by the firmware. One
 * that is assigned ends it with -EEXIST. When one fails, it is reclaimed, and those before it in this call are made shared again: what the firmware
 * measured of them is not undone.
 */
static int sev_gmem_post_populate(struct kvm *kvm, gfn_t gfn_start, kvm_pfn_t pfn, bool has_source, int order, void *opaque)
{
	struct sev_gmem_populate_args *args = opaque;
	int npages = 1 << order;
	int n_private = 0;
	int i, ret;
	gfn_t gfn;

	if (WARN_ON_ONCE(args->type != KVM_SEV_SNP_PAGE_TYPE_ZERO && !has_source))
		return -EINVAL;

	for (gfn = gfn_start, i = 0; gfn < gfn_start + npages; gfn++, i++) {
		bool assigned = false;
		int level;

		ret = snp_lookup_rmpentry((u64)pfn + i, &assigned, &level);
		if (ret || assigned) {
			pr_debug("%s: Failed to ensure GFN 0x%llx RMP entry is initial shared state, ret: %d assigned: %d\n",
				 __func__, gfn, ret, assigned);
			ret = ret ? -EINVAL : -EEXIST;
			goto err;
		}

		/* The plaintext, through the direct map. */
		if (has_source)
			__host_write_page(pfn + i);

		ret = rmp_make_private(pfn + i, gfn << PAGE_SHIFT, PG_LEVEL_4K, sev_get_asid(kvm), true);
		if (ret)
			goto err;

		n_private++;

		args->fw_error = __snp_launch_update(sev_get_asid(kvm), pfn + i, args->type, RMP_PG_SIZE_4K, 0);
		if (args->fw_error) {
			ret = -EIO;
			goto fw_err;
		}
	}

	return 0;

fw_err:
	/*
	 * A CPUID page that the firmware rejects holds the values it would have taken; once reclaimed it can be read and is copied back to userspace.
	 */
	if (!snp_page_reclaim(kvm, pfn + i) && args->type == KVM_SEV_SNP_PAGE_TYPE_CPUID && args->fw_error == SEV_RET_INVALID_PARAM)
		pr_debug("%s: the corrected CPUID page goes back to userspace\n", __func__);
	/* It is shared again, or leaked. */
	n_private--;

err:
	pr_debug("%s: exiting with error ret %d (fw_error %d), restoring %d gmem PFNs to shared.\n",
		 __func__, ret, args->fw_error, n_private);
	for (i = 0; i < n_private; i++)
		kvm_rmp_make_shared(kvm, pfn + i, PG_LEVEL_4K);

	return ret;
}

/*
 * KVM_SEV_SNP_LAUNCH_UPDATE. Success does not mean that all is done: params says what is left.
 *
 * Every failure is -EIO to userspace in v6.12 (option launch-update-eio); without it the reason comes back as it is.
 */
int snp_launch_update(struct kvm *kvm, struct kvm_sev_snp_launch_update *params)
{
	struct sev_gmem_populate_args sev_populate_args = { .type = params->type };
	long npages, count;
	int ret = 0;

	if (!sev_snp_guest(kvm))
		return -ENOTTY;

	if (!params->len || !PAGE_ALIGNED(params->len) || (params->type != KVM_SEV_SNP_PAGE_TYPE_NORMAL &&
							   params->type != KVM_SEV_SNP_PAGE_TYPE_ZERO &&
							   params->type != KVM_SEV_SNP_PAGE_TYPE_UNMEASURED &&
							   params->type != KVM_SEV_SNP_PAGE_TYPE_SECRETS &&
							   params->type != KVM_SEV_SNP_PAGE_TYPE_CPUID))
		return -EINVAL;

	npages = params->len / PAGE_SIZE;

	mutex_lock(&kvm->slots_lock);

	if (!kvm_slot_can_be_private(gfn_to_memslot(kvm, params->gfn_start))) {
		ret = -EINVAL;
		goto out;
	}

	count = kvm_gmem_populate(kvm, params->gfn_start, params->has_source, npages, sev_gmem_post_populate, &sev_populate_args);
	if (count < 0) {
		pr_debug("%s: kvm_gmem_populate failed, ret %ld (fw_error %d)\n", __func__, count, sev_populate_args.fw_error);
		ret = __kernel_option("launch-update-eio") ? -EIO : (int)count;
	} else {
		params->gfn_start += count;
		params->len -= count * PAGE_SIZE;
	}

out:
	mutex_unlock(&kvm->slots_lock);
	return ret;
}

/* Where the firmware finds the state of a vCPU that the guest has no memory for. */
#define INITIAL_VMSA_GPA 0xFFFFFFFFF000ULL

/*
 * The kernel's own page with the vCPU's first state goes to the guest as well. Writing the state is an ordinary write: done again, after a first
 * finish, it hits a page that is the guest's.
 */
static int snp_launch_update_vmsa(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	u64 pfn;
	int i, ret;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		pfn = page_to_pfn(to_svm(vcpu)->sev_es.vmsa);

		/* sev_es_sync_vmsa() */
		__host_write_page(pfn);

		ret = rmp_make_private(pfn, INITIAL_VMSA_GPA, PG_LEVEL_4K, sev_get_asid(kvm), true);
		if (ret)
			return ret;

		if (__snp_launch_update(sev_get_asid(kvm), pfn, SNP_PAGE_TYPE_VMSA, RMP_PG_SIZE_4K, 0)) {
			snp_page_reclaim(kvm, pfn);
			return -EIO;
		}
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
	if (!ret && __snp_launch_finish(sev_get_asid(kvm)))
		ret = -EIO;
	if (!ret)
		kvm->arch.pre_fault_allowed = true;
	return ret;
}
