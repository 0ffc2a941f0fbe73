import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

// @ts-expect-error the packager reads JavaScript only
import { extensions } from '../../infra/aws/config.js';
import { costTable } from '../../infra/aws/cost.ts';
import { awsCron } from '../../infra/aws/cron.ts';
import { parameterNames, readParameters } from '../../infra/aws/parameters.ts';
import { roles } from '../../infra/aws/roles.ts';
import { scheduleEvents } from '../../infra/aws/schedules.ts';
import { parseClusters } from '../../shared/cluster/clusters.ts';

describe('a cron for EventBridge Scheduler', () => {
  it.each([
    ['0 20 * * 1-5', 'cron(0 20 ? * MON,TUE,WED,THU,FRI *)'],
    ['*/15 8-10 * * *', 'cron(0,15,30,45 8,9,10 * * ? *)'],
    ['30 6 1 1,7 *', 'cron(30 6 1 1,7 ? *)'],
    ['0 0 * * 7', 'cron(0 0 ? * SUN *)'],
    ['0 8 * * MON#1', 'cron(0 8 ? * 2#1 *)'],
    ['0 8 * * FRI#L', 'cron(0 8 ? * 6L *)'],
    ['0 8 L * *', 'cron(0 8 L * ? *)'],
    ['0 20 ? * MON-FRI *', 'cron(0 20 ? * MON-FRI *)'],
    ['cron(0 20 L * ? 2027)', 'cron(0 20 L * ? 2027)'],
    ['0/10 * ? * 6#3 *', 'cron(0/10 * ? * 6#3 *)'],
  ])('%s is %s', (text, expected) => expect(awsCron(text)).toBe(expected));

  it.each([
    ['0 25 * * *', 'hour'],
    ['0 20 1 * 1', 'only one of them'],
    ['0 20 * * MON-FRI *', '"?"'],
    ['0 20 ? * ? *', '"?"'],
    ['0 20 ? * 0 *', 'day of the week "0"'],
    ['0 60 ? * 2 *', 'hour "60"'],
    ['', 'is empty'],
    [undefined, 'expected a cron'],
    ['@daily', 'nickname'],
  ])('%s is refused: %s', (text, why) => expect(() => awsCron(text)).toThrow(why));
});

describe('schedules.yml', () => {
  const clusters = parseClusters('prod=eks:prod,edge=secret:edge');
  const good = {
    name: 'evening',
    cron: '0 20 * * *',
    timeZone: 'Europe/Berlin',
    action: 'stop',
    command: { target: { selector: 'env=dev' }, cluster: 'prod' },
  };
  const read = (...list: object[]) => scheduleEvents(list, { file: 'schedules.yml', prefix: 'wukong', clusters });

  it('becomes entries of Scheduler, each occurrence a request of its own', () => {
    expect(read(good)).toMatchObject({
      start: [],
      stop: [
        {
          schedule: {
            method: 'scheduler',
            timezone: 'Europe/Berlin',
            input: {
              cluster: 'prod',
              requestId: '<aws.scheduler.schedule-arn>@<aws.scheduler.scheduled-time>',
              scheduledAt: '<aws.scheduler.scheduled-time>',
            },
          },
        },
      ],
    });
    expect(scheduleEvents(null, { file: 'x', prefix: 'x', clusters })).toEqual({ start: [], stop: [] });
  });

  it.each([
    [{ timeZone: 'Europe/Berln' }, 'timeZone: "Europe/Berln" is no IANA time zone: did you mean Europe/Berlin?'],
    [{ cron: '0 24 * * *' }, 'cron: "0 24 * * *": hour'],
    [{ action: 'pause' }, 'action: expected start or stop'],
    [{ command: { target: { selector: '' }, cluster: 'prod' } }, 'command: target.selector'],
    [{ command: { target: { selector: 'a=b' } } }, 'command.cluster: expected one of prod, edge'],
    [
      { command: { target: { selector: 'a=b' }, cluster: 'prod', requestId: 'x' } },
      'command: requestId: expected none',
    ],
    [
      { command: { target: { selector: 'a=b' }, cluster: 'prod', waitSeconds: 5 } },
      'command: waitSeconds: only for start',
    ],
    [{ command: undefined }, 'command: expected a command'],
    [{ name: 'a b' }, 'name: expected'],
    [{ extra: 1 }, 'extra: unknown'],
    [{ enabled: 'no' }, 'enabled: expected true or false'],
  ])('with %j is refused by file, entry and field', (wrong, said) => {
    const second = { ...good, name: 'other', ...wrong };
    expect(() => read(good, second)).toThrow(`schedules.yml: entry 2 (${second.name}): ${said}`);
  });

  it('names every wrong field of every entry, and names that are there twice', () => {
    expect(() => read({ ...good, cron: 'x', action: 'y' }, good, good)).toThrow(
      /entry 1 .*action.*entry 1 .*cron.*entry 2 .*twice.*entry 3 .*twice/s,
    );
  });
});

