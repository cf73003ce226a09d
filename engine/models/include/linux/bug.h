/* BUG stops the machine, WARN leaves a line in the log. BUILD_BUG_ON() is the front end's. */
#ifndef _LINUX_BUG_H
#define _LINUX_BUG_H

#define BUG() __bug("BUG()")
#define BUG_ON(condition) do { if (condition) __bug("BUG_ON(" #condition ")"); } while (0)
#define VM_BUG_ON(condition) do { } while (0)

#define WARN_ON(condition) ({ int __warn_on = !!(condition); if (__warn_on) __warn(#condition); __warn_on; })
#define WARN(condition, fmt, ...) ({ int __warn_on = !!(condition); if (__warn_on) __printk(4, fmt, ##__VA_ARGS__); __warn_on; })
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#define WARN_ONCE(condition, fmt, ...) WARN(condition, fmt, ##__VA_ARGS__)
#define KVM_BUG_ON(condition, kvm) ({ int __bug_on = !!(condition); if (__bug_on) { __warn(#condition); (kvm)->vm_bugged = true; } __bug_on; })

#endif
