#include <linux/kvm_host.h>

int take_slots_lock(struct kvm *kvm)
{
	int ret = 0;

	mutex_lock(&kvm->slots_lock);
	if (kvm->created_vcpus < 100)
		ret = -EINVAL;
	mutex_unlock(&kvm->slots_lock);
	return ret;
}
