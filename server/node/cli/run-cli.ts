// The `snp-scenario` command line. Exit codes: 0 all hold, 1 a scenario fails, 2 unreadable input or wrong usage, 3 our own bug.

import { Command, CommanderError, Option } from 'commander';
import type { Engine } from '../../common/platform.ts';
import { describe } from '../../common/server.ts';
import { startNodeServer } from '../start.ts';
import { version } from '../version.ts';
import { type CheckOptions, check } from './check-command.ts';
import { decode } from './decode-command.ts';
import { formatFiles } from './format-command.ts';

type Override = CheckOptions['overrides'][number];

/** As a shell reports a process that ended by SIGPIPE: whoever read our output has read enough. */
const sigpipe = 141;

/** Runs the command line and sets the exit code of the process. */
export async function runCli(engine: Engine, args: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? sigpipe : 2));
  process.stderr.on('error', () => {});
  try {
    await program(engine).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      process.stderr.write(`snp-scenario: internal error, please report it: ${describe(error)}\n`);
      process.exitCode = 3;
    }
  }
}

function program(engine: Engine): Command {
  const cli = new Command('snp-scenario')
    .description('Runs scenarios of AMD SEV-SNP page-state conversions against a model of the RMP and the kernel.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(snp-scenario --help explains)');

  // --patch and --source are applied in the order given, so they are collected in one list.
  const overrides: Override[] = [];
  const collect = (kind: Override['kind']) => (path: string) => {
    overrides.push({ kind, path });
    return path;
  };
  cli
    .command('check')
    .description('run every scenario of files, folders (searched for *.snpscenario) and globs')
    .argument('<path...>', 'files, folders or globs')
    .addOption(new Option('--format <format>', 'what to print').choices(['text', 'json']).default('text'))
    .option('--kernel <name>', 'run on this kernel model in place of the one the file names')
    .option('--patch <file>', 'apply this patch as if the file named it; may be repeated', collect('patch'))
    .option('--source <file>', 'use this C file as if the file named it; may be repeated', collect('source'))
    .option('--color', 'colour even if the output is no terminal')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      '\nExit codes: 0 everything holds, 1 a scenario fails, 2 input that cannot be read or wrong usage, 3 a bug of snp-scenario.',
    )
    .action(async (paths: string[], options: { format: 'text' | 'json'; kernel?: string; color?: boolean }) => {
      process.exitCode = await check(
        paths,
        {
          format: options.format,
          color: options.color ?? wantsColor(),
          overrides,
          write: (text) => process.stdout.write(text),
          writeError: (text) => process.stderr.write(text),
          ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
        },
        engine,
      );
    });

  cli
    .command('format')
    .description('format files, folders (searched for *.snpscenario) and globs in place; - formats stdin to stdout')
    .argument('<path...>', 'files, folders or globs, or -')
    .option('--check', 'change nothing; list what is not formatted')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, or everything is formatted; 1 with --check: something is not; 2 input that cannot be read or wrong usage.',
    )
    .action(async (paths: string[], options: { check?: boolean }) => {
      process.exitCode = await formatFiles(paths, {
        check: options.check === true,
        write: (text) => process.stdout.write(text),
        writeError: (text) => process.stderr.write(text),
      });
    });

  cli
    .command('decode')
    .description('take raw RMP entries and log lines about the RMP apart, field by field')
    .argument('[text...]', 'the text; without it, stdin')
    .addOption(new Option('--format <format>', 'what to print').choices(['text', 'json']).default('text'))
    .option('--short', 'one line for each')
    .addHelpText(
      'after',
      "\nExample: dmesg | snp-scenario decode; snp-scenario decode '[0x6010fffffffff001 - 0x1f]'\nExit codes: 0 something was recognised, 1 nothing was.",
    )
    .action(async (words: string[], options: { format: 'text' | 'json'; short?: boolean }) => {
      process.exitCode = await decode(words, process.stdin, {
        format: options.format,
        short: options.short === true,
        write: (text) => process.stdout.write(text),
      });
    });

  cli
    .command('lsp')
    .description('serve the Language Server Protocol over stdin and stdout')
    .option('--stdio', 'the only transport; accepted because editors pass it')
    .option('--clientProcessId <pid>', 'accepted because editors pass it')
    .action(() => startNodeServer(engine, ['--stdio']));

  cli
    .command('dap')
    .description('serve the Debug Adapter Protocol over stdin and stdout')
    .option('--stdio', 'the only transport; accepted because editors pass it')
    .action(async () => {
      // Loaded when it is needed: nobody else should wait for it.
      const { startDebugAdapter } = await import('../../dap/node/stdio.ts');
      startDebugAdapter();
    });

  return cli;
}

/** https://no-color.org and its counterpart; else by whether a person reads it. */
function wantsColor(): boolean {
  if (process.env.NO_COLOR) return false;
  if (process.env.FORCE_COLOR) return process.env.FORCE_COLOR !== '0';
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb';
}
