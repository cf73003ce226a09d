/**
 * What stands under the pointer in a scenario, explained: words by the tables that define them, steps and quantities by what they came to in a run of
 * the scenario. The first line says what matters.
 */
import type { SyntaxNode, Tree } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import { queries as readers } from '../run/queries.ts';
import { DOCUMENT } from '../scenario/imports.ts';
import { nameAt } from '../scenario/names.ts';
import type { QuerySpec } from '../scenario/operation-table.ts';
import { operation } from '../scenario/operations.ts';
import type { ActorKind, Expect, ScenarioUnit } from '../scenario/program.ts';
import { parseNumber } from '../scenario/quantity.ts';
import { queriesNamed } from '../scenario/queries.ts';
import { GUEST_SETTINGS, HOST_SETTINGS, SLOT_SETTINGS } from '../scenario/settings.ts';
import type { Answer, Asking } from './asking.ts';
import { decodedBlocks } from './decoded-blocks.ts';
import { importedBlocks, scenarioBlocks, sequenceBlocks, usedBlocks, variableBlocks } from './hover-declarations.ts';
import { expressionAt, expressionBlocks, guestBlocks, numberBlocks } from './hover-page.ts';
import { type Place, ruleBlocks, stepBlocks } from './hover-step.ts';
import {
  actorBlocks,
  fieldBlocks,
  functionBlocks,
  instructionBlocks,
  operandBlocks,
  operationBlocks,
  optionBlocks,
  outcomeBlocks,
  queryBlocks,
  queryWordBlocks,
  settingBlocks,
  statementBlocks,
} from './hover-words.ts';
import { decodeAt } from './log-line.ts';
import { type Block, type Line, list, text } from './prose.ts';
import { notesOf } from './step-notes.ts';

export interface Hover {
  /** Offsets in the document. */
  start: number;
  end: number;
  blocks: Block[];
}

/** Undefined: there is nothing to say. */
export function hoverAt(ask: Asking, offset: number): Answer<Hover | undefined> {
  const { analysis } = ask.view;
  const dump = decodeAt(analysis.text, offset);
  if (dump !== undefined) return { start: dump.start, end: dump.end, blocks: decodedBlocks(dump) };
  const leaf = leafAt(analysis.tree, offset);
  if (leaf === undefined) return undefined;
  const found = new Finder(ask, offset, leaf).find();
  if (found === 'later' || found === undefined || found.blocks.length === 0)
    return found === 'later' ? found : undefined;
  return found;
}

const COMMENTS = new Set([t.LineComment, t.DocComment]);
const STATEMENTS = new Set([
  t.Step,
  t.ExpectStatement,
  t.SequenceCall,
  t.LetStatement,
  t.ForStatement,
  t.AllowStatement,
  t.Setting,
  t.UseDeclaration,
  t.ImportDeclaration,
  t.GuestDeclaration,
  t.SequenceDeclaration,
  t.StubDeclaration,
  t.InvariantDeclaration,
  t.Forall,
  t.ScenarioDeclaration,
  t.HostDeclaration,
]);

/** The token at an offset, or in front of it at the end of a word. */
function leafAt(tree: Tree, offset: number): SyntaxNode | undefined {
  for (const side of [1, -1] as const) {
    const node = tree.resolveInner(offset, side);
    if (node.firstChild === null && node.to > node.from && !COMMENTS.has(node.type.id)) return node;
  }
  const around = tree.resolveInner(offset, 0);
  return COMMENTS.has(around.type.id) || around.type.isTop ? undefined : around;
}

/** The nearest node of one of these types, itself included. */
function enclosing(node: SyntaxNode, types: ReadonlySet<number>): SyntaxNode | undefined {
  for (let at: SyntaxNode | null = node; at !== null; at = at.parent) if (types.has(at.type.id)) return at;
  return undefined;
}

const only = (...types: number[]): ReadonlySet<number> => new Set(types);
type Found = Answer<Hover | undefined>;

