/** Errno numbers and names as Linux defines them on x86 (include/uapi/asm-generic/errno-base.h, errno.h). */
export const errnoNumbers = {
  EPERM: 1, ENOENT: 2, ESRCH: 3, EINTR: 4, EIO: 5, ENXIO: 6, E2BIG: 7, ENOEXEC: 8, EBADF: 9, ECHILD: 10, EAGAIN: 11, ENOMEM: 12,
  EACCES: 13, EFAULT: 14, ENOTBLK: 15, EBUSY: 16, EEXIST: 17, EXDEV: 18, ENODEV: 19, ENOTDIR: 20, EISDIR: 21, EINVAL: 22, ENFILE: 23,
  EMFILE: 24, ENOTTY: 25, ETXTBSY: 26, EFBIG: 27, ENOSPC: 28, ESPIPE: 29, EROFS: 30, EMLINK: 31, EPIPE: 32, EDOM: 33, ERANGE: 34,
  EDEADLK: 35, ENOSYS: 38, ENODATA: 61, ETIME: 62, EOVERFLOW: 75, EOPNOTSUPP: 95, ETIMEDOUT: 110, EALREADY: 114, EHWPOISON: 133,
} as const;

const names = new Map<number, string>(Object.entries(errnoNumbers).map(([name, number]) => [number, name]));

/** Name of a positive errno; an unknown number as itself. */
export const errnoName = (errno: number): string => names.get(errno) ?? String(errno);
