// A real VS Code from the npm registry: the one inside code-server, for machines where VS Code itself is not installed and cannot be
// downloaded. It is an npm package of its own (test/vscode/host), so that the product's lock file does not know it.
//
// Its native modules are left unbuilt, so that no compiler is needed: VS Code does without its watchdog, and for the writer of log
// files and output channels test/vscode/host/spdlog.cjs stands in.

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isInstalled, npm, pinnedNode, root } from './toolchain.mjs';

const host = join(root, 'test', 'vscode', 'host');
const vscode = join(host, 'node_modules', 'code-server', 'lib', 'vscode');
const serverMain = join(vscode, 'out', 'server-main.js');

/** Installs code-server and what its VS Code depends on; does nothing when that is done. About 25 s the first time. */
export async function ensureVscodeHost(): Promise<void> {
  const done = join(vscode, '.installed');
  if (isInstalled(host) && existsSync(done)) return;
  console.error('Installing a VS Code to run in (code-server, from the npm registry) …');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const installed =
    npm(['ci', ...flags], { cwd: host, quiet: true }) &&
    // npm ci would want a lock file without the development packages that were left out of the published one.
    npm(['install', '--omit=dev', '--no-save', ...flags], { cwd: vscode, quiet: true });
  if (!installed || !existsSync(serverMain)) throw new Error('code-server could not be installed: see npm above.');
  await copyFile(join(host, 'spdlog.cjs'), join(vscode, 'node_modules', '@vscode', 'spdlog', 'index.js'));
  await writeFile(done, '');
}

export interface VscodeServer {
  /** http://localhost:PORT */
  readonly origin: string;
  readonly process: ChildProcess;
  /** The address of a workbench. Paths are absolute; payload entries are VS Code's own (extensionDevelopmentPath, openFile, …). */
  workbench(folder: string, payload: readonly (readonly [string, string])[]): string;
  /** A payload value that names a file on this machine. */
  fileUri(path: string): string;
  /** Ends the server and its extension hosts; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface VscodeServerOptions {
  /** Where settings, logs and state are kept. Made if absent. */
  readonly dataDir: string;
  readonly port?: number;
  /** VSIX files to install first. */
  readonly install?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A plain editor: what a new profile shows beside it has nothing to do with us. */
const settings = {
  'chat.disableAIFeatures': true,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
};

/** Starts a server on a free port of the loopback interface. Its own output goes to DATADIR/server.log. */
export async function startVscodeServer(options: VscodeServerOptions): Promise<VscodeServer> {
  const { dataDir } = options;
  await mkdir(dataDir, { recursive: true });
  await mkdir(join(dataDir, 'user', 'Machine'), { recursive: true });
  await writeFile(join(dataDir, 'user', 'Machine', 'settings.json'), JSON.stringify(settings));
  const folders = [
    ['--server-data-dir', dataDir],
    ['--extensions-dir', join(dataDir, 'extensions')],
    ['--user-data-dir', join(dataDir, 'user')],
  ].flat();
  const log = createWriteStream(join(dataDir, 'server.log'), { flags: 'a' });
  const start = (args: readonly string[]) => {
    const child = spawn(pinnedNode, [serverMain, ...folders, '--accept-server-license-terms', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    child.stderr.pipe(log, { end: false });
    return child;
  };

  for (const vsix of options.install ?? []) {
    const child = start(['--install-extension', vsix, '--force']);
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    if (code !== 0 || !/successfully installed/.test(said)) throw new Error(`${vsix} was not installed:\n${said}`);
  }

  const child = start([
    ...['--host', '127.0.0.1', '--port', String(options.port ?? 0), '--without-connection-token'],
    ...['--telemetry-level', 'off', '--disable-workspace-trust'],
    // Without this a packaged VS Code ignores the payload's extensionDevelopmentPath and extensionTestsPath.
    '--enable-smoke-test-driver',
  ]);
  child.stdout.pipe(log, { end: false });
  const port = await new Promise<number>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const listening = /Extension host agent listening on (\d+)/.exec(said);
      if (listening) resolve(Number(listening[1]));
    });
    child.on('close', (code) =>
      reject(new Error(`VS Code's server ended with exit code ${code}: ${dataDir}/server.log\n${said}`)),
    );
  });

  const fileUri = (path: string) => `vscode-remote://localhost:${port}${path}`;
  return {
    origin: `http://localhost:${port}`,
    process: child,
    fileUri,
    workbench: (folder, payload) => {
      const query = new URLSearchParams({ folder });
      if (payload.length) query.set('payload', JSON.stringify(payload));
      return `http://localhost:${port}/?${query}`;
    },
    stop: async () => {
      const gone = new Promise((resolve) => child.on('close', resolve));
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const killer = setTimeout(() => child.kill('SIGKILL'), 5000);
        await gone;
        clearTimeout(killer);
      }
      log.end();
    },
  };
}

/** Removes a data directory; a log file still being closed is not worth failing for. */
export async function removeDataDir(dataDir: string): Promise<void> {
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
}