describe('the parameters', () => {
  const good = { clusters: 'prod=eks:prod', subnetIds: 'subnet-0123456789abcdef0', securityGroupIds: 'sg-01234567' };

  it('are read, with defaults', () => {
    expect(readParameters(good)).toMatchObject({
      vpc: { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-01234567'] },
      tracing: false,
      logRetentionDays: 30,
    });
    expect(readParameters({ ...good, subnetIds: 'none', securityGroupIds: 'none' }).vpc).toBeUndefined();
  });

  it('let the functions that have something to say read the secret of the webhook, and no other', () => {
    const given = readParameters({ ...good, webhookSecret: 'wukong/webhook', webhookFormat: 'slack' });
    const mayRead = Object.entries(roles(given, 'wukong')).filter(([, role]) =>
      /secretsmanager:GetSecretValue.*secret:wukong\/webhook-\?{6}/.test(JSON.stringify(role)),
    );
    const speaking = ['ReconcileStateRole', 'RestartVmRole', 'StartVmRole', 'StopVmRole'];
    expect(mayRead.map(([name]) => name).sort()).toEqual(speaking);
    expect(JSON.stringify(roles(readParameters(good), 'wukong'))).not.toContain('secretsmanager');
  });

  it('do not repeat an address that was given in the place of its secret', () => {
    const webhookSecret = 'https://hooks.example.com/T00/very-secret';
    const read = () => readParameters({ ...good, webhookSecret });
    expect(read).toThrow('webhookSecret: expected the name or ARN of a secret');
    expect(read).not.toThrow('very-secret');
  });

  it('that are missing are all named', () => {
    expect(() => readParameters({})).toThrow(
      /clusters: is missing.*subnetIds: is missing.*securityGroupIds: is missing/s,
    );
  });

  it.each([
    [{ clusters: 'prod' }, 'clusters: "prod"'],
    [{ clusters: 'prod=file:/x' }, 'clusters: "prod": expected eks or secret'],
    [{ subnetIds: 'vpc-1' }, 'subnetIds: "vpc-1"'],
    [{ subnetIds: 'none' }, 'subnetIds, securityGroupIds'],
    [{ logRetentionDays: '31' }, 'logRetentionDays: "31"'],
    [{ tracing: 'yes' }, 'tracing: "yes"'],
    [{ reservedConcurrency: '5' }, 'reservedConcurrency: "5"'],
    [{ alarmEmail: 'nobody' }, 'alarmEmail: "nobody"'],
  ])('%j is refused by name', (wrong, said) => expect(() => readParameters({ ...good, ...wrong })).toThrow(said));
});

describe('the concurrency of the functions', () => {
  const given: Record<string, string> = {
    'param:clusters, null': 'prod=eks:prod',
    'param:subnetIds, null': 'none',
    'param:securityGroupIds, null': 'none',
    'sls:stage': 'prod',
    'self:service': 'wukong',
  };
  const mostOf = async (more: Record<string, string>) => {
    const resolveVariable = (name: string) => Promise.resolve({ ...given, ...more }[name] ?? null);
    const all = (await extensions({ resolveVariable })) as Record<string, { Properties: Record<string, unknown> }>;
    const functions = ['StartVm', 'StopVm', 'RestartVm', 'ReconcileState', 'GetState'];
    return functions.map((name) => all[`${name}LambdaFunction`]?.Properties['ReservedConcurrentExecutions']);
  };

  it('is reserved only where it is asked for: a new account has ten in all, and could not deploy', async () => {
    expect(await mostOf({})).toEqual(Array(5).fill(undefined));
    expect(await mostOf({ 'param:reservedConcurrency, null': 'true' })).toEqual([5, 5, 2, 3, 5]);
  });
});

describe('docs/deploy-aws.md', () => {
  const text = readFileSync('docs/deploy-aws.md', 'utf8');

  it('says what `npm run cost` computes', () => {
    expect(/<!-- cost -->\n\n(.*)\n\n<!-- \/cost -->/s.exec(text)?.[1]).toBe(costTable());
  });

  it('names every parameter', () => {
    for (const name of parameterNames) expect(text).toContain(`\`${name}\``);
  });
});
