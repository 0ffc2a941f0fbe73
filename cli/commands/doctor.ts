import { clusterOptions, openCluster, scopeOptions } from '../cluster.ts';
import { type CliCommand, exitCodes, type Options } from '../command.ts';
import { colourOfWord, columns, text } from '../terminal/columns.ts';
import { durationSeconds } from '../terminal/duration.ts';
import { helpOf } from '../terminal/help.ts';
import { checks } from './checks.ts';
import type { Finding } from './finding.ts';

const { selector: _none, ...places } = scopeOptions;
const options: Options = {
  ...places,
  grace: { type: 'string', value: 'DURATION', about: 'asks which running VMs can be given that long to shut down' },
  output: { type: 'string', short: 'o', choices: ['json'], about: 'a finding a line' },
  ...clusterOptions,
};

export const doctor: CliCommand = {
  summary: 'looks whether all that is needed is there, and what will go wrong',
  help: helpOf({
    usage: ['doctor [-n NAME | -A] [--grace DURATION]'],
    about:
      'Checks whether the cluster is reached, its clock, KubeVirt and its power calls, the CRDs, schedules that do not do all that they say, the permissions of the Roles of infra/rbac, guests without an agent or with a short grace period, grace periods that the launcher pods do not allow, and operations that nobody goes on with. It looks at one namespace, with -A at all. Permissions are those of the account in the kubeconfig: take that of the functions to check theirs.',
    options,
    exit: '0 nothing has failed (warnings are none), 1 something has, 2 wrong usage.',
  }),
  options,
  run: async (values, io) => {
    const grace = durationSeconds('grace', values.grace as string | undefined);
    const session = await openCluster(values, io);
    const namespace = values['all-namespaces'] === true ? undefined : session.namespace;
    const found: Finding[] = [];
    for (const check of checks) {
      const findings = await check({ ...session, namespace, grace });
      for (const finding of findings) found.push(finding);
      // Nothing more can be known of a cluster that does not answer.
      if (check === checks[0] && findings.some(({ level }) => level === 'FAIL')) break;
    }
    if (namespace !== undefined && values.output !== 'json')
      io.err(`Looked at namespace ${namespace}; -A looks at all.\n`);
    if (values.output === 'json') io.out(text(found.map((one) => JSON.stringify(one))));
    else {
      const rows = found.map(({ level, check, found: what, next }) => [level, check, next ? `${what}; ${next}` : what]);
      io.out(
        text(
          columns(
            ['', 'CHECK', 'FOUND'],
            rows,
            io.colour ? (cell, at) => (at === '' ? colourOfWord(cell) : undefined) : undefined,
          ),
        ),
      );
    }
    return found.some(({ level }) => level === 'FAIL') ? exitCodes.failed : exitCodes.done;
  },
};
