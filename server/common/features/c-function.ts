// The C functions of the kernel that a scenario runs on, for completion and signature help.

import type { DocumentView } from '../../../engine/view.ts';

export interface CFunctionText {
  /** `kvm_pfn_t pfn` */
  parameters: string[];
  returns: string;
  /** The file that defines it. */
  where: string;
}

/** undefined if nothing defines it, or nothing can run. */
export function describeFunction(view: DocumentView, name: string): CFunctionText | undefined {
  const found = view.environment()?.functionNamed(name);
  if (found === undefined) return undefined;
  const parameters = found.parameters.map((p) => (p.type.endsWith('*') ? `${p.type}${p.name}` : `${p.type} ${p.name}`));
  const file = found.location.path.replace(/^model:/, '').replace(/^.*\/(?=[^/]*\/[^/]*$)/, '');
  return {
    parameters,
    returns: found.returns.type,
    where: `${file}${found.override ? ', in place of the model’s' : ''}`,
  };
}
