/* The RMP as the host kernel of v6.12 sees it (arch/x86/include/asm/sev.h, sev-common.h, arch/x86/virt/svm/sev.c). */
#ifndef _ASM_SEV_H
#define _ASM_SEV_H

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#define RMP_PG_SIZE_4K 0
#define RMP_PG_SIZE_2M 1
#define RMP_TO_PG_LEVEL(size) (((size) == RMP_PG_SIZE_4K) ? PG_LEVEL_4K : PG_LEVEL_2M)
#define PG_LEVEL_TO_RMP(level) (((level) == PG_LEVEL_4K) ? RMP_PG_SIZE_4K : RMP_PG_SIZE_2M)

#define RMPUPDATE_FAIL_OVERLAP 4
#define PSMASH_FAIL_INUSE 3

/* Operand of RMPUPDATE. */
struct rmp_state {
	u64 gpa;
	u8 assigned;
	u8 pagesize;
	u8 immutable;
	u8 rsvd;
	u32 asid;
} __packed;

/* An entry as it stands in memory. */
struct rmpentry {
	u64 lo;
	u64 hi;
};

#define rmpentry_assigned(e) ((int)((e)->lo & 1))
#define rmpentry_pagesize(e) ((int)(((e)->lo >> 1) & 1))

/* 0 with *assigned and *level set, or -errno with both left alone. */
int snp_lookup_rmpentry(u64 pfn, bool *assigned, int *level);
void snp_dump_hva_rmpentry(unsigned long hva);
/* 0, -errno, or the code PSMASH returned. */
int psmash(u64 pfn);
int rmp_make_private(u64 pfn, u64 gpa, enum pg_level level, u32 asid, bool immutable) __must_propagate;
int rmp_make_shared(u64 pfn, enum pg_level level) __must_propagate;
void snp_leak_pages(u64 pfn, unsigned int npages);

#endif
