/** What was recognised in a log, as text to show. */
import type { Decoded } from './log-line.ts';
import { type Block, sentence, table, text } from './prose.ts';

export function decodedBlocks(decoded: Decoded): Block[] {
  return [
    text({ strong: decoded.summary }),
    table([[[''], [''], ['']], ...decoded.rows.map((row) => [[row.field], [{ code: row.value }], [row.meaning]])]),
    ...(decoded.note === '' ? [] : [text(decoded.note)]),
    text('Source: ', ...sentence(decoded.source), '.'),
  ];
}