class Finder {
  private readonly ask: Asking;
  private readonly offset: number;
  private readonly leaf: SyntaxNode;
  private readonly source: string;

  constructor(ask: Asking, offset: number, leaf: SyntaxNode) {
    this.ask = ask;
    this.offset = offset;
    this.leaf = leaf;
    this.source = ask.view.analysis.text.slice(leaf.from, leaf.to);
  }

  find(): Found {
    return this.said() ?? this.keyword();
  }

  /** The word that a statement begins with (after `use`, the one behind it too), where there is nothing more particular to say. */
  private keyword(): Hover | undefined {
    const { leaf } = this;
    const statement = leaf.parent;
    if (statement === null || !STATEMENTS.has(statement.type.id)) return undefined;
    const first = statement.firstChild;
    const isUse = statement.type.id === t.UseDeclaration && leaf.type.id === t.Name;
    if (first === null || (leaf.from !== first.from && !isUse)) return undefined;
    return this.at(leaf, statementBlocks(this.textOf(first)));
  }

  private said(): Found {
    const { leaf } = this;
    switch (leaf.type.id) {
      case t.RuleName:
        return this.at(leaf, ruleBlocks(this.source));
      case t.OptionName:
        return this.at(leaf, optionBlocks(this.source, this.ask.view.analysis.program.host));
    }
    const statement = enclosing(leaf, STATEMENTS);
    switch (statement?.type.id) {
      case t.Step:
        return this.inStep(statement);
      case t.ExpectStatement:
        return this.inExpect(statement);
      case t.Forall:
        return this.inQuery(undefined, leaf) ?? this.named();
      case t.SequenceCall:
        return this.inSequenceCall(statement);
      case t.Setting:
        return this.inSetting(statement);
      case t.UseDeclaration:
        return this.at(
          leaf,
          leaf.type.id === t.String ? usedBlocks(this.ask, this.kindOf(statement), this.source) : undefined,
        );
      case t.ImportDeclaration:
        return this.at(leaf, leaf.type.id === t.String ? importedBlocks(this.ask, this.source) : undefined);
      case t.ScenarioDeclaration:
        return this.at(
          leaf,
          leaf.type.id === t.String || leaf.type.id === t.kwScenario
            ? scenarioBlocks(this.ask, statement.from)
            : undefined,
        );
      case t.LetStatement:
        return leaf.type.id === t.Name && leaf.parent?.type.id === t.LetStatement && leaf.nextSibling !== null
          ? this.declared(statement)
          : (this.expression(statement) ?? this.named());
      case t.ForStatement:
        return this.expression(statement) ?? this.named();
      default:
        return this.named();
    }
  }

  private at(node: { from: number; to: number }, blocks: Block[] | undefined): Hover | undefined {
    return blocks === undefined || blocks.length === 0 ? undefined : { start: node.from, end: node.to, blocks };
  }

  /** What the step came to in a line, what is said of the word by itself, then what the step did. The first of `blocks` may be its head. */
  private withStep(node: SyntaxNode, blocks: Block[] | undefined, statement: SyntaxNode): Found {
    const place = this.place(statement);
    const did = place === undefined ? [] : stepBlocks(this.ask, place);
    if (did === 'later') return 'later';
    const head = blocks?.[0]?.is === 'code' ? blocks.slice(0, 1) : [];
    return this.at(node, [...head, ...did.slice(0, 1), ...(blocks ?? []).slice(head.length), ...did.slice(1)]);
  }

  /** Who acts is known to everybody: what came of it stands first. */
  private actor(node: SyntaxNode, step: SyntaxNode): Found {
    const did = this.withStep(node, undefined, step);
    if (did === 'later') return did;
    return this.at(node, [...(did?.blocks ?? []), ...(actorBlocks(this.source) ?? [])]);
  }

  // ---------------------------------------------------------------- where it is executed

