/* An entry of the nested page table as a scenario wants it, whatever KVM would do. */
void map_gfn(u32 asid, u64 gfn, u64 pfn, int level)
{
	__npt_map(asid, gfn, pfn, level, 1);
}
