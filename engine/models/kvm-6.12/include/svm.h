/* SVM's and SEV's objects and functions (arch/x86/kvm/svm/svm.h of v6.12). */
#ifndef __SVM_SVM_H
#define __SVM_SVM_H

#include <linux/kvm_host.h>
#include <asm/ghcb.h>
#include <asm/pferr.h>
#include <asm/sev.h>

struct kvm_sev_info {
	bool active;
	bool es_active;
	bool snp_active;
	unsigned int asid;
};

struct kvm_svm {
	struct kvm kvm;
	struct kvm_sev_info sev_info;
};

struct vmcb_control_area {
	u64 exit_code;
	u64 exit_info_1;
	u64 exit_info_2;
	u64 vmsa_pa;
	/* GHCB MSR as the guest sees it (VMCB_CONTROL_GHCB_GPA). */
	u64 ghcb_gpa;
};

struct vmcb {
	struct vmcb_control_area control;
};

/*
 * The page state change request of the GHCB specification: entries cur_entry to end_entry, both included, are to be worked off; cur_page says how
 * much of an entry has been.
 */
struct psc_hdr {
	u16 cur_entry;
	u16 end_entry;
	u32 reserved;
};

struct psc_entry {
	u64 cur_page : 12;
	u64 gfn : 40;
	u64 operation : 4;
	u64 pagesize : 1;
	u64 reserved : 7;
};

#define VMGEXIT_PSC_MAX_COUNT 253

struct psc_buffer {
	struct psc_hdr hdr;
	struct psc_entry entries[VMGEXIT_PSC_MAX_COUNT];
};

enum psc_op {
	VMGEXIT_PSC_OP_PRIVATE = 1,
	VMGEXIT_PSC_OP_SHARED,
	VMGEXIT_PSC_OP_PSMASH,
	VMGEXIT_PSC_OP_UNSMASH,
};

/* What the guest finds in SW_EXITINFO2 of the GHCB. */
#define VMGEXIT_PSC_ERROR_GENERIC (0x100ULL << 32)
#define VMGEXIT_PSC_ERROR_INVALID_HDR ((1ULL << 32) | 1)
#define VMGEXIT_PSC_ERROR_INVALID_ENTRY ((1ULL << 32) | 2)

/* The MSR protocol for one page. */
#define GHCB_MSR_PSC_REQ_TO_GFN(msr) (((msr) & GENMASK_ULL(51, 12)) >> GHCB_MSR_PSC_GFN_SHIFT)
#define GHCB_MSR_PSC_REQ_TO_OP(msr) (((msr) & GENMASK_ULL(55, 52)) >> GHCB_MSR_PSC_OP_SHIFT)
/* No code is defined: the top bit stands for "failed". */
#define GHCB_MSR_PSC_RESP_ERROR (BIT_ULL(63) | GHCB_MSR_PSC_RESP)

struct vcpu_sev_es_state {
	/* The kernel's page with the first state of the vCPU. */
	struct page *vmsa;
	/* SW_EXITINFO2 of the guest's GHCB, and the shared buffer in it. */
	u64 sw_exit_info_2;
	struct psc_buffer *ghcb_sa;

	/* The run of PSC entries that userspace is dealing with. */
	u16 psc_idx;
	u16 psc_inflight;
	bool psc_2m;

	struct mutex snp_vmsa_mutex;
	gpa_t snp_vmsa_gpa;
	bool snp_ap_waiting_for_reset;
	bool snp_has_guest_vmsa;
};

struct vcpu_svm {
	struct kvm_vcpu vcpu;
	struct vmcb *vmcb;
	struct vcpu_sev_es_state sev_es;
};

static inline struct kvm_svm *to_kvm_svm(struct kvm *kvm)
{
	return container_of(kvm, struct kvm_svm, kvm);
}

static inline struct vcpu_svm *to_svm(struct kvm_vcpu *vcpu)
{
	return container_of(vcpu, struct vcpu_svm, vcpu);
}

static inline bool sev_es_guest(struct kvm *kvm)
{
	struct kvm_sev_info *sev = &to_kvm_svm(kvm)->sev_info;

	return sev->es_active;
}

static inline bool sev_snp_guest(struct kvm *kvm)
{
	struct kvm_sev_info *sev = &to_kvm_svm(kvm)->sev_info;

	return sev_es_guest(kvm) && sev->snp_active;
}

static inline unsigned int sev_get_asid(struct kvm *kvm)
{
	return to_kvm_svm(kvm)->sev_info.asid;
}

/* fault.c */
void show_rmp_fault_oops(unsigned long error_code, unsigned long address);

/* svm.c */
struct page *snp_safe_alloc_page(struct kvm_vcpu *vcpu);
int npf_interception(struct kvm_vcpu *vcpu);

/* sev.c */
int snp_rmptable_psmash(kvm_pfn_t pfn) __must_propagate;
void sev_handle_rmp_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code);
int sev_gmem_prepare(struct kvm *kvm, kvm_pfn_t pfn, gfn_t gfn, int max_order) __must_propagate;
void sev_gmem_invalidate(kvm_pfn_t start, kvm_pfn_t end);
int sev_private_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn);

/* launch.c: page types and the firmware's answers (include/uapi/linux/psp-sev.h, arch/x86/include/uapi/asm/kvm.h) */
#define KVM_SEV_SNP_PAGE_TYPE_NORMAL 1
#define KVM_SEV_SNP_PAGE_TYPE_ZERO 3
#define KVM_SEV_SNP_PAGE_TYPE_UNMEASURED 4
#define KVM_SEV_SNP_PAGE_TYPE_SECRETS 5
#define KVM_SEV_SNP_PAGE_TYPE_CPUID 6
#define SNP_PAGE_TYPE_VMSA 2
#define SEV_RET_INVALID_PARAM 0x16

struct kvm_sev_snp_launch_update {
	u64 gfn_start;
	/* Whether userspace has contents for the pages; pages of type ZERO need none. */
	bool has_source;
	/* Bytes. Both are moved on past what has been done. */
	u64 len;
	int type;
};

int snp_launch_update(struct kvm *kvm, struct kvm_sev_snp_launch_update *params);
int snp_launch_finish(struct kvm *kvm);

/* page-state-change.c */
int snp_begin_psc_msr(struct vcpu_svm *svm, u64 ghcb_msr);
int snp_begin_psc(struct vcpu_svm *svm, struct psc_buffer *psc);
int sev_handle_vmgexit_msr_protocol(struct vcpu_svm *svm);
int sev_handle_vmgexit(struct kvm_vcpu *vcpu);

/* ap-creation.c */
void sev_snp_init_protected_guest_state(struct kvm_vcpu *vcpu);
int sev_snp_ap_creation(struct vcpu_svm *svm);

/* vmm.c */
long vmm_punch_hole(struct kvm *kvm, gpa_t gpa, u64 size);
int vmm_run_hypercall_exit(struct kvm_vcpu *vcpu);

/* guest.c */
u64 guest_psc_msr(struct kvm_vcpu *vcpu, gfn_t gfn, enum psc_op op);
u64 guest_psc_ghcb(struct kvm_vcpu *vcpu, gfn_t gfn, u64 npages, enum psc_op op);

#endif
