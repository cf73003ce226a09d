/**
 * The quantity at the cursor written in another way: hexadecimal or with a suffix, as the GFN of a GPA, the GPA that a frame backs, the frame behind a
 * GPA, the address of a frame. Only between ways that mean the same; where a guest's memory is decides the rest.
 */
import type { SyntaxNode as TreeNode } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import type { Analysis } from '../scenario/analyze.ts';
import { functionNamed } from '../scenario/functions.ts';
import type { GuestConfig, ValueKind } from '../scenario/program.ts';
import { formatQuantity, parseNumber } from '../scenario/quantity.ts';
import { queriesNamed } from '../scenario/queries.ts';
import { namesOf } from './complete.ts';
import { rowsOf } from './complete-condition.ts';
import { currentOperand } from './complete-value.ts';
import { cursorAt } from './cursor.ts';
import { expectedAt } from './expected.ts';
import type { Fix } from './fix.ts';
import { visibleNames } from './visible.ts';

const PAGE = 4096;

export function conversionsAt(analysis: Analysis, offset: number): Fix[] {
  const node = quantityAt(analysis, offset);
  if (node === undefined) return [];
  const text = (at: TreeNode): string => analysis.text.slice(at.from, at.to);
  const written = text(node);
  const ways = node.type.id === t.Number ? waysOfNumber(analysis, node, written) : waysOfCall(analysis, node, text);
  const seen = new Set([written]);
  return ways
    .filter(({ as }) => !seen.has(as) && seen.add(as))
    .map(({ as, what }) => ({ title: `Write as ${what}: ${as}`, edits: [{ from: node.from, to: node.to, text: as }] }));
}

interface Way {
  what: string;
  as: string;
}

/** A number, or a conversion of one. */
function quantityAt(analysis: Analysis, offset: number): TreeNode | undefined {
  for (const side of [1, -1] as const) {
    const inner = analysis.tree.resolveInner(Math.min(offset, analysis.tree.length), side);
    // On the name of a conversion: the whole call.
    for (let node: TreeNode | null = inner; node !== null; node = node.parent) {
      if (node.type.id === t.Number) return node;
      if (node.type.id === t.Call) {
        const name = node.getChild(t.Name);
        const on =
          name !== null && offset <= name.to && functionNamed(analysis.text.slice(name.from, name.to)) !== undefined;
        return on ? node : undefined;
      }
    }
  }
  return undefined;
}

const hexOf = (n: number): string => (n < 10 ? String(n) : `0x${n.toString(16)}`);

function numberIn(text: string): number | undefined {
  const parsed = parseNumber(text);
  return 'error' in parsed || typeof parsed.value !== 'number' ? undefined : parsed.value;
}

// ---------------------------------------------------------------- numbers

function waysOfNumber(analysis: Analysis, node: TreeNode, written: string): Way[] {
  const value = numberIn(written);
  if (value === undefined) return [];
  const kind = kindAt(analysis, node.from);
  const ways: Way[] = [];
  // The word 4K is no number.
  if (kind === 'word' || kind === undefined) return [];
  const suffixed = formatQuantity(value);
  const isBytes = kind === 'gpa' || kind === 'spa' || kind === 'size';
  if (value > 9) {
    if (/[KMGT]$/.test(written)) ways.push({ what: 'hexadecimal', as: `0x${value.toString(16)}` });
    else if (isBytes && /[KMGT]$/.test(suffixed)) ways.push({ what: 'a size', as: suffixed });
    else if (/^\d+$/.test(written)) ways.push({ what: 'hexadecimal', as: `0x${value.toString(16)}` });
    else ways.push({ what: 'decimal', as: String(value) });
  }
  if (kind === 'gpa' && value % PAGE === 0) ways.push({ what: 'gfn', as: `gpa(gfn(${hexOf(value / PAGE)}))` });
  if (kind === 'gfn') ways.push({ what: 'gpa', as: `gfn(gpa(${formatQuantity(value * PAGE)}))` });
  if (kind === 'spa' && value % PAGE === 0) ways.push({ what: 'pfn', as: `spa(pfn(${hexOf(value / PAGE)}))` });
  if (kind === 'pfn') {
    const backed = backedBy(analysis.declarations.guests, value);
    if (backed !== undefined)
      ways.push({ what: 'gpa', as: `pfn(${backed.guest.name}, ${formatQuantity(backed.gpa)})` });
    ways.push({ what: 'system address', as: `pfn(spa(${formatQuantity(value * PAGE)}))` });
  }
  return ways;
}

