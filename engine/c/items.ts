/**
 * The top level of a unit as items, found by balanced tokens before any macro is expanded.
 *
 * A kernel file's top level is not C's grammar but the habits of its macros: `EXPORT_SYMBOL_GPL(x);`, `SYSCALL_DEFINE3(…) {`, `__setup(…)` without a
 * semicolon. So an item is: up to a `;` outside all brackets, or up to the `}` that closes a function's body. And a file that is being typed is
 * seldom balanced; then the kernel's habit that items begin in column 0, and nothing else does except labels and braces, says where the next one is.
 */
import type { UnitProblem } from './load-unit.ts';
import type { Token } from './token.ts';

/** An item as a stretch of the run's tokens. */
export interface ItemSpan {
  kind: 'function' | 'declaration' | 'stray';
  name: string | undefined;
  from: number;
  to: number;
  /** Index of the token that names what the item is or calls; -1 if there is none. */
  head: number;
  /** The first token stands in column 0. */
  column0: boolean;
  /** A function whose body is not balanced, or ends outside of the fragment. */
  open: boolean;
}

/** Words that are never the name of a function. */
const KEYWORDS = new Set(
  (
    'auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short signed ' +
    'sizeof static struct switch typedef union unsigned void volatile while _Bool _Alignas _Alignof _Atomic _Generic _Noreturn _Static_assert ' +
    '_Thread_local asm __asm __asm__ typeof __typeof __typeof__ typeof_unqual __attribute __attribute__ __declspec __extension__ __inline __inline__ ' +
    '__const __volatile__ __signed__ bool static_assert alignas'
  ).split(' '),
);

/** Annotations with arguments, as include/linux/compiler*.h and others spell them, that can stand where a declarator could. */
const ANNOTATIONS = new Set(
  (
    '__aligned __section __printf __scanf __malloc __alloc_size __assume_aligned __must_hold __releases __acquires __cond_acquires __cond_lock ' +
    '__counted_by __designated_init __nonnull __no_sanitize __alias __weakref __visibility __copy __diagnose_as __diagnose_if __assume __guarded_by ' +
    '__context__ __nocfi __latent_entropy __bpf_kfunc_arg __section_align __access __ref_ptr __init_or_module __no_kasan_or_inline __target'
  ).split(' '),
);

/** Tokens of the longest macro call with statements in it; the kernel's trace events have some hundreds. */
const LONGEST_CALL = 2000;

export const isColumn0 = (t: Token): boolean => t.lineStart && !t.spaceBefore && t.kind !== 'end';

/** Split the tokens of a run. `fragment`: a hunk, which may begin and end anywhere, so that nothing unbalanced in it is a problem. */
export function splitItems(
  tokens: readonly Token[],
  fragment: boolean,
  report: (problem: UnitProblem) => void,
): ItemSpan[] {
  return new Splitter(tokens, fragment, report).run();
}

class Splitter {
  private readonly tokens: readonly Token[];
  private readonly fragment: boolean;
  private readonly report: (problem: UnitProblem) => void;
  private readonly items: ItemSpan[] = [];
  /** Set once the text has turned out to be unbalanced to its end: from then on every item start in column 0 is believed at once. */
  private wary = false;
  private starts: number[] | undefined;
  private looked = -1;
  private call = -1;
  private callEnd = 0;
  private inTime = false;

  constructor(tokens: readonly Token[], fragment: boolean, report: (problem: UnitProblem) => void) {
    this.tokens = tokens;
    this.fragment = fragment;
    this.report = report;
  }

  run(): ItemSpan[] {
    let at = 0;
    while (at < this.tokens.length) at = this.item(at);
    return this.items;
  }

