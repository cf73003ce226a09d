/*
 * Page state changes that the guest asks for: model of arch/x86/kvm/svm/sev.c after RFC v8 patches 40 to 42. KVM leaves both kinds to
 * userspace, as KVM_EXIT_VMGEXIT, and looks at neither the request nor what became of it.
 */

/*
 * VMGEXIT with a request in the GHCB MSR. Returns what the exit handler returns: 0 for an exit to userspace in the kernel's usual way.
 *
 * Modelled on purpose (patch 41): the exit to userspace is made with -1, which KVM_RUN reports as an error.
 */
int sev_handle_vmgexit_msr_protocol(struct kvm_vcpu *vcpu, u64 ghcb_msr)
{
	switch (ghcb_msr & GHCB_MSR_INFO_MASK) {
	case GHCB_MSR_PSC_REQ:
		vcpu->run->exit_reason = KVM_EXIT_VMGEXIT;
		vcpu->run->vmgexit.ghcb_msr = ghcb_msr;
		return -1;
	default:
		return -EINVAL;
	}
}

/*
 * Userspace is back: the answer for the guest.
 *
 * Modelled on purpose (patch 41, marked as a TODO there): the answer is success, whatever userspace did.
 */
u64 snp_complete_psc_msr_protocol(struct kvm_vcpu *vcpu)
{
	return GHCB_MSR_PSC_RESP;
}

/* The same by the GHCB's page state change structure, which KVM never opens (patch 42). */
int snp_begin_psc(struct kvm_vcpu *vcpu, u64 ghcb_gpa)
{
	to_svm(vcpu)->sev_es.ghcb_gpa = ghcb_gpa;
	vcpu->run->exit_reason = KVM_EXIT_VMGEXIT;
	vcpu->run->vmgexit.ghcb_msr = ghcb_gpa;
	return 0;
}

/* Modelled on purpose (patch 42): sw_exit_info_2 says that every entry was dealt with. */
void snp_complete_psc(struct kvm_vcpu *vcpu)
{
	to_svm(vcpu)->sev_es.ghcb.sw_exit_info_2 = 0;
}
