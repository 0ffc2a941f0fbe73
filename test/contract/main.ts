// npm run test:cluster -- [--kubeconfig FILE] [--install-crds] [--vm-template FILE] [--guests real] [--only TEXT]
//                         [--at-once N] [--junit FILE]
// Ends with 0 when all that was applicable passed, 1 when not, 2 when it could not begin.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { parse } from 'yaml';

import { bundle } from '../../infra/aws/bundle/bundle.ts';
import { allCases } from './cases/all.ts';
import { checkServed, installCrds } from './crds.ts';
import { groundOf } from './ground.ts';
import { plainTemplate, type Template } from './making.ts';
import { junitOf, tableOf } from './report.ts';
import { type Result, runCases } from './run.ts';

const options = {
  kubeconfig: { type: 'string' },
  'install-crds': { type: 'boolean', default: false },
  'vm-template': { type: 'string' },
  guests: { type: 'string', default: 'sim' },
  only: { type: 'string', default: '' },
  'at-once': { type: 'string', default: '8' },
  junit: { type: 'string' },
} as const;

/** @throws Error saying what was expected. */
function readOptions() {
  const { values } = parseArgs({ options });
  const file = values.kubeconfig ?? process.env['KUBECONFIG'];
  const atOnce = Number(values['at-once']);
  const problems = [
    !file &&
      'which cluster? Set KUBECONFIG, or give --kubeconfig FILE (npm run sim -- --kubeconfig-out FILE makes one)',
    !['sim', 'real'].includes(values.guests) && `--guests: expected sim or real, not "${values.guests}"`,
    !(Number.isInteger(atOnce) && atOnce > 0) &&
      `--at-once: expected a whole number from 1, not "${values['at-once']}"`,
  ].filter((one) => one !== false);
  const chosen = allCases.filter(({ area, name }) => `${area}: ${name}`.includes(values.only));
  if (chosen.length === 0) problems.push(`--only: no case has "${values.only}" in its name`);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const template = values['vm-template'] === undefined ? plainTemplate : templateIn(values['vm-template']);
  return { ...values, file: file as string, atOnce, chosen, template };
}

/** `spec.template` of a VM, or a whole VirtualMachine, as YAML or JSON. */
function templateIn(path: string): Template {
  const read = parse(readFileSync(path, 'utf8')) as Template & { spec: { template?: Template } };
  return read.spec.template ?? read;
}

const tell = ({ area, name, result }: Result) => void process.stderr.write(`${result.padEnd(15)}${area}: ${name}\n`);

async function main(): Promise<number> {
  const { file, guests, junit, chosen, ...option } = readOptions();
  const functions = await bundle({ file: 'test/contract/functions.ts' });
  const modes = { obedient: guests === 'sim', mayChangeCrds: option['install-crds'] };
  const ground = await groundOf(file, pathToFileURL(functions).href, modes);
  if (modes.mayChangeCrds) await installCrds(ground);
  await checkServed(ground);
  const results = await runCases(chosen, ground, { template: option.template, atOnce: option.atOnce, tell });
  if (junit) writeFileSync(junit, junitOf(results));
  console.log(tableOf(results));
  return results.some(({ result }) => result === 'failed') ? 1 : 0;
}

try {
  process.exit(await main());
} catch (thrown) {
  console.error(`test:cluster: ${(thrown as Error).message}`);
  process.exit(2);
}
