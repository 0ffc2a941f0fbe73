// What serverless.yml asks for with ${file(infra/aws/config.js):…}. The packager reads .js only; the work is in the .ts.
import { options } from './bundle/options.mjs';
import { parameterNames, readParameters } from './parameters.ts';
import { roleOutputs, roles as rolesOf } from './roles.ts';
import { scheduleEvents } from './schedules.ts';

const file = 'infra/aws/schedules.yml';

/** The packager would print the same error with its own stack for each variable: one, in plain words, is enough. */
function orRefuse(read) {
  try {
    return read();
  } catch (thrown) {
    process.stderr.write(`\nserverless.yml: ${thrown.message.replaceAll('; ', '\n  ')}\n`);
    return process.exit(1);
  }
}

async function read({ resolveVariable }) {
  const given = {};
  for (const name of parameterNames) given[name] = await resolveVariable(`param:${name}, null`);
  const stage = await resolveVariable('sls:stage');
  return orRefuse(() => {
    if (stage === 'example' && process.argv.includes('deploy'))
      throw new Error('stage "example" has ids that do not exist: expected --stage NAME, with parameters of your own');
    return readParameters(given);
  });
}

const prefixOf = async ({ resolveVariable }) =>
  `${await resolveVariable('self:service')}-${await resolveVariable('sls:stage')}`;

async function schedules(variables) {
  const { clusters } = await read(variables);
  const list = await variables.resolveVariable(`file(${file}), null`);
  const prefix = await prefixOf(variables);
  return orRefuse(() => scheduleEvents(list, { file, prefix, clusters }));
}

export const vpc = async (variables) => (await read(variables)).vpc ?? {};
export const tracing = async (variables) => (await read(variables)).tracing;
export const logRetentionDays = async (variables) => (await read(variables)).logRetentionDays;
export const roles = async (variables) => ({
  Resources: rolesOf(await read(variables), await prefixOf(variables)),
  Outputs: roleOutputs(),
});
export const startEvents = async (variables) => [...eventsOf('start'), ...(await schedules(variables)).start];
export const stopEvents = async (variables) => [...eventsOf('stop'), ...(await schedules(variables)).stop];

/** What both power functions are triggered by, besides their schedules: their queue and HTTP. */
const eventsOf = (action) => [
  {
    sqs: {
      arn: { 'Fn::GetAtt': [`${action === 'start' ? 'Start' : 'Stop'}Queue`, 'Arn'] },
      batchSize: 5,
      // Where five at once are reserved for it, the other two are for schedules and HTTP.
      maximumConcurrency: 3,
      functionResponseType: 'ReportBatchItemFailures',
    },
  },
  {
    httpApi: {
      method: 'POST',
      path: `/namespaces/{namespace}/wukongs/{name}/${action}`,
      authorizer: { type: 'aws_iam' },
    },
  },
];

/** Environment variables of every function; one that is not set is left out. */
export const environment = async (variables) => {
  const { clustersText, watchNamespaces, webhookSecret, webhookFormat } = await read(variables);
  return {
    CLUSTERS: clustersText,
    EVENT_BUS_NAME: { Ref: 'EventBus' },
    // The young generation that V8 takes by itself doubles the memory of a large tick (docs/decisions/0036).
    NODE_OPTIONS: '--enable-source-maps --max-semi-space-size=16',
    POWERTOOLS_SERVICE_NAME: await prefixOf(variables),
    ...(webhookSecret ? { WEBHOOK_SECRET: webhookSecret, WEBHOOK_FORMAT: webhookFormat ?? 'cloudevents' } : {}),
    ...(watchNamespaces ? { WATCH_NAMESPACES: watchNamespaces } : {}),
  };
};

/** So many of each at once, where the parameter reserves them. Two ticks may meet: one that takes long keeps none back. */
const shares = { StartVm: 5, StopVm: 5, RestartVm: 2, ReconcileState: 3, GetState: 5 };

/** Who asked for what, and what came of it; of a request that never reached a function too. */
export const accessLogFormat = () =>
  JSON.stringify({
    requestId: '$context.requestId',
    time: '$context.requestTime',
    who: '$context.identity.userArn',
    ip: '$context.identity.sourceIp',
    route: '$context.routeKey',
    path: '$context.path',
    status: '$context.status',
    error: '$context.error.message',
    integrationError: '$context.integrationErrorMessage',
    milliseconds: '$context.responseLatency',
  });

/** What the packager has no words for. What Lambda does not take from Scheduler is tried for an hour, then a dead letter. */
export const extensions = async (variables) => {
  const all = await schedules(variables);
  const arn = (id) => ({ 'Fn::GetAtt': [id, 'Arn'] });
  const targets = (events, name) =>
    events.map(({ schedule }, i) => {
      const Target = {
        Arn: arn(`${name}VmLambdaFunction`),
        RoleArn: schedule.roleArn,
        Input: JSON.stringify(schedule.input),
        RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 60 },
        DeadLetterConfig: { Arn: arn(`${name}DeadLetters`) },
      };
      return [`${name}VmSchedulerSchedule${i + 1}`, { Properties: { Target } }];
    });
  const DefaultRouteSettings = { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40, DetailedMetricsEnabled: true };
  const reserved = (await read(variables)).reservedConcurrency ? Object.entries(shares) : [];
  return {
    ...Object.fromEntries(
      reserved.map(([name, most]) => [`${name}LambdaFunction`, { Properties: { ReservedConcurrentExecutions: most } }]),
    ),
    ...Object.fromEntries([...targets(all.start, 'Start'), ...targets(all.stop, 'Stop')]),
    HttpApiStage: { Properties: { DefaultRouteSettings } },
  };
};

export const alarmSubscription = async (variables) => {
  const { alarmEmail } = await read(variables);
  if (!alarmEmail) return {};
  const Properties = { Protocol: 'email', Endpoint: alarmEmail, TopicArn: { Ref: 'AlarmTopic' } };
  return { Resources: { AlarmMail: { Type: 'AWS::SNS::Subscription', Properties } } };
};

export const esbuild = () => ({
  ...options,
  outputFileExtension: '.mjs',
  plugins: 'infra/aws/bundle/plugin.mjs',
  packager: 'npm',
  exclude: [],
  concurrency: 2,
  skipRebuild: true,
});
