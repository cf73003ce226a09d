/* Structs, unions, arrays, pointers, bit-fields. */
struct point {
	int x, y;
};
struct line {
	struct point from, to;
	u8 weight;
};
struct node {
	struct node *next;
	int value;
};
struct holder {
	long before;
	struct node node;
	u8 after;
};

long t_sizes(void)
{
	struct a { char c; int i; short s; };
	struct b { char c; long l; char d; } __attribute__((packed));
	struct c { u8 a : 3; u8 b : 6; u16 c : 9; int d : 20; };
	struct d { u64 a : 40; u64 b : 30; u32 c; };
	struct e { char c; int b : 20; };
	struct f { int a : 5; int : 0; int b : 5; };
	struct g { char a; union { long l; char s[3]; }; struct { short p, q; }; };
	struct h { char c; } __attribute__((aligned(32)));
	struct i { u32 a : 1, b : 31; u64 c : 33; };
	struct j { u8 x; u16 y : 12; u16 z : 4; } __attribute__((packed));
	struct k { int n; u8 tail[]; };
	union u { char c; long l[3]; short s; };
	enum small { A, B };
	enum big { C = 1ULL << 40 };

	return sizeof(struct a) + 3 * sizeof(struct b) + 7 * sizeof(struct c) + 11 * sizeof(struct d) + 13 * sizeof(struct e) +
	       17 * sizeof(struct f) + 19 * sizeof(struct g) + 23 * sizeof(struct h) + 29 * sizeof(union u) + 31 * sizeof(enum small) +
	       37 * sizeof(enum big) + 41 * sizeof(struct i) + 43 * sizeof(struct j) + 47 * sizeof(struct k) +
	       53 * _Alignof(struct g) + 59 * __alignof__(struct h) + 61 * sizeof(struct line) + 67 * sizeof("hello") + 71 * sizeof(long[3]);
}

long t_offsets(void)
{
	return offsetof(struct line, to) + 100 * offsetof(struct line, to.y) + 10000 * offsetof(struct holder, node.value) +
	       1000000 * offsetof(struct holder, after);
}

long t_struct_copy(void)
{
	struct line a = { { 1, 2 }, { 3, 4 }, 5 }, b;
	struct line *p = &b;

	b = a;
	p->to.x += 10;
	a.from = p->to;
	return a.from.x * 1000 + a.from.y * 100 + b.to.x + a.to.x;
}

static struct point swapped(struct point p)
{
	struct point q = { .y = p.x, .x = p.y };

	p.x = 99;
	return q;
}

static struct line make_line(int n, struct point p, int m)
{
	return (struct line){ .from = { n, m }, .to = p, .weight = n + m };
}

long t_struct_values(void)
{
	struct point p = { 3, 4 };
	struct line l;

	p = swapped(p);
	l = make_line(7, swapped(p), 300);
	l.from = swapped(swapped(l.from));
	return p.x * 10 + p.y + l.from.x * 100 + l.to.x * 1000 + l.to.y * 10000 + l.weight * 100000 + swapped(p).x * 100000000L +
	       (p.x > 3 ? p : l.from).y * 1000000000L;
}

long t_arrays(void)
{
	int a[5] = { 1, 2, [3] = 7 };
	int m[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
	int flat[2][2] = { 1, 2, 3, 4 };
	int *p = a, *end = a + ARRAY_SIZE(a);
	long n = 0;

	while (p < end)
		n = n * 10 + *p++;
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 3; j++)
			n += m[i][j] * (i + 1);
	n += *(*(m + 1) + 2) * 1000000 + (end - a) * 10000000 + flat[1][0];
	p = &a[4];
	n += p[-1] + (&a[3])[1] + *--p;
	return n;
}

long t_designators(void)
{
	struct { int a[6]; struct point p; struct { char c; int d; } in; } s = {
		.p.y = 5, .a = { [1 ... 3] = 4, 9 }, .in = { 'x' }, .p.x = 6,
	};
	static const char *names[] = { [2] = "two", [0] = "zero" };
	int sum = 0;

	for (int i = 0; i < 6; i++)
		sum = sum * 10 + s.a[i];
	return sum + s.p.x * 1000000 + s.p.y * 10000000L + s.in.c * 100000000L + s.in.d + (names[1] == NULL) + names[2][1] +
	       sizeof(names) / sizeof(names[0]);
}

