/** The coverage table as Markdown. */
import { type Cell, reasons, sections } from './cells.ts';

const HEAD = `# Coverage of the hardware's rules

<!-- Made by test/coverage/coverage.test.ts. UPDATE_EXPECT=1 writes it anew. -->

Every check of an instruction, every cell of the access checks and every firmware transition that the engine has, with what must come of it and tests that
reach it: one scenario (\`folder/file: name\`) and one unit test of the hardware, where there are such. The test that makes this page watches the
tests as they run, reads the state from the raw entries, and compares each result with the one given here.
`;

/** `named`: the tests of each cell. */
export function renderCoverage(named: Readonly<Record<string, readonly string[]>>): string {
  const numbers = new Map<string, number>();
  const number = (name: string): number => {
    if (!numbers.has(name)) numbers.set(name, numbers.size + 1);
    return numbers.get(name) as number;
  };
  const content = ({ id, outcome }: Cell): string => {
    const tests = (named[id] ?? []).map((name) => `[${number(name)}]`).join(' ');
    const what = [outcome === '' ? '' : `\`${outcome}\``, tests].filter(Boolean).join(' ');
    return Object.hasOwn(reasons, id) ? [what, reasons[id]].filter(Boolean).join(' – ') : what;
  };
  const parts = [HEAD];
  let cells = 0;
  for (const { title, source, cells: all } of sections) {
    cells += all.length;
    const columns = [...new Set(all.map((cell) => cell.column))];
    const rows = columns.length === 1 ? all.map((cell) => [cell]) : grouped(all);
    parts.push(
      `\n## ${title}\n\nSource: ${source}.\n\n`,
      `| | ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length + 1)}\n`,
      ...rows.map((row) => `| ${[row[0].row, ...row.map(content)].map(inCell).join(' | ')} |\n`),
    );
  }
  parts.push(`\n## Tests\n\n${cells} cells.\n\n`, ...[...numbers].map(([name, n]) => `- [${n}] ${name}\n`));
  return parts.join('');
}

const inCell = (text: string): string => text.replaceAll('|', '\\|');

/** Cells of the same row together. */
function grouped(cells: readonly Cell[]): Cell[][] {
  const rows = new Map<string, Cell[]>();
  for (const cell of cells) rows.set(cell.row, [...(rows.get(cell.row) ?? []), cell]);
  return [...rows.values()];
}
