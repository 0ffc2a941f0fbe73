import { AwsError, awsLogin } from '../../shared/cluster/aws.ts';
import { plain } from '../../shared/report/plain.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError, type Values } from '../command.ts';
import { helpOf } from '../terminal/help.ts';
import { type DeadLetter, leave, type Queues, queueUrl, readDeadLetters, remove, sendBack } from './deadLetters.ts';

const options: Options = {
  stage: { type: 'string', value: 'NAME', about: 'of the deployment' },
  region: { type: 'string', value: 'NAME', about: 'default: $AWS_REGION' },
  service: { type: 'string', value: 'NAME', default: 'wukong-lifecycle', about: 'its name in serverless.yml' },
  'dry-run': { type: 'boolean', about: 'only shows what is there' },
  'delete-invalid': { type: 'boolean', about: 'removes what can never be carried out, and prints it' },
};

export const redrive: CliCommand = {
  summary: 'shows requests that could not be carried out in AWS, and sends them back to their queue',
  help: helpOf({
    usage: ['redrive [start|stop] --stage NAME [OPTIONS]'],
    about:
      'Reads the dead letters of startVm, stopVm or both. What can be carried out goes back to its queue as it was, so it is the same request; what is not valid is left where it is, with the reason, as it would only come back. Needs sqs:GetQueueUrl, ReceiveMessage, ChangeMessageVisibility, DeleteMessage and SendMessage.',
    options,
    examples: ['wukong redrive --stage prod --dry-run', 'wukong redrive stop --stage prod'],
    exit: 'Exit code 4 when something was left behind.',
  }),
  options,
  positionals: true,
  completes: ['start', 'stop'],
  run: async (values, io, positionals) => {
    const actions = positionals.length === 0 ? ['start', 'stop'] : positionals;
    for (const action of actions)
      if (action !== 'start' && action !== 'stop') throw new UsageError(`"${action}": expected start or stop`);
    const env = io.env ?? {};
    const region = (values.region as string | undefined) ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
    if (values.stage === undefined) throw new UsageError('expected --stage NAME');
    if (!region) throw new UsageError('expected --region NAME, or $AWS_REGION');
    const queues = { login: awsLogin(), region, env };
    let left = 0;
    try {
      for (const action of actions) left += await redriveOne(action as 'start' | 'stop', queues, values, io);
    } catch (thrown) {
      if (!(thrown instanceof AwsError)) throw thrown;
      io.err(`wukong redrive: ${thrown.message}\n`);
      return exitCodes.failed;
    }
    return left > 0 ? exitCodes.left : exitCodes.done;
  },
};

/** Answers how many were left behind. */
async function redriveOne(action: 'start' | 'stop', queues: Queues, values: Values, io: Io): Promise<number> {
  const name = `${values.service as string}-${values.stage as string}-${action}`;
  const [dead, queue] = [await queueUrl(queues, `${name}-dead`), await queueUrl(queues, name)];
  const letters = await readDeadLetters(queues, dead, action);
  if (letters.length === 0) io.out(`${name}-dead: nothing is there\n`);
  let left = 0;
  for (const letter of letters) {
    const done = values['dry-run'] === true ? 'left' : letter.problem === undefined ? 'sent back' : 'invalid';
    if (done === 'sent back') await sendBack(queues, dead, queue, letter);
    else if (done === 'invalid' && values['delete-invalid'] === true) await remove(queues, dead, letter);
    else {
      left++;
      await leave(queues, dead, letter);
    }
    io.out(line(name, letter, done === 'invalid' && values['delete-invalid'] === true ? 'deleted' : done));
  }
  return left;
}

/** What is deleted is printed as a whole: it is nowhere else any more. */
const line = (name: string, { messageId, asks, body, problem }: DeadLetter, done: string): string =>
  `${name}-dead: ${messageId}: ${done}: ${plain(done === 'deleted' ? body : asks)}${problem === undefined ? '' : `\n  ${problem}`}\n`;
