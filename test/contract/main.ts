// npm run test:cluster -- [--kubeconfig FILE] [--install-crds] [--vm-template FILE] [--guests real] [--only TEXT]
//                         [--at-once N] [--junit FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { loadYaml } from '@kubernetes/client-node';

import { allCases } from './cases/all.ts';
import { checkServed, installCrds } from './crds.ts';
import { groundOf } from './ground.ts';
import { plainTemplate, type Template } from './making.ts';
import { packaged } from './packaged.ts';
import { countsOf, junitOf, tableOf } from './report.ts';
import { runCases } from './run.ts';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    'install-crds': { type: 'boolean', default: false },
    'vm-template': { type: 'string' },
    guests: { type: 'string', default: 'sim' },
    only: { type: 'string' },
    'at-once': { type: 'string', default: '8' },
    junit: { type: 'string' },
  },
});
const file = values.kubeconfig ?? process.env['KUBECONFIG'];
if (!file) {
  console.error(
    'Which cluster? Set KUBECONFIG, or give --kubeconfig FILE. The embedded one: npm run sim -- --kubeconfig-out FILE',
  );
  process.exit(2);
}
/** `spec.template` of a VM, or a whole VirtualMachine, as YAML or JSON. */
function templateIn(path: string): Template {
  const read = loadYaml<Template & { spec: { template?: Template } }>(readFileSync(path, 'utf8'));
  return read.spec.template ?? read;
}

const ground = await groundOf(file, await packaged(), {
  obedient: values.guests !== 'real',
  mayChangeCrds: values['install-crds'],
});
if (values['install-crds']) await installCrds(ground);
await checkServed(ground);
const chosen = allCases.filter(({ area, name }) => `${area}: ${name}`.includes(values.only ?? ''));
const template = values['vm-template'] ? templateIn(values['vm-template']) : plainTemplate;
const tell = ({ area, name, result }: { area: string; name: string; result: string }) =>
  process.stderr.write(`${result.padEnd(15)}${area}: ${name}\n`);
const results = await runCases(chosen, ground, { template, atOnce: Number(values['at-once']), tell });
if (values.junit) writeFileSync(values.junit, junitOf(results));
console.log(tableOf(results));
process.exit(/ 0 failed/.test(countsOf(results)) ? 0 : 1);
