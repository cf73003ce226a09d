// The engine's diagnostics in the protocol's terms, with what the client can show of them.

import {
  type Diagnostic,
  type DiagnosticRelatedInformation,
  DiagnosticSeverity,
  DiagnosticTag,
} from 'vscode-languageserver';
import type { Diagnostic as EngineDiagnostic, Location, Range, Severity } from '../../engine/base/diagnostic.ts';
import type { ClientFeatures } from './client-features.ts';
import type { DiagnosticData } from './protocol.ts';
import { ruleHref } from './rule-docs.ts';
import { pathOf, uriOfPath } from './uri.ts';

const severities: Record<Severity, DiagnosticSeverity> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

const tags = { unnecessary: DiagnosticTag.Unnecessary, deprecated: DiagnosticTag.Deprecated };

export const source = 'snp';

/**
 * @param spelling the client's own spelling of a canonical URI
 * @param docs where the rules are explained, see {@link ruleHref}
 */
export function toProtocol(
  diagnostic: EngineDiagnostic,
  features: ClientFeatures,
  spelling: (uri: string) => string,
  docs: string | undefined,
): Diagnostic {
  const result: Diagnostic = {
    range: toRange(diagnostic.location.range),
    severity: severities[diagnostic.severity],
    code: diagnostic.rule,
    source,
    message: diagnostic.message,
  };
  const href = ruleHref(docs, diagnostic.rule);
  if (features.codeDescription && href !== undefined) result.codeDescription = { href };
  const known = (diagnostic.tags ?? []).map((tag) => tags[tag]).filter((tag) => features.diagnosticTags.has(tag));
  if (known.length) result.tags = known;
  if (features.diagnosticData) result.data = dataOf(diagnostic);
  if (!diagnostic.related.length) return result;
  if (features.relatedInformation) {
    result.relatedInformation = diagnostic.related.map(
      ({ message, location }): DiagnosticRelatedInformation => ({
        message,
        location: { uri: spelling(uriOfPath(location.path)), range: toRange(location.range) },
      }),
    );
  } else {
    const notes = diagnostic.related.map(({ message, location }) => `${place(location)}: ${message}`);
    result.message = [diagnostic.message, ...notes].join('\n');
  }
  return result;
}

function dataOf(diagnostic: EngineDiagnostic): DiagnosticData {
  const data: DiagnosticData = { rule: diagnostic.rule, spec: diagnostic.spec };
  if (diagnostic.data !== undefined) data.fix = diagnostic.data;
  return data;
}

function toRange({ start, end }: Range): Range {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

/** For clients that cannot link: `sev.c:120`, lines from 1 as editors show them. */
function place({ path, range }: Location): string {
  const name = pathOf(uriOfPath(path)).replace(/^.*\//, '');
  return `${name}:${range.start.line + 1}`;
}

/** The first `limit` diagnostics; if there are more, the last of them says how many were left out. The severest stay. */
export function capped(diagnostics: Diagnostic[], limit: number): Diagnostic[] {
  if (diagnostics.length <= limit) return diagnostics;
  const bySeverity = [...diagnostics].sort((a, b) => (a.severity ?? 1) - (b.severity ?? 1));
  const kept = new Set(bySeverity.slice(0, limit - 1));
  const left = diagnostics.length - kept.size;
  const result = diagnostics.filter((diagnostic) => kept.has(diagnostic));
  const last = diagnostics.findLast((diagnostic) => !kept.has(diagnostic))!;
  result.push({
    range: last.range,
    severity: DiagnosticSeverity.Information,
    code: 'MORE',
    source,
    message: `${left} more problems in this file are not shown (snpScenario.maxDiagnostics is ${limit}).`,
  });
  return result;
}
