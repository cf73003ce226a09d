#include <linux/kvm_host.h>

/* Forgets to give the pages back. */
void sev_invalidate_private_range(struct kvm_memory_slot *slot, gfn_t start, gfn_t end)
{
}