struct flags {
	u32 a : 3;
	int b : 5;
	u64 c : 40;
	bool d : 1;
	s64 e : 12;
	u32 f : 32;
};

long t_bitfields(void)
{
	struct flags f = { .a = 9, .b = 17, .c = 0xffffffffffULL, .e = -3 };
	struct flags g;
	long n;

	f.a += 6;
	f.b--;
	f.c += 2;
	f.d = 2;
	f.e *= 5;
	f.f = -1;
	g = f;
	/* GCC alone computes in 40 bits here, so the width is spelled out. */
	n = g.a + 10 * g.b + 100 * (u64)g.c + 1000 * g.d + 10000 * g.e;
	n += (f.a = 15) + f.f;
	n += f.b++;
	n += ++f.a;
	return n;
}

long t_bitfield_promotion(void)
{
	struct { u32 a : 31; u32 b : 32; u64 c : 33; u8 d : 8; } s = { 1, 1, 1, 255 };

	return (s.a - 2 < 0) + 2 * (s.b - 2 < 0) + 4 * (s.c - 2 < 0) + 8 * (s.d + 1 == 256) + 16 * ((s.a << 31) < 0);
}

union raw {
	u64 whole;
	struct {
		u64 low : 12, middle : 40, high : 12;
	};
};

long t_union_bitfield(void)
{
	union raw r = { .whole = 0xabc123456789fedULL << 4 };

	r.middle++;
	r.high ^= 1;
	return r.whole ^ (r.low * 3) ^ r.high;
}

long t_union_scalars(void)
{
	union { u64 a; s64 b; } u;
	union { s32 i; u32 u; } v;

	u.b = -1;
	v.i = -5;
	return (u.a >> 60) + (v.u >> 28) * 100 + (u.a == (u64)-1);
}

long t_lists(void)
{
	struct holder h[3] = { { 1, { NULL, 10 }, 1 }, { 2, { NULL, 20 }, 2 }, { 3, { NULL, 30 }, 3 } };
	struct node *head = NULL, *p;
	long n = 0;

	for (int i = 0; i < 3; i++) {
		h[i].node.next = head;
		head = &h[i].node;
	}
	for (p = head; p; p = p->next) {
		struct holder *o = container_of(p, struct holder, node);
		n = n * 100 + o->before * 10 + o->after + o->node.value;
	}
	return n + (container_of(&h[1].node.value, struct holder, node.value) == &h[1]);
}

static void set(int *p, int v)
{
	*p = v;
}

long t_addresses(void)
{
	int a = 1, b = 2, *p = &a, **pp = &p;
	u8 bytes[4] = { 1, 2, 3, 4 };
	u8 *q = bytes;

	set(&b, 40);
	**pp += 5;
	*pp = &b;
	*p += 2;
	*q++ += 10;
	(*q)--;
	++*++q;
	return a * 1000 + b + bytes[0] * 10000 + bytes[1] * 100000 + bytes[2] * 1000000 + (q - bytes) * 10000000;
}

static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
typedef int (*binop)(int, int);
struct ops {
	const char *name;
	binop run;
	int (*table[2])(int, int);
};
static const struct ops ops = { .name = "ops", .run = add, .table = { sub, &add } };
static binop choose(int n) { return n ? add : sub; }

long t_function_pointers(void)
{
	const struct ops *o = &ops;
	int (*f)(int, int) = o->run;

	return f(40, 2) + 100 * o->table[0](9, 4) + 1000 * (*o->table[1])(1, 2) + 10000 * choose(0)(8, 1) + (o->run == add) +
	       (choose(1) != f) + o->name[1];
}

static int counter(void)
{
	static int n = 10;
	static struct point p = { 1, 2 };

	p.y += n++;
	return p.y;
}
int tentative;
int tentative;
static int *const address_of = &tentative;
static struct line lines[2] = { [1] = { .to = { .y = 8 } } };
static int *inner = &lines[1].to.y;

long t_statics(void)
{
	counter();
	*address_of += 3;
	*inner += 1;
	return counter() * 100 + tentative * 10 + lines[1].to.y;
}

