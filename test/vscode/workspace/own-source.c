int own_check(int level)
{
	if (level > 0)
		return nobody_defines_this(level);
	return 0;
}
