#include <linux/kvm_host.h>
#include "svm.h"

/* Assigns the page that the guest faulted on, from the vCPU's own thread, under the lock that the ioctl holds. */
void handle_rmp_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	struct kvm *kvm = vcpu->kvm;
	gfn_t gfn = gpa_to_gfn(gpa);
	kvm_pfn_t pfn;
	int order;

	if (kvm_restrictedmem_get_pfn(gfn_to_memslot(kvm, gfn), gfn, &pfn, &order))
		return;
	mutex_lock(&kvm->slots_lock);
	rmp_make_private(pfn, gfn_to_gpa(gfn), PG_LEVEL_4K, kvm->arch.asid, false);
	mutex_unlock(&kvm->slots_lock);
	put_page(pfn_to_page(pfn));
}
