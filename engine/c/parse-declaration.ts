/**
 * Declarations (C11 6.7), one function per production: specifiers, declarators, type names, with GCC attributes and the kernel's annotations,
 * which may stand nearly anywhere and are skipped unless they change meaning (`packed`, `aligned`, `error`, `snp_must_propagate`).
 */
import type { Origin } from '../vm/bytecode.ts';
import { message } from './messages.ts';
import { isKeyword, originOf, type Parser } from './parse-cursor.ts';
import { parseConstant, parseExpression } from './parse-expression.ts';
import { parseEnum, parseRecord } from './parse-record.ts';
import { decay } from './parse-typing.ts';
import type { Token } from './token.ts';
import {
  arrayOf,
  BOOL,
  CHAR,
  type CType,
  functionType,
  INT,
  LLONG,
  LONG,
  type Parameter,
  pointerTo,
  SCHAR,
  SHORT,
  tooDeep,
  UCHAR,
  UINT,
  ULLONG,
  ULONG,
  USHORT,
  VOID,
  VOID_POINTER,
  withAlias,
} from './types.ts';

/** What attributes say that matters here. */
export interface Attributes {
  packed?: boolean;
  align?: number;
  mustPropagate?: boolean;
  error?: string;
  /** `__attribute__((cleanup(f)))`: f is called with the variable's address when its block is left. */
  cleanup?: string;
}

export interface Specifiers {
  type: CType;
  storage: 'typedef' | 'static' | 'extern' | 'none';
  attributes: Attributes;
  /** `__auto_type`: the type is the initialiser's. */
  auto: boolean;
}

export interface Declarator {
  name: string;
  origin: Origin;
  type: CType;
}

/** Annotations of the kernel that stand for nothing here; each may be followed by an argument list. */
const ANNOTATIONS = new Set(
  (
    '__always_inline noinline __noinline noinline_for_stack __init __exit __initdata __initconst __exitdata __devinit __user __iomem __kernel ' +
    '__percpu __rcu __force __must_check __maybe_unused __always_unused __used __unused __pure __attribute_const__ __cold __hot __weak __printf ' +
    '__scanf __ro_after_init __read_mostly __refdata __ref asmlinkage notrace __visible __cacheline_aligned ____cacheline_aligned ' +
    '__cacheline_aligned_in_smp ____cacheline_aligned_in_smp __private __counted_by __counted_by_le __counted_by_be __bitwise __nocast __noreturn ' +
    'noinstr __noinstr_section __no_kcsan __no_kasan_or_inline __no_sanitize_or_inline __no_sanitize_address __acquires __releases __acquire ' +
    '__release __must_hold __cond_acquires __cond_lock __deprecated __section __latent_entropy __randomize_layout __designated_init ' +
    '__no_randomize_layout __aligned_largest __alias __malloc __alloc_size __realloc_size __assume_aligned __flatten __naked __gnu_inline ' +
    '__nonstring __no_stack_protector __nocfi __kprobes nokprobe_inline __bpf_kfunc __compiletime_error __compiletime_warning fastcall'
  ).split(' '),
);
const QUALIFIERS = new Set(
  (
    'const volatile restrict __const __const__ __volatile__ __volatile __restrict __restrict__ _Atomic _Noreturn _Thread_local inline __inline ' +
    '__inline__ register auto __extension__'
  ).split(' '),
);
const TYPE_WORDS = new Set(
  'void char short int long signed __signed__ unsigned _Bool float double _Complex __int128'.split(' '),
);
/** Types without a declaration: `bool` where no header makes it a typedef, and variadic lists, which may be declared but not used. */
const BUILTIN_TYPES: Record<string, CType> = Object.assign(Object.create(null), {
  bool: BOOL,
  __builtin_va_list: VOID_POINTER,
});
const STORAGE = new Set(['typedef', 'static', 'extern']);
const TYPEOF = new Set(['typeof', '__typeof__', '__typeof', 'typeof_unqual']);

