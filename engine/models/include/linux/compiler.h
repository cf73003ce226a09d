/* Annotations without meaning here, and the one that has: __must_propagate. */
#ifndef _LINUX_COMPILER_H
#define _LINUX_COMPILER_H

/*
 * Ours. A non-zero result of a function (or function pointer member) marked so has to reach the caller of the ioctl: whoever drops it
 * hides a failed page state change from userspace.
 */
#define __must_propagate __attribute__((snp_must_propagate))

#define __user
#define __init
#define __initdata
#define __ro_after_init
#define __read_mostly
#define __must_check
#define __always_inline inline
#define noinline
#define __maybe_unused
#define __packed
#define fallthrough do { } while (0)

#define barrier() do { } while (0)
#define smp_rmb() do { } while (0)
#define smp_wmb() do { } while (0)
#define smp_mb() do { } while (0)

#define EXPORT_SYMBOL(sym)
#define EXPORT_SYMBOL_GPL(sym)

#endif
