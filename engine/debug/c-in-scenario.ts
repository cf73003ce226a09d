/**
 * What a C frame calls by name, in expressions of the scenario language: `rmp(pfn)`, `attr(g, slot->base_gfn)`. The language has functions of the same
 * names and knows no C, so values of C are put into the text, each as the quantity that its typedef says.
 */
import { hex } from '../base/text.ts';
import type { Machine } from '../run/machine.ts';
import type { FrameView } from '../vm/unwind.ts';
import { evaluateC } from './c-expression.ts';
import { localsOf, scalarOf } from './c-values.ts';

/** A name of C and what is selected of it. */
const POSTFIX = /(?<![\w.>)\]])[A-Za-z_]\w*(?:(?:->|\.)[A-Za-z_]\w*|\[[^\][()]*\])*(?!\w|\s*\()/g;

const QUANTITIES: Readonly<Record<string, (value: string) => string>> = {
  gfn_t: (value) => `gpa(gfn(${value}))`,
  gpa_t: (value) => `gpa(${value})`,
  kvm_pfn_t: (value) => `pfn(${value})`,
  hpa_t: (value) => `spa(${value})`,
};

/** The text with variables of the frame, where they stand as arguments, replaced by their values. A guest's name stays the guest's. */
export function withValuesOfC(machine: Machine, frame: FrameView, text: string): string {
  const names = new Set(localsOf(machine, frame).map(({ name }) => name));
  for (const guest of machine.guests) names.delete(guest.name);
  return text.replace(POSTFIX, (part, at: number) => {
    const name = /^\w+/.exec(part)?.[0] ?? '';
    if (!names.has(name) || depthAt(text, at) === 0) return part;
    const found = evaluateC(machine, frame, part);
    if ('error' in found || found.value.type.kind === 'pointer') return part;
    const number = scalarOf(machine, found.value);
    if (number === undefined || number < 0) return part;
    const value = hex(number);
    return QUANTITIES[found.value.type.alias ?? '']?.(value) ?? value;
  });
}

/** Parentheses open before a place. */
function depthAt(text: string, at: number): number {
  let depth = 0;
  for (let i = 0; i < at; i++) depth += text[i] === '(' ? 1 : text[i] === ')' ? -1 : 0;
  return depth;
}
