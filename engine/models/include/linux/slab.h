/* Kernel heap. Memory comes zeroed, which kmalloc() does not promise and nobody may rely on. */
#ifndef _LINUX_SLAB_H
#define _LINUX_SLAB_H

#define GFP_KERNEL 0xcc0
#define GFP_KERNEL_ACCOUNT 0x400cc0
#define GFP_ATOMIC 0x820
#define __GFP_ZERO 0x100

#define kmalloc(size, flags) __kmalloc(size)
#define kzalloc(size, flags) __kmalloc(size)
#define kcalloc(n, size, flags) __kmalloc((n) * (size))
#define kmalloc_array(n, size, flags) __kmalloc((n) * (size))
#define kvmalloc(size, flags) __kmalloc(size)
#define kvzalloc(size, flags) __kmalloc(size)
#define kvcalloc(n, size, flags) __kmalloc((n) * (size))
#define kvmalloc_array(n, size, flags) __kmalloc((n) * (size))
#define kvfree(p) kfree(p)

#endif
