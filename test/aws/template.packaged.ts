import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { packageService, type Resource, template, unpack } from './packaging.ts';

const { Resources } = template();
const ofType = (type: string): [string, Resource['Properties']][] =>
  Object.entries(Resources).flatMap(([id, one]) => (one.Type === type ? [[id, one.Properties]] : []));
const propertiesOf = (id: string) => Resources[id]?.Properties ?? {};
const attribute = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

describe('the packaged template', () => {
  it('has the five functions, each with a role and a log group of its own', () => {
    const found = ofType('AWS::Lambda::Function').map(([id, { Role, Runtime, Architectures, Timeout, VpcConfig }]) => [
      id,
      { Role, Runtime, Architectures, Timeout, vpc: VpcConfig !== undefined },
    ]);
    const common = { Runtime: 'nodejs24.x', Architectures: ['arm64'], Timeout: 120, vpc: true };
    expect(Object.fromEntries(found)).toEqual({
      StartVmLambdaFunction: { ...common, Role: attribute('StartVmRole') },
      StopVmLambdaFunction: { ...common, Role: attribute('StopVmRole') },
      RestartVmLambdaFunction: { ...common, Role: attribute('RestartVmRole') },
      ReconcileStateLambdaFunction: { ...common, Role: attribute('ReconcileStateRole') },
      GetStateLambdaFunction: { ...common, Role: attribute('GetStateRole'), Timeout: 25 },
    });
    for (const [, group] of ofType('AWS::Logs::LogGroup')) expect(group).toMatchObject({ RetentionInDays: 30 });
    expect(ofType('AWS::Logs::LogGroup')).toHaveLength(6);
    for (const [, one] of ofType('AWS::Lambda::Function')) {
      // A new account has ten at once in all, and cannot reserve any.
      expect(one['ReservedConcurrentExecutions']).toBeUndefined();
      expect(one['TracingConfig']).toEqual({ Mode: 'Active' });
    }
  });

  it('gives a message time for six runs of its function before it comes again, and three tries', () => {
    for (const name of ['Start', 'Stop']) {
      const timeout = propertiesOf(`${name}VmLambdaFunction`)['Timeout'];
      expect(propertiesOf(`${name}Queue`)).toMatchObject({
        VisibilityTimeout: 6 * Number(timeout),
        RedrivePolicy: { deadLetterTargetArn: attribute(`${name}DeadLetters`), maxReceiveCount: 3 },
      });
      expect(propertiesOf(`${name}VmEventSourceMappingSQS${name}Queue`)).toMatchObject({
        EventSourceArn: attribute(`${name}Queue`),
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      });
    }
  });

  it('has a rule for each request, on a bus of its own, and one that ticks', () => {
    const rules = Object.fromEntries(ofType('AWS::Events::Rule'));
    expect(Object.keys(rules).sort()).toEqual(['ReconcileStateEventsRuleSchedule1', 'StartRequested', 'StopRequested']);
    expect(rules['ReconcileStateEventsRuleSchedule1']).toMatchObject({ ScheduleExpression: 'rate(1 minute)' });
    expect(rules['StopRequested']).toMatchObject({
      EventBusName: { Ref: 'EventBus' },
      EventPattern: { 'detail-type': ['Wukong VM Stop Requested'] },
      Targets: [{ Arn: attribute('StopQueue'), DeadLetterConfig: { Arn: attribute('StopDeadLetters') } }],
    });
  });

  it('has the schedules of schedules.yml in their zone, each occurrence one request', () => {
    const schedules = ofType('AWS::Scheduler::Schedule').map(([, properties]) => properties);
    expect(schedules).toHaveLength(2);
    expect(schedules[1]).toMatchObject({
      ScheduleExpression: 'cron(0 20 ? * MON,TUE,WED,THU,FRI *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      Target: { Arn: attribute('StopVmLambdaFunction'), DeadLetterConfig: { Arn: attribute('StopDeadLetters') } },
    });
    const { Input } = schedules[1]?.['Target'] as { Input: string };
    expect(JSON.parse(Input)).toMatchObject({
      requestId: '<aws.scheduler.schedule-arn>@<aws.scheduler.scheduled-time>',
      scheduledAt: '<aws.scheduler.scheduled-time>',
      trigger: 'schedule',
      target: { selector: 'schedule=office-hours' },
    });
  });

  it('lets in over HTTP only whom IAM knows, and not too often', () => {
    const routes = ofType('AWS::ApiGatewayV2::Route').map(([, route]) => route);
    expect(routes.map(({ RouteKey }) => RouteKey).sort()).toEqual([
      'GET /namespaces/{namespace}/wukongs',
      'GET /namespaces/{namespace}/wukongs/{name}',
      'POST /namespaces/{namespace}/wukongs/{name}/restart',
      'POST /namespaces/{namespace}/wukongs/{name}/start',
      'POST /namespaces/{namespace}/wukongs/{name}/stop',
    ]);
    for (const route of routes) expect(route).toMatchObject({ AuthorizationType: 'AWS_IAM' });
    expect(propertiesOf('HttpApiStage')).toMatchObject({ DefaultRouteSettings: { ThrottlingRateLimit: 20 } });
  });

  it('logs who asked for what over HTTP', () => {
    const { AccessLogSettings } = propertiesOf('HttpApiStage') as { AccessLogSettings: Record<string, string> };
    expect(AccessLogSettings['DestinationArn']).toEqual(attribute('HttpApiLogGroup'));
    expect(JSON.parse(AccessLogSettings['Format'] ?? '')).toMatchObject({
      who: '$context.identity.userArn',
      route: '$context.routeKey',
      status: '$context.status',
    });
  });

  it('keeps the public out of the bucket, and what alarms say from whoever reads disks', () => {
    const [[, bucket] = []] = ofType('AWS::S3::Bucket');
    expect(bucket?.['PublicAccessBlockConfiguration']).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    expect(propertiesOf('AlarmTopic')).toMatchObject({ KmsMasterKeyId: { Ref: 'AlarmKey' } });
    const { KeyPolicy } = propertiesOf('AlarmKey') as { KeyPolicy: { Statement: object[] } };
    // Without it no alarm gets through to anybody.
    expect(KeyPolicy.Statement).toContainEqual({
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      Resource: '*',
    });
  });

  it('has every alarm, and somebody to tell', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm');
    const functions = ['StartVm', 'StopVm', 'RestartVm', 'ReconcileState', 'GetState'];
    expect(alarms.map(([id]) => id).sort()).toEqual(
      [
        ...[
          'FailuresAlarm',
          'CommandsRefusedAlarm',
          'ForcedStopsAlarm',
          'UnobservedStopsAlarm',
          'LatenessAlarm',
          'NoTicksAlarm',
        ],
        ...['TickProblemsAlarm', 'BadSchedulesAlarm', 'BadRunsAlarm'],
        ...['StartDeadLettersAlarm', 'StopDeadLettersAlarm'],
        ...functions.flatMap((name) => [`${name}ErrorsAlarm`, `${name}ThrottlesAlarm`]),
      ].sort(),
    );
    for (const [, alarm] of alarms) expect(alarm['AlarmActions']).toEqual([{ Ref: 'AlarmTopic' }]);
    expect(ofType('AWS::SNS::Subscription')).toHaveLength(1);
    const { 'Fn::Sub': body } = propertiesOf('Dashboard')['DashboardBody'] as { 'Fn::Sub': string };
    expect(JSON.parse(body)).toHaveProperty('widgets');
  });
});

