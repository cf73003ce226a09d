/* Expressions whose value depends on width, signedness and order. */
long t_wrap_u64(void)
{
	u64 a = 0xffffffffffffffffULL, b = 3;

	return (a * b) ^ (a + b) ^ ((a - b) >> 1) ^ (a / b) ^ (a % 10);
}

long t_wrap_s64(void)
{
	s64 a = 0x7fffffffffffffffLL, b = -7;

	return ((s64)((u64)a + 1) < 0) + (a / b) + (a % b) + (b >> 1) + (s64)((u64)b >> 60);
}

long t_mul_high(void)
{
	u64 x = 0x9e3779b97f4a7c15ULL, h = 0;

	for (int i = 0; i < 50; i++) {
		h ^= x;
		h *= 0x100000001b3ULL;
		x += h >> 13 | h << 51;
	}
	return h;
}

long t_narrow_compound(void)
{
	u8 a = 250;
	s8 b = 120;
	u16 c = 65530;
	s16 d = -32768;
	bool e = 0;

	a += 10;
	b += 10;
	c *= c;
	d--;
	e += 2;
	a <<= 3;
	b >>= 1;
	c |= 0x10001;
	d ^= -1;
	return a + 1000L * b + 1000000L * c + 1000000000L * d + e;
}

long t_increments(void)
{
	u8 a = 255;
	s8 b = -128;
	u64 c = 0;
	bool d = 1;
	int n;

	n = a++ + b--;
	n = n * 10 + ++a + --b;
	c--;
	d--;
	return n * 10 + (c == 0xffffffffffffffffULL) + d + a + b;
}

long t_mixed_sign(void)
{
	int a = -1;
	u32 b = 1;
	u64 c = 1;
	u16 d = 1;

	return (a < b) + 2 * (a < c) + 4 * (a < d) + 8 * ((long)a < b) + 16 * ((u32)a > c) + 32 * (a + b == 0) + 64 * (a * c > 5);
}

long t_conversions(void)
{
	u64 big = 0x123456789abcdef0ULL;
	int i = big;
	short s = big;
	u8 c = big;
	s8 sc = big;
	bool t = big;
	bool f = big & 0xf;
	long l = (int)0x80000000;
	u64 z = (u32)-1;
	u64 sx = -1;

	return i ^ s ^ (c * 3) ^ sc ^ t ^ (f << 1) ^ l ^ z ^ (sx >> 40);
}

long t_shifts(void)
{
	int i = -256;
	u32 u = 0x80000000u;
	long l = 1L << 40;
	u8 b = 0x80;

	return (i >> 4) + (i << 3) + (u >> 31) + (u << 1) + (l >> 20) + (b << 8) + (1ULL << 63 >> 62) + (1 << 31 >> 31);
}

long t_division(void)
{
	int a = -7, b = 2;
	u32 c = -7;
	long m = -0x7fffffffffffffffL;

	return a / b + 10 * (a % b) + 100 * (a / -b) + 1000 * (a % -b) + c / b + (c % b) * 5 + m / 3 + m % 1000;
}

long t_alignment(void)
{
	u64 x = 0x12345, mask = 0x1ff;

	return ((x + mask) & ~mask) + (x & -x) + !(x & mask) + (x ^ ~0ULL) + (x | 1ULL << 40) + ~(u32)x + ~(int)x;
}

long t_boolean(void)
{
	int x = 5;
	u64 wide = 1ULL << 60;
	bool b = wide;
	bool c = x & 8;
	bool d = &x;

	return b + 2 * c + 4 * d + 8 * !wide + 16 * !!wide + 32 * (wide && x) + 64 * (!x || wide) + 128 * (b == true);
}

long t_pointer_difference(void)
{
	struct { int a, b, c; } v[7];
	u64 n = &v[6] - &v[1];

	return n + (&v[1] - &v[6]) * 100;
}

long t_precedence(void)
{
	int a = 6, b = 3, c = 2;

	return (a & b == 3) + 10 * (a | b ^ c & 5) + 100 * (a << b - c) + 1000 * (a - b - c) + 10000 * (a / b * c) + (a > b > c) +
	       (a ? b : c ? 1 : 2) * 100000 + -a % 4 * 1000000;
}

long t_literals(void)
{
	return sizeof(1) + sizeof(1L) * 10 + sizeof(2147483648) * 100 + sizeof(0x80000000) * 1000 + sizeof(0xffffffffff) * 10000 +
	       sizeof('a') * 100000 + (0xffffffff > 0) + (-2147483648 < 0) + 0777 + 0b1011 + (4294967295u + 1 == 0) +
	       (0x8000000000000000 > 0) + (-1 < 0u) + 1000000UL;
}

long t_assignment_values(void)
{
	u8 a;
	int b;
	s16 c;
	long d;

	d = b = a = 300;
	d += (c = 70000);
	d = d * 7 + (a = -1);
	d = d * 7 + (b += a);
	return d * 7 + (c -= 5);
}

static u64 mix(u8 a, s16 b, u32 c, s64 d, bool e)
{
	return a ^ (u64)b ^ ((u64)c << 8) ^ d ^ e;
}

static u8 narrow(int x)
{
	return x;
}

long t_arguments(void)
{
	return mix(300, 70000, -1, 0xffffffffu, 0x100) + mix(-1, -1, -1, -1, -1) + narrow(511) * 7 + narrow(-1);
}

long t_constant_folding(void)
{
	const long a = (u8)300 + (s8)200 + (u16)-1 + (u32)-1L + (s64)0xffffffffffffffffULL;
	const long b = (-7 / 2) * 100 + -7 % 3 + (7u - 8 > 0) + (1 ? -1 : 0u) + (0 ? 1ULL : -1);
	const long c = (~0u >> 4) + (-16 >> 2) + (1ULL << 40) + (5 && 0) + !3 + (2 > 1 > 0);
	enum { N = sizeof(long) * 8, M = N << 2 | 1 };
	int v[M > 100 ? 3 : 1];

	return a + b + c + M + sizeof(v);
}

long t_wide_compare(void)
{
	u64 a = 0xffffffffffffffffULL, b = 0x8000000000000000ULL, c = 0x20000000000001ULL, d = 0x20000000000000ULL;
	s64 e = -1, f = (s64)b;

	return (a > b) + 2 * (c > d) + 4 * (c == d) + 8 * (e > f) + 16 * ((u64)e == a) + 32 * (a <= b) + 64 * (b >= d) + 128 * (f < 0) +
	       256 * (c - d) + 512 * (a != (u64)f);
}

long t_wide_in_memory(void)
{
	u64 v[3] = { 0xfedcba9876543210ULL, 0x8000000000000001ULL };
	struct { u64 x; s64 y; } s = { v[0], v[1] }, t;

	v[2] = v[0] ^ v[1];
	t = s;
	t.x++;
	t.y >>= 4;
	s.x = ~t.x;
	return v[2] + t.x + t.y + s.x;
}

long t_logic_sets_itself(void)
{
	int x = 1, y = 0;

	x = y || x;
	y = x && !y;
	x = x ? x + 5 : x - 5;
	x = (y ? 2 : 3) + x;
	y = y + y * x;
	x = (x + 1) * (x - 1);
	return x * 100 + y;
}
