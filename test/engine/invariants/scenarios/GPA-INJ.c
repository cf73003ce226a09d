#include <linux/kvm_host.h>

/* What a hypervisor can always do: another frame behind a gfn. */
void map_behind(struct kvm *kvm, u64 gfn, u64 pfn)
{
	__npt_map(kvm->arch.asid, gfn, pfn, PG_LEVEL_4K, 1);
}
