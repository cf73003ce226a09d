/*
 * Everything a file of this model, or a user's patch to it, sees without including it. What is called here and declared nowhere is a native
 * (engine/kernel), whose prototype comes with it.
 */
#ifndef __SNP_MODEL_H
#define __SNP_MODEL_H

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/bug.h>
#include <linux/slab.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/mm.h>
#include <linux/fs.h>
#include <linux/xarray.h>
#include <linux/kvm.h>
#include <linux/kvm_types.h>
#include <linux/kvm_host.h>
#include <asm/pferr.h>
#include <asm/sev.h>
#include "svm.h"

/* The host has SNP and the RMP is set up. */
#define CC_ATTR_HOST_SEV_SNP 0
#define cc_platform_has(attr) __host_snp_enabled()

#endif
