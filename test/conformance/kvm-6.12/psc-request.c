/* A page state change request with one entry, as a guest may write it; what SW_EXITINFO2 says afterwards. */
u64 psc_request(struct kvm_vcpu *vcpu, u16 index, u16 end_entry, u64 gfn, u16 cur_page, int operation, int pagesize)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct psc_buffer *psc = svm->sev_es.ghcb_sa;
	struct psc_entry entry = { .cur_page = cur_page, .gfn = gfn, .operation = operation, .pagesize = pagesize };
	int r;

	psc->entries[index] = entry;
	psc->hdr.cur_entry = index;
	psc->hdr.end_entry = end_entry;

	svm->vmcb->control.ghcb_gpa = 0;
	svm->vmcb->control.exit_code = SVM_VMGEXIT_PSC;
	svm->sev_es.sw_exit_info_2 = 0;
	r = sev_handle_vmgexit(vcpu);
	while (r == 0)
		r = vmm_run_hypercall_exit(vcpu);
	return svm->sev_es.sw_exit_info_2;
}

/* How far the entry got. */
int psc_cur_page(struct kvm_vcpu *vcpu, int index)
{
	return to_svm(vcpu)->sev_es.ghcb_sa->entries[index].cur_page;
}
