/*
 * The guest's side of a page state change, as a Linux guest has it: what it writes into the GHCB, and how it reads the answer. Not KVM.
 */

/* Entries that a Linux guest puts into one request (VMGEXIT_PSC_MAX_ENTRY of its arch/x86/include/asm/sev-common.h). */
#define GUEST_PSC_MAX_ENTRY 64

/* VMGEXIT: the exit, and whatever userspace has to do with it, until the guest goes on. Less than 0: KVM_RUN failed, or #GP. */
static int guest_vmgexit(struct kvm_vcpu *vcpu)
{
	int r = sev_handle_vmgexit(vcpu);

	while (r == 0)
		r = vmm_run_hypercall_exit(vcpu);
	return r;
}

/* One page by the MSR. What the response has in its upper half: 0 for success. All ones if there is none. */
u64 guest_psc_msr(struct kvm_vcpu *vcpu, gfn_t gfn, enum psc_op op)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	svm->vmcb->control.ghcb_gpa = GHCB_MSR_PSC_REQ | gfn_to_gpa(gfn) | ((u64)op << GHCB_MSR_PSC_OP_SHIFT);
	if (guest_vmgexit(vcpu) < 0)
		return ~0ULL;
	if ((svm->vmcb->control.ghcb_gpa & GHCB_MSR_INFO_MASK) != GHCB_MSR_PSC_RESP)
		return ~0ULL;
	return svm->vmcb->control.ghcb_gpa >> GHCB_MSR_PSC_ERROR_SHIFT;
}

/*
 * A range by the GHCB: 2M entries where they are aligned and fit, 4K ones for the rest. Returns the SW_EXITINFO2 of the request that failed, or 0.
 */
u64 guest_psc_ghcb(struct kvm_vcpu *vcpu, gfn_t gfn, u64 npages, enum psc_op op)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct psc_buffer *psc = svm->sev_es.ghcb_sa;
	u64 at = gfn;
	u64 end = gfn + npages;
	int n;

	while (at < end) {
		for (n = 0; n < GUEST_PSC_MAX_ENTRY && at < end; n++) {
			bool huge = IS_ALIGNED(at, PTRS_PER_PMD) && at + PTRS_PER_PMD <= end;
			struct psc_entry entry = { .gfn = at, .operation = op, .pagesize = huge };

			psc->entries[n] = entry;
			at += huge ? PTRS_PER_PMD : 1;
		}
		psc->hdr.cur_entry = 0;
		psc->hdr.end_entry = n - 1;

		svm->vmcb->control.ghcb_gpa = 0;
		svm->vmcb->control.exit_code = SVM_VMGEXIT_PSC;
		svm->sev_es.sw_exit_info_2 = 0;
		if (guest_vmgexit(vcpu) < 0)
			return ~0ULL;
		if (svm->sev_es.sw_exit_info_2)
			return svm->sev_es.sw_exit_info_2;
	}

	return 0;
}
