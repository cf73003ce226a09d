/** What stands after `=>`: from syntax to an {@link OutcomePattern}, and back to canonical text. */
import * as t from '../generated/scenario-parser-terms.ts';
import { type Context, quoted, suggestion } from './context.ts';
import type { OutcomePattern } from './program.ts';
import { parseNumber } from './quantity.ts';
import { child, type SyntaxNode } from './syntax.ts';
import {
  ERRNOS,
  EVENT_CODES,
  EXIT_BY_NUMBER,
  EXITS,
  FAULT_BITS,
  FAULTS,
  FIRMWARE_CODES,
  OUTCOME_WORDS,
  RETURN_CODES,
} from './words.ts';

const PLAIN = new Set(['ok', 'fails', 'any', 'livelock', 'trap']);
const CODES = new Set<string>([...RETURN_CODES, ...FIRMWARE_CODES, ...EVENT_CODES]);
const ERRNO = new Set(ERRNOS);
const EXIT = new Set<string>(EXITS);
const isExit = (word: string): boolean => EXIT.has(word) || EXIT_BY_NUMBER.test(word);

/** The pattern of an `Outcome` node, or undefined after a problem. */
export function outcomePattern(ctx: Context, node: SyntaxNode): OutcomePattern | undefined {
  const span = ctx.span(node);
  const first = node.children[0];
  const name = child(node, t.Name);
  const bits = child(node, t.FaultBits);
  const number = child(node, t.Number);
  if (first.type === t.FaultName) return fault(ctx, node, ctx.source(first), bits);
  if (name === undefined) {
    if (number === undefined) return undefined;
    const parsed = parseNumber(ctx.source(number));
    if ('error' in parsed) return ctx.problem('VALUE', number, `${parsed.error}.`);
    if (first.type === t.Minus) {
      return ctx.problem(
        'OUTCOME-PATTERN',
        node,
        'A negative result is written as its errno: `=> EINVAL` for -EINVAL.',
      );
    }
    const value = Number(parsed.value);
    return done({ span, form: 'value', text: '', value: Number.isSafeInteger(value) ? value : BigInt(parsed.value) });
  }
  const word = ctx.source(name);
  if (number !== undefined) {
    const value = ctx.source(number);
    if (word !== 'CF' || (value !== '0' && value !== '1'))
      return ctx.problem(
        'OUTCOME-PATTERN',
        node,
        `${quoted(ctx, node)} is no outcome; the carry flag is written \`CF=1\` or \`CF=0\`.`,
      );
    return done({ span, form: 'cf', text: '', value: Number(value) });
  }
  if (word === 'exit' && bits !== undefined) {
    const reason = bits.children.find((c) => c.type === t.Name);
    const full = reason === undefined ? '' : ctx.source(reason).replace(/^(KVM_EXIT_)?/, 'KVM_EXIT_');
    if (isExit(full)) return done({ span, form: 'exit', text: '', name: full });
    return ctx.problem('OUTCOME-PATTERN', bits, `KVM has no such exit.${suggestion(full, EXITS, 'Exits').text}`);
  }
  if (bits !== undefined) {
    const asFault = FAULTS.includes(`#${word}` as (typeof FAULTS)[number])
      ? [{ title: `Change to #${word}`, replacement: `#${ctx.source(node)}` }]
      : [];
    return ctx.problem(
      'OUTCOME-PATTERN',
      node,
      `Only faults have bits${asFault.length > 0 ? `, and a fault is written with its #: \`#${ctx.source(node)}\`` : ', as in `#NPF(RMP)`'}.`,
      asFault,
    );
  }
  if (PLAIN.has(word)) return done({ span, form: word as 'ok', text: '' });
  if (CODES.has(word)) return done({ span, form: 'code', text: '', name: word });
  if (ERRNO.has(word)) return done({ span, form: 'errno', text: '', name: word });
  if (isExit(word)) return done({ span, form: 'exit', text: '', name: word });
  const withHash = FAULTS.find((known) => known.slice(1) === word.toUpperCase());
  if (withHash !== undefined) {
    return ctx.problem('OUTCOME-PATTERN', node, `A fault is written with its #: \`${withHash}\`.`, [
      { title: `Change to ${withHash}`, replacement: withHash },
    ]);
  }
  const { text, fixes } = suggestion(word, OUTCOME_WORDS, 'Outcomes');
  return ctx.problem(
    'OUTCOME-PATTERN',
    node,
    `${quoted(ctx, node)} is no outcome.${text || ' An outcome is `ok`, `fails`, `any`, a return code (FAIL_OVERLAP), an errno (EINVAL), a fault (#NPF(RMP)), `CF=1`, an exit (KVM_EXIT_MEMORY_FAULT), `livelock` or a number.'}`,
    fixes,
  );
}

