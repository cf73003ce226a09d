/** Small parts of Markdown that the pages of the reference are made of. */

export const code = (text: string): string => `\`${text}\``;
export const codes = (words: readonly string[]): string => words.map(code).join(', ');
/** A bar in a cell would end it. */
const cell = (text: string): string => text.replaceAll('|', '\\|');

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n');
}

export const fence = (text: string): string => `\`\`\`snpscenario\n${text}\n\`\`\``;

export const MADE =
  '<!-- Made from the tables in engine/scenario by `renderLanguageReference()`. UPDATE_EXPECT=1 with test/engine/scenario/reference.test.ts writes it anew. -->';

/** A page below the index. */
export const page = (title: string, ...parts: readonly string[]): string =>
  `${[`# ${title}`, MADE, '[The scenario language](../language.md)', ...parts.filter((part) => part !== '')].join('\n\n')}\n`;

/** The anchor that a heading gets where Markdown is shown. */
export const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
