/**
 * One scenario to a {@link ScenarioUnit}, and again after an edit: the statements in front of the change are taken over as they are, those behind it too if
 * what they see is the same, moved to where they stand now.
 *
 * The instructions taken over are the very same objects: a run that compares them finds at once where an edited scenario first differs.
 */
import type { Tree, TreeCursor } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import { Context, type NameListener } from './context.ts';
import { type Declarations, quotedText } from './declarations.ts';
import { BlockLowering, reportBraces } from './lower-block.ts';
import type { Change } from './parse.ts';
import type { Instruction, Problem, ScenarioUnit, Span, Value } from './program.ts';
import { type Binding, Scope } from './scope.ts';
import { ERROR, isFlaw, type SyntaxNode, stringValue, syntaxNode } from './syntax.ts';
import { reportFlaw } from './syntax-problems.ts';
import { UnitBuilder } from './unit-builder.ts';

/** How far everything had come after a statement. */
interface Mark {
  /** Nodes of the block. */
  nodes: number;
  code: number;
  problems: number;
  variables: number;
  allows: number;
  bindings: number;
  places: number;
  inlined: number;
}

const START: Mark = { nodes: 0, code: 0, problems: 0, variables: 0, allows: 0, bindings: 0, places: 0, inlined: 0 };

/** What is remembered of a scenario for the next edit. */
export interface UnitRecord {
  /** Type, from, to of each node of the block, relative to the scenario. */
  nodes: readonly number[];
  /** After each statement; the first is the start. */
  marks: readonly Mark[];
  /** Problems of the block, in their order. */
  problems: readonly Problem[];
  bindings: readonly Binding[];
  places: readonly Span[];
  refersOutside: boolean;
  /** Gave up for too many problems. */
  full: boolean;
}

export interface Lowered {
  unit: ScenarioUnit;
  record: UnitRecord;
}

/** The scenario as it was before an edit, and what the edit changed, in offsets of the document. */
export interface Earlier {
  unit: ScenarioUnit;
  record: UnitRecord;
  change: Change;
}

/** @param assumed values of variables, by slot, in place of constants that the text gives them */
export function lowerScenario(
  text: string,
  tree: Tree,
  from: number,
  declarations: Declarations,
  earlier?: Earlier,
  names?: NameListener,
  assumed?: ReadonlyMap<number, Value>,
): Lowered {
  const { home, guests, known } = declarations;
  const scope = new Scope(home.scope);
  const builder = new UnitBuilder(scope);
  builder.assumed = assumed;
  const headProblems: Problem[] = [];
  const surroundings = { text, base: from, file: undefined, scope, home, guests, names };
  const head = new Context({ ...surroundings, sink: (problem) => headProblems.push(problem) });
  const ctx = new Context({ ...surroundings, sink: (problem) => builder.report(problem), collector: builder });

  const cursor = scenarioAt(tree, from);
  const to = cursor?.to ?? from;
  let name = '';
  let nameSpan: Span = { start: 0, end: 'scenario'.length };
  const nodes: number[] = [];
  const marks: Mark[] = [START];
  if (cursor?.firstChild()) {
    do {
      if (cursor.type.id === t.DeclarationBlock) {
        const from0 = cursor.from;
        const body = blockNodes(cursor, from, nodes);
        reportBraces(head, body.braces, from0);
        lowerBody(ctx, builder, known, cursor, nodes, marks, earlier);
        continue;
      }
      const node = syntaxNode(cursor);
      if (isFlaw(node))
        reportFlaw(head, {
          ...node,
          type: t.ScenarioDeclaration,
          children: [{ ...node, type: t.kwScenario }, node],
          flawed: true,
        });
      else if (node.type === t.String || node.type === t.Name) {
        nameSpan = head.span(node);
        name = nameOf(head, node);
      }
    } while (cursor.nextSibling());
  }
  const unit: ScenarioUnit = {
    name,
    doc: '',
    start: from,
    end: to,
    nameSpan,
    code: builder.code,
    variables: builder.variableNames.length,
    variableNames: builder.variableNames,
    allows: builder.allows,
    problems: headProblems.length === 0 ? builder.problems : [...headProblems, ...builder.problems],
    text: text.slice(from, to),
  };
  const { bindings, places, refersOutside, full } = builder;
  return { unit, record: { nodes, marks, problems: builder.problems, bindings, places, refersOutside, full } };
}

