/**
 * Macros and the table that holds them, with its history.
 *
 * Items expand their macros only when somebody asks for their tokens, long after the preprocessor has gone on. So the table never forgets: each
 * `#define` and `#undef` is a new version, and a lookup says as of which version it asks.
 */
import type { Origin } from '../vm/bytecode.ts';
import type { UnitProblem } from './load-unit.ts';
import type { Token } from './token.ts';

/** One step of a macro body, prepared when the macro is defined. */
export interface BodyPart {
  /** `token`: itself. `parameter`: the argument. `stringify`: `#` parameter. `vaopt`: `__VA_OPT__ ( … )`, whose contents are in `optional`. */
  kind: 'token' | 'parameter' | 'stringify' | 'vaopt';
  token: Token;
  /** Which parameter; -1 for a plain token. */
  parameter: number;
  /** A `##` stands between this part and the next. */
  paste: boolean;
  optional?: BodyPart[];
}

/** Macros whose value is not a fixed text. */
export type Builtin = 'line' | 'file' | 'counter' | 'enabled' | 'builtin' | 'module' | 'pragma';

export interface Macro {
  name: string;
  /** The name in the `#define`. */
  origin: Origin;
  /** Undefined for an object-like macro. A variadic macro's last parameter is the variable one. */
  parameters: string[] | undefined;
  variadic: boolean;
  body: BodyPart[];
  builtin?: Builtin;
}

const NOWHERE: Origin = { file: 0, start: 0, end: 0 };

/** What every unit starts with. IS_ENABLED and its kin answer from CONFIG_ macros (include/linux/kconfig.h's meaning) unless a header defines them. */
const BUILTINS: [string, Builtin, string[] | undefined][] = [
  ['__LINE__', 'line', undefined],
  ['__FILE__', 'file', undefined],
  ['__COUNTER__', 'counter', undefined],
  ['IS_ENABLED', 'enabled', ['option']],
  ['IS_REACHABLE', 'enabled', ['option']],
  ['IS_BUILTIN', 'builtin', ['option']],
  ['IS_MODULE', 'module', ['option']],
  ['_Pragma', 'pragma', ['text']],
];

interface Version {
  at: number;
  macro: Macro | undefined;
}

export class MacroTable {
  private readonly versions = new Map<string, Version[]>();
  private now = 0;

  constructor() {
    for (const [name, builtin, parameters] of BUILTINS) {
      this.define({ name, origin: NOWHERE, parameters, variadic: false, body: [], builtin });
    }
  }

  /** The present version; rises by one with every change. */
  get version(): number {
    return this.now;
  }

  define(macro: Macro): void {
    this.set(macro.name, macro);
  }

  undefine(name: string): void {
    if (this.find(name, this.now) !== undefined) this.set(name, undefined);
  }

  /** The macro of that name as of `version`. */
  find(name: string, version: number): Macro | undefined {
    const list = this.versions.get(name);
    if (list === undefined) return undefined;
    // Nearly always the last or only version is asked for.
    let high = list.length;
    if (list[high - 1].at <= version) return list[high - 1].macro;
    let low = 0;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle].at <= version) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : list[low - 1].macro;
  }

  private set(name: string, macro: Macro | undefined): void {
    this.now++;
    const list = this.versions.get(name);
    if (list === undefined) this.versions.set(name, [{ at: this.now, macro }]);
    else list.push({ at: this.now, macro });
  }
}

/**
 * Read a `#define` line (C11 6.10.3): `line[from]` is the token after `define`, `line[to]` the first token that is not of the line.
 * Returns the macro, or a problem if it is malformed.
 */
