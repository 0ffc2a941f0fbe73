// `npm run sim -- --kubeconfig-out FILE`: the embedded cluster alone, empty, until it is stopped.
import { commandLine, wrongUsage } from './commandLine.ts';
import { checkKubeconfigFile, writeKubeconfig } from './kubeconfigFile.ts';
import { startSim } from './sim.ts';

const name = 'npm run sim --';
const help = `Usage: npm run sim -- --kubeconfig-out FILE [OPTIONS]

Runs the embedded cluster, empty, until Ctrl-C; nothing is kept. npx wukong sim has eight Wukongs in it.

  --kubeconfig-out FILE  written when the cluster is ready; a file of somebody else's is left alone
  --port N               on 127.0.0.1; default: any that is free
  --operator             with the operator that makes the VM of each Wukong
  --limits limited       as slow as a real control plane; default: unlimited
  --crd original         the Wukong CRD without our fields; default: extended
  --help                 shows this

Exit code: 0 it was stopped, 1 it could not start, 2 wrong usage.
`;
const option = commandLine(name, help, {
  'kubeconfig-out': { type: 'string' },
  port: { type: 'string', default: '0' },
  operator: { type: 'boolean' },
  limits: { type: 'string', default: 'unlimited' },
  crd: { type: 'string', default: 'extended' },
});

/** Ends the process, naming everything that is wrong. */
function checked(): { file: string; port: number } {
  const { 'kubeconfig-out': file = '', limits = '', crd = '' } = option;
  const port = Number(option.port);
  const problems = [
    file === '' && '--kubeconfig-out: expected FILE',
    !(Number.isInteger(port) && port >= 0 && port <= 65_535 && option.port !== '') &&
      `--port ${option.port}: expected a number from 0 to 65535`,
    !['limited', 'unlimited'].includes(limits) && `--limits ${limits}: expected limited or unlimited`,
    !['extended', 'original'].includes(crd) && `--crd ${crd}: expected extended or original`,
    file !== '' && checkKubeconfigFile(file),
  ].filter((one) => typeof one === 'string');
  if (problems.length > 0) wrongUsage(name, ...problems);
  return { file, port };
}

const { file, port } = checked();
const sim = await startSim({
  port,
  operator: option.operator === true,
  limits: option.limits === 'limited' ? 'limited' : 'unlimited',
  crd: option.crd === 'original' ? 'original' : 'extended',
}).catch((thrown: Error) => {
  console.error(`npm run sim: ${thrown.message}`);
  process.exit(1);
});
// A cluster that runs for days must not remember every request.
setInterval(() => sim.requests.splice(0, Math.max(0, sim.requests.length - 10_000)), 60_000).unref();
writeKubeconfig(file, sim.kubeconfig());
console.log(`the embedded cluster is at ${sim.url}, its kubeconfig in ${file}`);

const stop = () => void sim.close().then(() => process.exit(0));
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