function nameOf(ctx: Context, node: SyntaxNode): string {
  const source = ctx.source(node);
  const quoted = quotedText(ctx, node, 'The name of a scenario');
  return quoted ?? (node.type === t.Name ? source : (stringValue(`${source}"`) ?? ''));
}

function scenarioAt(tree: Tree, from: number): TreeCursor | undefined {
  const cursor = tree.cursor();
  if (!cursor.childAfter(from)) return undefined;
  do {
    if (cursor.from === from && cursor.type.id === t.ScenarioDeclaration) return cursor;
  } while (cursor.from <= from && cursor.nextSibling());
  return undefined;
}

/** Fills `nodes` with the places of a block's nodes and returns its braces. The cursor stays on the block. */
function blockNodes(cursor: TreeCursor, base: number, nodes: number[]): { braces: SyntaxNode[] } {
  const braces: SyntaxNode[] = [];
  if (!cursor.firstChild()) return { braces };
  do {
    const { id } = cursor.type;
    if (id === t.LineComment || id === t.DocComment || id === t.BlockClose) continue;
    if (id === t.BlockOpen || id === t.UnclosedBlock)
      braces.push({ type: id, from: cursor.from, to: cursor.to, children: [], flawed: false });
    else if (id !== t.Missing && id !== t.MissingHere)
      nodes.push(cursor.type.isError ? ERROR : id, cursor.from - base, cursor.to - base);
  } while (cursor.nextSibling());
  cursor.parent();
  return { braces };
}

// ---------------------------------------------------------------- the body

function lowerBody(
  ctx: Context,
  builder: UnitBuilder,
  known: ReadonlySet<string>,
  cursor: TreeCursor,
  nodes: readonly number[],
  marks: Mark[],
  earlier: Earlier | undefined,
): void {
  const total = nodes.length / 3;
  const usable = earlier !== undefined && !earlier.record.full ? earlier : undefined;
  const front = usable === undefined ? START : sameFront(ctx, usable, nodes);
  if (usable !== undefined) takeFront(builder, usable, front, marks);
  const back = usable === undefined ? undefined : sameBack(ctx, usable, nodes, front);
  const backNodes = back === undefined || usable === undefined ? 0 : usable.record.nodes.length / 3 - back.nodes;
  lowerNodes(ctx, builder, known, cursor, nodes, front.nodes, total - backNodes, marks);
  if (usable === undefined || back === undefined || builder.full) return;
  const shift = usable.change.newEnd - usable.change.oldEnd;
  if (!takeBack(builder, usable, front, back, shift, total, marks)) {
    lowerNodes(ctx, builder, known, cursor, nodes, total - backNodes, total, marks);
  }
}

/** Lowers the nodes `from .. to` of the block. */
function lowerNodes(
  ctx: Context,
  builder: UnitBuilder,
  known: ReadonlySet<string>,
  cursor: TreeCursor,
  nodes: readonly number[],
  from: number,
  to: number,
  marks: Mark[],
): void {
  if (from >= to) return;
  const list: SyntaxNode[] = [];
  const first = nodes[from * 3 + 1] + ctx.base;
  if (!cursor.childAfter(first)) return;
  let i = from;
  do {
    const type = cursor.type.isError ? ERROR : cursor.type.id;
    if (
      cursor.from - ctx.base === nodes[i * 3 + 1] &&
      cursor.to - ctx.base === nodes[i * 3 + 2] &&
      type === nodes[i * 3]
    ) {
      list.push(syntaxNode(cursor));
      i++;
    }
  } while (i < to && cursor.nextSibling());
  cursor.parent();
  new BlockLowering(builder, known).lines(ctx, list, (done) => {
    marks.push(markOf(builder, from + done));
  });
}

