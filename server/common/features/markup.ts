// Text for people: Markdown where the client shows it, plain text elsewhere.

import { type MarkupContent, MarkupKind } from 'vscode-languageserver';
import type { ClientFeatures } from '../client-features.ts';

/** @param path of the capability that lists the formats, the one it likes best first */
export function markup(client: ClientFeatures, path: readonly string[], markdown: string): MarkupContent {
  const formats = client.capability(...path);
  const isMarkdown = Array.isArray(formats) && formats.includes(MarkupKind.Markdown);
  return isMarkdown
    ? { kind: MarkupKind.Markdown, value: markdown }
    : { kind: MarkupKind.PlainText, value: plainText(markdown) };
}

/** Without fences, emphasis and backquotes. */
export function plainText(markdown: string): string {
  return markdown
    .replace(/^```\w*\n|\n```$/gm, '')
    .replace(/^```$/gm, '')
    .replace(/`([^`\n]*)`/g, '$1')
    .replace(/\*([^*\n]+)\*/g, '$1');
}