  /** The instructions that a statement has become, in the first scenario that executes it. */
  private place(statement: SyntaxNode): Place | undefined {
    const { scenarios } = this.ask.view.analysis.program;
    const isCall = statement.type.id === t.SequenceCall;
    for (const unit of scenarios) {
      const inside = statement.from >= unit.start && statement.to <= unit.end;
      if (!inside && !this.isInSequence(statement)) continue;
      const pcs: number[] = [];
      for (const [pc, instruction] of unit.code.entries()) {
        const spans = isCall ? ('via' in instruction ? instruction.via : []) : [instruction.span];
        const here = spans.some((span) =>
          inside
            ? span.file === undefined && span.start + unit.start === statement.from
            : span.file === DOCUMENT && span.start === statement.from,
        );
        if (here && (!isCall || instruction.kind === 'step')) pcs.push(pc);
      }
      if (pcs.length > 0) return { unit, pcs, isCall };
      if (inside) return undefined;
    }
    return undefined;
  }

  private isInSequence(node: SyntaxNode): boolean {
    return enclosing(node, only(t.SequenceDeclaration)) !== undefined;
  }

  /** The expression under the pointer with its state. */
  private expression(statement: SyntaxNode): Found {
    const place = this.place(statement);
    const found = place === undefined ? undefined : this.expressionOf(place.unit, place.pcs);
    if (found === undefined) return this.literal();
    const { span } = found.expr;
    const base = span.file === undefined ? found.unit.start : 0;
    const blocks = expressionBlocks(this.ask, found);
    if (blocks === 'later') return 'later';
    return this.at({ from: span.start + base, to: span.end + base }, blocks);
  }

  private expressionOf(unit: ScenarioUnit, pcs: readonly number[]) {
    for (const pc of pcs) {
      const instruction = unit.code[pc];
      const { file } = instruction.span;
      const found = expressionAt(instruction, file === undefined ? this.offset - unit.start : this.offset, file);
      if (found !== undefined) return { unit, pc, ...found };
    }
    return undefined;
  }

  /** The name of a `let` in a scenario: what it is, and the value that it gets. */
  private declared(statement: SyntaxNode): Found {
    const place = this.place(statement);
    const pc = place?.pcs[0];
    const instruction = pc === undefined ? undefined : place?.unit.code[pc];
    const said = this.named();
    if (
      said === 'later' ||
      said === undefined ||
      place === undefined ||
      pc === undefined ||
      instruction?.kind !== 'let'
    )
      return said;
    const value = expressionBlocks(this.ask, { unit: place.unit, pc, expr: instruction.value, argument: -1 });
    return value === 'later' ? value : { ...said, blocks: [...said.blocks, ...value] };
  }

  private literal(): Hover | undefined {
    if (this.leaf.type.id !== t.Number) return undefined;
    const parsed = parseNumber(this.source);
    return 'error' in parsed ? undefined : this.at(this.leaf, numberBlocks(parsed.value, parsed.suffixed));
  }

  // ---------------------------------------------------------------- statements

