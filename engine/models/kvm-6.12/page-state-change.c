/*
 * Page state changes that the guest asks for: model of arch/x86/kvm/svm/sev.c of v6.12. Both kinds, one page by the GHCB MSR and many by the GHCB's
 * buffer, reach userspace as the hypercall KVM_HC_MAP_GPA_RANGE, and what userspace makes of it is what the guest is told.
 *
 * Results of the begin functions: 0 exit to userspace, 1 go on with the guest.
 */

static void set_ghcb_msr(struct vcpu_svm *svm, u64 value)
{
	svm->vmcb->control.ghcb_gpa = value;
}

static int snp_complete_psc_msr(struct kvm_vcpu *vcpu)
{
	set_ghcb_msr(to_svm(vcpu), vcpu->run->hypercall.ret ? GHCB_MSR_PSC_RESP_ERROR : GHCB_MSR_PSC_RESP);
	return 1;
}

static bool userspace_maps_gpa_ranges(struct kvm *kvm)
{
	return kvm->arch.hypercall_exit_enabled & (1U << KVM_HC_MAP_GPA_RANGE);
}

static void map_gpa_range_exit(struct kvm_vcpu *vcpu, gpa_t gpa, u64 npages, u64 attributes, int (*complete)(struct kvm_vcpu *vcpu))
{
	vcpu->run->exit_reason = KVM_EXIT_HYPERCALL;
	vcpu->run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	vcpu->run->hypercall.args[0] = gpa;
	vcpu->run->hypercall.args[1] = npages;
	vcpu->run->hypercall.args[2] = attributes;
	vcpu->arch.complete_userspace_io = complete;
}

/* One 4K page by the MSR. */
int snp_begin_psc_msr(struct vcpu_svm *svm, u64 ghcb_msr)
{
	struct kvm_vcpu *vcpu = &svm->vcpu;
	u64 gpa = gfn_to_gpa(GHCB_MSR_PSC_REQ_TO_GFN(ghcb_msr));
	u8 op = GHCB_MSR_PSC_REQ_TO_OP(ghcb_msr);

	if ((op != VMGEXIT_PSC_OP_PRIVATE && op != VMGEXIT_PSC_OP_SHARED) || !userspace_maps_gpa_ranges(vcpu->kvm)) {
		set_ghcb_msr(svm, GHCB_MSR_PSC_RESP_ERROR);
		return 1;
	}

	map_gpa_range_exit(vcpu, gpa, 1,
			   (op == VMGEXIT_PSC_OP_PRIVATE ? KVM_MAP_GPA_RANGE_ENCRYPTED : KVM_MAP_GPA_RANGE_DECRYPTED) |
			   KVM_MAP_GPA_RANGE_PAGE_SZ_4K,
			   snp_complete_psc_msr);
	return 0;
}

/* The request is over: the GHCB says what came of it. */
static void snp_complete_psc(struct vcpu_svm *svm, u64 psc_ret)
{
	svm->sev_es.psc_inflight = 0;
	svm->sev_es.psc_idx = 0;
	svm->sev_es.psc_2m = false;

	svm->sev_es.sw_exit_info_2 = psc_ret;
}

/* The run of entries that was in flight is done: say so in the guest's buffer. */
static void __snp_complete_one_psc(struct vcpu_svm *svm)
{
	struct psc_buffer *psc = svm->sev_es.ghcb_sa;
	u16 idx;

	for (idx = svm->sev_es.psc_idx; svm->sev_es.psc_inflight; svm->sev_es.psc_inflight--, idx++)
		psc->entries[idx].cur_page = psc->entries[idx].pagesize ? 512 : 1;

	psc->hdr.cur_entry = idx;
}

static int snp_complete_one_psc(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	if (vcpu->run->hypercall.ret) {
		snp_complete_psc(svm, VMGEXIT_PSC_ERROR_GENERIC);
		return 1;
	}

	__snp_complete_one_psc(svm);
	return snp_begin_psc(svm, svm->sev_es.ghcb_sa);
}

/*
 * Take up the next entries of the buffer. Entries that follow each other in the guest's memory, with the same operation and size, become
 * one exit to userspace. The guest can write to the buffer all the while: whatever indexes an array is used from a copy that has been checked.
 *
 * Modelled on purpose: an entry that was done in part goes on in 4K pages, and is never joined with the one behind it.
 */