interface Statement {
  Effect: string;
  Condition?: object;
  Action: string[];
  Resource: unknown;
}
const statementsOf = (id: string): Statement[] =>
  (propertiesOf(id)['Policies'] as { PolicyDocument: { Statement: Statement[] } }[]).flatMap(
    ({ PolicyDocument }) => PolicyDocument.Statement,
  );

describe('the roles', () => {
  const roles = ofType('AWS::IAM::Role').map(([id]) => id);

  it('are one for each function, and one for Scheduler', () => {
    expect(roles.sort()).toEqual([
      ...['GetStateRole', 'ReconcileStateRole', 'RestartVmRole', 'SchedulerRole', 'StartVmRole', 'StopVmRole'],
    ]);
  });

  it('have no action with a star, and a resource that is one only where AWS knows none to name', () => {
    // https://docs.aws.amazon.com/service-authorization: these support no resource-level permissions.
    const nameless = [
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ];
    const found = new Set<string>();
    for (const { Effect, Action, Resource } of roles.flatMap(statementsOf)) {
      for (const action of Action) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
      if (Effect === 'Allow' && [Resource].flat().includes('*')) Action.forEach((action) => found.add(action));
    }
    expect([...found].sort()).toEqual(nameless);
  });

  it('let Lambda make network interfaces, and not the code', () => {
    for (const name of ['startVm', 'stopVm', 'restartVm', 'reconcileState', 'getState']) {
      const statements = statementsOf(`${name.charAt(0).toUpperCase()}${name.slice(1)}Role`);
      const ec2 = (effect: string) =>
        statements.filter((one) => one.Effect === effect).flatMap(({ Action }) => Action.filter((a) => /^ec2/.test(a)));
      expect(ec2('Deny').sort()).toEqual(ec2('Allow').sort());
      const arn = `arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:wukong-lifecycle-example-${name}`;
      expect(statements.find((one) => one.Effect === 'Deny')?.Condition).toEqual({
        ArnEquals: { 'lambda:SourceFunctionArn': { 'Fn::Sub': arn } },
      });
    }
  });

  it('allow what each uses, and no more', () => {
    const actions = (id: string) =>
      statementsOf(id).flatMap(({ Action }) => Action.filter((one) => !/^(ec2|xray|logs)/.test(one)));
    const cluster = ['secretsmanager:GetSecretValue', 'eks:DescribeCluster'];
    expect(actions('GetStateRole')).toEqual(cluster);
    expect(actions('ReconcileStateRole')).toEqual([...cluster, 'events:PutEvents']);
    expect(actions('RestartVmRole')).toEqual([...cluster, 'events:PutEvents']);
    expect(actions('StopVmRole')).toEqual([
      ...cluster,
      'events:PutEvents',
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:SendMessage',
    ]);
    expect(JSON.stringify(statementsOf('StopVmRole'))).not.toContain('Start');
  });
});