function markOf(builder: UnitBuilder, nodes: number): Mark {
  return {
    nodes,
    code: builder.code.length,
    problems: builder.problems.length,
    variables: builder.variableNames.length,
    allows: builder.allows.length,
    bindings: builder.bindings.length,
    places: builder.places.length,
    inlined: builder.inlined,
  };
}

const endsLine = (text: string, from: number, to: number): boolean => {
  for (let i = from; i < to; i++) if (text.charCodeAt(i) === 10 || text.charCodeAt(i) === 13) return true;
  return false;
};

/** The last mark in front of the change: everything up to it stands as it stood. */
function sameFront(ctx: Context, { record, change }: Earlier, nodes: readonly number[]): Mark {
  const limit = change.prefix - ctx.base;
  const old = record.nodes;
  const length = Math.min(old.length, nodes.length);
  let same = 0;
  for (; same < length; same += 3) {
    if (nodes[same] !== old[same] || nodes[same + 1] !== old[same + 1] || nodes[same + 2] !== old[same + 2]) break;
    if (nodes[same + 2] >= limit) break;
  }
  // What follows on the line of a statement belongs to it.
  while (same > 0 && !endsLine(ctx.text, nodes[same - 1] + ctx.base, change.prefix)) same -= 3;
  return lastMark(record.marks, same / 3);
}

/** The last mark with at most so many nodes. */
function lastMark(marks: readonly Mark[], nodes: number): Mark {
  let low = 0;
  let high = marks.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (marks[middle].nodes <= nodes) low = middle;
    else high = middle;
  }
  return marks[low];
}

/** Nodes of a block that a waiting `allow` passes over. */
const NO_STATEMENT: ReadonlySet<number> = new Set([ERROR, t.Junk, t.StrayBlock]);

/** The first mark behind the change from which on everything stands as it stood, but for its place; undefined if there is none. */
function sameBack(ctx: Context, { record, change }: Earlier, nodes: readonly number[], front: Mark): Mark | undefined {
  const old = record.nodes;
  const shift = change.newEnd - change.oldEnd;
  const limit = change.newEnd - ctx.base;
  let i = nodes.length;
  let j = old.length;
  while (i > front.nodes * 3 && j > front.nodes * 3) {
    if (nodes[i - 3] !== old[j - 3] || nodes[i - 2] !== old[j - 2] + shift || nodes[i - 1] !== old[j - 1] + shift)
      break;
    if (nodes[i - 2] < limit || !endsLine(ctx.text, change.newEnd, nodes[i - 2] + ctx.base)) break;
    i -= 3;
    j -= 3;
  }
  const wanted = j / 3;
  if (wanted === old.length / 3) return undefined;
  let mark = lastMark(record.marks, wanted);
  if (mark.nodes < wanted) {
    mark = record.marks[record.marks.indexOf(mark) + 1];
    if (mark === undefined) return undefined;
  }
  // An `allow` in front of the part that would be taken over may wait for its first statement, which then is another one than before. What is
  // no statement does not end the wait.
  let inFront = nodes.length / 3 - (old.length / 3 - mark.nodes) - 1;
  while (inFront >= front.nodes && NO_STATEMENT.has(nodes[inFront * 3])) inFront--;
  if (inFront >= front.nodes && nodes[inFront * 3] === t.AllowStatement) return undefined;
  // An `allow` that waits at the end has no mark behind it.
  const last = record.marks[record.marks.length - 1];
  return last.nodes === old.length / 3 && mark.nodes < last.nodes ? mark : undefined;
}

function takeFront(builder: UnitBuilder, { unit, record }: Earlier, front: Mark, marks: Mark[]): void {
  builder.code = unit.code.slice(0, front.code);
  builder.variableNames = unit.variableNames.slice(0, front.variables);
  builder.allows = unit.allows.slice(0, front.allows);
  builder.problems = record.problems.slice(0, front.problems);
  builder.places = record.places.slice(0, front.places);
  builder.bindings = record.bindings.slice(0, front.bindings);
  for (const binding of builder.bindings) builder.scope.bind(binding);
  builder.inlined = front.inlined;
  // Whether the part taken over refers outside is not known: it may.
  if (front.code > 0) builder.refersOutside = record.refersOutside;
  for (const mark of record.marks) if (mark !== START && mark.nodes <= front.nodes) marks.push(mark);
}