  private inStep(step: SyntaxNode): Found {
    const { leaf } = this;
    const parent = leaf.parent;
    if (enclosing(leaf, only(t.Outcome)) !== undefined) {
      const blocks = leaf.type.id === t.Name || leaf.type.id === t.FaultName ? outcomeBlocks(this.source) : undefined;
      return this.withStep(leaf, blocks, step);
    }
    const actor = step.firstChild;
    const parts = step.getChildren(t.CallPart);
    const last = parts.at(-1);
    const operationNode = last?.getChild(t.Name) ?? undefined;
    const spec = this.specOf(actor, operationNode);
    if (operationNode !== undefined && leaf.from === operationNode.from && spec !== undefined) {
      const who = actor === null ? '' : this.textOf(actor);
      return this.withStep(leaf, operationBlocks(spec, who, this.source), step);
    }
    if (actor !== null && leaf.from === actor.from) {
      const guest = this.guestNamed(this.source);
      return guest === undefined ? this.actor(leaf, step) : this.at(leaf, guestBlocks(this.ask, guest));
    }
    if (enclosing(leaf, only(t.Arguments)) === undefined) return this.withStep(step, undefined, step);
    if (leaf.type.id === t.Name && parent?.type.id === t.NamedArgument && parent.firstChild?.from === leaf.from) {
      const operand = spec?.operands.find(({ name }) => name === this.source);
      return this.at(leaf, operand && spec && operandBlocks(spec, operand, this.source));
    }
    if (parent?.type.id === t.Call && parent.firstChild?.from === leaf.from) return this.functionCall(parent, step);
    const place = this.place(step);
    const found = place && this.expressionOf(place.unit, place.pcs);
    const operand =
      found === undefined || spec === undefined || spec.variadic ? undefined : spec.operands[found.argument];
    const isWord = found?.expr.kind === 'word' || found?.expr.kind === 'bool';
    if (isWord && operand !== undefined && spec !== undefined)
      return this.at(leaf, operandBlocks(spec, operand, this.source));
    const word = spec?.operands.find(
      (one) => one.words?.includes(this.source) || (one.form === 'flag' && one.name === this.source),
    );
    if (found === undefined && leaf.type.id === t.Name && word !== undefined && spec !== undefined)
      return this.at(leaf, operandBlocks(spec, word, this.source));
    if (leaf.type.id === t.Name || leaf.type.id === t.Number || found !== undefined) {
      const answer = this.expression(step) ?? this.named();
      if (answer !== undefined) return answer;
    }
    return this.withStep(step, undefined, step);
  }

  private specOf(actor: SyntaxNode | null, operationNode: SyntaxNode | undefined) {
    if (actor === null || operationNode === undefined) return undefined;
    const name = this.textOf(actor);
    if (name === 'kernel') return operation('kernel.call');
    const kind: ActorKind = actorBlocks(name) === undefined || name === 'guest' ? 'guest' : (name as ActorKind);
    return operation(`${kind}.${this.textOf(operationNode)}`);
  }

  /** `pfn(g, 64K)` by its name: what the function does, and what it came to. */
  private functionCall(call: SyntaxNode, statement: SyntaxNode): Found {
    const place = this.place(statement);
    const found = place && this.expressionOf(place.unit, place.pcs);
    const value = found === undefined ? [] : expressionBlocks(this.ask, found);
    if (value === 'later') return 'later';
    return this.at(call, [...(functionBlocks(this.source) ?? []), ...value]);
  }

  private inExpect(statement: SyntaxNode): Found {
    const { leaf } = this;
    const inCondition = enclosing(leaf, only(t.Condition));
    const query = statement.getChild(t.Query);
    if (inCondition !== undefined)
      return this.inQuery(query ?? undefined, leaf) ?? this.expression(statement) ?? this.named();
    if (query !== null && leaf.from === query.from) {
      const specs = queriesNamed(this.source);
      if (specs.length === 0) return undefined;
      const found = this.found(statement);
      if (found === 'later') return 'later';
      return this.at(leaf, [...found, ...queryBlocks(specs)]);
    }
    if (leaf.parent?.type.id === t.Call && leaf.parent.firstChild?.from === leaf.from)
      return this.functionCall(leaf.parent, statement);
    if (query !== null && leaf.type.id === t.Name && leaf.parent?.type.id === t.Arguments) {
      const spec = queriesNamed(this.textOf(query.firstChild ?? query))[0];
      const operand = spec?.operands.find(({ words }) => words?.includes(this.source));
      if (spec !== undefined && operand !== undefined)
        return this.at(leaf, instructionBlocks(spec, operand, this.source));
    }
    if (
      leaf.type.id === t.Name ||
      leaf.type.id === t.Number ||
      enclosing(leaf, only(t.Arguments, t.AllClause)) !== undefined
    ) {
      const answer = this.expression(statement) ?? this.named();
      if (answer !== undefined) return answer;
    }
    const found = this.found(statement);
    if (found === 'later') return 'later';
    return found.length === 0 && leaf.type.id === t.kwExpect
      ? this.at(leaf, statementBlocks('expect'))
      : this.at(statement, found);
  }