  /** Read one item from `from`; returns where the next begins (always further on). */
  private item(from: number): number {
    const { tokens } = this;
    const n = tokens.length;
    const open: number[] = [];
    let braces = 0;
    let assigned = false;
    /** Name of the function whose body has begun. */
    let named = -1;
    let body = -1;
    for (let at = from; at < n; at++) {
      const token = tokens[at];
      if (at > from && isColumn0(token)) {
        if (open.length === 0) {
          if (this.endsBefore(from, at, body >= 0)) return this.add(from, at, named, false);
        } else if (this.wary && braces > 0 && this.beginsItem(at)) {
          this.unclosed(open[0]);
          return this.add(from, at, named, true);
        }
      }
      if (token.kind !== 'punctuator') continue;
      switch (token.text) {
        case '(':
        case '[':
          open.push(at);
          break;
        case ')':
        case ']': {
          const top = open[open.length - 1];
          if (top !== undefined && closes(tokens[top].text, token.text)) open.pop();
          else
            this.complain(
              token,
              `\`${token.text}\` without a matching \`${token.text === ')' ? '(' : '['}\` before it.`,
            );
          break;
        }
        case '{':
          if (braces === 0 && open.length > 0 && isColumn0(token)) {
            // A body begins, so the parenthesis before it was never closed.
            this.unclosed(open[open.length - 1]);
            const next = this.itemAfter(open[0], at);
            if (next > 0) return this.add(from, next, -1, true);
            open.length = 0;
          }
          if (braces > 0 && isColumn0(token) && this.isHeadBefore(at)) {
            // Another function's body begins, so this item ended somewhere before its head.
            const next = this.headBefore(at);
            if (next > from) {
              this.unclosed(open[open.length - 1]);
              return this.add(from, next, named, true);
            }
          }
          if (open.length === 0 && body < 0) {
            body = at;
            if (!assigned) named = this.functionName(from, at);
          }
          open.push(at);
          braces++;
          break;
        case '}': {
          if (braces === 0) {
            if (open.length > 0) this.unclosed(open[open.length - 1]);
            this.complain(token, 'This `}` closes nothing: there is no open `{` before it.');
            // What stands before it is most likely the rest of a function that was closed too early.
            return this.add(from, at + 1, -1, true);
          }
          let opener = open.pop() ?? from;
          while (tokens[opener].text !== '{') {
            this.unclosed(opener);
            opener = open.pop() ?? from;
          }
          braces--;
          if (open.length === 0) {
            if (named >= 0) return this.add(from, at + 1, named, false);
          } else if (isColumn0(token) && (at + 1 >= n || this.beginsItem(at + 1))) {
            // It stands where a function ends, and an item follows: some inner brace was never closed.
            this.unclosed(opener);
            return this.add(from, at + 1, named, true);
          }
          break;
        }
        case '=':
          if (open.length === 0) assigned = true;
          break;
        case ';':
          if (open.length === 0) return this.add(from, at + 1, -1, false);
          // TRACE_EVENT() and the like take statements as arguments.
          if (braces === 0 && !this.closesInTime(open[0])) {
            this.unclosed(open[open.length - 1]);
            const next = this.itemAfter(open[0], at);
            return this.add(from, next > 0 ? next : at + 1, -1, true);
          }
          break;
      }
    }
    // The text is over and the item is not.
    if (open.length > 0) {
      this.unclosed(open[open.length - 1]);
      this.wary = true;
      const next = this.itemAfter(open[0], n);
      return this.add(from, next > 0 ? next : n, named, true);
    }
    if (!this.fragment && body < 0 && !this.isCall(from, n))
      this.complain(tokens[n - 1], 'The text ends in the middle of a declaration: a `;` is missing.');
    return this.add(from, n, named, false);
  }

  /** At depth 0, does the item end before the column-0 token at `at`, though no `;` said so? */
  private endsBefore(from: number, at: number, body: boolean): boolean {
    const token = this.tokens[at];
    if (token.kind === 'punctuator') return false;
    // `struct x { … }` or `= { … }` without its semicolon, or a macro's block.
    if (body) return !ANNOTATIONS.has(token.text) && token.text !== '__attribute__' && !/^__\w+$/.test(token.text);
    return this.isCall(from, at);
  }

  /** Are the tokens exactly `NAME ( … )`: a macro used as a declaration, without a semicolon? */
  private isCall(from: number, to: number): boolean {
    const { tokens } = this;
    if (
      to - from < 3 ||
      tokens[from].kind !== 'identifier' ||
      KEYWORDS.has(tokens[from].text) ||
      tokens[from + 1].text !== '(' ||
      tokens[to - 1].text !== ')'
    )
      return false;
    if (this.call !== from) {
      this.call = from;
      this.callEnd = this.groupEnd(from + 1, this.tokens.length);
    }
    return this.callEnd === to;
  }

  /** Index after the bracket group that opens at `at`; if it does not close before `to`: `to`, or -1 with `strict`. */
  private groupEnd(at: number, to: number, strict = false): number {
    let depth = 0;
    for (let i = at; i < to; i++) {
      const { text, kind } = this.tokens[i];
      if (kind !== 'punctuator') continue;
      if (text === '(' || text === '[' || text === '{') depth++;
      else if ((text === ')' || text === ']' || text === '}') && --depth === 0) return i + 1;
    }
    return strict ? -1 : to;
  }

  /** Could an item begin at `at`? In column 0, a word, and no label. */
  private beginsItem(at: number): boolean {
    const token = this.tokens[at];
    if (token === undefined || token.kind !== 'identifier' || !isColumn0(token)) return false;
    const next = this.tokens[at + 1];
    return !(next?.text === ':' || token.text === 'case' || token.text === 'default');
  }

  /** Does the bracket at `open` close before the next item begins? Found once per bracket. */
  private closesInTime(open: number): boolean {
    if (this.looked !== open) {
      this.looked = open;
      const limit = Math.min(this.tokens.length, open + LONGEST_CALL);
      this.inTime = this.groupEnd(open, this.itemAfter(open, limit) || limit, true) > 0;
    }
    return this.inTime;
  }

