// Where a rule is explained: the page behind the code of a diagnostic.

/** The one place that knows where the folder docs/ is published. A test holds the links against the files. */
export const docsBase = 'https://snp-scenario.github.io/';

export function ruleHref(rule: string): string {
  return `${docsBase}rules/${encodeURIComponent(rule)}.html`;
}
