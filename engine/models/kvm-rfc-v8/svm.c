/* Model of arch/x86/kvm/svm/svm.c after RFC v8: the operations table and the intercept of nested page faults (patch 44). */

struct kvm_x86_ops svm_x86_ops __initdata = {
	.fault_is_private = sev_fault_is_private,
	.adjust_mapping_level = sev_adjust_mapping_level,
	.update_mem_attr = sev_update_mem_attr,
	.invalidate_restricted_mem = sev_invalidate_private_range,
};

/*
 * #VMEXIT(NPF). Modelled on purpose (patch 44): only an exit to userspace keeps the RMP handler from running, an error does not
 * (mended by 20240510015822.503071-3-michael.roth@amd.com).
 */
int npf_interception(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	u64 fault_address = svm->vmcb->control.exit_info_2;
	u64 error_code = svm->vmcb->control.exit_info_1;
	int rc;

	rc = kvm_mmu_page_fault(vcpu, fault_address, error_code);

	if (error_code & PFERR_GUEST_RMP_MASK) {
		if (rc == 0)
			return rc;
		handle_rmp_page_fault(vcpu, fault_address, error_code);
	}

	return rc;
}

/*
 * A page for the hardware to run a vCPU from. On the first parts with SNP a 2M-aligned page in use makes every large mapping of its region fault:
 * of two pages, the one that is not aligned is kept.
 */
struct page *snp_safe_alloc_page(struct kvm_vcpu *vcpu)
{
	struct page *pair = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, 1);
	u64 pfn;

	if (!pair)
		return NULL;

	pfn = page_to_pfn(pair);
	if (IS_ALIGNED(pfn, PTRS_PER_PMD)) {
		__free_page(pair);
		return pfn_to_page(pfn + 1);
	}

	__free_page(pfn_to_page(pfn + 1));
	return pair;
}