describe('the bundles', () => {
  // The tick reads schedules: 0.7 MB of it are the data of time zones, and 0.1 MB the parser of calendar files.
  it.each([
    ['startVm', 1_600_000],
    ['stopVm', 1_600_000],
    ['restartVm', 1_600_000],
    ['reconcileState', 2_200_000],
    ['getState', 1_600_000],
  ])('%s has less than %i bytes, its own alone, and their source maps', (name, most) => {
    const temporary = mkdtempSync(join(tmpdir(), 'wukong-bundle-'));
    const folder = unpack(name, temporary);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.[a-z]+$/.test(file));
    const programs = files.filter((file) => file.endsWith('.mjs'));
    expect(files.sort()).toEqual(programs.flatMap((file) => [file, `${file}.map`]).sort());
    for (const file of programs) expect(file).toMatch(new RegExp(`^functions/${name}/handler(\\.[A-Z0-9]+)?\\.mjs$`));
    expect(programs.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)).toBeLessThan(most);
    // What is imported when it is needed is not read by a cold start.
    expect(statSync(join(folder, `functions/${name}/handler.mjs`)).size).toBeLessThan(most / 3);
    rmSync(temporary, { recursive: true });
  });
});

describe('the packager', () => {
  const refusal = (options: string[]): string => {
    try {
      packageService(options);
    } catch (thrown) {
      return (thrown as Error).message;
    }
    throw new Error('it was packaged');
  };

  it('puts the roles into the outputs, to let them into the clusters', () => {
    const { Outputs } = template() as unknown as { Outputs: Record<string, object> };
    expect(Outputs['StopVmRoleArn']).toEqual({ Value: attribute('StopVmRole') });
  });

  it('names every parameter that is missing', () => {
    const said = refusal(['--stage', 'prod', '--package', '.serverless/refused']);
    for (const name of ['clusters', 'subnetIds', 'securityGroupIds']) expect(said).toContain(`${name}: is missing`);
  });
});
