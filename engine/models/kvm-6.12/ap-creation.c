/* SNP AP creation: a guest starts another of its vCPUs from a VMSA page of its own. Model of arch/x86/kvm/svm/sev.c of v6.12. */

/*
 * Take on the VMSA page that the guest named, or none. The page is not looked at: VMRUN will.
 *
 * Modelled on purpose: the reference on the page is dropped at once, so nothing keeps the page from being freed while the vCPU runs from it (v6.12
 * says that pages of a guest_memfd do not move, and leaves it at that).
 */
static int __sev_snp_update_protected_guest_state(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct kvm_memory_slot *slot;
	kvm_pfn_t pfn;
	gfn_t gfn;

	lockdep_assert_held(&svm->sev_es.snp_vmsa_mutex);

	svm->vmcb->control.vmsa_pa = INVALID_PAGE;

	if (svm->sev_es.snp_vmsa_gpa != INVALID_PAGE) {
		gfn = gpa_to_gfn(svm->sev_es.snp_vmsa_gpa);

		slot = gfn_to_memslot(vcpu->kvm, gfn);
		if (!slot)
			return -EINVAL;
		if (kvm_gmem_get_pfn(vcpu->kvm, slot, gfn, &pfn, NULL))
			return -EINVAL;

		svm->sev_es.snp_has_guest_vmsa = true;
		svm->vmcb->control.vmsa_pa = PFN_PHYS(pfn);
		svm->sev_es.snp_vmsa_gpa = INVALID_PAGE;

		put_page(pfn_to_page(pfn));
	}

	return 0;
}

/* The vCPU comes out of INIT with the state it was given. */
void sev_snp_init_protected_guest_state(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	if (!sev_snp_guest(vcpu->kvm))
		return;

	mutex_lock(&svm->sev_es.snp_vmsa_mutex);

	if (svm->sev_es.snp_ap_waiting_for_reset) {
		svm->sev_es.snp_ap_waiting_for_reset = false;
		if (__sev_snp_update_protected_guest_state(vcpu))
			pr_err("snp: AP state update on init failed\n");
	}

	mutex_unlock(&svm->sev_es.snp_vmsa_mutex);
}

/*
 * VMGEXIT AP_CREATION: EXITINFO1 holds request and APIC id, EXITINFO2 the gpa of the VMSA page. 0, or an error for which the guest gets #GP. Whatever
 * is wrong with the request, the target is stopped first: only an id that names nobody leaves everyone alone.
 */
int sev_snp_ap_creation(struct vcpu_svm *svm)
{
	u32 request = lower_32_bits(svm->vmcb->control.exit_info_1);
	u32 apic_id = upper_32_bits(svm->vmcb->control.exit_info_1);
	gpa_t vmsa_gpa = svm->vmcb->control.exit_info_2;
	struct kvm_vcpu *target = kvm_get_vcpu_by_id(svm->vcpu.kvm, apic_id);
	struct vcpu_svm *target_svm;
	int ret = 0;

	if (!target) {
		pr_err("vmgexit: invalid AP APIC ID [%#x] from guest\n", apic_id);
		return -EINVAL;
	}
	target_svm = to_svm(target);

	mutex_lock(&target_svm->sev_es.snp_vmsa_mutex);

	target_svm->sev_es.snp_vmsa_gpa = INVALID_PAGE;
	target_svm->sev_es.snp_ap_waiting_for_reset = true;

	switch (request) {
	case SVM_VMGEXIT_AP_CREATE_ON_INIT:
	case SVM_VMGEXIT_AP_CREATE:
		if (!PAGE_ALIGNED(vmsa_gpa)) {
			pr_err("vmgexit: invalid AP VMSA address [%#llx] from guest\n", vmsa_gpa);
			ret = -EINVAL;
			break;
		}
		/* A VMSA page at a 2M boundary makes large mappings of its region fault while it is in use: the erratum. */
		if (IS_ALIGNED(vmsa_gpa, PMD_SIZE)) {
			pr_err("vmgexit: AP VMSA address [%llx] from guest is unsafe as it is 2M aligned\n", vmsa_gpa);
			ret = -EINVAL;
			break;
		}
		target_svm->sev_es.snp_vmsa_gpa = vmsa_gpa;
		break;
	case SVM_VMGEXIT_AP_DESTROY:
		break;
	default:
		pr_err("vmgexit: invalid AP creation request [%#x] from guest\n", request);
		ret = -EINVAL;
		break;
	}

	mutex_unlock(&target_svm->sev_es.snp_vmsa_mutex);

	/* KVM_REQ_UPDATE_PROTECTED_GUEST_STATE and a kick: the target resets itself before it enters the guest again. */
	if (request != SVM_VMGEXIT_AP_CREATE_ON_INIT)
		sev_snp_init_protected_guest_state(target);
	return ret;
}
