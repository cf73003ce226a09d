/**
 * `invariant "…" { forall page p: … implies … }`: a rule of the user's own. Its claims are the conditions of `expect`, about one page that is called by a
 * name; which pages it is judged for is the runner's affair.
 */
import * as t from '../generated/scenario-parser-terms.ts';
import { type Context, quoted, suggestion } from './context.ts';
import { quotedText } from './declarations.ts';
import { alreadyDeclared, reportBraces } from './lower-block.ts';
import { lowerExpect } from './lower-expect.ts';
import type { ForAll, Formula, UserInvariant } from './program.ts';
import { type Binding, Scope } from './scope.ts';
import { child, isFlaw, oneLine, type SyntaxNode } from './syntax.ts';
import { reportFlaw, reportJunk } from './syntax-problems.ts';

/** What `forall` can range over. */
const DOMAINS = ['page', 'gpa'];

/** The variable of a `forall` is the only one there is. */
const VARIABLE = 0;

/** The invariant, or undefined if something is wrong with it; that has been reported. */
export function lowerInvariant(ctx: Context, node: SyntaxNode): UserInvariant | undefined {
  let wrong = reportFlaw(ctx, node);
  const nameNode = node.children[1];
  const name = quotedText(ctx, nameNode, 'The name of an invariant');
  const block = child(node, t.InvariantBlock);
  if (block === undefined) return undefined;
  if (!wrong) reportBraces(ctx, block.children, block.from);
  const foralls: ForAll[] = [];
  let before: SyntaxNode | undefined;
  let broken = false;
  for (const line of block.children) {
    if (line.type === t.Forall) {
      const forall = lowerForall(ctx, line);
      broken = forall === undefined;
      if (forall === undefined) wrong = true;
      else foralls.push(forall);
      before = line;
    } else if (line.type === t.Junk || line.type === t.StrayBlock) {
      wrong = true;
      // What goes on after a `forall` that has a problem already says nothing new.
      if (before !== undefined && broken && !ctx.text.slice(before.to, line.from).includes('\n')) continue;
      if (before !== undefined && line.type === t.Junk) reportJunk(ctx, line, before);
      else ctx.problem('SYNTAX', line, `An invariant says \`forall page p: …\`, not ${quoted(ctx, line)}.`);
    } else if (isFlaw(line)) wrong = true;
  }
  if (foralls.length === 0 && !wrong)
    ctx.problem('SYNTAX', block, 'The invariant is empty: write `forall page p: … implies …` between the braces.');
  if (wrong || name === undefined || foralls.length === 0) return undefined;
  return { name, nameSpan: ctx.span(nameNode), foralls };
}

function lowerForall(ctx: Context, node: SyntaxNode): ForAll | undefined {
  if (reportFlaw(ctx, node)) return undefined;
  const [, domainNode, nameNode] = node.children;
  const domain = ctx.source(domainNode);
  if (!DOMAINS.includes(domain)) {
    const { fixes } = suggestion(domain, DOMAINS, '');
    return ctx.problem(
      'NAME',
      domainNode,
      `\`forall\` goes over host frames, \`forall page p:\`, or over the memory of a guest, \`forall gpa a of g:\`; not over ${quoted(ctx, domainNode)}.`,
      fixes,
    );
  }
  const of = child(node, t.OfClause);
  const guest = domain === 'gpa' ? guestOf(ctx, node, of) : undefined;
  if (domain === 'gpa' && guest === undefined) return undefined;
  if (domain === 'page' && of !== undefined)
    return ctx.problem('ARGUMENT', of, '`page` is a host frame, whoever owns it. For the memory of a guest: `gpa`.');
  const name = ctx.source(nameNode);
  const declared = ctx.scope.find(name);
  if (declared !== undefined) {
    alreadyDeclared(ctx, nameNode, name, declared);
    return undefined;
  }
  const scope = new Scope(ctx.scope);
  const kind = domain === 'gpa' ? 'gpa' : 'pfn';
  const binding: Binding = { name, declared: ctx.span(nameNode), is: 'variable', slot: VARIABLE, kind };
  scope.bind(binding);
  ctx.use(nameNode, binding);
  const formulaNode = node.children.at(-1) as SyntaxNode;
  const formula = lowerFormula(ctx.in(scope), formulaNode);
  return formula && { guest, variable: name, formula };
}

/** The guest that `of` names. */
function guestOf(ctx: Context, node: SyntaxNode, of: SyntaxNode | undefined): number | undefined {
  if (of === undefined) {
    const [, domain, name] = node.children;
    const example = `${ctx.source(name)} of ${ctx.guests[0]?.name ?? 'g'}`;
    return ctx.problem(
      'ARGUMENT',
      { from: domain.from, to: name.to },
      `A GPA is one of a guest: \`forall gpa ${example}: …\`.`,
    );
  }
  const nameNode = of.children[1];
  const name = ctx.source(nameNode);
  const binding = ctx.scope.find(name);
  if (binding?.is === 'guest') {
    ctx.use(nameNode, binding);
    return binding.guest;
  }
  const names = ctx.guests.map((g) => g.name);
  const { text, fixes } = suggestion(name, names, 'Guests');
  return ctx.problem('NAME', nameNode, `There is no guest \`${name}\`.${text}`, fixes);
}

function lowerFormula(ctx: Context, node: SyntaxNode): Formula | undefined {
  const parts = node.children.filter((c) => FORMULAS.has(c.type));
  switch (node.type) {
    case t.Claim: {
      const expect = lowerExpect(ctx, node, []);
      if (expect === undefined) return undefined;
      if (expect.query === 'log')
        return ctx.problem('ARGUMENT', node, 'The log says nothing about a page; ask for it with `expect`.');
      return { is: 'claim', claim: expect };
    }
    case t.Grouped:
      return parts[0] && lowerFormula(ctx, parts[0]);
    case t.Negation: {
      const of = lowerFormula(ctx, parts[0]);
      return of && { is: 'not', of, text: textOf(ctx, node) };
    }
    case t.Conjunction:
    case t.Disjunction:
    case t.Implication: {
      const left = lowerFormula(ctx, parts[0]);
      const right = lowerFormula(ctx, parts[1]);
      const is = node.type === t.Conjunction ? 'and' : node.type === t.Disjunction ? 'or' : 'implies';
      return left && right && { is, left, right, text: textOf(ctx, node) };
    }
    default:
      return undefined;
  }
}

const FORMULAS: ReadonlySet<number> = new Set([
  t.Claim,
  t.Grouped,
  t.Negation,
  t.Conjunction,
  t.Disjunction,
  t.Implication,
]);

const textOf = (ctx: Context, node: SyntaxNode): string => oneLine(ctx.source(node));
