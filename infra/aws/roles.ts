import type { Clusters } from '../../shared/cluster/clusters.ts';
import type { Parameters } from './parameters.ts';

type Value = string | object;
interface Statement {
  Effect: 'Allow' | 'Deny';
  Action: string[];
  Resource: Value | Value[];
  Condition?: object;
}

const allow = (Action: string[], Resource: Value | Value[]): Statement => ({ Effect: 'Allow', Action, Resource });
const sub = (text: string): Value => ({ 'Fn::Sub': text });
const arnOf = (id: string): Value => ({ 'Fn::GetAtt': [id, 'Arn'] });

/** The same for each: its own log group; the clusters; the network and tracing, where they are asked for. */
function common(functionName: string, parameters: Parameters): Statement[] {
  const group = `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${functionName}`;
  return [
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], sub(`${group}:*`)),
    ...clusterStatements(parameters.clusters),
    ...(parameters.secretKeyArn && hasSecrets(parameters) ? [allow(['kms:Decrypt'], parameters.secretKeyArn)] : []),
    ...(parameters.vpc ? vpcStatements(functionName) : []),
    // X-Ray has no resources to name.
    ...(parameters.tracing ? [allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], '*')] : []),
  ];
}

const describing = ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'];
const interfaces = [
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * Lambda makes its network interfaces with these. Describing them knows no resources; ids are not known beforehand. The
 * service needs them, the code does not: calls with the function's own credentials bear its ARN, and are denied.
 */
const vpcStatements = (functionName: string): Statement[] => [
  allow(describing, '*'),
  allow(interfaces, sub('arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:*/*')),
  {
    Effect: 'Deny',
    Action: [...describing, ...interfaces],
    Resource: '*',
    Condition: {
      ArnEquals: {
        'lambda:SourceFunctionArn': sub(
          `arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:${functionName}`,
        ),
      },
    },
  },
];

/** Secrets Manager puts six characters of its own behind a name. */
const secretArn = (id: string): Value =>
  id.startsWith('arn:')
    ? id
    : sub(`arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${id}-??????`);
const reading = (secrets: Value[]): Statement[] =>
  secrets.length > 0 ? [allow(['secretsmanager:GetSecretValue'], secrets)] : [];

const hasSecrets = ({ clusters, webhookSecret }: Parameters): boolean =>
  webhookSecret !== undefined || [...clusters.values()].some(({ from }) => from === 'secret');

function clusterStatements(clusters: Clusters): Statement[] {
  const secrets: Value[] = [];
  const eks: Value[] = [];
  for (const source of clusters.values()) {
    if (source.from === 'secret') secrets.push(secretArn(source.id));
    if (source.from === 'eks')
      eks.push(
        sub(
          `arn:\${AWS::Partition}:eks:${source.region ?? '${AWS::Region}'}:\${AWS::AccountId}:cluster/${source.name}`,
        ),
      );
  }
  return [...reading(secrets), ...(eks.length > 0 ? [allow(['eks:DescribeCluster'], eks)] : [])];
}

const putEvents = allow(['events:PutEvents'], arnOf('EventBus'));
const queue = (name: 'Start' | 'Stop'): Statement[] => [
  allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], arnOf(`${name}Queue`)),
  allow(['sqs:SendMessage'], arnOf(`${name}DeadLetters`)), // what an asynchronous call could not be
];

const role = (service: string, statements: Statement[], condition?: object) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: service },
          Action: 'sts:AssumeRole',
          ...(condition ? { Condition: condition } : {}),
        },
      ],
    },
    Policies: [{ PolicyName: 'own', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
  },
});

/** A role for each function with what it uses, and one with which Scheduler calls startVm and stopVm. */
export function roles(parameters: Parameters, prefix: string): Record<string, object> {
  const notices = reading(parameters.webhookSecret ? [secretArn(parameters.webhookSecret)] : []);
  const own = (name: string, more: Statement[]) =>
    role('lambda.amazonaws.com', [...common(`${prefix}-${name}`, parameters), ...more]);
  return {
    StartVmRole: own('startVm', [putEvents, ...queue('Start'), ...notices]),
    StopVmRole: own('stopVm', [putEvents, ...queue('Stop'), ...notices]),
    RestartVmRole: own('restartVm', [putEvents, ...notices]),
    ReconcileStateRole: own('reconcileState', [putEvents, ...notices]),
    GetStateRole: own('getState', []),
    SchedulerRole: role(
      'scheduler.amazonaws.com',
      [
        allow(['lambda:InvokeFunction'], [arnOf('StartVmLambdaFunction'), arnOf('StopVmLambdaFunction')]),
        allow(['sqs:SendMessage'], [arnOf('StartDeadLetters'), arnOf('StopDeadLetters')]),
      ],
      { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    ),
  };
}

/** The functions' roles by name, to let them into the clusters. */
export const roleOutputs = (): Record<string, object> =>
  Object.fromEntries(
    ['StartVm', 'StopVm', 'RestartVm', 'ReconcileState', 'GetState'].map((name) => [
      `${name}RoleArn`,
      { Value: arnOf(`${name}Role`) },
    ]),
  );
