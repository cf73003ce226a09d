/* SEV-SNP host support as of RFC v8 patches 12 to 15 and 23 (20230220183847.59159-{13,14,15,16,24}-michael.roth@amd.com). */
#ifndef _ASM_SEV_H
#define _ASM_SEV_H

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#define RMP_PG_SIZE_4K 0
#define RMP_PG_SIZE_2M 1

/* Everything that is not 4K is 2M to the RMP: there is no 1G entry. */
#define X86_TO_RMP_PG_LEVEL(level) (((level) == PG_LEVEL_4K) ? RMP_PG_SIZE_4K : RMP_PG_SIZE_2M)
#define RMP_TO_X86_PG_LEVEL(size) (((size) == RMP_PG_SIZE_4K) ? PG_LEVEL_4K : PG_LEVEL_2M)

/*
 * Modelled on purpose: patch 14 defines FAIL_OVERLAP as 7. The hardware answers 4, and 7 is what PSMASH says of a page that it cannot
 * split. Nothing compares against it.
 */
#define RMPUPDATE_FAIL_OVERLAP 7

/* Operand of RMPUPDATE. */
struct rmp_state {
	u64 gpa;
	u8 assigned;
	u8 pagesize;
	u8 immutable;
	u8 rsvd;
	u32 asid;
} __packed;

/* What the host reads of an RMP entry: the 32-bit words of its low half. */
struct rmpentry {
	u32 lo;
	u32 hi;
};

#define rmpentry_assigned(e) ((e)->lo & 1)
#define rmpentry_pagesize(e) (((e)->lo >> 1) & 1)
#define rmpentry_immutable(e) (((e)->lo >> 2) & 1)
/* The field, that is the address >> 12. */
#define rmpentry_gpa(e) (((e)->lo >> 12) | ((u64)((e)->hi & 0x7ffff) << 20))
#define rmpentry_asid(e) (((e)->hi >> 19) & 0x3ff)
#define rmpentry_vmsa(e) (((e)->hi >> 29) & 1)
#define rmpentry_validated(e) (((e)->hi >> 30) & 1)

/* Page state change operations of the GHCB specification, and what a broken request is answered with. */
enum psc_op {
	SNP_PAGE_STATE_PRIVATE = 1,
	SNP_PAGE_STATE_SHARED,
};

#define PSC_INVALID_HDR 1
#define PSC_INVALID_ENTRY 2
#define PSC_UNDEF_ERR 3

#define VMGEXIT_PSC_MAX_ENTRY 253

/* 1: assigned, 0: not assigned, negative: no such entry. Leaves *level alone when negative. */
int snp_lookup_rmpentry(u64 pfn, int *level);
void sev_dump_rmpentry(u64 pfn);
/* 0, -errno, or the code PSMASH returned. */
int psmash(u64 pfn) __must_propagate;
int rmp_make_private(u64 pfn, u64 gpa, enum pg_level level, int asid, bool immutable) __must_propagate;
int rmp_make_shared(u64 pfn, enum pg_level level) __must_propagate;
void snp_mark_pages_offline(unsigned long pfn, unsigned int npages);

#endif
