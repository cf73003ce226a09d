/* What guests and hypervisors say to each other (GHCB specification, publication 56421; arch/x86/include/asm/sev-common.h). */
#ifndef _ASM_GHCB_H
#define _ASM_GHCB_H

#include <linux/kernel.h>

/* The MSR protocol: page state change of one page. */
#define GHCB_MSR_INFO_MASK 0xfff
#define GHCB_MSR_PSC_REQ 0x014
#define GHCB_MSR_PSC_RESP 0x015
#define GHCB_MSR_PSC_GFN_SHIFT 12
#define GHCB_MSR_PSC_OP_SHIFT 52
#define GHCB_MSR_PSC_ERROR_SHIFT 32

/* Exit codes in the GHCB. */
#define SVM_VMGEXIT_PSC 0x80000010ULL
#define SVM_VMGEXIT_AP_CREATION 0x80000013ULL
#define SVM_VMGEXIT_AP_CREATE_ON_INIT 0
#define SVM_VMGEXIT_AP_CREATE 1
#define SVM_VMGEXIT_AP_DESTROY 2

#endif
