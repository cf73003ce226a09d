/* Locks of every kind: nothing waits, balance is checked (see engine/kernel/locks.ts for the kinds). */
#ifndef _LINUX_MUTEX_H
#define _LINUX_MUTEX_H

struct mutex {
	int held;
};

typedef struct {
	int held;
} spinlock_t;

typedef struct {
	int held;
} rwlock_t;

struct srcu_struct {
	int held;
};

#define mutex_init(lock) do { } while (0)
#define spin_lock_init(lock) do { } while (0)
#define rwlock_init(lock) do { } while (0)

#define mutex_lock(lock) __lock_acquire((lock), 0, #lock)
#define mutex_unlock(lock) __lock_release((lock), #lock)
#define mutex_is_locked(lock) __lock_is_held(lock)
#define spin_lock(lock) __lock_acquire((lock), 1, #lock)
#define spin_unlock(lock) __lock_release((lock), #lock)
#define spin_lock_irqsave(lock, flags) do { (flags) = 0; spin_lock(lock); } while (0)
#define spin_unlock_irqrestore(lock, flags) do { (void)(flags); spin_unlock(lock); } while (0)
#define write_lock(lock) __lock_acquire((lock), 2, #lock)
#define write_unlock(lock) __lock_release((lock), #lock)
#define read_lock(lock) __lock_acquire((lock), 3, #lock)
#define read_unlock(lock) __lock_release((lock), #lock)
#define srcu_read_lock(ssp) ({ __lock_acquire((ssp), 4, #ssp); 0; })
#define srcu_read_unlock(ssp, idx) do { (void)(idx); __lock_release((ssp), #ssp); } while (0)

#define lockdep_assert_held(lock) do { (void)WARN_ON(!__lock_is_held(lock)); } while (0)
#define lockdep_assert_held_write(lock) lockdep_assert_held(lock)

#endif