  /** Words and fields after `is`. */
  private inQuery(query: SyntaxNode | undefined, leaf: SyntaxNode): Hover | undefined {
    const name = query ?? enclosing(leaf, only(t.Claim, t.Query))?.getChild(t.Query) ?? enclosing(leaf, only(t.Query));
    const nameNode = name?.firstChild;
    if (nameNode === null || nameNode === undefined) return undefined;
    const specs = queriesNamed(this.textOf(nameNode));
    if (specs.length === 0) return undefined;
    if (leaf.from === nameNode.from) return this.at(leaf, queryBlocks(specs));
    return this.at(leaf, this.wordOf(specs));
  }

  private wordOf(specs: readonly QuerySpec[]): Block[] | undefined {
    const parent = this.leaf.parent;
    const asField = parent?.type.id === t.NamedArgument && parent.firstChild?.from === this.leaf.from;
    for (const spec of specs) {
      const field = spec.fields.find(({ name }) => name === this.source);
      if (field !== undefined && (asField || field.kind === 'bool')) return fieldBlocks(spec, field);
      if (!asField && Object.hasOwn(spec.words, this.source)) return queryWordBlocks(spec, this.source);
    }
    const field = specs[0].fields.find(({ words }) => words?.includes(this.source));
    return field === undefined || this.leaf.type.id !== t.Name ? undefined : fieldBlocks(specs[0], field);
  }

  /** What an `expect` of one page found when it was executed last; empty if it has not been. */
  private found(statement: SyntaxNode): Answer<Block[]> {
    const place = this.place(statement);
    const pc = place?.pcs[0];
    const expect = pc === undefined ? undefined : place?.unit.code[pc];
    if (place === undefined || pc === undefined || expect?.kind !== 'expect') return [];
    const book = notesOf(this.ask.view, place.unit);
    const replay = book?.replay();
    if (book === undefined || replay === undefined) return [];
    if (!book.notes.advance(replay, pc, this.ask.budget) && !this.ask.final) return 'later';
    const [note] = book.notes.of(pc);
    if (note === undefined) return [text('Not reached: the scenario ends or stops before it.')];
    if (this.ask.goTo(replay, note.instance) === undefined) return this.ask.final ? [] : 'later';
    const verdict = book.notes.of(pc).every(({ expected }) => expected) ? 'holds' : 'does not hold';
    const messages = note.findings.map(({ message }): Line => [this.ask.resolved(place.unit, book.notes, message)]);
    const what = describeQuery(expect, replay.run.values, replay.machine);
    return [
      text({ strong: verdict }, what === '' ? '' : ` · found ${what}`),
      ...(messages.length === 0 ? [] : [list(messages)]),
    ];
  }

  private inSequenceCall(call: SyntaxNode): Found {
    const { leaf } = this;
    const nameNode = call.firstChild;
    if (enclosing(leaf, only(t.Outcome)) !== undefined) return this.withStep(leaf, outcomeBlocks(this.source), call);
    if (nameNode !== null && leaf.from === nameNode.from)
      return this.withStep(leaf, sequenceBlocks(this.ask, this.source), call);
    if (enclosing(leaf, only(t.Arguments)) !== undefined) {
      const place = this.argumentOf(call);
      if (place !== undefined) {
        const blocks = expressionBlocks(this.ask, place);
        if (blocks === 'later') return 'later';
        const { span } = place.expr;
        const base = span.file === undefined ? place.unit.start : 0;
        return this.at({ from: span.start + base, to: span.end + base }, blocks);
      }
      const named = this.literal() ?? this.named();
      if (named !== undefined) return named;
    }
    return this.withStep(call, undefined, call);
  }