/** Takes over the statements behind the change; false if they would mean something else now. */
function takeBack(
  builder: UnitBuilder,
  { unit, record }: Earlier,
  front: Mark,
  back: Mark,
  shift: number,
  total: number,
  marks: Mark[],
): boolean {
  if (builder.variableNames.length !== back.variables) return false;
  if (!sameBindings(builder.bindings, record.bindings, front.bindings, back.bindings)) return false;
  const delta = {
    nodes: total - record.nodes.length / 3,
    code: builder.code.length - back.code,
    problems: builder.problems.length - back.problems,
    allows: builder.allows.length - back.allows,
    bindings: builder.bindings.length - back.bindings,
    places: builder.places.length - back.places,
    inlined: builder.inlined - back.inlined,
  };
  if (shift !== 0) {
    for (let i = back.places; i < record.places.length; i++) {
      const place = record.places[i];
      place.start += shift;
      place.end += shift;
    }
  }
  const { code } = unit;
  const before = builder.code.length;
  builder.code = builder.code.concat(code.slice(back.code));
  if (delta.code !== 0 || delta.allows !== 0) {
    for (let i = before; i < builder.code.length; i++)
      builder.code[i] = renumbered(builder.code[i], delta.code, delta.allows);
  }
  builder.variableNames = builder.variableNames.concat(unit.variableNames.slice(back.variables));
  builder.allows = builder.allows.concat(unit.allows.slice(back.allows));
  builder.problems = builder.problems.concat(record.problems.slice(back.problems));
  builder.places = builder.places.concat(record.places.slice(back.places));
  builder.bindings = builder.bindings.concat(record.bindings.slice(back.bindings));
  for (const binding of builder.bindings) builder.scope.bind(binding);
  builder.inlined += record.marks[record.marks.length - 1].inlined - back.inlined;
  builder.refersOutside ||= record.refersOutside;
  const unchanged = Object.values(delta).every((n) => n === 0);
  for (let i = record.marks.indexOf(back) + 1; i < record.marks.length; i++) {
    const mark = record.marks[i];
    if (unchanged) {
      marks.push(mark);
      continue;
    }
    marks.push({
      nodes: mark.nodes + delta.nodes,
      code: mark.code + delta.code,
      problems: mark.problems + delta.problems,
      variables: mark.variables,
      allows: mark.allows + delta.allows,
      bindings: mark.bindings + delta.bindings,
      places: mark.places + delta.places,
      inlined: mark.inlined + delta.inlined,
    });
  }
  return true;
}

/** An instruction that names others by number, with the numbers they have now. */
function renumbered(instruction: Instruction, code: number, allows: number): Instruction {
  switch (instruction.kind) {
    case 'for':
      return code === 0 ? instruction : { ...instruction, exit: instruction.exit + code };
    case 'next':
      return code === 0 ? instruction : { ...instruction, head: instruction.head + code };
    case 'allow':
    case 'allow-end':
      return allows === 0 ? instruction : { ...instruction, allow: instruction.allow + allows };
    default:
      return instruction;
  }
}

/** Whether the names that the changed part declares mean what they meant. */
function sameBindings(now: readonly Binding[], old: readonly Binding[], from: number, oldTo: number): boolean {
  if (now.length !== oldTo) return false;
  for (let i = from; i < oldTo; i++) {
    const { declared: _a, ...a } = now[i];
    const { declared: _b, ...b } = old[i];
    if (!sameMeaning(a, b)) return false;
  }
  return true;
}

function sameMeaning(a: Omit<Binding, 'declared'>, b: Omit<Binding, 'declared'>): boolean {
  const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
  return JSON.stringify(a, plain) === JSON.stringify(b, plain);
}
