#include <linux/kvm_host.h>

int take_slots_lock(struct kvm *kvm)
{
	mutex_lock(&kvm->slots_lock);
	if (kvm->created_vcpus < 100)
		return -EINVAL;
	mutex_unlock(&kvm->slots_lock);
	return 0;
}
