/**
 * Macro expansion (C11 6.10.3.4). A macro is out of force while the tokens it was replaced by are being read, and a name that meets its macro out of
 * force is painted: it never expands again, wherever it goes. That is what ends recursion, and exactly as far as gcc and clang end it: sets of hidden
 * names on every token (Prosser's algorithm) would also stop the deferred recursion that some macro libraries rely on.
 *
 * Origins: a token of a macro's body points at the use in the text (the outermost one, when macros use macros) and its `definition` at the body; a
 * token of an argument stays where it was written.
 */
import type { UnitProblem } from './load-unit.ts';
import type { BodyPart, Macro, MacroTable } from './macro.ts';
import type { SourceFiles } from './source.ts';
import { SourceMap } from './source-map.ts';
import type { Token } from './token.ts';
import { tokenize } from './tokenize.ts';

/** A token in the midst of expansion. */
interface PaintedToken extends Token {
  /** Met its macro out of force: no longer a candidate. */
  painted?: true;
}

/** Tokens one expansion may make or read before it is called a bomb; an item of the kernel needs some thousands. */
const BUDGET = 200_000;
/** The same for all expansions of a unit together; a kernel file needs some hundred thousand. */
const UNIT_BUDGET = 2_000_000;
/** Problems kept of one unit: enough to see what is wrong. */
export const PROBLEMS = 100;
/** Characters of a token that `#` or `##` makes. */
const LONGEST_TOKEN = 100_000;
/** Macro calls within arguments of macro calls. */
const DEPTH = 100;

/** A change of macros within a stretch of tokens: from token `at` on, `version` is in force. */
export interface MacroChange {
  at: number;
  version: number;
}

/** One call of a macro while its body is filled in. */
interface Call {
  macro: Macro;
  use: PaintedToken;
  /** The arguments as written. */
  args: PaintedToken[][];
  /** The arguments macro-expanded, where that was needed. */
  expanded: (PaintedToken[] | undefined)[];
  depth: number;
}

/** Variable arguments that are not there at all, unlike ones that are empty. */
const OMITTED: PaintedToken[] = [];

/** Tokens still to be read; `macro` is out of force until they are. */
interface Frame {
  tokens: readonly PaintedToken[];
  at: number;
  macro: Macro | undefined;
}

export class MacroExpander {
  private readonly table: MacroTable;
  private readonly files: SourceFiles;
  private counter = 0;
  private left = UNIT_BUDGET;

  constructor(table: MacroTable, files: SourceFiles) {
    this.table = table;
    this.files = files;
  }

  /**
   * Expand `tokens` with the macros of `version`, or as `changes` (sorted by token index) say. The result has no `end` token unless `tokens` has.
   * Problems (a bomb, a call with the wrong number of arguments, a paste that gives no token) go to `problems`; the text is then left unexpanded
   * from there on.
   */
  expand(
    tokens: readonly Token[],
    version: number,
    problems: UnitProblem[],
    changes: readonly MacroChange[] = [],
  ): Token[] {
    return new Expansion(this.table, this.files, this, problems).run(tokens, version, changes, 0);
  }

  /** What is left of the unit's budget after `amount` more tokens. */
  draw(amount: number): number {
    this.left -= amount;
    return this.left;
  }

  nextCounter(): number {
    return this.counter++;
  }
}

/** One run over one stretch of tokens. */
class Expansion {
  private readonly table: MacroTable;
  private readonly files: SourceFiles;
  private readonly owner: MacroExpander;
  private readonly problems: UnitProblem[];
  private readonly active = new Set<Macro>();
  private version = 0;
  private spent = 0;
  private reported = 0;
  private exhausted = false;

  constructor(table: MacroTable, files: SourceFiles, owner: MacroExpander, problems: UnitProblem[]) {
    this.table = table;
    this.files = files;
    this.owner = owner;
    this.problems = problems;
  }

