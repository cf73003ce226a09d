/*
 * Page faults with the RMP bit on the host: model of arch/x86/mm/fault.c of v6.12. There is no handler for those of processes: splitting a
 * mapping for them, as RFC v8 did, was dropped before the code was merged.
 */

/* The kernel itself wrote to a page of a guest: what it prints before it dies. */
void show_rmp_fault_oops(unsigned long error_code, unsigned long address)
{
	pr_alert("BUG: unable to handle page fault for address: %px\n", (void *)address);
	pr_alert("#PF: %s %s in %s mode\n", "supervisor", error_code & PFERR_WRITE_MASK ? "write access" : "read access", "kernel");
	pr_alert("#PF: error_code(0x%04lx) - RMP violation\n", error_code);
	snp_dump_hva_rmpentry(address);
}
