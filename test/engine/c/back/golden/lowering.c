typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef u64 gfn_t;

struct point { int x, y; };
struct entry {
	u64 gpa;
	u32 assigned : 1, pagesize : 1, asid : 10;
	struct point at[2];
	int (*hook)(struct entry *, int) __attribute__((snp_must_propagate));
};

/* A local is used in place; constants are immediates. */
int locals(int a, int b)
{
	int c = a + 3;

	c -= b;
	a++;
	return c * a;
}

/* One compare-and-branch, one back edge; the note on the frame number. */
u64 loop(gfn_t gfn, gfn_t end, int npages)
{
	u64 sum = 0;

	while (gfn < end && sum != 100) {
		sum += gfn & 0xff;
		gfn += npages;
	}
	return sum;
}

/* Conversions that cannot change the value are not made. */
u64 conversions(u8 a, u32 b, int c, u64 d)
{
	u64 r = a + b;

	r += (u32)(d & 0xffff);
	r |= c;
	return r ^ (c & 7) ^ (a < b);
}

/* Members and constant indexes are one offset. */
int members(struct entry *e, int i)
{
	e->assigned = 1;
	e->at[1].y = e->asid;
	e->at[i].x++;
	return e->at[1].x + e->hook(e, i);
}

static int callee(struct point p, int n)
{
	return p.x + n;
}

/* Arguments stand where the callee's frame begins. */
int calls(int a)
{
	struct point p = { .y = a };

	return callee(p, callee((struct point){ 1, 2 }, a + 1));
}

struct point pair(int a)
{
	struct point p = { a, a };

	return p;
}

/* A struct comes back through a pointer. */
int returned(int a)
{
	return pair(a).y;
}

int choose(int x, struct point *p)
{
	switch (x) {
	case 1:
		return p ? p->x : 0;
	case 4 ... 9:
		x = !p || p->y;
	default:
		break;
	}
	return x ?: 7;
}

/* Nothing of a branch that a constant decides is left. */
int constants(void)
{
	if (sizeof(struct entry) > 4 || missing())
		return 1 << 4;
	return missing();
}

/* What cannot run is a trap of its own. */
int problems(int a)
{
	if (a)
		a = missing(a);
	asm volatile("hlt");
	return a;
}