/** The kind that the place of a value wants. */
function kindAt(analysis: Analysis, offset: number): ValueKind | undefined {
  const cursor = cursorAt(analysis, offset);
  const names = namesOf(visibleNames(analysis, cursor.blockNode, offset));
  const expected = expectedAt(cursor, names);
  if (expected.is === 'field-value')
    return rowsOf(expected.query)
      .flatMap((row) => row.fields)
      .find((field) => field.name === expected.field)?.kind;
  if (expected.is !== 'value') return undefined;
  const { call, kind } = expected.wanted;
  if (call === undefined) return kind === 'range' ? 'gpa' : undefined;
  const { callee, parts } = call;
  if (callee.is === 'operation') {
    const current = currentOperand(call, callee.spec.operands);
    const operand = current && callee.spec.operands[current.index];
    return operand && element(operand.words === undefined ? operand.kind : 'word');
  }
  if (callee.is === 'query') {
    // Of the rows the first argument decides.
    const [first] = parts[0];
    const isGuest = first?.is === 'name' && names.isGuest(first.text);
    const row = queriesNamed(callee.name).find((one) => (one.operands[0]?.kind === 'guest') === isGuest);
    const operand = row?.operands[parts.length - 1];
    return operand && element(operand.words === undefined ? operand.kind : 'word');
  }
  return callee.is === 'function' && callee.name === 'pfn' && parts.length === 2 ? 'gpa' : undefined;
}

const element = (kind: ValueKind): ValueKind =>
  kind.endsWith('-range') ? (kind.slice(0, -'-range'.length) as ValueKind) : kind;

// ---------------------------------------------------------------- conversions

function waysOfCall(analysis: Analysis, call: TreeNode, text: (node: TreeNode) => string): Way[] {
  const { name, args } = partsOf(call, text);
  const [first, second] = args;
  if (first === undefined) return [];
  if (name === 'pfn' && second !== undefined && args.length === 2) {
    const guest = analysis.declarations.guests.find((one) => one.name === text(first));
    const gpa = numberIn(text(second));
    const pfn = guest === undefined || gpa === undefined ? undefined : backingOf(guest, gpa);
    if (pfn === undefined) return [];
    return [
      { what: 'pfn', as: `pfn(0x${pfn.toString(16)})` },
      { what: 'system address', as: `pfn(spa(${formatQuantity(pfn * PAGE)}))` },
    ];
  }
  if (args.length !== 1) return [];
  const inner = first.type.id === t.Call ? partsOf(first, text) : undefined;
  const value = numberIn(text(inner?.args[0] ?? first));
  if (value === undefined || (inner !== undefined && inner.args.length !== 1)) return [];
  switch (`${name} ${inner?.name ?? ''}`) {
    case 'gpa gfn':
      return [{ what: 'gpa', as: `gpa(${formatQuantity(value * PAGE)})` }];
    case 'gfn gpa':
      return value % PAGE === 0 ? [{ what: 'gfn', as: `gfn(${hexOf(value / PAGE)})` }] : [];
    case 'spa pfn':
      return [{ what: 'system address', as: `spa(${formatQuantity(value * PAGE)})` }];
    case 'pfn spa':
      return value % PAGE === 0 ? pfnWays(analysis, value / PAGE).slice(0, -1) : [];
    case 'pfn ':
      return pfnWays(analysis, value);
    case 'gpa ':
      return value % PAGE === 0 ? [{ what: 'gfn', as: `gpa(gfn(${hexOf(value / PAGE)}))` }] : [];
    case 'gfn ':
      return [{ what: 'gpa', as: `gfn(gpa(${formatQuantity(value * PAGE)}))` }];
    default:
      return [];
  }
}

function pfnWays(analysis: Analysis, pfn: number): Way[] {
  const backed = backedBy(analysis.declarations.guests, pfn);
  return [
    ...(backed === undefined ? [] : [{ what: 'gpa', as: `pfn(${backed.guest.name}, ${formatQuantity(backed.gpa)})` }]),
    { what: 'pfn', as: `pfn(0x${pfn.toString(16)})` },
    { what: 'system address', as: `pfn(spa(${formatQuantity(pfn * PAGE)}))` },
  ];
}

function partsOf(call: TreeNode, text: (node: TreeNode) => string): { name: string; args: TreeNode[] } {
  const name = call.getChild(t.Name);
  const list = call.getChild(t.Arguments);
  const args: TreeNode[] = [];
  for (let child = list?.firstChild ?? null; child !== null; child = child.nextSibling)
    if (
      child.type.id === t.Number ||
      child.type.id === t.Name ||
      child.type.id === t.Call ||
      child.type.id === t.Binary
    )
      args.push(child);
  return { name: name === null ? '' : text(name), args };
}

/** The page of a guest that a frame backs privately. */
function backedBy(guests: readonly GuestConfig[], pfn: number): { guest: GuestConfig; gpa: number } | undefined {
  for (const guest of guests) {
    for (const slot of guest.slots) {
      const at = pfn - (slot.pfn + slot.fileOffset);
      if (slot.private && at >= 0 && at < (slot.gpaEnd - slot.gpaStart) / PAGE)
        return { guest, gpa: slot.gpaStart + at * PAGE };
    }
  }
  return undefined;
}

function backingOf(guest: GuestConfig, gpa: number): number | undefined {
  const slot = guest.slots.find((one) => one.private && gpa >= one.gpaStart && gpa < one.gpaEnd);
  if (slot === undefined || gpa % PAGE !== 0) return undefined;
  return slot.pfn + slot.fileOffset + (gpa - slot.gpaStart) / PAGE;
}
