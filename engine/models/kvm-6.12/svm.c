/* Model of arch/x86/kvm/svm/svm.c of v6.12: the operations table, the intercept of nested page faults, pages to run a vCPU from. */

struct kvm_x86_ops svm_x86_ops __initdata = {
	.gmem_prepare = sev_gmem_prepare,
	.gmem_invalidate = sev_gmem_invalidate,
	.private_max_mapping_level = sev_private_max_mapping_level,
};

/*
 * #VMEXIT(NPF). The RMP handler runs only when the guest is going to be entered again: an exit to userspace and an error both come first
 * (20240510015822.503071-3-michael.roth@amd.com).
 */
int npf_interception(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	u64 fault_address = svm->vmcb->control.exit_info_2;
	u64 error_code = svm->vmcb->control.exit_info_1;
	int rc;

	if (WARN_ON_ONCE(error_code & PFERR_SYNTHETIC_MASK))
		error_code &= ~PFERR_SYNTHETIC_MASK;

	/* For SNP guests the C-bit of the access says whether it is private. */
	if (sev_snp_guest(vcpu->kvm) && (error_code & PFERR_GUEST_ENC_MASK))
		error_code |= PFERR_PRIVATE_ACCESS;

	rc = kvm_mmu_page_fault(vcpu, fault_address, error_code);

	if (rc > 0 && (error_code & PFERR_GUEST_RMP_MASK))
		sev_handle_rmp_fault(vcpu, fault_address, error_code);

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
