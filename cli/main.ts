import { type CliCommand, type Io, readArguments, UsageError } from './command.ts';
import { plan } from './plan.ts';

const commands: Record<string, CliCommand> = { plan };

const help = (): string =>
  `Usage: wukong COMMAND [OPTIONS]\n\n${Object.entries(commands)
    .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
    .join('\n')}\n\nwukong COMMAND --help tells more.\n`;

/** Runs one command. Exit codes: 0 done, 1 something is wrong with what was asked about, 2 wrong usage. */
export async function main(args: string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? io.err : io.out)(help());
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    io.err(`wukong: "${name}" is no command: expected ${Object.keys(commands).join(', ')}\n`);
    return 2;
  }
  try {
    const { values, positionals } = readArguments(rest, command);
    if (values.help) {
      io.out(command.help);
      return 0;
    }
    return await command.run(values, io, positionals);
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
    io.err(`wukong ${name}: ${thrown.message}\nTry: wukong ${name} --help\n`);
    return 2;
  }
}

if (import.meta.main) {
  // `wukong plan | head` closes our output early, which is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  process.exitCode = await main(process.argv.slice(2), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    now: Date.now(),
    colour: process.stdout.isTTY && !process.env.NO_COLOR,
  });
}
