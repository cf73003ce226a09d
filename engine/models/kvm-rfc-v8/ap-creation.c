/*
 * SNP AP creation: a guest starts another of its vCPUs from a VMSA page of its own. Model of arch/x86/kvm/svm/sev.c after RFC v8
 * patch 47 (20230220183847.59159-48-michael.roth@amd.com).
 */

/*
 * The frame of a private page, INVALID_PAGE if there is none.
 *
 * Modelled on purpose (patch 47): the reference is dropped at once, so nothing keeps the page from being converted or freed while the vCPU
 * runs; and a gpa outside all slots is printed by way of the slot that it lacks.
 */
static kvm_pfn_t gfn_to_pfn_restricted(struct kvm *kvm, gfn_t gfn)
{
	struct kvm_memory_slot *slot = gfn_to_memslot(kvm, gfn);
	kvm_pfn_t pfn;
	int order;

	if (!kvm_slot_can_be_private(slot)) {
		pr_err("SEV: Failure retrieving restricted memslot for GFN 0x%llx, flags 0x%x\n", gfn, slot->flags);
		return INVALID_PAGE;
	}

	if (kvm_restrictedmem_get_pfn(slot, gfn, &pfn, &order)) {
		pr_err("SEV: Failure retrieving restricted PFN for GFN 0x%llx\n", gfn);
		return INVALID_PAGE;
	}

	put_page(pfn_to_page(pfn));
	return pfn;
}

/*
 * Take on the VMSA page that the guest named, or none. The page is not looked at: VMRUN will.
 *
 * Modelled on purpose (patch 47): the pfn goes back through an int, and that of "no page" is -1.
 */
static int __sev_snp_update_protected_guest_state(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	kvm_pfn_t pfn;

	svm->vmcb->control.vmsa_pa = INVALID_PAGE;

	if (svm->sev_es.snp_vmsa_gpa != INVALID_PAGE) {
		pfn = gfn_to_pfn_restricted(vcpu->kvm, gpa_to_gfn(svm->sev_es.snp_vmsa_gpa));
		if (pfn == INVALID_PAGE)
			return pfn;
		svm->vmcb->control.vmsa_pa = PFN_PHYS(pfn);
	}

	return 0;
}

/* The vCPU is about to come out of INIT with the state it was given. */
void sev_snp_init_protected_guest_state(struct kvm_vcpu *vcpu)
{
	if (!to_svm(vcpu)->sev_es.snp_ap_create)
		return;

	if (__sev_snp_update_protected_guest_state(vcpu))
		pr_err("snp: AP state update on init failed\n");
	to_svm(vcpu)->sev_es.snp_ap_create = false;
}

/* VMGEXIT AP_CREATION. 0, or an error for which the guest gets #GP. */
int sev_snp_ap_creation(struct kvm_vcpu *vcpu, u32 apic_id, u32 request, gpa_t vmsa_gpa)
{
	struct kvm_vcpu *target = kvm_get_vcpu_by_id(vcpu->kvm, apic_id);
	struct vcpu_svm *target_svm;

	if (!target) {
		pr_err("vmgexit: invalid AP APIC ID [%#x] from guest\n", apic_id);
		return -EINVAL;
	}
	target_svm = to_svm(target);

	switch (request) {
	case SVM_VMGEXIT_AP_CREATE_ON_INIT:
	case SVM_VMGEXIT_AP_CREATE:
		/* A VMSA page at a 2M boundary makes large mappings of its region fault while it is in use: the erratum. */
		if (IS_ALIGNED(vmsa_gpa, PMD_SIZE)) {
			pr_err("vmgexit: AP VMSA address [%llx] from guest is unsafe as it is 2M aligned\n", vmsa_gpa);
			return -EINVAL;
		}
		target_svm->sev_es.snp_vmsa_gpa = vmsa_gpa;
		break;
	case SVM_VMGEXIT_AP_DESTROY:
		target_svm->sev_es.snp_vmsa_gpa = INVALID_PAGE;
		break;
	default:
		return -EINVAL;
	}

	target_svm->sev_es.snp_ap_create = true;
	if (request != SVM_VMGEXIT_AP_CREATE_ON_INIT)
		sev_snp_init_protected_guest_state(target);
	return 0;
}
