/**
 * Random C programs with one meaning: no undefined and no unspecified behaviour beyond what -fwrapv defines, so that any two compilers agree.
 * What they try is how values share registers: assignments inside conditions, commas and statement expressions, records by value, narrow types.
 */
const TYPES = ['u8', 's8', 'u16', 's16', 'int', 'u32', 'long', 'u64', 'bool'];

export const RANDOM_PRELUDE = `
struct rec { u8 a; int b; u64 c; s16 d : 9; u32 e : 20; struct { int x, y; } in; };
static u64 g0 = 1; static int g1 = -2; static u8 g2[4] = { 1, 2, 3, 4 };
static long pick(int n, long a, u8 b) { return n & 1 ? a + b : a - n; }
static struct rec make(int n, struct rec r) { r.b += n; r.c ^= r.b; r.in.y = n; return r; }
static u32 bump(u32 *p, int by) { *p += by; return *p >> 1; }
`;

/** The text of \`u64 r_<seed>(u64 p, int q)\`. */
export function randomFunction(seed: number): string {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const next = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const of = <T>(list: readonly T[]): T => list[next(list.length)];
  const locals = ['v0', 'v1', 'v2', 'v3', 'v4'];
  const lvalue = (): string =>
    of([
      ...locals,
      ...locals,
      'g0',
      'g1',
      'r.a',
      'r.b',
      'r.c',
      'r.d',
      'r.e',
      'r.in.x',
      't->b',
      't->in.y',
      't->e',
      `g2[${next(4)}]`,
      'arr[v1 & 3]',
      'g2[v0 & 3]',
      'q',
    ]);
  const constant = (): string =>
    of([
      '0',
      '1',
      '2',
      '7',
      '-1',
      '100',
      '255',
      '65536',
      '0x7fffffff',
      '0x80000000u',
      '1ULL << 40',
      '-5L',
      '0xffffffffffffffffULL',
    ]);
  const expr = (depth: number): string => {
    if (depth <= 0) return next(3) === 0 ? `(${constant()})` : lvalue();
    const a = (): string => expr(depth - 1 - next(2));
    switch (next(14)) {
      case 0:
      case 1:
      case 2:
        return `(${a()} ${of(['+', '-', '*', '&', '|', '^'])} ${a()})`;
      case 3:
        return `(${a()} ${of(['/', '%'])} ((${a()} & 15) + 1))`;
      case 4:
        return `(${a()} ${of(['<<', '>>'])} (${a()} & 7))`;
      case 5:
        return `(${a()} ${of(['==', '!=', '<', '<=', '>', '>='])} ${a()})`;
      case 6:
        return `(${a()} ${of(['&&', '||'])} ${a()})`;
      case 7:
        return `${of(['-', '~', '!', '!!'])}(${a()})`;
      case 8:
        return `((${of(TYPES)})${a()})`;
      case 9:
        return `(${a()} ? ${a()} : ${a()})`;
      case 10:
        return `(${a()} ?: ${a()})`;
      case 11:
        return `pick(${a()}, ${a()}, ${a()})`;
      case 12:
        return `({ ${of(TYPES)} n = ${a()}; n ${of(['+', '-', '^'])}= ${a()}; n; })`;
      default:
        return a();
    }
  };
  // Effects where C says when they happen: as whole statements, left of a comma, in a condition's operand.
  const effect = (depth: number): string => {
    switch (next(8)) {
      case 0:
        return `${lvalue()}${of(['++', '--'])}`;
      case 1:
        return `${of(['++', '--'])}${lvalue()}`;
      case 2:
        return `${lvalue()} ${of(['+=', '-=', '*=', '&=', '|=', '^='])} ${expr(depth)}`;
      case 3:
        return `${lvalue()} ${of(['<<=', '>>='])} (${expr(1)} & 7)`;
      case 4:
        return `${lvalue()} = (${effect(1)}, ${expr(depth)})`;
      default:
        return `${lvalue()} = ${expr(depth)}`;
    }
  };
  const statement = (depth: number): string => {
    switch (depth <= 0 ? 9 : next(14)) {
      case 0:
        return `if (${expr(2)}) { ${block(depth - 1)} } else { ${block(depth - 1)} }`;
      case 1:
        return `if ((${effect(1)}) && ${expr(1)}) ${effect(1)};`;
      case 2:
        return `for (int i${depth} = 0; i${depth} < ${1 + next(4)}; i${depth}++) { ${block(depth - 1)} if (${expr(1)}) ${of(['continue', 'break'])}; ${effect(1)}; }`;
      case 3:
        return `r = make(${expr(1)}, ${of(['r', '*t', 'make(v1, r)'])});`;
      case 4:
        return `switch ((int)(${expr(2)}) & 7) { case 0: ${effect(1)}; case 1 ... 3: ${effect(1)}; break; case 5: ${effect(2)}; break; default: ${effect(1)}; }`;
      case 5:
        return `{ u32 w = ${expr(1)}; v2 = bump(&w, ${expr(1)}); v3 = w; }`;
      case 6:
        return `*t = r; t->b ^= ${expr(1)};`;
      case 7:
        return `h = h * 31 + (${expr(2)});`;
      default:
        return `${effect(2)};`;
    }
  };
  const block = (depth: number): string => Array.from({ length: 1 + next(3) }, () => statement(depth)).join(' ');
  const declarations = locals.map((v, i) => `${of(TYPES)} ${v} = p >> ${i * 7};`).join(' ');
  const body = Array.from({ length: 8 }, () => statement(3)).join('\n  ');
  return `u64 r_${seed}(u64 p, int q) {
  ${declarations} u64 h = 7; int arr[4] = { q, 2, -3, 4 }; struct rec r = { 1, q, p, -3, 9, { 5, 6 } }, other = r, *t = &other;
  g0 = p; g1 = q; g2[0] = 9; g2[1] = 8; g2[2] = 7; g2[3] = 6;
  ${body}
  ${[...locals, 'q', 'g0', 'g1', 'g2[0]', 'g2[1]', 'g2[2]', 'g2[3]', 'arr[0]', 'arr[1]', 'arr[2]', 'arr[3]', 'r.a', 'r.b', 'r.c', 'r.d', 'r.e', 'r.in.x', 'r.in.y', 't->b', 't->c', 't->in.y', 't->e'].map((x) => `h = (h ^ (u64)${x}) * 0x100000001b3ULL;`).join(' ')}
  return h;
}`;
}
