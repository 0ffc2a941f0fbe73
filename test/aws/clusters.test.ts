import { describe, expect, it } from 'vitest';

import { chooseCluster, parseClusters } from '../../shared/cluster/clusters.ts';
import { readConfig } from '../../shared/cluster/config.ts';
import { connect } from '../../shared/entry/connect.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';

const limits = { deadline: Date.now() + 5_000 };

describe('CLUSTERS', () => {
  it('names clusters and where their credentials are', () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:edge-AbCdEf';
    expect(Object.fromEntries(parseClusters(`a=eks:one, b=eks:eu-west-1/two,c=secret:${arn},d=file:/x`))).toEqual({
      a: { from: 'eks', name: 'one' },
      b: { from: 'eks', name: 'two', region: 'eu-west-1' },
      c: { from: 'secret', id: arn, region: 'eu-west-1' },
      d: { from: 'file', path: '/x' },
    });
  });

  it.each(['', 'a', 'a=', 'A=eks:x', 'a=eks:', 'a=ftp:x', 'a=eks:x,a=eks:y', 'a=eks:x,', 'a=eks:-x'])(
    '"%s" is refused by name, with the others',
    (text) => expect(() => readConfig({ CLUSTERS: text, POWER_METHOD: 'magic' })).toThrow(/CLUSTERS: .*|POWER_METHOD/),
  );

  it('means the only one, or the one named default, where a command names none', () => {
    const [one, two, three] = ['a=eks:x', 'a=eks:x,default=eks:y', 'a=eks:x,b=eks:y'].map(parseClusters);
    expect(chooseCluster(one!, undefined)[0]).toBe('a');
    expect(chooseCluster(two!, undefined)[0]).toBe('default');
    expect(() => chooseCluster(three!, undefined)).toThrow('expected one of a, b');
    expect(() => chooseCluster(three!, 'c')).toThrow('expected one of a, b, not "c"');
  });
});

describe('connecting by name', () => {
  const given = { log: silentLog, metrics: silentMetrics };

  it('says what was expected: at once for a wrong name, at the first call for none', async () => {
    const env = { CLUSTERS: 'a=eks:x,b=eks:y' };
    await expect(connect({ env, ...given, cluster: 'c' })).rejects.toMatchObject({ code: 'InvalidAction' });
    const { transport } = await connect({ env, ...given });
    await expect(transport.call({ method: 'GET', path: '/', safe: true }, limits)).rejects.toThrow('one of a, b');
    await expect(connect({ env: {}, ...given, cluster: 'c' })).rejects.toThrow('expected none');
  });
});
