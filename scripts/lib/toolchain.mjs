// What every entry script needs before anything else can run: the npm packages of package-lock.json, and the Node they pin.
// Plain JavaScript with only node: imports, because it starts under whatever Node (20 or later) the user has, with no node_modules.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's top folder, absolute. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const windows = process.platform === 'win32';

/** The pinned Node's own executable: not the .bin shim, so that it can be spawned without a shell everywhere. */
export const pinnedNode = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes what it installed to node_modules/.package-lock.json;
 * optional packages (other platforms' binaries) may be absent.
 * @param {string} folder a folder with a package-lock.json
 * @returns {boolean}
 */
export function isInstalled(folder) {
  const read = (/** @type {string} */ path) => JSON.parse(readFileSync(join(folder, path), 'utf8')).packages;
  try {
    const wanted = read('package-lock.json');
    const present = read('node_modules/.package-lock.json');
    return Object.entries(wanted).every(
      ([path, entry]) => path === '' || entry.optional || present[path]?.version === entry.version,
    );
  } catch {
    return false; // no node_modules, or one that npm did not finish
  }
}

/**
 * Runs npm and waits, its output passed through to ours. Uses the npm that started us if one did.
 * @param {string[]} args
 * @param {{ cwd?: string, quiet?: boolean }} [options] quiet: npm's own report goes to stderr
 * @returns {boolean} whether it succeeded
 */
export function npm(args, options = {}) {
  const env = { ...process.env };
  // A global setting in the environment of an outer "npm test" (such as its --workspace) must not leak into this one.
  for (const name of Object.keys(env)) if (/^npm_(lifecycle|package)_/i.test(name)) delete env[name];
  const stdio = /** @type {const} */ (['ignore', options.quiet ? 2 : 'inherit', 'inherit']);
  const started = process.env.npm_execpath;
  const result =
    started && /npm-cli\.c?js$/.test(started)
      ? spawnSync(process.execPath, [started, ...args], { cwd: options.cwd ?? root, stdio: [...stdio], env })
      : spawnSync('npm', args, { cwd: options.cwd ?? root, stdio: [...stdio], env, shell: windows });
  return result.status === 0;
}

/**
 * Makes the packages and the pinned Node present, or ends the process saying what failed.
 * @param {{ quiet?: boolean }} [options] quiet: say it on stderr, for commands whose stdout is for programs
 */
export function ensureInstalled(options = {}) {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    console.error(`SNP Scenario needs Node.js 20 or later to start; this is ${process.version}.`);
    process.exit(2);
  }
  if (isInstalled(root) && existsSync(pinnedNode)) return;
  console.error('Installing npm packages (npm ci) …');
  if (!npm(['ci', '--no-audit', '--no-fund'], { quiet: options.quiet ?? false })) {
    console.error('npm ci failed: see its output above.');
    process.exit(2);
  }
  if (!existsSync(pinnedNode)) {
    console.error('The "node" package did not install its binary: its install script must be allowed to run');
    console.error('(npm config ignore-scripts must not be true). Then run: npm rebuild node');
    process.exit(2);
  }
}

/**
 * Runs a TypeScript script of this folder under the pinned Node, with node_modules/.bin on the PATH, and ends with its exit code.
 * @param {string} script file name in scripts/
 * @param {string[]} args
 */
export function runPinned(script, args) {
  const env = { ...process.env };
  const key = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  env[key] = `${join(root, 'node_modules', '.bin')}${windows ? ';' : ':'}${env[key] ?? ''}`;
  const child = spawn(pinnedNode, [join(root, 'scripts', script), ...args], { stdio: 'inherit', env });
  // Ctrl-C reaches the child too, being in the same process group; it decides how to end. Others are passed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
