// npm run package: writes snp-scenario-VERSION.vsix with @vscode/vsce, which runs the production build first (vscode:prepublish).
// .vscodeignore says what goes in.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { root } from './lib/toolchain.mjs';

/** The package's path. Its name carries the version of package.json. */
export function vsixPath(): string {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return join(root, `${name}-${version}.vsix`);
}

if (import.meta.main) {
  await createVSIX({
    cwd: root,
    packagePath: vsixPath(),
    // All that runs is in the bundles.
    dependencies: false,
    // The README's relative links stay as they are: there is no public address to make them absolute with.
    rewriteRelativeLinks: false,
    allowMissingRepository: true,
  });
}
