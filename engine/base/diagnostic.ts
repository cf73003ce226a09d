/**
 * One message type for the whole product: syntax, meaning, outcomes, expectations, invariants, C. What the editor, the command line and
 * the debugger show are projections of it. Lines and characters count from 0, characters in UTF-16 code units (as LSP does).
 */

export interface Position {
  line: number;
  character: number;
}
export interface Range {
  start: Position;
  end: Position;
}
/** A place in a file. `path` is the file's name as the host of the engine knows it (a path or a URI), or `model:<name>` for bundled models. */
export interface Location {
  path: string;
  range: Range;
}
export type Severity = 'error' | 'warning' | 'information' | 'hint';

export interface RelatedInformation {
  message: string;
  location: Location;
}

export interface Diagnostic {
  /** Id in the rule table, e.g. `ATTR-RMP`; stable. */
  rule: string;
  /** Id of the invariant in the catalogue, e.g. `I-ATTR-RMP`; empty where there is none. */
  spec: string;
  severity: Severity;
  message: string;
  location: Location;
  related: RelatedInformation[];
  tags?: ('unnecessary' | 'deprecated')[];
  /** Data for quick fixes: plain JSON. */
  data?: unknown;
}
