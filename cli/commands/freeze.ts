import { bodyOf } from '../../shared/cluster/failure.ts';
import { namespacePath } from '../../shared/cluster/namespaces.ts';
import { mergePatch } from '../../shared/cluster/objects.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { freezeConfigMap, freezeFrom } from '../../shared/schedule/override.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { clusterOptions, openCluster } from '../cluster.ts';
import { type CliCommand, exitCodes, type Options, UsageError } from '../command.ts';
import { endOf, needsZone, spoken } from '../terminal/duration.ts';
import { helpOf } from '../terminal/help.ts';
import { zoneOf } from '../terminal/span.ts';
import { freezePlace, readsIn } from './installations.ts';
import type { ConfigMap } from './manifest.ts';

const options: Options = {
  for: { type: 'string', value: 'DURATION', about: 'from now on' },
  until: { type: 'string', value: 'TIME', about: 'such as 2026-03-29T01:00:00Z, or with --zone 18:00' },
  zone: { type: 'string', value: 'ZONE', about: 'the time zone of --until 18:00' },
  off: { type: 'boolean', about: 'schedules act again' },
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAME',
    about: 'default: $LIFECYCLE_NAMESPACE, else where the installation in the cluster looks, else wukong-lifecycle',
  },
  ...clusterOptions,
};

export const freeze: CliCommand = {
  summary: 'stops all schedules for a while; without options: says whether they are',
  help: helpOf({
    usage: ['freeze --for DURATION | --until TIME', 'freeze --off', 'freeze'],
    about: `Writes ${freezeConfigMap.key} into the ConfigMap ${freezeConfigMap.name} in the namespace where ticks look for it, which is made where it is missing, and says which installation obeys it. Fails where none would. Commands of people are carried out all the same.`,
    options,
    examples: ['wukong freeze --for 2d'],
  }),
  options,
  run: async (values, io) => {
    const given = (values.for ?? values.until) !== undefined;
    if (given && values.off === true) throw new UsageError('expected --off without --for and --until');
    const zone = zoneOf(values);
    if (needsZone(values.until) && !zone)
      throw new UsageError(
        `--until ${String(values.until)}: expected --zone ZONE with it, as a freeze is of no schedule`,
      );
    const until = given ? endOf(values, io.now, zone) : undefined;
    const { world, namespace: own } = await openCluster(values, io);
    const asked = values.namespace as string | undefined;
    const env = io.env?.['LIFECYCLE_NAMESPACE'];
    // Where -n is given, the namespace of the session is that one, and not where the person is at home.
    const { namespace, obeyedBy, others } = await freezePlace(world, { asked, env, own });
    const who = () => {
      io.out(`${obeyedBy}\n`);
      for (const other of others) io.err(`note: ${readsIn(other)}, so this is not for it\n`);
    };
    if (until !== undefined || values.off === true) {
      const before = endOfFreeze(await frozenIn(world, namespace), io.now);
      await write(world, namespace, until, asked === undefined);
      io.out(
        until === undefined
          ? 'Schedules act again.\n'
          : `Frozen until ${rfc3339(until)} (${spoken(until - io.now)}).\n`,
      );
      who();
      if (before !== undefined) io.err(`note: it was frozen until ${before} before\n`);
      return exitCodes.done;
    }
    const frozen = await frozenIn(world, namespace);
    if (frozen.problem) io.err(`${frozen.problem}\n`);
    const end = endOfFreeze(frozen, io.now);
    io.out(end === undefined ? 'Not frozen.\n' : `Frozen until ${end}.\n`);
    who();
    return exitCodes.done;
  },
};

const pathOf = (namespace: string, name?: string): string =>
  apiPath({ api: 'v1', namespace, kind: 'configmaps', name });
const freezeAt = (namespace: string): string => pathOf(namespace, freezeConfigMap.name);

async function frozenIn(world: World, namespace: string): Promise<ReturnType<typeof freezeFrom>> {
  const answer = await world.transport.call<ConfigMap>({ method: 'GET', path: freezeAt(namespace), safe: true });
  return freezeFrom(answer.status === 404 ? undefined : bodyOf(answer, freezeAt(namespace)).data);
}

/** For people; undefined where nothing is frozen now. */
function endOfFreeze({ until }: ReturnType<typeof freezeFrom>, now: number): string | undefined {
  if (until === undefined || until <= now) return undefined;
  return until === Infinity ? 'somebody mends it' : rfc3339(until);
}

/** The namespace is made too, where nobody named one: an installation outside the cluster has none of its own there. */
async function write(world: World, namespace: string, until: number | undefined, make: boolean): Promise<void> {
  const what = `ConfigMap ${namespace}/${freezeConfigMap.name}`;
  const data = { [freezeConfigMap.key]: until === undefined ? null : rfc3339(until) };
  const patched = await mergePatch(world, freezeAt(namespace), { data }, {});
  if (patched.status !== 404) return void bodyOf(patched, what);
  if (until === undefined) return; // there is none, so nothing is frozen
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: freezeConfigMap.name, namespace }, data };
  const create = () => world.transport.call({ method: 'POST', path: pathOf(namespace), body, safe: false });
  let made = await create();
  if (made.status === 404 && make) {
    const created = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    const answer = await world.transport.call({
      method: 'POST',
      path: namespacePath(),
      body: created,
      safe: false,
    });
    if (answer.status !== 409) bodyOf(answer, `namespace ${namespace}, where ticks look for the freeze`);
    made = await create();
  }
  if (made.status === 404)
    throw new LifecycleError(
      'Refused',
      `there is no namespace ${namespace}, so nothing was frozen; make it, or leave --namespace out`,
    );
  bodyOf(made, what);
}
