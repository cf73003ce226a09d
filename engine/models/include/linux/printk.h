/* Log output. The numbers are those of KERN_ERR and so on. */
#ifndef _LINUX_PRINTK_H
#define _LINUX_PRINTK_H

#ifndef pr_fmt
#define pr_fmt(fmt) fmt
#endif

#define pr_emerg(fmt, ...) __printk(0, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_alert(fmt, ...) __printk(1, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_crit(fmt, ...) __printk(2, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err(fmt, ...) __printk(3, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...) __printk(4, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice(fmt, ...) __printk(5, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...) __printk(6, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_debug(fmt, ...) do { if (__pr_debug_enabled()) __printk(7, pr_fmt(fmt), ##__VA_ARGS__); } while (0)
#define printk(fmt, ...) __printk(4, fmt, ##__VA_ARGS__)

/* There is no clock: what the kernel may suppress is always printed here. */
#define pr_err_ratelimited pr_err
#define pr_warn_ratelimited pr_warn
#define pr_notice_ratelimited pr_notice
#define pr_info_ratelimited pr_info
#define pr_debug_ratelimited pr_debug
#define pr_err_once pr_err
#define pr_warn_once pr_warn
#define pr_info_once pr_info

#define KERN_ERR
#define KERN_WARNING
#define KERN_INFO
#define KERN_DEBUG

#endif