export function parseDefine(line: readonly Token[], from: number, to: number, directive: Token): Macro | UnitProblem {
  const name = line[from];
  if (from >= to || name.kind !== 'identifier') {
    return problem(from < to ? name : directive, '`#define` needs a name: an identifier.');
  }
  if (name.text === 'defined') return problem(name, '`defined` cannot be a macro: it is the operator of `#if`.');
  const origin: Origin = { file: name.file, start: name.start, end: name.end };
  let at = from + 1;
  let parameters: string[] | undefined;
  let variadic = false;
  // Function-like only if the parenthesis follows without a blank.
  if (at < to && line[at].text === '(' && line[at].kind === 'punctuator' && !line[at].spaceBefore) {
    parameters = [];
    const open = line[at];
    at++;
    while (at < to && line[at].text !== ')') {
      const token = line[at];
      if (parameters.length > 0 || variadic) {
        if (token.text !== ',' || variadic)
          return problem(
            token,
            `In the parameters of macro \`${name.text}\`: a \`)\`${variadic ? '' : ' or `,`'} is expected here.`,
          );
        at++;
      }
      const parameter = line[at];
      if (at >= to) break;
      if (parameter.text === '...') {
        parameters.push('__VA_ARGS__');
        variadic = true;
        at++;
      } else if (parameter.kind === 'identifier') {
        parameters.push(parameter.text);
        at++;
        if (at < to && line[at].text === '...') {
          // GNU: `args...` names the variable arguments.
          variadic = true;
          at++;
        }
      } else
        return problem(parameter, `In the parameters of macro \`${name.text}\`: a name or \`...\` is expected here.`);
    }
    if (at >= to) return problem(open, `The parameters of macro \`${name.text}\` have no closing \`)\` on this line.`);
    at++;
  }
  const body = parseBody(line, at, to, parameters, name);
  return Array.isArray(body) ? { name: name.text, origin, parameters, variadic, body } : body;
}

function parseBody(
  line: readonly Token[],
  from: number,
  to: number,
  parameters: string[] | undefined,
  name: Token,
): BodyPart[] | UnitProblem {
  const body: BodyPart[] = [];
  for (let at = from; at < to; at++) {
    const token = line[at];
    if (token.text === '##' && token.kind === 'punctuator') {
      if (body.length === 0 || at + 1 >= to)
        return problem(token, `\`##\` cannot stand at either end of the body of macro \`${name.text}\`.`);
      body[body.length - 1].paste = true;
      continue;
    }
    if (parameters !== undefined) {
      if (token.text === '#' && token.kind === 'punctuator') {
        const index = at + 1 < to && line[at + 1].kind === 'identifier' ? parameters.indexOf(line[at + 1].text) : -1;
        if (index < 0)
          return problem(token, `\`#\` in macro \`${name.text}\` must be followed by one of its parameters.`);
        body.push({ kind: 'stringify', token, parameter: index, paste: false });
        at++;
        continue;
      }
      if (token.kind === 'identifier') {
        const index = parameters.indexOf(token.text);
        if (index >= 0) {
          body.push({ kind: 'parameter', token, parameter: index, paste: false });
          continue;
        }
        if (token.text === '__VA_OPT__' && at + 1 < to && line[at + 1].text === '(') {
          const close = closing(line, at + 1, to);
          if (close < 0) return problem(token, `\`__VA_OPT__\` in macro \`${name.text}\` has no closing \`)\`.`);
          // One level only: __VA_OPT__ may not nest (C23 6.10.5.2), so there is no recursion to bound.
          const optional = line.slice(at + 2, close).some((t) => t.text === '__VA_OPT__')
            ? problem(token, '`__VA_OPT__` cannot be nested.')
            : parseBody(line, at + 2, close, parameters, name);
          if (!Array.isArray(optional)) return optional;
          body.push({ kind: 'vaopt', token, parameter: parameters.length - 1, paste: false, optional });
          at = close;
          continue;
        }
      }
    }
    body.push({ kind: 'token', token, parameter: -1, paste: false });
  }
  return body;
}

function closing(line: readonly Token[], open: number, to: number): number {
  let depth = 0;
  for (let at = open; at < to; at++) {
    if (line[at].text === '(') depth++;
    else if (line[at].text === ')' && --depth === 0) return at;
  }
  return -1;
}

function problem(at: Token, message: string): UnitProblem {
  return { origin: { file: at.file, start: at.start, end: at.end }, rule: 'C-SYNTAX', message };
}
