/* The answer of snp_lookup_rmpentry() and the level in one number: 0x10 for assigned, plus the level; or the errno. */
int lookup(u64 pfn)
{
	int level = 0;
	int ret = snp_lookup_rmpentry(pfn, &level);

	return ret < 0 ? ret : ret << 4 | level;
}
