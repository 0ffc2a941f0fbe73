import { parseArgs, type ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * The options of one of our scripts, as `npm` starts it: `npm run sim --`. With --help, the script's help and exit 0.
 * What cannot be understood ends the process as `wrongUsage` does.
 */
export function commandLine<const T extends Options>(name: string, help: string, options: T) {
  try {
    const { help: wanted, ...values } = parseArgs({
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    }).values as { help?: boolean } & ReturnType<typeof parseArgs<{ options: T }>>['values'];
    if (!wanted) return values as ReturnType<typeof parseArgs<{ options: T }>>['values'];
  } catch (thrown) {
    wrongUsage(name, (thrown as Error).message.split('. ')[0] ?? '');
  }
  process.stdout.write(help);
  process.exit(0);
}

/** Ends this process with 2, after standard error has said what was expected. */
export function wrongUsage(name: string, ...problems: string[]): never {
  process.stderr.write(
    `${problems.map((problem) => `${name.replace(/ --$/, '')}: ${problem}\n`).join('')}Try: ${name} --help\n`,
  );
  process.exit(2);
}
