// What can be typed into the search box, and what it means:
//
//   pfn 0x40000        a frame; gfn 512: a guest's page; both take ranges: pfn 0x40000..0x40200
//   spa 1G+2M          a host address; gpa 2M g: an address of guest g; ranges too
//   asid 1             all frames that a guest owns
//   rule ATTR-RMP      where a rule was violated; rule: all violations
//   is Guest-Valid     pages of a kind, by the legend's words
//   0x40200000         by itself: an address of the host, or of any guest
//
// Numbers are hex (0x…) or decimal, with K, M, G, T for binary multiples and + between them.

export type Query =
  | { kind: 'pages'; space: 'host' | 'guest' | 'any'; guest?: string; start: number; end: number }
  | { kind: 'asid'; asid: number }
  | { kind: 'rule'; rule: string }
  | { kind: 'is'; word: string };

/** A reason, in words for the user. */
export type ParsedQuery = { query: Query } | { error: string };

const multiples: Record<string, number> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `0x1000`, `4096`, `2M`, `1G+2M`, `0x4000_0000`. Undefined for what is no such number, or is too large to be exact. */
export function parseNumber(text: string): number | undefined {
  let sum = 0;
  for (const part of text.split('+')) {
    const match = /^(0x[0-9a-f_]+|[0-9][0-9_]*)(?:([kmgt])(?:i?b)?)?$/i.exec(part.trim());
    if (!match) return undefined;
    // In hex, a letter at the end is a digit if it can be one.
    const value = Number(match[1].replaceAll('_', ''));
    if (Number.isNaN(value)) return undefined;
    sum += value * multiples[(match[2] ?? '').toLowerCase()];
  }
  return Number.isSafeInteger(sum) ? sum : undefined;
}

interface Words {
  number: 'pages' | 'bytes';
  space: 'host' | 'guest';
  what: string;
}

const spaces: Record<string, Words> = {
  pfn: { number: 'pages', space: 'host', what: 'a page frame number' },
  spa: { number: 'bytes', space: 'host', what: 'an address' },
  gfn: { number: 'pages', space: 'guest', what: 'a guest page number' },
  gpa: { number: 'bytes', space: 'guest', what: 'a guest address' },
};

const examples = 'pfn 0x40000, gfn 512, gpa 2M, spa 1G, asid 1, rule ATTR-RMP, is private';

export function parseQuery(text: string): ParsedQuery {
  const words = text.trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return { error: `Type what to look for: ${examples}.` };
  const [first, ...rest] = words;
  const keyword = first.toLowerCase();
  const space = spaces[keyword];
  if (space) return parsePages(keyword, space, rest);
  if (keyword === 'asid') {
    const asid = parseNumber(rest[0] ?? '');
    if (asid === undefined || rest.length > 1) return { error: 'asid takes a number: asid 1.' };
    return { query: { kind: 'asid', asid } };
  }
  if (keyword === 'rule') {
    if (rest.length > 1) return { error: 'rule takes one rule: rule ATTR-RMP. Without it, all violations.' };
    return { query: { kind: 'rule', rule: rest[0] ?? '' } };
  }
  if (keyword === 'is') {
    if (rest.length === 0) return { error: 'is takes a word of the legend: is Guest-Valid, is private, is 2M entry.' };
    return { query: { kind: 'is', word: rest.join(' ') } };
  }
  const range = words.length === 1 ? parseRange(first, 'bytes') : undefined;
  if (range) return 'error' in range ? range : { query: { kind: 'pages', space: 'any', ...range } };
  return { error: `“${cut(first)}” is nothing to look for. Try ${examples}.` };
}

function parsePages(keyword: string, { number, space, what }: Words, rest: readonly string[]): ParsedQuery {
  const example = number === 'pages' ? '0x40000 or 0x40000..0x40200' : '0x40000000, 2M or 2M..4M';
  if (rest.length === 0) return { error: `${keyword} takes ${what}: ${example}.` };
  const range = parseRange(rest[0], number);
  if (!range) return { error: `“${cut(rest[0])}” is not ${what}: ${example}.` };
  if ('error' in range) return range;
  if (rest.length > 2 || (rest.length === 2 && space === 'host'))
    return { error: `“${cut(rest.at(-1)!)}” is one word too many.` };
  return { query: { kind: 'pages', space, ...(rest[1] ? { guest: rest[1] } : {}), ...range } };
}

/** Pages `[start, end)` of a number or a range of them. */
function parseRange(
  text: string,
  number: 'pages' | 'bytes',
): { start: number; end: number } | { error: string } | undefined {
  const [from, to, more] = text.split('..');
  const low = parseNumber(from);
  if (low === undefined || more !== undefined) return undefined;
  const unit = number === 'pages' ? 1 : 4096;
  const start = Math.floor(low / unit);
  if (to === undefined) return { start, end: start + 1 };
  const high = parseNumber(to);
  if (high === undefined) return undefined;
  if (high <= low) return { error: `${cut(text)} is empty: the end is not after the start.` };
  return { start, end: Math.ceil(high / unit) };
}

const cut = (text: string): string => (text.length > 24 ? `${text.slice(0, 24)}…` : text);
