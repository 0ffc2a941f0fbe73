import { clusterOptions, namespaceOption, openCluster } from '../cluster.ts';
import { type CliCommand, exitCodes, type Options, UsageError, wukongNames } from '../command.ts';
import { text } from '../terminal/columns.ts';
import { helpOf } from '../terminal/help.ts';
import { seeingFreeze } from './installations.ts';
import { typedName } from './targets.ts';
import { readKnown } from './whyRead.ts';
import { storyOf } from './whyStory.ts';

const options: Options = { ...namespaceOption, ...clusterOptions };

export const why: CliCommand = {
  summary: 'tells the story of one VM: what is so, why, what comes next, and what changes it',
  help: helpOf({
    usage: ['why NAME [-n NAME]'],
    about:
      'In plain sentences: what is so now, what was done last and by whose word, what holds what back, what comes next, and the command that changes each of these. It writes nothing.',
    options,
    exit: '0, or 1 when there is no such Wukong or the cluster cannot be reached, 2 wrong usage.',
  }),
  options,
  positionals: true,
  completes: [wukongNames],
  run: async (values, io, [name, ...more]) => {
    if (name === undefined || more.length > 0) throw new UsageError('expected the name of one Wukong');
    const typed = typedName(name);
    if (typed.vm) throw new UsageError('expected the name of a Wukong; wukong state vm/NAME says whose VM one is');
    const session = await openCluster(values, io);
    const { namespace } = session;
    const world = await seeingFreeze(session.world, io.env, namespace);
    const limits = { deadline: world.clock.now() + 60_000 };
    io.out(text(storyOf(await readKnown(world, { namespace, name: typed.name }, limits))));
    return exitCodes.done;
  },
};
