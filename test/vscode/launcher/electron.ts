// Desktop VS Code through @vscode/test-electron, where it can be downloaded (or SNP_VSCODE names its executable).

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { downloadAndUnzipVSCode, resolveCliArgsFromVSCodeExecutablePath, runTests } from '@vscode/test-electron';
import { root } from '../../../scripts/lib/toolchain.mjs';
import type { Backend } from './backend.ts';

/** The backend, or undefined where a desktop VS Code cannot be had: no screen, or no way to download it. */
export async function electronBackend(): Promise<Backend | undefined> {
  // On Linux a window needs a display; xvfb-run provides one, but has to be around the whole run, so that is the caller's choice.
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return undefined;
  let executable = process.env.SNP_VSCODE;
  try {
    executable ??= await downloadAndUnzipVSCode({ version: 'stable', cachePath: join(root, '.vscode-test') });
  } catch (error) {
    console.error(`VS Code cannot be downloaded (${error instanceof Error ? error.message : error}).`);
    return undefined;
  }
  return { name: 'VS Code', run: (suite) => run(executable, suite) };
}

async function run(executable: string, suite: Parameters<Backend['run']>[0]): Promise<number> {
  const folders = [
    `--user-data-dir=${join(suite.dataDir, 'user')}`,
    `--extensions-dir=${join(suite.dataDir, 'extensions')}`,
  ];
  for (const vsix of suite.install) {
    const [cli, ...args] = resolveCliArgsFromVSCodeExecutablePath(executable, { reuseMachineInstall: true });
    if (!cli) throw new Error(`no command line beside ${executable}`);
    const install = spawnSync(cli, [...args, ...folders, '--install-extension', vsix, '--force'], {
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    if (install.status !== 0) throw new Error(`${vsix} was not installed`);
  }
  // runTests passes the extension host's console through to our stdout: nothing is seen line by line, so no pictures are taken.
  try {
    return await runTests({
      vscodeExecutablePath: executable,
      reuseMachineInstall: true,
      extensionDevelopmentPath: suite.extension,
      extensionTestsPath: suite.suite,
      extensionTestsEnv: { ...suite.env, SNP_SCREENSHOT_DIR: undefined },
      launchArgs: [suite.workspace, ...folders, '--disable-workspace-trust', '--skip-welcome', '--disable-gpu'],
    });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}