const isAttribute = (text: string): boolean => text === '__attribute__' || text === '__attribute';
const isPacked = (text: string): boolean => text === '__packed' || text === '__aligned';

const isAnnotation = (p: Parser, t: Token): boolean =>
  t.kind === 'identifier' && (ANNOTATIONS.has(t.text) || isPacked(t.text)) && p.scope.lookup(t.text) === undefined;

/** Does a declaration or type name begin with this token? */
export function startsType(p: Parser, t: Token): boolean {
  if (t.kind !== 'identifier') return false;
  const { text } = t;
  if (TYPE_WORDS.has(text) || QUALIFIERS.has(text) || STORAGE.has(text) || TYPEOF.has(text)) return true;
  if (
    text === 'struct' ||
    text === 'union' ||
    text === 'enum' ||
    text === '__auto_type' ||
    text === '_Alignas' ||
    isAttribute(text)
  )
    return true;
  if (isKeyword(text)) return false;
  const symbol = p.scope.lookup(text);
  if (symbol !== undefined) return symbol.kind === 'typedef';
  return text in BUILTIN_TYPES || ANNOTATIONS.has(text) || isPacked(text);
}

/** "__attribute__" "((" … "))", and the kernel's annotations; says whether there was one. */
export function skipAttributes(p: Parser, into: Attributes): boolean {
  let any = false;
  while (p.token.kind === 'identifier') {
    if (isAttribute(p.token.text)) {
      p.advance();
      parseAttributeList(p, into);
    } else if (isAnnotation(p, p.token)) {
      const { text } = p.token;
      p.advance();
      if (text === '__packed') into.packed = true;
      if (text === '__aligned' && p.accept('(')) {
        const n = parseConstant(p, 'an alignment');
        if (n !== undefined) into.align = Number(n);
        p.expect(')');
      } else if (
        p.is('(') &&
        /^__(printf|scanf|counted_by|acquire|release|must_hold|cond|section|alias|alloc|realloc|assume|malloc|aligned|compiletime)/.test(
          text,
        )
      ) {
        skipBalanced(p);
      }
    } else if (p.token.text === 'asm' || p.token.text === '__asm__' || p.token.text === '__asm') {
      // An assembler name behind a declarator.
      if (p.peek().text !== '(') return any;
      p.advance();
      skipBalanced(p);
    } else return any;
    any = true;
  }
  return any;
}

function skipBalanced(p: Parser): void {
  const behind = p.matching(p.position);
  while (p.position < behind && !p.atEnd()) p.advance();
}

/** "((" (name ("(" … ")")? ","?)* "))" */
function parseAttributeList(p: Parser, into: Attributes): void {
  const behind = p.matching(p.position);
  p.expect('(');
  p.expect('(');
  while (!p.atEnd() && p.position < behind - 2) {
    const name = p.token.text.replace(/^__(.*)__$/, '$1');
    p.advance();
    if (name === 'packed') into.packed = true;
    else if (name === 'snp_must_propagate') into.mustPropagate = true;
    else if (name === 'aligned') {
      into.align = 16;
      if (p.accept('(')) {
        const n = parseConstant(p, 'an alignment');
        if (n !== undefined) into.align = Number(n);
        p.expect(')');
      }
    } else if (name === 'error' && p.accept('(')) {
      into.error = p.token.text.replace(/^"|"$/g, '');
      while (!p.atEnd() && !p.is(')')) p.advance();
      p.expect(')');
    } else if (name === 'cleanup' && p.accept('(')) {
      into.cleanup = p.token.text;
      p.advance();
      p.expect(')');
    } else if (p.is('(')) skipBalanced(p);
  }
  p.expect(')');
  p.expect(')');
}

