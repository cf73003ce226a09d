/* The level that sev_adjust_mapping_level() makes of one. */
int adjusted_level(struct kvm *kvm, u64 gfn, u64 pfn, int level)
{
	sev_adjust_mapping_level(kvm, gfn, pfn, &level);
	return level;
}
