/** What is wrong with the syntax of a line, in words: what was found, what belongs there, what to do. One problem a line: the first explains the rest. */
import * as t from '../generated/scenario-parser-terms.ts';
import type { Context, Fix } from './context.ts';
import { quoted } from './context.ts';
import { firstFlaw, isMissing, type SyntaxNode, TOO_DEEP } from './syntax.ts';

/** Reports the first flaw of a statement or header; false if there is none. */
export function reportFlaw(ctx: Context, node: SyntaxNode): boolean {
  const found = firstFlaw(node);
  if (found === undefined) return false;
  const { flaw, parent, index } = found;
  if (flaw.type === TOO_DEEP) {
    ctx.problem('SYNTAX', { from: flaw.from, to: Math.min(flaw.to, flaw.from + 1) }, 'This is nested too deep.');
    return true;
  }
  if (flaw.type === t.UnclosedBracket) {
    const close = parent.type === t.Pattern ? '}' : ')';
    ctx.problem(
      'SYNTAX',
      lastWord(ctx, flaw.from),
      `\`${close}\` is missing: the bracket that is opened here is never closed.`,
      [],
      [{ message: 'opened here', span: ctx.span({ from: parent.from, to: parent.from + 1 }) }],
    );
    return true;
  }
  const at =
    isMissing(flaw) || flaw.from === flaw.to ? foundAt(ctx, flaw.from) : { node: flaw, text: quoted(ctx, flaw) };
  const expected = isMissing(flaw) ? expectation(ctx, parent, index) : between(parent);
  const message =
    expected === undefined ? `${at.text} does not belong here.` : `Expected ${expected}, found ${at.text}.`;
  ctx.problem('SYNTAX', at.node, message, fixesFor(ctx, parent, at.node, expected));
  return true;
}

/** What separates or ends the parts of a bracket. */
function between(parent: SyntaxNode): string | undefined {
  if (parent.type === t.Arguments || parent.type === t.Parameters) return '`,` or `)`';
  if (parent.type === t.Pattern) return '`,` or `}`';
  return parent.type === t.Parenthesized || parent.type === t.Grouped || parent.type === t.FaultBits
    ? '`)`'
    : undefined;
}

/** The text at an offset: the next token of the line, or the line's end. */
function foundAt(ctx: Context, offset: number): { node: { from: number; to: number }; text: string } {
  const { text } = ctx;
  let from = offset;
  while (text[from] === ' ' || text[from] === '\t') from++;
  const rest = /^(?:[A-Za-z0-9_]+|=>|\.\.|<<|>>|"[^"\n\r]*"?|[^\s])/.exec(text.slice(from, from + 80))?.[0];
  if (rest === undefined || rest.startsWith('//') || (rest === '/' && text[from + 1] === '/') || rest === '#') {
    return { node: lastWord(ctx, offset), text: from >= text.length ? 'the end of the file' : 'the end of the line' };
  }
  return { node: { from, to: from + rest.length }, text: `\`${rest}\`` };
}

/** Something to underline where nothing stands: the last character before. */
export function lastWord(ctx: Context, offset: number): { from: number; to: number } {
  let to = offset;
  while (to > ctx.base && /\s/.test(ctx.text[to - 1])) to--;
  let from = to;
  while (from > ctx.base && /[A-Za-z0-9_]/.test(ctx.text[from - 1])) from--;
  if (from === to && from > ctx.base) from--;
  return { from, to };
}

const CLAIM = 'what is to hold: `rmp(p) is …`, `npt(g, a) is …` …';

