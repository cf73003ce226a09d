// Values beside the lines while a session is stopped: the variables that the lines above the stop name, in scenarios, C and patches.

import {
  type InlineValue,
  type InlineValueContext,
  type InlineValuesProvider,
  InlineValueVariableLookup,
  Range,
  type TextDocument,
} from 'vscode';

/** Lines above the stop that are looked at: about a function. */
const reach = 60;
/** What is no variable's name: members, calls and labels are recognised by what stands around them. */
const name = /(?<![\w.>"#])[A-Za-z_]\w*(?!\w|\s*\(|\s*:(?!:))/g;
const keywords = new Set(
  'break case char const continue default do else enum extern for goto if int long return short signed sizeof static struct switch union unsigned void volatile while bool true false NULL let in is not expect all allow scenario'.split(
    ' ',
  ),
);

export class InlineValues implements InlineValuesProvider {
  provideInlineValues(document: TextDocument, viewPort: Range, context: InlineValueContext): InlineValue[] {
    const last = Math.min(context.stoppedLocation.end.line, document.lineCount - 1);
    const first = Math.max(viewPort.start.line, beginning(document, last), last - reach);
    const values: InlineValue[] = [];
    for (let line = first; line <= last; line++) {
      const text = withoutComments(document.lineAt(line).text);
      const seen = new Set<string>();
      for (const { 0: word, index } of text.matchAll(name)) {
        if (keywords.has(word) || seen.has(word) || /^[A-Z0-9_]+$/.test(word)) continue;
        seen.add(word);
        values.push(new InlineValueVariableLookup(new Range(line, index, line, index + word.length), word, true));
      }
    }
    return values;
  }
}

/** The line at which the function or scenario begins: what stands above is of others. In a patch a function's brace comes after a `+` or a blank. */
function beginning(document: TextDocument, from: number): number {
  for (let line = from; line > 0; line--) {
    const { text } = document.lineAt(line);
    if (/^[+ ]?\{/.test(text)) return Math.max(0, line - 2);
    if (/^\s*(?:scenario|sequence)\b/.test(text)) return line;
  }
  return 0;
}

const withoutComments = (text: string): string =>
  text
    .replace(/"(?:[^"\\]|\\.)*"/g, (string) => ' '.repeat(string.length))
    .replace(/\/\/.*$|\/\*.*?(?:\*\/|$)|^[+ ]?\s*\*(?:\s.*|\/)?$/g, (comment) => ' '.repeat(comment.length));