  run(tokens: readonly PaintedToken[], version: number, changes: readonly MacroChange[], depth: number): Token[] {
    this.version = version;
    const base: Frame = { tokens, at: 0, macro: undefined };
    const stack: Frame[] = [base];
    const output: Token[] = [];
    let change = 0;
    for (;;) {
      let frame = stack[stack.length - 1];
      while (frame.at >= frame.tokens.length) {
        if (stack.length === 1) return output;
        this.pop(stack);
        frame = stack[stack.length - 1];
      }
      if (frame === base) {
        while (change < changes.length && changes[change].at <= base.at) this.version = changes[change++].version;
      }
      const token = frame.tokens[frame.at++];
      if (token.kind !== 'identifier' || this.exhausted) {
        output.push(token);
        continue;
      }
      const macro = this.table.find(token.text, this.version);
      if (macro === undefined || token.painted) {
        output.push(token);
        continue;
      }
      if (this.active.has(macro)) {
        output.push({ ...token, painted: true } as PaintedToken);
        continue;
      }
      let replacement: PaintedToken[] | undefined;
      if (macro.parameters === undefined) {
        replacement =
          macro.builtin !== undefined ? this.builtinObject(macro, token) : this.substitute(macro, token, [], depth);
      } else {
        if (!nextIsOpen(stack)) {
          output.push(token);
          continue;
        }
        const mark = stack.map((f) => f.at);
        const frames = stack.slice();
        const call = this.argumentsOf(stack, macro, token);
        if (call === undefined) {
          // Put back what was read: the call is left as it stands.
          stack.length = 0;
          frames.forEach((f, i) => {
            f.at = mark[i];
            stack.push(f);
            if (f.macro !== undefined) this.active.add(f.macro);
          });
          output.push(token);
          continue;
        }
        replacement =
          macro.builtin !== undefined
            ? this.builtinCall(macro, token, call)
            : this.substitute(macro, token, call, depth);
      }
      if (replacement.length > 0) {
        const first = replacement[0];
        if (first.spaceBefore !== token.spaceBefore || first.lineStart !== token.lineStart) {
          replacement[0] = { ...first, spaceBefore: token.spaceBefore, lineStart: token.lineStart };
        }
        this.spend(replacement.length, token);
        if (!this.exhausted) {
          stack.push({ tokens: replacement, at: 0, macro });
          this.active.add(macro);
        } else output.push(token);
      }
    }
  }

  /** Count work; past the budget everything is left unexpanded and one problem says where. */
  private spend(amount: number, at: Token): void {
    this.spent += amount;
    if (this.exhausted) return;
    if (this.owner.draw(amount) < 0) {
      this.exhausted = true;
      this.report(
        at,
        `The macros of this file expand to more than ${UNIT_BUDGET} tokens together: from here on they are left as they stand.`,
      );
    } else if (this.spent > BUDGET) {
      this.exhausted = true;
      this.report(
        at,
        `Macro \`${at.text}\` expands to more than ${BUDGET} tokens: expansion stops here. Look for macros that use their arguments several times and are nested in themselves.`,
      );
    }
  }

  /** The top frame is read: its macro is in force again. */
  private pop(stack: Frame[]): void {
    const frame = stack.pop();
    if (frame?.macro !== undefined) this.active.delete(frame.macro);
  }

  private report(at: Token, message: string): void {
    // One broken macro used a thousand times is one thing to know.
    if (this.reported++ >= 10 || this.problems.length >= PROBLEMS) return;
    this.problems.push({ origin: { file: at.file, start: at.start, end: at.end }, rule: 'C-SYNTAX', message });
  }

  /** Read `( … )` from the stack of frames: the arguments' tokens as written. Undefined (and a problem) if they do not fit the macro. */
  private argumentsOf(stack: Frame[], macro: Macro, use: Token): PaintedToken[][] | undefined {
    const parameters = macro.parameters ?? [];
    const args: PaintedToken[][] = [[]];
    let depth = 0;
    let read = 0;
    for (;;) {
      const frame = stack[stack.length - 1];
      if (frame.at >= frame.tokens.length) {
        if (stack.length === 1) break;
        this.pop(stack);
        continue;
      }
      const token = frame.tokens[frame.at++];
      if (token.kind === 'end') break;
      read++;
      const current = args[args.length - 1];
      if (token.kind === 'punctuator') {
        if (token.text === '(') {
          if (depth++ === 0) continue;
        } else if (token.text === ')') {
          if (--depth === 0) {
            this.spend(read, use);
            return this.checkArguments(macro, use, args) ? args : undefined;
          }
        } else if (token.text === ',' && depth === 1 && !(macro.variadic && args.length >= parameters.length)) {
          args.push([]);
          continue;
        }
      }
      current.push(token);
    }
    this.spend(read, use);
    this.report(use, `The use of macro \`${macro.name}\` has no closing \`)\`.`);
    return undefined;
  }

