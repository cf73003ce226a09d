// The VS Code inside code-server, shown by a headless Chromium: the same workbench and the same extension host, in a browser's window.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'node:util';
import type { Page } from 'playwright-core';
import { launchChromium, requireChromium } from '../../../scripts/lib/chromium.ts';
import { ensureVscodeHost, startVscodeServer } from '../../../scripts/lib/vscode-host.ts';
import type { Backend, SuiteRun, WebviewAction } from './backend.ts';

/** No test of ours runs this long: it is for a workbench that never comes up. */
const limit = 5 * 60_000;

export async function webBackend(): Promise<Backend> {
  await requireChromium();
  await ensureVscodeHost();
  return { name: 'VS Code in code-server', run };
}

/** NAME.png, and what can be read in it: NAME.txt holds the text of the workbench and what it says to screen readers. The picture comes last. */
async function picture(page: Page, path: string): Promise<void> {
  // As a string: the types of a browser are not those of this program.
  const text = await page.evaluate<string>(
    `[document.body.innerText, ...[...document.querySelectorAll('[aria-label]')].map((one) => one.ariaLabel)].join('\\n')`,
  );
  // The editor writes spaces as such that do not break.
  await writeFile(`${path}.txt`, text.replaceAll('\u00a0', ' '));
  await page.screenshot({ path: `${path}.png` });
}

async function run(suite: SuiteRun): Promise<number> {
  const server = await startVscodeServer({ dataDir: suite.dataDir, install: suite.install, env: suite.env });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    let pictures = Promise.resolve<unknown>(undefined);
    const log = (line: string) => {
      const name = /^SCREENSHOT (\S+)$/.exec(line)?.[1];
      const [, file, selector] = /^SHOWN (\S+) (.+)$/.exec(line) ?? [];
      if (file && selector)
        pictures = pictures.then(async () =>
          writeFile(join(suite.screenshots, file), JSON.stringify(await page.locator(selector).allTextContents())),
        );
      if (name) pictures = pictures.then(() => picture(page, join(suite.screenshots, name)));
      const [, answer, action] = /^WEBVIEW (\S+) (.+)$/.exec(line) ?? [];
      if (answer && action)
        pictures = pictures.then(async () =>
          writeFile(join(suite.screenshots, answer), JSON.stringify(await inWebview(page, JSON.parse(action)))),
        );
      suite.onLog(line);
    };
    const exit = new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the suite did not end in ${limit / 1000} s`)), limit);
      const end = (code: number) => {
        clearTimeout(timer);
        resolve(code);
      };
      server.process.on('close', () => reject(new Error("VS Code's server ended")));
      page.on('crash', () => reject(new Error('the browser page crashed')));
      void page.exposeFunction('codeAutomationExit', end);
    });
    await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
      const text = format(...args);
      // The watchdog's native module is left unbuilt (see vscode-host.ts), which VS Code reports and survives.
      if (text.includes('Could not locate the bindings file')) return;
      for (const line of text.split('\n')) log(line);
    });
    const payload = [
      ['extensionDevelopmentPath', server.fileUri(suite.extension)],
      ['extensionTestsPath', server.fileUri(suite.suite)],
      ['skipWelcome', 'true'],
    ] as const;
    await page.goto(server.workbench(suite.workspace, payload));
    const code = await exit.catch(async (error) => {
      await page.screenshot({ path: join(suite.screenshots, 'failed-to-end.png') }).catch(() => {});
      throw error;
    });
    await pictures;
    return code;
  } finally {
    await browser.close();
    await server.stop();
  }
}

/** Acts on what a selector finds in a webview, as a user would, and says what it holds then. Texts of an error begin with `!`. */
async function inWebview(page: Page, { selector, click, press }: WebviewAction): Promise<string[]> {
  const until = Date.now() + 10_000;
  for (;;) {
    for (const frame of page.frames()) {
      if (frame === page.mainFrame()) continue;
      try {
        const found = frame.locator(selector);
        if ((await found.count()) === 0) continue;
        if (click !== undefined)
          await found.first().click({ timeout: 5000, ...(click === true ? {} : { position: click }) });
        if (press !== undefined) await found.first().press(press);
        return await found.allTextContents();
      } catch (error) {
        return [`!${error instanceof Error ? error.message : String(error)}`];
      }
    }
    if (Date.now() > until) return [`!nothing in a webview is ${selector}`];
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