/** specifiers = (storage | qualifier | attribute | type-specifier)+ ; undefined and a failure if there is no type among them */
export function parseSpecifiers(p: Parser): Specifiers | undefined {
  const attributes: Attributes = {};
  let storage: Specifiers['storage'] = 'none';
  let type: CType | undefined;
  let auto = false;
  let words: string[] = [];
  const start = p.token;
  for (;;) {
    if (p.token.kind !== 'identifier') break;
    const { text } = p.token;
    if (STORAGE.has(text)) {
      storage = text as 'static';
      p.advance();
    } else if (QUALIFIERS.has(text)) {
      p.advance();
      if (text === '_Atomic' && p.is('(')) {
        p.advance();
        type = parseTypeName(p);
        p.expect(')');
      }
    } else if (text === '_Alignas') {
      p.advance();
      skipBalanced(p);
    } else if (TYPE_WORDS.has(text)) {
      words.push(text);
      p.advance();
    } else if (isAttribute(text) || isAnnotation(p, p.token)) skipAttributes(p, attributes);
    else if (type !== undefined || words.length > 0) break;
    else if (text === 'struct' || text === 'union') type = parseRecord(p, attributes);
    else if (text === 'enum') type = parseEnum(p);
    else if (TYPEOF.has(text)) type = parseTypeof(p);
    else if (text === '__auto_type') {
      auto = true;
      type = INT;
      p.advance();
    } else if (isKeyword(text)) break;
    else {
      const symbol = p.scope.lookup(text);
      if (symbol?.kind === 'typedef') {
        type = withAlias(symbol.type, symbol.name);
        p.advance();
      } else if (symbol === undefined && text in BUILTIN_TYPES) {
        type = BUILTIN_TYPES[text];
        p.advance();
      } else break;
    }
    if (p.failure !== undefined) return undefined;
  }
  if (words.length > 0) {
    type = fromWords(words);
    if (type === undefined) {
      p.fail(message.unsupported(`the type \`${words.join(' ')}\``), p.originFrom(start));
      return undefined;
    }
    words = [];
  }
  if (type === undefined) {
    const unknown = p.isIdentifier() && p.scope.lookup(p.token.text) === undefined;
    p.fail(unknown ? message.unknownType(p.token.text) : message.expected('a type', p.found()));
    return undefined;
  }
  return { type, storage, attributes, auto };
}

/** The type that a multiset of type words means (C11 6.7.2). */
function fromWords(words: string[]): CType | undefined {
  const count = (w: string): number => words.filter((x) => x === w).length;
  const signed = count('signed') + count('__signed__');
  const unsigned = count('unsigned');
  const longs = count('long');
  if (count('float') || count('double') || count('_Complex') || count('__int128')) return undefined;
  if (signed > 0 && unsigned > 0) return undefined;
  if (count('void')) return words.length === 1 ? VOID : undefined;
  if (count('_Bool')) return words.length === 1 ? BOOL : undefined;
  if (count('char')) return words.length > 2 ? undefined : unsigned ? UCHAR : signed ? SCHAR : CHAR;
  if (count('short')) return longs > 0 ? undefined : unsigned ? USHORT : SHORT;
  if (longs === 1) return unsigned ? ULONG : LONG;
  if (longs === 2) return unsigned ? ULLONG : LLONG;
  return longs > 2 ? undefined : unsigned ? UINT : INT;
}

/** typeof = "typeof" "(" (type-name | expression) ")" */
function parseTypeof(p: Parser): CType {
  p.advance();
  p.expect('(');
  if (!p.enter()) return INT;
  const type = startsType(p, p.token) ? parseTypeName(p) : parseExpression(p).type;
  p.leave();
  p.expect(')');
  return type;
}

/** type-name = specifiers abstract-declarator? */
export function parseTypeName(p: Parser): CType {
  if (!p.enter()) return INT;
  const specifiers = parseSpecifiers(p);
  const type = specifiers === undefined ? INT : parseDeclarator(p, specifiers.type, 'abstract', {}).type;
  p.leave();
  return type;
}

/**
 * declarator = ("*" qualifier*)* ("(" declarator ")" | name)? suffix*
 *
 * `(*name)(…)` reads inside out: the suffix behind the parentheses applies first, so the inner part is read after it.
 */
