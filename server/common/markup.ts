// What the engine has to say, as the client shows it: Markdown with links, or plain text.

import { MarkupKind } from 'vscode-languageserver';
import { type Addresses, type Block, toMarkdown, toPlain } from '../../engine/assist/prose.ts';
import type { FeatureContext } from './features/feature.ts';
import { ruleHref } from './rule-docs.ts';
import { canonicalUri, uriOfPath } from './uri.ts';

/** @param markdown whether the client shows it in this place */
export function toMarkup(
  context: FeatureContext,
  blocks: readonly Block[],
  markdown: boolean,
): { kind: MarkupKind; value: string } {
  return markdown
    ? { kind: MarkupKind.Markdown, value: toMarkdown(blocks, addresses(context)) }
    : { kind: MarkupKind.PlainText, value: toPlain(blocks) };
}

/** Where links lead: to a line of a file in the client's own spelling of it, to the page of a rule. */
function addresses({ documents, platform }: FeatureContext): Addresses {
  return {
    place: ({ path, line }) =>
      path === '' ? undefined : `${documents.spelling(canonicalUri(uriOfPath(path)))}#L${line + 1}`,
    rule: (id) => ruleHref(platform.docs, id),
  };
}
