// Where a rule is explained: the page behind the code of a diagnostic.

/** @param docs URI of the folder docs/ that came with the product, ending in a slash; undefined where there is none */
export function ruleHref(docs: string | undefined, rule: string): string | undefined {
  return docs === undefined ? undefined : `${docs}rules/${encodeURIComponent(rule)}.md`;
}
