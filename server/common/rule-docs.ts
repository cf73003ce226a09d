// Where a rule is explained: the page behind the code of a diagnostic.

/** The one place that knows where the documentation is published. A rule is an anchor on it, in lower case. */
const rulesPage = 'https://snp-scenario.github.io/rules.html';

export function ruleHref(rule: string): string {
  return `${rulesPage}#${encodeURIComponent(rule.toLowerCase())}`;
}
