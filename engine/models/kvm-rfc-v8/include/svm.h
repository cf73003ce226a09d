/* SVM's and SEV's objects and functions (arch/x86/kvm/svm/svm.h after RFC v8). */
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
	/* SNP_LAUNCH_FINISH has been done. */
	bool launch_finished;
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
};

struct vmcb {
	struct vmcb_control_area control;
};

struct ghcb_save_area {
	u64 sw_exit_code;
	u64 sw_exit_info_1;
	u64 sw_exit_info_2;
	u64 rax;
};

struct vcpu_sev_es_state {
	struct ghcb_save_area ghcb;
	u64 ghcb_gpa;
	gpa_t snp_vmsa_gpa;
	/* The kernel's page with the first state of the vCPU. */
	struct page *vmsa;
	bool snp_ap_create;
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

static inline bool sev_guest(struct kvm *kvm)
{
	return to_kvm_svm(kvm)->sev_info.active;
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

/* fault.c */
#define RMP_PF_SPLIT 0
#define RMP_PF_RETRY 1
#define RMP_PF_UNMAP 2

/* What the host's page table of a process says of an address. */
struct user_mapping {
	bool present;
	u64 pfn;
	int level;
};

int handle_user_rmp_page_fault(const struct user_mapping *mapping, unsigned long address);
void show_rmp_fault_oops(u64 pfn, unsigned long error_code, unsigned long address);

/* svm.c */
struct page *snp_safe_alloc_page(struct kvm_vcpu *vcpu);
int npf_interception(struct kvm_vcpu *vcpu);

/* sev.c */
bool sev_fault_is_private(struct kvm *kvm, gpa_t gpa, u64 error_code, bool *private_fault);
void sev_adjust_mapping_level(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, int *level);
void handle_rmp_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code);
int sev_update_mem_attr(struct kvm_memory_slot *slot, unsigned int attr, gfn_t start, gfn_t end);
void sev_invalidate_private_range(struct kvm_memory_slot *slot, gfn_t start, gfn_t end);

/* launch.c: page types and the firmware's answers (include/uapi/linux/psp-sev.h, include/uapi/linux/kvm.h) */
#define SNP_PAGE_TYPE_NORMAL 1
#define SNP_PAGE_TYPE_VMSA 2
#define SNP_PAGE_TYPE_ZERO 3
#define SNP_PAGE_TYPE_UNMEASURED 4
#define SNP_PAGE_TYPE_SECRETS 5
#define SNP_PAGE_TYPE_CPUID 6
#define SEV_RET_INVALID_PARAM 0x16

int snp_launch_update(struct kvm *kvm, gfn_t start, gfn_t end, int page_type, u32 vmpl_perms);
int snp_launch_finish(struct kvm *kvm);

/* page-state-change.c */
int sev_handle_vmgexit_msr_protocol(struct kvm_vcpu *vcpu, u64 ghcb_msr);
u64 snp_complete_psc_msr_protocol(struct kvm_vcpu *vcpu);
int snp_begin_psc(struct kvm_vcpu *vcpu, u64 ghcb_gpa);
void snp_complete_psc(struct kvm_vcpu *vcpu);

/* ap-creation.c */
void sev_snp_init_protected_guest_state(struct kvm_vcpu *vcpu);
int sev_snp_ap_creation(struct kvm_vcpu *vcpu, u32 apic_id, u32 request, gpa_t vmsa_gpa);

#endif