int snp_begin_psc(struct vcpu_svm *svm, struct psc_buffer *psc)
{
	struct kvm_vcpu *vcpu = &svm->vcpu;
	struct psc_entry *entries = psc->entries;
	struct psc_hdr *hdr = &psc->hdr;
	struct psc_entry first;
	u16 idx, idx_end;
	u64 gfn, npages;
	bool huge;

	if (!userspace_maps_gpa_ranges(vcpu->kvm)) {
		snp_complete_psc(svm, VMGEXIT_PSC_ERROR_GENERIC);
		return 1;
	}

next_range:
	if (WARN_ON_ONCE(svm->sev_es.psc_inflight)) {
		snp_complete_psc(svm, VMGEXIT_PSC_ERROR_GENERIC);
		return 1;
	}

	idx_end = hdr->end_entry;
	if (idx_end >= VMGEXIT_PSC_MAX_COUNT) {
		snp_complete_psc(svm, VMGEXIT_PSC_ERROR_INVALID_HDR);
		return 1;
	}

	/* The first entry with something left to do. */
	for (idx = hdr->cur_entry; idx <= idx_end; idx++, hdr->cur_entry++) {
		first = entries[idx];
		gfn = first.gfn;
		huge = first.pagesize;
		npages = huge ? 512 : 1;

		if (first.cur_page > npages || !IS_ALIGNED(gfn, npages)) {
			snp_complete_psc(svm, VMGEXIT_PSC_ERROR_INVALID_ENTRY);
			return 1;
		}

		if (first.cur_page) {
			npages -= first.cur_page;
			gfn += first.cur_page;
			huge = false;
		}

		if (npages)
			break;
	}

	if (idx > idx_end) {
		snp_complete_psc(svm, 0);
		return 1;
	}

	svm->sev_es.psc_2m = huge;
	svm->sev_es.psc_idx = idx;
	svm->sev_es.psc_inflight = 1;

	/* The entries that can go with it. */
	for (idx++; idx <= idx_end; idx++) {
		struct psc_entry entry = entries[idx];

		if (entry.operation != first.operation || entry.gfn != first.gfn + npages || entry.cur_page ||
		    (bool)entry.pagesize != huge)
			break;

		svm->sev_es.psc_inflight++;
		npages += huge ? 512 : 1;
	}

	switch (first.operation) {
	case VMGEXIT_PSC_OP_PRIVATE:
	case VMGEXIT_PSC_OP_SHARED:
		map_gpa_range_exit(vcpu, gfn_to_gpa(gfn), npages,
				   (first.operation == VMGEXIT_PSC_OP_PRIVATE ? KVM_MAP_GPA_RANGE_ENCRYPTED : KVM_MAP_GPA_RANGE_DECRYPTED) |
				   (first.pagesize ? KVM_MAP_GPA_RANGE_PAGE_SZ_2M : KVM_MAP_GPA_RANGE_PAGE_SZ_4K),
				   snp_complete_one_psc);
		return 0;
	default:
		/* PSMASH and UNSMASH are hints; they count as done. */
		__snp_complete_one_psc(svm);
		goto next_range;
	}
}

/* VMGEXIT with a request in the GHCB MSR. */
int sev_handle_vmgexit_msr_protocol(struct vcpu_svm *svm)
{
	u64 ghcb_msr = svm->vmcb->control.ghcb_gpa;

	switch (ghcb_msr & GHCB_MSR_INFO_MASK) {
	case GHCB_MSR_PSC_REQ:
		return snp_begin_psc_msr(svm, ghcb_msr);
	default:
		return -EINVAL;
	}
}

/*
 * VMGEXIT. What asks by the GHCB has its exit code in the VMCB by then. -EINVAL stands for #GP in the guest, which kvm_inject_gp() would be
 * used for.
 */
int sev_handle_vmgexit(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	if (svm->vmcb->control.ghcb_gpa & GHCB_MSR_INFO_MASK)
		return sev_handle_vmgexit_msr_protocol(svm);

	switch (svm->vmcb->control.exit_code) {
	case SVM_VMGEXIT_PSC:
		return snp_begin_psc(svm, svm->sev_es.ghcb_sa);
	case SVM_VMGEXIT_AP_CREATION:
		return sev_snp_ap_creation(svm) ? -EINVAL : 1;
	default:
		return -EINVAL;
	}
}
