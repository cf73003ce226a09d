/* KVM's names for addresses and frame numbers (include/linux/kvm_types.h). */
#ifndef __KVM_TYPES_H__
#define __KVM_TYPES_H__

#include <linux/types.h>
#include <linux/mm.h>

typedef unsigned long gva_t;
typedef u64 gpa_t;
typedef u64 gfn_t;
typedef unsigned long hva_t;
typedef u64 hpa_t;
typedef u64 hfn_t;
typedef hfn_t kvm_pfn_t;

#define INVALID_GPA (~(gpa_t)0)
#define INVALID_PAGE (~(hpa_t)0)
#define KVM_PFN_ERR_FAULT (0x7ffULL << 52)

static inline gpa_t gfn_to_gpa(gfn_t gfn)
{
	return (gpa_t)gfn << PAGE_SHIFT;
}

static inline gfn_t gpa_to_gfn(gpa_t gpa)
{
	return (gfn_t)(gpa >> PAGE_SHIFT);
}

#endif
