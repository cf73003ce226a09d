/* Page faults with the RMP bit on the host: model of arch/x86/mm/fault.c after RFC v8 patches 16, 17 and 19. */

/* A SIGBUS is on its way to the process. */
static bool sigbus_pending;

/*
 * A process wrote to a page that it must not write to. RMP_PF_UNMAP: nothing is mapped there any more, look again. RMP_PF_SPLIT: the page itself
 * is not the guest's but its large mapping covers one that is. RMP_PF_RETRY: try again, or the process has been sent SIGBUS.
 *
 * Modelled on purpose (patch 17, found by Vlastimil Babka): an entry that cannot be read counts as assigned and costs the process its life.
 */
int handle_user_rmp_page_fault(const struct user_mapping *mapping, unsigned long address)
{
	int rmp_level = PG_LEVEL_4K;

	if (!mapping->present)
		return RMP_PF_UNMAP;

	if (snp_lookup_rmpentry(mapping->pfn, &rmp_level)) {
		pr_info("Fatal RMP page fault, terminating process, entry assigned for pfn 0x%llx\n", mapping->pfn);
		sigbus_pending = true;
		return RMP_PF_RETRY;
	}

	if (mapping->level > rmp_level)
		return RMP_PF_SPLIT;
	return RMP_PF_RETRY;
}

/* For scenarios: whether a process has been sent SIGBUS since this was last asked. */
int scenario_user_sigbus(void)
{
	bool pending = sigbus_pending;

	sigbus_pending = false;
	return pending;
}

/* The kernel itself wrote to one: what it prints before it dies. */
void show_rmp_fault_oops(u64 pfn, unsigned long error_code, unsigned long address)
{
	pr_alert("BUG: unable to handle page fault for address: %px\n", (void *)address);
	pr_alert("#PF: %s %s in %s mode\n", "supervisor", error_code & PFERR_WRITE_MASK ? "write access" : "read access", "kernel");
	pr_alert("#PF: error_code(0x%04lx) - RMP violation\n", error_code);
	sev_dump_rmpentry(pfn);
}
