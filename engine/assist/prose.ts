/**
 * Text with a little structure, for whoever shows explanations to people: a hover in Markdown or in plain text, a terminal. What is said is decided
 * once; how it looks is decided where it is shown.
 */

/** A place in a file, as the engine names files. `line` from 0. */
export interface Link {
  path: string;
  line: number;
}

export type Inline =
  | string
  | { code: string }
  | { strong: string }
  | { text: string; to: Link }
  /** The page that explains a rule. */
  | { text: string; rule: string };

export type Line = readonly Inline[];

export type Block =
  | { is: 'text'; line: Line }
  | { is: 'list'; lines: readonly Line[] }
  /** In the scenario language, in C, or as it is. */
  | { is: 'code'; text: string; language: 'snpscenario' | 'c' | 'text' }
  /** The first row is the head; it may be empty cells. */
  | { is: 'table'; rows: readonly (readonly Line[])[] };

export const text = (...line: Inline[]): Block => ({ is: 'text', line });
export const list = (lines: readonly Line[]): Block => ({ is: 'list', lines });
export const table = (rows: readonly (readonly Line[])[]): Block => ({ is: 'table', rows });
export const source = (code: string, language: 'snpscenario' | 'c' | 'text' = 'snpscenario'): Block => ({
  is: 'code',
  text: code,
  language,
});

/** A sentence of one of our tables, in which backquotes mark code. */
export function sentence(written: string): Inline[] {
  return written
    .split(/`([^`]*)`/)
    .map((part, i): Inline => (i % 2 === 1 ? { code: part } : part))
    .filter((part) => part !== '');
}

/** A comment of the user's: its lines are joined, empty ones part paragraphs. */
export const comment = (written: string): Block[] =>
  written
    .split(/\n\s*\n/)
    .filter((part) => part.trim() !== '')
    .map((part) => text(...sentence(part.replace(/\s*\n\s*/g, ' ').trim())));

/** Inlines with something between them. */
export function joined(parts: readonly Line[], by: string): Inline[] {
  return parts.flatMap((part, i) => (i === 0 ? [...part] : [by, ...part]));
}

// ---------------------------------------------------------------- plain

const plainInline = (inline: Inline): string =>
  typeof inline === 'string'
    ? inline
    : 'code' in inline
      ? inline.code
      : 'strong' in inline
        ? inline.strong
        : inline.text;

export const plainLine = (line: Line): string => line.map(plainInline).join('');

/** Columns are aligned, blocks are set apart by an empty line. */
export function toPlain(blocks: readonly Block[]): string {
  return blocks.map(plainBlock).join('\n\n');
}

function plainBlock(block: Block): string {
  switch (block.is) {
    case 'text':
      return plainLine(block.line);
    case 'list':
      return block.lines.map((line) => `- ${plainLine(line)}`).join('\n');
    case 'code':
      return block.text;
    case 'table':
      return plainTable(block.rows.map((row) => row.map(plainLine)));
  }
}

function plainTable(rows: readonly (readonly string[])[]): string {
  const shown = rows.filter((row) => row.some((cell) => cell !== ''));
  const widths = shown.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return shown
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

// ---------------------------------------------------------------- Markdown

/** How places are written as URIs; undefined where there is no such address. */
export interface Addresses {
  place(link: Link): string | undefined;
  rule(id: string): string | undefined;
}

export function toMarkdown(blocks: readonly Block[], addresses: Addresses): string {
  return blocks.map((block) => markdownBlock(block, addresses)).join('\n\n');
}

function markdownBlock(block: Block, addresses: Addresses): string {
  const line = (inlines: Line): string => inlines.map((inline) => markdownInline(inline, addresses)).join('');
  switch (block.is) {
    case 'text':
      return line(block.line).replace(/^(\d+)([.)])/, '$1\\$2');
    case 'list':
      return block.lines.map((one) => `- ${line(one)}`).join('\n');
    case 'code':
      return `${fenceFor(block.text)}${block.language}\n${block.text}\n${fenceFor(block.text)}`;
    case 'table': {
      const [head, ...rows] = block.rows.map((row) => row.map((cell) => line(cell).replaceAll('|', '\\|')));
      if (head === undefined) return '';
      const written = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
      return [written(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(written)].join('\n');
    }
  }
}

const fenceFor = (code: string): string =>
  '`'.repeat(Math.max(3, ...[...code.matchAll(/`+/g)].map((m) => m[0].length + 1)));

function markdownInline(inline: Inline, addresses: Addresses): string {
  if (typeof inline === 'string') return escaped(inline);
  if ('code' in inline) return codeSpan(inline.code);
  if ('strong' in inline) return `**${escaped(inline.strong)}**`;
  const address = 'to' in inline ? addresses.place(inline.to) : addresses.rule(inline.rule);
  return address === undefined
    ? escaped(inline.text)
    : `[${escaped(inline.text)}](${address.replace(/[()\s<>]/g, encodeURIComponent)})`;
}

function codeSpan(code: string): string {
  const fence = '`'.repeat([...code.matchAll(/`+/g)].reduce((n, m) => Math.max(n, m[0].length + 1), 1));
  const space = code.startsWith('`') || code.endsWith('`') ? ' ' : '';
  return `${fence}${space}${code.replace(/\s+/g, ' ')}${space}${fence}`;
}

const escaped = (plain: string): string =>
  plain
    .replace(/[\\`*_[\]<>~#]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replace(/\r?\n/g, '  \n');
