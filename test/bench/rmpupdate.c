/*
 * RMPUPDATE in C, for comparison: the same table (one chunk of 512 16-byte entries for a 2M region), the same checks in the same order, the
 * same subpage count, ASID counters, derived bits and repeat rule as engine/hardware/rmpupdate.ts. It has neither a journal nor a trace:
 * what the simulator keeps in order to step back is counted against the simulator.
 *
 *   rmpupdate PATTERN REPEATS    prints ns per operation of each repeat, then a checksum of the table and the number of failures
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASSIGNED 1u
#define SIZE_2M 2u
#define LARGE 3u
#define IMMUTABLE 4u
#define COUNT_MASK (0x1ffu << 3)
#define GFN_HIGH 0x7ffffu
#define VMSA (1u << 29)
#define VALIDATED (1u << 30)
#define LOCK (1u << 31)

struct entry { uint32_t w0, w1, w2, w3; };
struct chunk { struct entry e[512]; };

static struct chunk ***groups;
static uint64_t covered;
static int64_t asid_pages[1024];
static unsigned contention_active;

static struct chunk *chunk_at(uint64_t frame, int make)
{
	struct chunk **group = groups[frame >> 9];
	if (!group) {
		if (!make)
			return NULL;
		group = groups[frame >> 9] = calloc(512, sizeof(*group));
	}
	struct chunk *c = group[frame & 511];
	if (!c && make)
		c = group[frame & 511] = calloc(1, sizeof(*c));
	return c;
}

static const struct entry untouched[512];

__attribute__((noinline)) int rmpupdate(uint64_t spa, uint64_t gpa, unsigned assigned, unsigned pagesize,
					unsigned immutable, unsigned asid, unsigned context, unsigned reserved)
{
	if (context)
		return 2;
	uint64_t pfn = spa >> 12;
	if (pfn + (pagesize ? 511 : 0) >= covered)
		return 1;
	if (spa & 0xfff)
		return 1;
	if (((assigned | pagesize | immutable) & ~1u) || reserved)
		return 1;
	if (pagesize && (spa & 0x1fffff))
		return 1;
	if (assigned && ((gpa & (pagesize ? 0x1fffff : 0xfff)) || gpa >> 51))
		return 1;
	if (asid > 0x3ff || (!assigned && (immutable || asid)))
		return 1;

	uint64_t frame = pfn >> 9;
	unsigned index = pfn & 511;
	struct chunk *c = chunk_at(frame, 0);
	const struct entry *e = c ? c->e : untouched;
	struct entry old = e[index];
	uint32_t head0 = e[0].w0;

	if (old.w1 & LOCK)
		return 3;
	if (old.w0 & IMMUTABLE)
		return 2;
	uint64_t gfn = gpa >> 12;
	struct entry new = { 0, 0, 0, 0 };
	if (assigned) {
		new.w0 = ASSIGNED | pagesize << 1 | immutable << 2 | (uint32_t)(gfn & 0xfffff) << 12;
		new.w1 = (uint32_t)(gfn >> 20) | asid << 19;
		new.w2 = 0xf;
		if (asid && !((old.w0 ^ new.w0) & ~(IMMUTABLE | COUNT_MASK)) &&
		    !((old.w1 ^ new.w1) & (GFN_HIGH | 0x3ffu << 19))) {
			new.w1 |= old.w1 & (VALIDATED | VMSA);
			new.w2 = old.w2;
			new.w3 = old.w3;
		}
	}
	if (!pagesize) {
		if (index && (e[0].w1 & LOCK) && (old.w0 & ASSIGNED) != assigned)
			return 3;
		if ((head0 & LARGE) == LARGE)
			return 4;
		if (contention_active)
			return 4;
		c = chunk_at(frame, 1);
		if (!index)
			new.w0 |= old.w0 & COUNT_MASK;
		c->e[index] = new;
		if (old.w0 & ASSIGNED)
			asid_pages[old.w1 >> 19 & 0x3ff]--;
		if (assigned)
			asid_pages[asid]++;
		if (index) {
			uint32_t change = assigned - (old.w0 & ASSIGNED);
			c->e[0].w0 = (c->e[0].w0 & ~COUNT_MASK) | ((c->e[0].w0 + change * 8) & COUNT_MASK);
		}
		return 0;
	}

	int was_large = (head0 & LARGE) == LARGE;
	if (!was_large && assigned) {
		uint32_t locks = 0, immutables = 0;
		for (int i = 1; i < 512; i++) {
			locks |= e[i].w1 & LOCK;
			immutables |= e[i].w0 & IMMUTABLE;
		}
		if (locks)
			return 3;
		if (immutables)
			return 2;
	}
	if (head0 & COUNT_MASK)
		return 4;
	if (contention_active)
		return 4;
	c = chunk_at(frame, 1);
	if (old.w0 & ASSIGNED)
		asid_pages[old.w1 >> 19 & 0x3ff] -= was_large ? 512 : 1;
	if (assigned)
		asid_pages[asid] += 512;
	c->e[0] = new;
	if (!assigned && !was_large)
		return 0;
	struct entry tail = { assigned ? ASSIGNED : 0, 0, 0, 0 };
	for (int i = 1; i < 512; i++)
		c->e[i] = tail;
	return 0;
}

#define PAGES 262144u	/* 1 GiB of guest */

/* The same operations, in the same order, as rmpupdate-run.ts makes them. Returns how many failed. */
static uint32_t run(int pattern, uint32_t repeat)
{
	uint32_t failures = 0, x = repeat;
	unsigned assign = ~repeat & 1;

	if (pattern == 0) {		/* every page in turn to the guest, in the next repeat every page back */
		for (uint32_t pfn = 0; pfn < PAGES; pfn++)
			failures += rmpupdate((uint64_t)pfn << 12, assign ? (uint64_t)(pfn + 256) << 12 : 0, assign, 0, 0,
					      assign, 0, 0) != 0;
	} else if (pattern == 1) {	/* any page, any way */
		for (uint32_t i = 0; i < PAGES; i++) {
			x = x * 1664525u + 1013904223u;
			uint32_t pfn = (x >> 8) % PAGES;
			assign = x >> 31;
			failures += rmpupdate((uint64_t)pfn << 12, assign ? (uint64_t)(pfn + 256) << 12 : 0, assign, 0, 0,
					      assign, 0, 0) != 0;
		}
	} else {			/* every 2M region in turn to the guest, in the next repeat back */
		for (uint32_t pfn = 0; pfn < PAGES; pfn += 512)
			failures += rmpupdate((uint64_t)pfn << 12, assign ? (uint64_t)(pfn + 512) << 12 : 0, assign, 1, 0,
					      assign, 0, 0) != 0;
	}
	return failures;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	int pattern = atoi(argv[1]), repeats = atoi(argv[2]);
	uint32_t operations = pattern == 2 ? PAGES / 512 : PAGES, failures = 0;
	covered = 1ull << 28;
	groups = calloc(covered >> 18, sizeof(*groups));
	for (int r = 0; r < repeats; r++) {
		double start = now();
		failures += run(pattern, r);
		printf("%.4f\n", (now() - start) / operations);
	}
	uint32_t hash = 2166136261u;
	for (uint32_t frame = 0; frame < PAGES / 512; frame++) {
		struct chunk *c = chunk_at(frame, 1);
		const uint32_t *w = (const uint32_t *)c->e;
		for (int i = 0; i < 2048; i++)
			hash = (hash ^ w[i]) * 16777619u;
	}
	hash = (hash ^ (uint32_t)asid_pages[1]) * 16777619u;
	printf("%08x %u\n", hash, failures);
	return 0;
}
