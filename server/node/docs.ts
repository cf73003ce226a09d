// The documentation that came with the product: in the repository and in the installed extension alike it stands two folders above this module.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** URI of the folder docs/, ending in a slash; undefined where the server is installed without it. */
export function docsUri(): string | undefined {
  const folder = join(import.meta.dirname ?? __dirname, '..', '..', 'docs');
  return existsSync(join(folder, 'rules')) ? `${pathToFileURL(folder).href}/` : undefined;
}
