/* Statements. */
long t_while_sum(void)
{
	int i = 0, sum = 0;

	while (i < 10)
		sum += i++;
	return sum * 100 + i;
}

long t_do_continue(void)
{
	int i = 0, odd = 0;

	do {
		i++;
		if (!(i & 1))
			continue;
		odd += i;
	} while (i < 9);
	return odd;
}

long t_for_nested_break(void)
{
	long n = 0;

	for (int i = 0; i < 6; i++) {
		for (int j = 0;; j++) {
			if (j == i)
				break;
			n = n * 3 + j;
		}
	}
	return n;
}

static int classify(long v)
{
	switch (v) {
	case -1:
		return 1;
	case 0 ... 9:
		return 2;
	case 10:
	case 11:
		v++;
		/* falls through */
	case 12:
		return 30 + v;
	default:
		return 4;
	case 0x7fffffffffffffffL:
		return 5;
	}
}

long t_switch(void)
{
	return classify(-1) + 10 * classify(0) + 100 * classify(9) + 1000 * classify(10) + 100000 * classify(12) +
	       10000000 * classify(13) + 100000000L * classify(0x7fffffffffffffffL) + 1000000000L * classify(-5);
}

long t_switch_unsigned(void)
{
	u64 big = 0xfffffffffffffff0ULL;
	u8 small = 200;
	long n = 0;

	switch (big) {
	case 0xfffffffffffffff0ULL ... 0xfffffffffffffff8ULL:
		n = 1;
		break;
	default:
		n = 2;
	}
	switch (small) {
	case 200:
		return n + 10;
	}
	return n;
}

long t_duff(void)
{
	int count = 11, n = 0, turns = (count + 3) / 4;

	switch (count % 4) {
	case 0:
		do {
			n += 1;
	case 3:
			n += 10;
	case 2:
			n += 100;
	case 1:
			n += 1000;
		} while (--turns > 0);
	}
	return n;
}

long t_goto_retry(void)
{
	int tries = 0, rc;

again:
	rc = tries < 4 ? -11 : 0;
	if (rc) {
		tries++;
		goto again;
	}
	if (tries == 4)
		goto out;
	tries = 1000;
out:
	return tries;
}

long t_goto_into_block(void)
{
	int n = 1;

	goto inside;
	while (n < 100) {
		n += 50;
inside:
		n *= 2;
	}
	return n;
}

long t_else_chain(void)
{
	long r = 0;

	for (int i = 0; i < 5; i++) {
		if (i == 0)
			r += 1;
		else if (i == 1)
			r += 10;
		else if (i == 2)
			;
		else
			r += 100;
	}
	return r;
}

long t_dead_code(void)
{
	int n = 5;

	if (0)
		n = 6;
	while (0)
		n = 7;
	if (1)
		n++;
	else
		n = 9;
	for (; 0;)
		n = 10;
	return n;
	n = 11;
	return n;
}

long t_comma_and_conditions(void)
{
	int a = 3, b = 4, c;

	c = (a++, b += a, a + b);
	c += a && b && !(a > b) ? 100 : 200;
	c += (a > 3 || (b = 0)) * 1000;
	return c * 10 + b;
}

long t_elvis(void)
{
	int a = 0, n = 0;
	int x = n++ ?: 7;
	int y = n++ ?: 8;

	return (a ?: 5) * 1000 + x * 100 + y * 10 + n;
}

long t_statement_expression(void)
{
	int x = 4;
	int biggest = ({ int a = x * 2; int b = 7; a > b ? a : b; });
	long y = ({ x++; ({ long z = x; z * z; }); });

	return biggest * 1000 + y;
}

#define max_(a, b) ({ __typeof__(a) _a = (a); __auto_type _b = (b); _a > _b ? _a : _b; })
#define for_each_bit(i, v) for (i = 0; i < 64; i++) if ((v) >> i & 1)
long t_macro_loops(void)
{
	int i, n = 0;

	for_each_bit(i, 0x8000000000000005ULL)
		n = n * 7 + i;
	return n + max_(3, max_(9, 4)) * 100000;
}

static long fact(int n)
{
	return n < 2 ? 1 : n * fact(n - 1);
}

long t_recursion(void)
{
	return fact(20);
}

long t_ackermann(void)
{
	extern long ack(long, long);

	return ack(2, 5);
}

long ack(long m, long n)
{
	if (!m)
		return n + 1;
	if (!n)
		return ack(m - 1, 1);
	return ack(m - 1, ack(m, n - 1));
}

long t_loop_variable_scope(void)
{
	int i = 42;

	for (int i = 0; i < 3; i++) {
		int i = 9;
		(void)i;
	}
	{
		int i = 1;
		i++;
	}
	return i;
}

static long released;

static void release(int *p)
{
	released = released * 10 + *p;
}

#define guard_(name, n) int name __attribute__((cleanup(release))) = (n)

static int guarded(int n)
{
	guard_(a, 1);

	for (int i = 0; i < 4; i++) {
		guard_(b, 2);
		if (i == n)
			continue;
		if (i == n + 1) {
			guard_(c, 3);
			break;
		}
		b++;
	}
	if (n == 3)
		return released;
	{
		guard_(d, 7);
		d++;
	}
	return a + ({ guard_(e, 5); e + 1; });
}

long t_scope_guards(void)
{
	long r;

	released = 0;
	r = guarded(0);
	r = r * 100000 + released;
	released = 0;
	r = r * 1000 + guarded(3);
	return r * 7 + released;
}
