// npm run test:cluster: the contract, on the cluster of KUBECONFIG.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import { parse } from 'yaml';

import { interrupt } from '../../cli/terminal/process.ts';
import { bundle } from '../../infra/aws/bundle/bundle.ts';
import { commandLine, wrongUsage } from '../../sim/commandLine.ts';
import { allCases } from './cases/all.ts';
import { checkServed, installCrds } from './crds.ts';
import { groundOf } from './ground.ts';
import { plainTemplate, type Template } from './making.ts';
import { junitHead, junitOf, tableOf } from './report.ts';
import { type Result, runCases } from './run.ts';
import { leftOver } from './spaces.ts';

const name = 'npm run test:cluster --';
const help = `Usage: npm run test:cluster -- [--kubeconfig FILE] [OPTIONS]

Asks the cluster of KUBECONFIG for all that is promised, in namespaces of random names that it makes and takes
away again, after Ctrl-C too. Says first which cluster that is.

  --kubeconfig FILE   default: $KUBECONFIG
  --install-crds      installs the CRDs, or replaces those that are there, and has the cases that change CRDs
  --vm-template FILE  YAML or JSON: a VirtualMachine, or its spec.template
  --guests real       guests that do not do as annotations say; default: sim
  --only TEXT         the cases with this in their name
  --at-once N         default: 8
  --junit FILE        writes the results for CI
  --help              shows this

Exit code: 0 all that was applicable passed, 1 it did not, 2 it could not begin, 130 interrupted.
`;
const option = commandLine(name, help, {
  kubeconfig: { type: 'string' },
  'install-crds': { type: 'boolean' },
  'vm-template': { type: 'string' },
  guests: { type: 'string', default: 'sim' },
  only: { type: 'string', default: '' },
  'at-once': { type: 'string', default: '8' },
  junit: { type: 'string' },
});

/** Ends the process, naming everything that is wrong. */
function checked() {
  const { guests = '', only = '', junit } = option;
  const file = option.kubeconfig ?? process.env['KUBECONFIG'] ?? '';
  const atOnce = Number(option['at-once']);
  const chosen = allCases.filter((one) => `${one.area}: ${one.name}`.includes(only));
  const problems = [
    file === '' &&
      'which cluster? Set KUBECONFIG, or give --kubeconfig FILE (npm run sim -- --kubeconfig-out FILE makes one)',
    !['sim', 'real'].includes(guests) && `--guests: expected sim or real, not "${guests}"`,
    !(Number.isInteger(atOnce) && atOnce > 0) &&
      `--at-once: expected a whole number from 1, not "${option['at-once']}"`,
    chosen.length === 0 && `--only: no case has "${only}" in its name`,
    junit !== undefined && isForeign(junit) && `--junit ${junit}: is there already and has no results of ours`,
  ].filter((one) => typeof one === 'string');
  if (problems.length > 0) wrongUsage(name, ...problems);
  return { file, atOnce, chosen, guests, junit };
}

/** A file that is neither empty nor what we wrote. */
function isForeign(file: string): boolean {
  const there = statSync(file, { throwIfNoEntry: false });
  return there?.isFile() === true && there.size > 0 && !readFileSync(file, 'utf8').startsWith(junitHead);
}

/** `spec.template` of a VM, or a whole VirtualMachine, as YAML or JSON. */
function templateIn(path: string): Template {
  const read = parse(readFileSync(path, 'utf8')) as Template & { spec: { template?: Template } };
  return read.spec.template ?? read;
}

const tell = ({ area, name, result }: Result) => void process.stderr.write(`${result.padEnd(15)}${area}: ${name}\n`);

async function main(): Promise<number> {
  const { file, guests, junit, chosen, atOnce } = checked();
  const template = option['vm-template'] === undefined ? plainTemplate : templateIn(option['vm-template']);
  const functions = await bundle({ file: 'test/contract/functions.ts' });
  const modes = { obedient: guests === 'sim', mayChangeCrds: option['install-crds'] === true };
  const ground = await groundOf(file, pathToFileURL(functions).href, modes);
  process.stderr.write(`Cluster: ${ground.called}\n`);
  if (modes.mayChangeCrds) await installCrds(ground);
  await checkServed(ground);
  const others = await leftOver(ground);
  if (others !== undefined) process.stderr.write(`${others}\n`);
  const signal = interrupt(200_000); // as long as a case that puts CRDs back may take
  signal.addEventListener('abort', () => process.stderr.write('Interrupted: taking away what was made …\n'));
  const results = await runCases(chosen, ground, { template, atOnce, tell, signal });
  if (signal.aborted) return 130;
  if (junit !== undefined) writeFileSync(junit, junitOf(results));
  console.log(tableOf(results));
  return results.some(({ result }) => result === 'failed') ? 1 : 0;
}

try {
  process.exit(await main());
} catch (thrown) {
  console.error(`test:cluster: ${(thrown as Error).message}`);
  process.exit(2);
}
