#include <linux/kvm_host.h>

/* The pages first, the mappings afterwards: of a whole 2M region, in which few are mapped. */
int share_then_zap(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t start, gfn_t end)
{
	int ret = sev_update_mem_attr(slot, 0, start, end);

	kvm_zap_gfn_range(kvm, 0, 512);
	return ret;
}
