// npm start [-- OPTION… [FOLDER]]: builds the extension and opens it, from the working tree, in a real VS Code with the examples.
//
//   (none)       the desktop VS Code if its `code` command is on the PATH; otherwise the VS Code in code-server, whose address is
//                printed and opened in the default browser
//   --browser    code-server even if there is a desktop VS Code
//   --no-open    print the address only
//   --port=N     the port to serve on (4790, or any free one if that is taken)
//   --check      serve, look at the page with a headless Chromium until the extension runs in it, take a picture, and end: exit code 0
//                only if it did
//
// Ctrl-C ends all that it started.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.ts';
import { launchChromium } from './lib/chromium.ts';
import { capture, run, which } from './lib/process.ts';
import { root } from './lib/toolchain.mjs';
import { ensureVscodeHost, removeDataDir, startVscodeServer, type VscodeServer } from './lib/vscode-host.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    browser: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    'no-open': { type: 'boolean', default: false },
    port: { type: 'string' },
  },
});

const examples = join(root, 'examples');
const folder = positionals[0]
  ? resolve(positionals[0])
  : existsSync(examples)
    ? examples
    : join(root, 'test/vscode/workspace');

try {
  await build(false);
  const code = options.browser || options.check || options['no-open'] ? undefined : await which('code');
  if (code && (await capture(code, ['--version'])).code === 0) await openDesktop(code);
  else await openBrowser();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function openDesktop(command: string): Promise<void> {
  console.log(
    `Opening ${folder} in VS Code, with the extension of this folder. Close that window, or press Ctrl-C, to end.`,
  );
  const args = ['--new-window', '--wait', `--extensionDevelopmentPath=${root}`, folder];
  process.exitCode = await run(command, args, { shell: process.platform === 'win32' });
}

async function openBrowser(): Promise<void> {
  await ensureVscodeHost();
  const dataDir = await mkdtemp(join(tmpdir(), 'snp-scenario-start-'));
  const port = Number(options.port ?? ((await isFree(4790)) ? 4790 : 0));
  const server = await startVscodeServer({ dataDir, port });
  const first = (await readdir(folder)).filter((name) => name.endsWith('.snpscenario')).sort()[0];
  const address = server.workbench(folder, [
    ['extensionDevelopmentPath', server.fileUri(root)],
    ['skipWelcome', 'true'],
    ...(first ? ([['openFile', server.fileUri(join(folder, first))]] as const) : []),
  ]);

  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    await server.stop();
    await removeDataDir(dataDir);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());

  if (options.check) {
    try {
      process.exitCode = (await looksRight(server, address)) ? 0 : 1;
    } finally {
      await end();
    }
    return;
  }
  console.log(`\nSNP Scenario is in the VS Code at\n\n  ${address}\n\nCtrl-C ends it.`);
  if (!options['no-open']) await openInBrowser(address);
  await new Promise((gone) => server.process.on('close', gone));
  if (!ending) {
    console.error("VS Code's server ended by itself.");
    process.exitCode = 1;
    await removeDataDir(dataDir);
  }
}

/** Whether the page at the address is a workbench in which a scenario is open and the extension says that its server runs. */
async function looksRight(server: VscodeServer, address: string): Promise<boolean> {
  const browser = await launchChromium();
  const pictures = join(root, 'test', 'vscode', 'out', 'screenshots');
  await mkdir(pictures, { recursive: true });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  try {
    const response = await page.goto(address);
    console.log(`${server.origin} answered ${response?.status()}`);
    await page.locator('[id="status.editor.mode"]', { hasText: 'SNP Scenario' }).waitFor({ timeout: 60_000 });
    console.log('the language of the open file is SNP Scenario');
    // The status item's accessible name carries the text of the extension's language status: the verdict on the open file.
    const status = page.locator('[id="status.languageStatus"][aria-label*="Checked in"]');
    await status.waitFor({ timeout: 30_000 });
    console.log('the extension is active, and its language server has checked the file');
    return true;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    const labels = await page.locator('.statusbar-item').evaluateAll((items) => items.map((item) => item.ariaLabel));
    console.error(`The status bar says: ${labels.join(' · ')}`);
    return false;
  } finally {
    await page.screenshot({ path: join(pictures, 'start.png') });
    await browser.close();
  }
}

async function openInBrowser(address: string): Promise<void> {
  const opener = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? (await which('xdg-open'));
  // Without one (no desktop) the printed address is enough.
  if (opener) await capture(opener, [address]);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });
}