  private checkArguments(macro: Macro, use: Token, args: PaintedToken[][]): boolean {
    const wanted = (macro.parameters ?? []).length;
    if (wanted === 0 && args.length === 1 && args[0].length === 0) args.pop();
    // GNU: the variable arguments may be missing altogether, comma and all.
    if (macro.variadic && args.length === wanted - 1) args.push(OMITTED);
    if (macro.variadic && wanted === 1 && args[0].length === 0) args[0] = OMITTED;
    if (args.length === wanted) return true;
    this.report(
      use,
      `Macro \`${macro.name}\` takes ${wanted} argument${wanted === 1 ? '' : 's'}, but ${args.length} ${args.length === 1 ? 'is' : 'are'} given.`,
    );
    return false;
  }

  /** C11 6.10.3.1 to 6.10.3.3: the body with arguments put in, `#` and `##` done. */
  private substitute(macro: Macro, use: PaintedToken, args: PaintedToken[][], depth: number): PaintedToken[] {
    const output: PaintedToken[] = [];
    this.fill(macro.body, { macro, use, args, expanded: [], depth }, output);
    return output;
  }

  private fill(body: readonly BodyPart[], call: Call, output: PaintedToken[]): void {
    const { macro, use, args } = call;
    // A part's tokens, and whether the last `##` still waits for its right side.
    let pending = false;
    for (let i = 0; i < body.length; i++) {
      const part = body[i];
      let tokens: PaintedToken[];
      const operand = pending || part.paste;
      switch (part.kind) {
        case 'token':
          tokens = [fromBody(part.token, use)];
          break;
        case 'stringify':
          tokens = [{ ...fromBody(part.token, use), kind: 'string', text: this.stringify(args[part.parameter], use) }];
          break;
        case 'vaopt': {
          tokens = [];
          if (args[part.parameter].length > 0) this.fill(part.optional ?? [], call, tokens);
          break;
        }
        default:
          tokens = operand ? args[part.parameter] : this.argument(part.parameter, call);
          if (tokens.length > 0 && tokens[0].spaceBefore !== part.token.spaceBefore) {
            tokens = [{ ...tokens[0], spaceBefore: part.token.spaceBefore }, ...tokens.slice(1)];
          }
      }
      // GNU: `, ## __VA_ARGS__` swallows the comma when the variable arguments are omitted, and pastes nothing otherwise.
      const next = body[i + 1];
      if (
        part.kind === 'token' &&
        part.paste &&
        part.token.text === ',' &&
        !pending &&
        macro.variadic &&
        next?.kind === 'parameter' &&
        next.parameter === (macro.parameters ?? []).length - 1
      ) {
        const rest = next.paste ? args[next.parameter] : this.argument(next.parameter, call);
        if (args[next.parameter] !== OMITTED) {
          output.push(tokens[0]);
          for (const token of this.limited(rest, use)) output.push(token);
        }
        pending = next.paste && args[next.parameter].length > 0;
        i++;
        continue;
      }
      if (pending && tokens.length > 0) {
        const left = output.pop();
        if (left === undefined) output.push(tokens[0]);
        else this.paste(left, tokens[0], use, output);
        for (let k = 1; k < tokens.length; k++) output.push(tokens[k]);
      } else for (const token of this.limited(tokens, use)) output.push(token);
      // An empty operand is a placemarker: what stands left of it stays the left side if it was pasted itself.
      pending = part.paste && (tokens.length > 0 || pending);
    }
  }

  /** Nothing once the budget is gone: a bomb must not grow while it is being noticed. */
  private limited(tokens: PaintedToken[], use: Token): PaintedToken[] {
    this.spend(tokens.length, use);
    return this.exhausted ? [] : tokens;
  }

  /** An argument fully expanded, as if it were the rest of the file; done once however often it is used. */
  private argument(index: number, call: Call): PaintedToken[] {
    const { args, expanded, use, depth } = call;
    let tokens = expanded[index];
    if (tokens === undefined) {
      const raw = args[index];
      if (depth >= DEPTH) {
        if (!this.exhausted) this.report(use, `Macro calls are nested more than ${DEPTH} deep here: expansion stops.`);
        this.exhausted = true;
        tokens = raw;
      } else tokens = needsExpansion(raw) ? this.run(raw, this.version, [], depth + 1) : raw;
      expanded[index] = tokens;
    }
    return tokens;
  }