export function parseDeclarator(
  p: Parser,
  base: CType,
  form: 'named' | 'abstract' | 'either',
  attributes: Attributes,
): Declarator {
  if (!p.enter()) return { name: '', origin: originOf(p.token), type: base };
  let type = base;
  skipAttributes(p, attributes);
  while (p.is('*')) {
    if (tooDeep(type)) p.fail(message.tooDeep());
    p.advance();
    type = pointerTo(type);
    while (p.token.kind === 'identifier' && (QUALIFIERS.has(p.token.text) || skipAttributes(p, attributes))) {
      if (QUALIFIERS.has(p.token.text)) p.advance();
    }
  }
  skipAttributes(p, attributes);
  let result: Declarator;
  if (p.is('(') && isNested(p, form)) {
    const open = p.position;
    const behind = p.matching(open);
    p.resume(behind);
    type = parseSuffixes(p, type);
    const after = p.position;
    if (p.failure === undefined) {
      p.resume(open + 1);
      result = parseDeclarator(p, type, form, attributes);
      p.expect(')');
      if (p.failure === undefined) p.resume(after);
    } else result = { name: '', origin: originOf(p.token), type };
  } else {
    const name = p.token;
    const named = form !== 'abstract' && p.isIdentifier();
    if (named) p.advance();
    else if (form === 'named') p.fail(message.expected('a name', p.found()));
    result = { name: named ? name.text : '', origin: originOf(name), type: parseSuffixes(p, type) };
  }
  skipAttributes(p, attributes);
  p.leave();
  return result;
}

/** Is this "(" the beginning of a nested declarator rather than of a parameter list? */
function isNested(p: Parser, form: 'named' | 'abstract' | 'either'): boolean {
  const next = p.peek();
  if (next.text === '*' || next.text === '(' || isAttribute(next.text)) return true;
  return form !== 'abstract' && next.kind === 'identifier' && !startsType(p, next) && next.text !== ')';
}

/** suffix = "(" parameters ")" | "[" constant? "]" */
function parseSuffixes(p: Parser, base: CType): CType {
  if (p.is('(')) {
    p.advance();
    const { parameters, variadic, unspecified } = parseParameters(p);
    p.expect(')');
    if (tooDeep(base)) p.fail(message.tooDeep());
    return functionType(p.is('(') || p.is('[') ? parseSuffixes(p, base) : base, parameters, variadic, unspecified);
  }
  if (!p.is('[')) return base;
  if (!p.enter()) return base;
  p.advance();
  let length = -1;
  while (p.token.kind === 'identifier' && (QUALIFIERS.has(p.token.text) || p.token.text === 'static')) p.advance();
  if (!p.is(']')) {
    const n = parseConstant(p, 'the length of an array');
    if (n !== undefined && n >= 0n && n <= 1n << 40n) length = Number(n);
    else p.fail(message.notConstant('the length of an array'));
  }
  p.expect(']');
  const of = parseSuffixes(p, base);
  p.leave();
  if (tooDeep(of)) p.fail(message.tooDeep());
  return arrayOf(of, length);
}

/** parameters = ε | "void" | (specifiers declarator) ("," …)* ("," "...")? */
function parseParameters(p: Parser): { parameters: Parameter[]; variadic: boolean; unspecified: boolean } {
  const parameters: Parameter[] = [];
  if (p.is(')')) return { parameters, variadic: false, unspecified: true };
  if (p.is('void') && p.peek().text === ')') {
    p.advance();
    return { parameters, variadic: false, unspecified: false };
  }
  do {
    if (p.accept('...')) return { parameters, variadic: true, unspecified: false };
    const specifiers = parseSpecifiers(p);
    if (specifiers === undefined) break;
    const declarator = parseDeclarator(p, specifiers.type, 'either', {});
    const type = decay({ kind: 'number', origin: declarator.origin, type: declarator.type, value: 0n, height: 1 }).type;
    parameters.push({ name: declarator.name, type });
  } while (p.accept(','));
  return { parameters, variadic: false, unspecified: false };
}