long t_memory_functions(void)
{
	struct line a = { { 1, 2 }, { 3, 4 }, 5 }, b;
	u8 x[8], y[8];
	int v[4] = { 1, 2, 3, 4 };
	unsigned long n = 3;

	memset(&b, 0, sizeof(b));
	memcpy(&b.to, &a.from, sizeof(struct point));
	memset(x, 0x5a, sizeof(x));
	memcpy(y, x, sizeof(y));
	y[5]++;
	memmove(&v[1], &v[0], n * sizeof(v[0]));
	return b.to.y + b.from.x + (memcmp(x, y, 5) == 0) * 10 + (memcmp(x, y, 8) < 0) * 100 + x[7] * 1000 + v[1] * 1000000 +
	       v[3] * 10000000L + (memcmp(y, x, n + 3) > 0) * 100000000L;
}

long t_strings(void)
{
	char s[] = "ab\tc\0d\x41\101";
	const char *p = "con" "cat";
	char fixed[4] = "xyzw";
	int n = 0;

	while (*p)
		n = n * 3 + *p++;
	return sizeof(s) + s[2] * 10 + s[6] * 100 + s[7] + n + fixed[3] + __func__[2] + 'a' + '\n' + '\377';
}

long t_compound_literals(void)
{
	struct point *p = &(struct point){ 3, 4 };
	int *v = (int[]){ 5, 6, 7 };
	int total = 0;

	for (int i = 0; i < 3; i++) {
		struct point *q = &(struct point){ i, i * i };
		total += q->y + p->x;
	}
	return total * 100 + v[2] + (struct point){ 8, 9 }.y;
}

long t_anonymous(void)
{
	struct outer {
		int a;
		union {
			struct { int b, c; };
			long d;
		};
		struct { int e; } f;
	} o = { .a = 1, .b = 2, .c = 3, .f.e = 4 };
	struct outer *p = &o;

	return o.a + p->b * 10 + p->c * 100 + p->f.e * 1000;
}

long t_casts_through_void(void)
{
	struct point p = { 7, 8 };
	void *v = &p;
	struct point *q = v;
	unsigned long bits = (unsigned long)v;
	struct point *back = (struct point *)bits;

	return q->y * 10 + back->x + (v == back) + ((long)(void *)-12L == -12) + ((unsigned long)(void *)-12L > 4096) + !(void *)0;
}

long t_dynamic_index(void)
{
	struct line l[3] = { 0 };
	int i = 2, j = 1;
	long n = 0;

	l[i].to.x = 5;
	l[j].weight = 250;
	l[j].weight += 10;
	l[i - 2].from = l[i].to;
	(&l[i])[-1].from.y = 3;
	for (i = 0; i < 3; i++)
		n = n * 100 + l[i].from.x + l[i].from.y + l[i].to.x + l[i].weight;
	return n;
}

long t_generic_and_types(void)
{
	u64 x = 1;
	long n = _Generic(x, int: 1, unsigned long long: 2, default: 3) + 10 * _Generic(&x, void *: 1, u64 *: 2) +
		 100 * __builtin_types_compatible_p(u64, unsigned long long) + 1000 * __builtin_types_compatible_p(u64, unsigned long);
	__typeof__(x) y = -1;
	__typeof__(int *) p = NULL;

	return n + (y > 0) * 10000 + !p * 100000 + __builtin_choose_expr(sizeof(y) == 8, 5, "no") * 1000000 +
	       __builtin_constant_p(3 + 4) * 10000000 + sizeof(y + 1) * 100000000L;
}

enum color { RED, GREEN = 5, BLUE, MINUS = -2 };
enum plain { ZERO, ONE, TWO };

long t_enums(void)
{
	enum color c = BLUE;
	enum plain p = TWO;
	enum plain q = 0;

	q--;
	return c + 10 * (MINUS < 0) + 100 * (c > MINUS) + 1000 * (p - 3 > 0) + (q > TWO) * 10000 + sizeof(RED) * 100000;
}

long t_assert(void)
{
	_Static_assert(sizeof(u64) == 8, "u64");
	_Static_assert(1);
	return likely(2) + unlikely(0);
}