  /** Does a function's head stand before the `{` at `at`, rather than an initializer's comma or brace? */
  private isHeadBefore(at: number): boolean {
    const previous = this.tokens[at - 1];
    return previous.text === ')' || previous.kind === 'identifier';
  }

  /** Where the head before the `{` at `at` begins: the first item start since the last `;` or brace; 0 if there is none. */
  private headBefore(at: number): number {
    let start = 0;
    for (let i = at - 1; i >= 0; i--) {
      const { text, kind } = this.tokens[i];
      if (kind === 'punctuator' && (text === ';' || text === '{' || text === '}')) break;
      if (this.beginsItem(i)) start = i;
    }
    return start;
  }

  /** First item start after `from` and before `to`; 0 if there is none. */
  private itemAfter(from: number, to: number): number {
    // Every place where an item could begin, found once: an unbalanced text asks often.
    if (this.starts === undefined) {
      this.starts = [];
      for (let at = 0; at < this.tokens.length; at++) if (this.beginsItem(at)) this.starts.push(at);
    }
    const { starts } = this;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= from) low = middle + 1;
      else high = middle;
    }
    return low < starts.length && starts[low] < to ? starts[low] : 0;
  }

  /**
   * Index of the name if tokens `from` .. `brace` are the head of a function: the first identifier with a parenthesis after it that is no keyword and
   * no annotation. -1 for the head of a struct, union, enum, or anything else.
   */
  private functionName(from: number, brace: number): number {
    const { tokens } = this;
    let at = from;
    while (at < brace) {
      const token = tokens[at];
      if (token.kind === 'identifier') {
        const next = tokens[at + 1];
        if (next.text === '(' && at + 1 < brace) {
          const previous = at > from ? tokens[at - 1].text : '';
          const structAttribute = previous === 'struct' || previous === 'union' || previous === 'enum';
          // `u8 (*name(int x))(long)`: the declarator is inside the parentheses.
          if (tokens[at + 2].text === '*' && at + 2 < brace) {
            for (let i = at + 3; i + 1 < brace; i++) {
              if (tokens[i].kind === 'identifier' && tokens[i + 1].text === '(' && !KEYWORDS.has(tokens[i].text))
                return i;
              if (tokens[i].text === ')') break;
            }
          }
          if (!KEYWORDS.has(token.text) && !ANNOTATIONS.has(token.text) && !structAttribute) return at;
          at = this.groupEnd(at + 1, brace);
          continue;
        }
      } else if (token.text === '(' || token.text === '[') {
        at = this.groupEnd(at, brace);
        continue;
      }
      at++;
    }
    return -1;
  }

  private add(from: number, to: number, name: number, broken: boolean): number {
    const { tokens } = this;
    const first = tokens[from];
    const last = tokens[to - 1];
    // A lone `;` after a function or a macro is nothing.
    if (to - from === 1 && first.text === ';') return to;
    const label = first.kind === 'identifier' && tokens[from + 1]?.text === ':' && to - from > 1;
    let kind: ItemSpan['kind'];
    // A function that is being typed keeps its name: whoever calls it is to meet what is wrong with it, not another function of that name.
    if (name >= 0 && !label) kind = 'function';
    else if (!broken && !label && last.text === ';') kind = 'declaration';
    else kind = 'stray';
    const open = broken && kind === 'function';
    let head = kind === 'function' ? name : -1;
    if (head < 0) {
      // `static DEFINE_MUTEX(x);`: the word before the first parenthesis, if nothing but specifiers stand before it.
      let at = from;
      while (at < to && (tokens[at].text === 'static' || tokens[at].text === 'extern')) at++;
      if (
        tokens[at + 1]?.text === '(' &&
        at + 1 < to &&
        tokens[at].kind === 'identifier' &&
        !KEYWORDS.has(tokens[at].text)
      )
        head = at;
      const end = last.text === ';' ? to - 1 : to;
      if (head >= 0 && kind === 'declaration' && this.groupEnd(head + 1, end) === end) kind = 'stray';
    }
    this.items.push({
      kind,
      name: kind === 'function' ? tokens[name].text : undefined,
      from,
      to,
      head,
      column0: isColumn0(first),
      open,
    });
    return to;
  }

  private unclosed(opener: number): void {
    const token = this.tokens[opener];
    const close = token.text === '(' ? ')' : token.text === '[' ? ']' : '}';
    this.complain(
      token,
      `This \`${token.text}\` is never closed: a \`${close}\` is missing. The text is read on from the next line that looks like a new item.`,
    );
  }

  private complain(at: Token, message: string): void {
    if (!this.fragment)
      this.report({ origin: { file: at.file, start: at.start, end: at.end }, rule: 'C-SYNTAX', message });
  }
}

const closes = (open: string, close: string): boolean =>
  (open === '(' && close === ')') || (open === '[' && close === ']');