/** What belongs in the place of a missing piece. */
function expectation(ctx: Context, parent: SyntaxNode, index: number): string {
  const before = parent.children[index - 1];
  switch (parent.type) {
    case t.UseDeclaration:
      return index === 1 ? '`kernel`, `patch` or `source`' : 'a name in quotes';
    case t.ImportDeclaration:
      return 'the path of a scenario file in quotes';
    case t.ScenarioDeclaration:
      return 'the name of the scenario in quotes';
    case t.InvariantDeclaration:
      return 'the name of the invariant in quotes';
    case t.Forall:
      if (index === 1) return '`page` or `gpa`';
      if (index === 2) return 'a name for the page';
      return ctx.text.slice(parent.from, parent.children[index].from).includes(':') ? CLAIM : '`:` and what is to hold';
    case t.OfClause:
      return 'the name of a guest';
    case t.Implication:
    case t.Disjunction:
    case t.Conjunction:
    case t.Negation:
    case t.Grouped:
      return CLAIM;
    case t.Claim:
      return '`is` and what it is to be';
    case t.GuestDeclaration:
      return 'a name for the guest';
    case t.SequenceDeclaration:
      return index === 1 ? 'a name for the sequence' : 'its parameters in parentheses, `()` if it has none';
    case t.StubDeclaration:
      return index === 1
        ? 'the name of a C function'
        : before !== undefined && before.type === t.kwReturns
          ? 'the number it returns'
          : '`returns` and a number';
    case t.Settings:
    case t.InvariantBlock:
    case t.DeclarationBlock:
      return '`{`';
    case t.Setting:
      return before?.type === t.OptionName
        ? '`=` and a value'
        : before?.type === t.kwOption
          ? 'the name of an option'
          : 'a value';
    case t.LetStatement:
      return index === 1
        ? 'a name'
        : ctx.text.slice(parent.from, parent.children[index].from).includes('=')
          ? 'a value'
          : '`=` and a value';
    case t.ForStatement:
      if (index === 1) return 'a name for the loop variable';
      if (before?.type === t.kwIn) return 'a range, `0..2M`';
      return before?.type === t.Name ? '`in` and a range' : 'the statements to repeat, in braces';
    case t.StepClause:
      return 'how far each turn goes';
    case t.AllowStatement:
    case t.AllowClause:
      return index === 1 ? 'the id of a rule, such as ATTR-RMP' : 'the reason, in quotes';
    case t.OutcomeClause:
      return 'an outcome: `ok`, `fails`, FAIL_OVERLAP, EINVAL, #NPF(RMP), `CF=1` …';
    case t.ExpectStatement:
      return before?.type === t.Query
        ? '`is` and what it is to be, or `contains "…"`'
        : 'what is asked: `rmp(g, 64K)`, `npt(…)`, `attr(…)`, `log` …';
    case t.Condition:
      return before?.type === t.kwContains
        ? 'a text in quotes'
        : 'what it is to be: `shared`, `4K`, a number, or fields in braces';
    case t.FaultBits:
      return 'a bit of the error code, such as RMP';
    case t.Arguments:
      return 'an argument';
    default:
      return 'a value';
  }
}

function fixesFor(
  ctx: Context,
  parent: SyntaxNode,
  at: { from: number; to: number },
  expected: string | undefined,
): Fix[] {
  if (parent.type === t.StubDeclaration && expected?.startsWith('`returns`'))
    return [{ title: 'Return 0', replacement: `${ctx.source(at)} returns 0` }];
  return [];
}

/** A rest of a line that is no statement, or goes on after one. */
export function reportJunk(ctx: Context, junk: SyntaxNode, before: SyntaxNode | undefined): void {
  const text = ctx.source(junk).trim();
  const node = { from: junk.from, to: junk.from + Math.max(1, text.length) };
  const shown = quoted(ctx, node);
  if (before === undefined) {
    const first = text[0];
    const hint =
      first === ')'
        ? ' No bracket is open here.'
        : /^[A-Za-z_]/.test(text)
          ? ' A statement is `actor.operation(…)`, `expect …`, `let`, `for`, `allow` or the call of a sequence.'
          : ' A statement begins with an actor (`vmm`, `host`, `cpu`, `fw`, `dev`, `kernel` or a guest), or with `expect`, `let`, `for` or `allow`.';
    ctx.problem('SYNTAX', node, `${shown} is no statement.${hint}`);
    return;
  }
  if (text.startsWith(';')) {
    ctx.problem(
      'SYNTAX',
      node,
      'There is one step to a line; the end of the line ends it, without `;`.',
      text === ';' ? [{ title: 'Remove the semicolon', replacement: '' }] : [],
    );
  } else if (before.type === t.Step && before.children.length === 1) {
    ctx.problem(
      'SYNTAX',
      { from: before.from, to: node.to },
      `${quoted(ctx, { from: before.from, to: node.to })} is no statement. A step is written \`actor.operation(arguments)\`.`,
    );
  } else if (/^=[^>]/.test(text) || text === '=' || text.startsWith('->')) {
    ctx.problem('SYNTAX', node, `${shown}: what a step is expected to come to stands after \`=>\`.`);
  } else {
    ctx.problem('SYNTAX', node, `The statement ends before ${shown}. There is one step to a line.`);
  }
}