  /** `left ## right`; two tokens and a problem if the spelling is no token. */
  private paste(left: PaintedToken, right: PaintedToken, use: PaintedToken, output: PaintedToken[]): void {
    const spelling = left.text + right.text;
    if (spelling.length > LONGEST_TOKEN) {
      this.report(use, `\`##\` in macro \`${use.text}\` makes a token of more than ${LONGEST_TOKEN} characters.`);
      output.push(left, right);
      return;
    }
    const made = tokenize({ text: spelling, map: SourceMap.identity(use.file) }).tokens;
    if (made.length !== 2) {
      this.report(
        use,
        `\`##\` in macro \`${use.text}\` joins \`${left.text}\` and \`${right.text}\`, which is no single token.`,
      );
      output.push(left, right);
      return;
    }
    const definition = left.definition ?? right.definition;
    const { file, start, end } = left;
    const joined: PaintedToken = {
      kind: made[0].kind,
      text: made[0].text,
      file,
      start,
      end,
      spaceBefore: left.spaceBefore,
      lineStart: false,
    };
    if (definition !== undefined) joined.definition = definition;
    output.push(joined);
  }

  /** C11 6.10.3.2: the argument's spelling, blanks squeezed to one, quotes and backslashes of literals escaped. */
  private stringify(tokens: readonly Token[], use: Token): string {
    let text = '"';
    tokens.forEach((token, i) => {
      if (i > 0 && (token.spaceBefore || token.lineStart)) text += ' ';
      if (text.length + token.text.length > LONGEST_TOKEN) return;
      text += token.kind === 'string' || token.kind === 'character' ? token.text.replace(/["\\]/g, '\\$&') : token.text;
    });
    // Strings in strings in strings double their backslashes each time.
    if (text.length > LONGEST_TOKEN / 2)
      this.report(use, `\`#\` in macro \`${use.text}\` makes a string of more than ${LONGEST_TOKEN / 2} characters.`);
    return `${text}"`;
  }

  private builtinObject(macro: Macro, use: PaintedToken): PaintedToken[] {
    switch (macro.builtin) {
      case 'line':
        return [made('number', String(this.files.position(use.file, use.start).line + 1), use)];
      case 'file':
        return [made('string', JSON.stringify(this.files.list[use.file].path), use)];
      default:
        return [made('number', String(this.owner.nextCounter()), use)];
    }
  }

  private builtinCall(macro: Macro, use: PaintedToken, args: PaintedToken[][]): PaintedToken[] {
    if (macro.builtin === 'pragma') return [];
    const option = args[0].length === 1 ? args[0][0].text : '';
    const builtin = this.isOne(option);
    const module = this.isOne(`${option}_MODULE`);
    const value = macro.builtin === 'builtin' ? builtin : macro.builtin === 'module' ? module : builtin || module;
    return [made('number', value ? '1' : '0', use)];
  }

  /** kconfig sets an option to 1 when it is on and leaves it undefined when it is not. */
  private isOne(option: string): boolean {
    const macro = this.table.find(option, this.version);
    return macro !== undefined && macro.body.length === 1 && macro.body[0].token.text === '1';
  }
}

function made(kind: 'number' | 'string', text: string, use: PaintedToken): PaintedToken {
  const { file, start, end, spaceBefore, lineStart } = use;
  return {
    kind,
    text,
    file,
    start,
    end,
    spaceBefore,
    lineStart,
    definition: use.definition ?? { file, start, end },
  };
}

/** A token of the body at its use. */
function fromBody(token: Token, use: Token): PaintedToken {
  return {
    kind: token.kind,
    text: token.text,
    file: use.file,
    start: use.start,
    end: use.end,
    spaceBefore: token.spaceBefore,
    lineStart: false,
    definition: { file: token.file, start: token.start, end: token.end },
  };
}

function needsExpansion(tokens: readonly Token[]): boolean {
  for (const token of tokens) if (token.kind === 'identifier') return true;
  return false;
}

/** Is the next token of the input, through exhausted frames, a `(`? */
function nextIsOpen(stack: readonly Frame[]): boolean {
  for (let i = stack.length - 1; i >= 0; i--) {
    const frame = stack[i];
    if (frame.at < frame.tokens.length) {
      const token = frame.tokens[frame.at];
      return token.text === '(' && token.kind === 'punctuator';
    }
  }
  return false;
}