  /** An argument of a sequence that is computed at the call. */
  private argumentOf(call: SyntaxNode) {
    const unit = this.ask.view.analysis.program.scenarios.find((one) => call.from >= one.start && call.to <= one.end);
    if (unit === undefined) return undefined;
    const pcs = [...unit.code.entries()]
      .filter(([, one]) => one.kind === 'let' && one.span.start + unit.start === call.from)
      .map(([pc]) => pc);
    return this.expressionOf(unit, pcs);
  }

  private inSetting(setting: SyntaxNode): Found {
    const { leaf } = this;
    const isHost = enclosing(setting, only(t.HostDeclaration)) !== undefined;
    const first = setting.firstChild;
    const specs = isHost ? HOST_SETTINGS : GUEST_SETTINGS;
    const where = isHost ? 'the host' : 'a guest';
    if (first !== null && leaf.from === first.from) {
      const spec = specs.find(({ name }) => name === this.source);
      return this.at(leaf, spec && settingBlocks(spec, where));
    }
    if (leaf.type.id === t.Name && first !== null && this.textOf(first) === 'slot') {
      const spec = SLOT_SETTINGS.find(({ name }) => name === this.source);
      if (spec !== undefined) return this.at(leaf, settingBlocks(spec, 'a slot'));
    }
    return this.literal() ?? this.named();
  }

  // ---------------------------------------------------------------- names

  private guestNamed(name: string): number | undefined {
    const index = this.ask.view.analysis.program.guests.findIndex((guest) => guest.name === name);
    return index < 0 ? undefined : index;
  }

  /** A guest, a `let`, a sequence, by what the name refers to. */
  private named(): Found {
    if (this.leaf.type.id !== t.Name) return this.literal();
    const { analysis } = this.ask.view;
    const name = nameAt(analysis, this.offset);
    if (name === undefined) {
      // The name of a guest that is declared.
      const isGuest = this.leaf.parent?.type.id === t.GuestDeclaration;
      const guest = isGuest ? this.guestNamed(this.source) : undefined;
      if (guest !== undefined) return this.at(this.leaf, guestBlocks(this.ask, guest));
      return this.leaf.parent?.type.id === t.SequenceDeclaration
        ? this.at(this.leaf, sequenceBlocks(this.ask, this.source))
        : undefined;
    }
    const place = { from: name.start, to: name.end };
    switch (name.kind) {
      case 'guest': {
        const guest = this.guestNamed(name.name);
        return guest === undefined ? undefined : this.at(place, guestBlocks(this.ask, guest));
      }
      case 'sequence':
        return this.at(place, sequenceBlocks(this.ask, name.name));
      case 'function':
        return this.at(place, functionBlocks(name.name));
      case 'query':
        return this.at(place, queryBlocks(queriesNamed(name.name)));
      case 'variable':
        return this.at(place, name.definition && variableBlocks(this.ask, name.name, name.definition));
      default:
        return undefined;
    }
  }

  /** The word after `use`. */
  private kindOf(use: SyntaxNode): string {
    const kind = use.getChild(t.Name);
    return kind === null ? '' : this.textOf(kind);
  }

  private textOf(node: { from: number; to: number }): string {
    return this.ask.view.analysis.text.slice(node.from, node.to);
  }
}

/** What a query finds at this moment, in its words; empty where it cannot be asked. */
function describeQuery(
  expect: Expect,
  values: Parameters<NonNullable<Expect['args'][number]>['evaluate']>[0],
  machine: Parameters<(typeof readers)[string]>[0],
): string {
  if (expect.all !== undefined || expect.contains !== undefined) return '';
  const args = expect.args.map((expr) => {
    const value = expr?.evaluate(values, machine);
    return value === undefined || 'error' in value ? undefined : value;
  });
  const found = readers[expect.query](machine, args);
  return 'error' in found ? '' : found.text;
}