function fault(ctx: Context, node: SyntaxNode, name: string, list: SyntaxNode | undefined): OutcomePattern | undefined {
  if (!(FAULTS as readonly string[]).includes(name)) {
    const { text, fixes } = suggestion(name, FAULTS, 'Faults');
    return ctx.problem('OUTCOME-PATTERN', node, `\`${name}\` is no fault that the language knows.${text}`, fixes);
  }
  const span = ctx.span(node);
  const parts = list?.children.filter((c) => c.type === t.Name || c.type === t.Number) ?? [];
  if (parts.length === 0) return done({ span, form: 'fault', text: '', name });
  if (name === '#VC' || name === '#GP') {
    const parsed = parts.length === 1 && parts[0].type === t.Number ? parseNumber(ctx.source(parts[0])) : { error: '' };
    if ('error' in parsed) {
      return ctx.problem(
        'OUTCOME-PATTERN',
        list as SyntaxNode,
        name === '#VC'
          ? '#VC carries one exit code: `#VC(0x404)` is PAGE_NOT_VALIDATED.'
          : '#GP carries one number: `#GP(0)`.',
      );
    }
    const value = Number(parsed.value);
    // #GP(0) is how one writes a #GP without a selector: no bit is set.
    if (name === '#GP')
      return done({
        span,
        form: 'fault',
        text: '',
        name,
        ...(value === 0 ? {} : { bits: [`0x${value.toString(16)}`], value }),
      });
    return done({ span, form: 'fault', text: '', name, bits: [`0x${value.toString(16)}`], value });
  }
  const set = new Set<string>();
  for (const part of parts) {
    const source = ctx.source(part);
    if (part.type === t.Number) {
      const parsed = parseNumber(source);
      if ('error' in parsed) return ctx.problem('VALUE', part, `${parsed.error}.`);
      const code = BigInt(parsed.value);
      for (const { name: bit, bit: position } of FAULT_BITS) if ((code >> BigInt(position)) & 1n) set.add(bit);
    } else if (FAULT_BITS.some((bit) => bit.name === source)) {
      set.add(source);
    } else {
      const names = FAULT_BITS.map((bit) => bit.name);
      const { text, fixes } = suggestion(source, names, 'Bits');
      return ctx.problem(
        'OUTCOME-PATTERN',
        part,
        `An error code has no bit \`${source}\`.${text || ` Bits: ${names.join(', ')}.`}`,
        fixes,
      );
    }
  }
  return done({ span, form: 'fault', text: '', name, bits: ORDER.filter((bit) => set.has(bit)) });
}

/** The order in which an error code's bits are written: RMP first, as the manual's tables have it, then the page-fault bits. */
const ORDER: readonly string[] = [
  ...FAULT_BITS.filter((b) => b.bit >= 31),
  ...FAULT_BITS.filter((b) => b.bit < 31),
].map((b) => b.name);

function done(pattern: OutcomePattern): OutcomePattern {
  pattern.text = formatOutcomePattern(pattern);
  return pattern;
}

/** As the user would write it after `=>`. */
export function formatOutcomePattern(pattern: OutcomePattern): string {
  switch (pattern.form) {
    case 'cf':
      return `CF=${pattern.value}`;
    case 'value':
      return (pattern.value ?? 0) > 9 ? `0x${(pattern.value ?? 0).toString(16)}` : String(pattern.value ?? 0);
    case 'fault':
      return pattern.bits === undefined ? (pattern.name ?? '') : `${pattern.name}(${pattern.bits.join('|')})`;
    case 'code':
    case 'errno':
    case 'exit':
      return pattern.name ?? '';
    default:
      return pattern.form;
  }
}
