import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

type Rendered = { kind: string; metadata: { name: string; namespace?: string; annotations?: Record<string, string> } };
type Values = Record<string, string>;

const folder = process.env['RENDERED'] ?? '';
const objectsIn = (text: string): Rendered[] =>
  [...parseAllDocuments(text)].map((one) => one.toJS() as Rendered | null).filter((one) => one !== null);
const nameOf = ({ kind, metadata: { name, namespace = '' } }: Rendered) => `${kind} ${namespace}/${name}`;

function helm(values: Values, namespace = 'wukong-lifecycle') {
  const sets = Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${value}`]);
  const args = ['template', 'wukong', 'infra/chart', '--namespace', namespace, '--kube-version', '1.31.0', ...sets];
  const { status, stdout, stderr } = spawnSync(process.env['HELM'] ?? 'helm', args, { encoding: 'utf8' });
  return { status, stderr, objects: status === 0 ? objectsIn(stdout) : [] };
}

/** By name. What helm and kustomize each have for themselves is no difference: the namespace, and that the CRD is kept. */
function comparable(objects: Rendered[]): Record<string, unknown> {
  const own = objects.filter(({ kind }) => kind !== 'Namespace');
  return Object.fromEntries(
    own.map((object) => {
      const { 'helm.sh/resource-policy': _policy, ...annotations } = object.metadata.annotations ?? {};
      const labelled = object.kind === 'CustomResourceDefinition' ? { labels: undefined } : {};
      const metadata = { ...object.metadata, ...labelled, annotations: { ...annotations } };
      return [nameOf(object), { ...object, metadata }];
    }),
  );
}

const pairs: [overlay: string, values: Values, namespace?: string][] = [
  ['cluster-wide', {}],
  ['cluster-wide-optional', { 'rbac.stuckPods': 'true', 'rbac.skipNext': 'true', 'rbac.adopt': 'true' }],
  ['namespaced', { namespaces: '["team-a"]' }, 'team-a'],
  [
    'namespaced-optional',
    { namespaces: '["team-a"]', 'rbac.stuckPods': 'true', 'rbac.skipNext': 'true', 'rbac.adopt': 'true' },
    'team-a',
  ],
  ['serve', { mode: '"serve"' }],
];

describe('the chart', () => {
  it.each(pairs)('makes what kustomize makes of %s, object by object', (overlay, values, namespace) => {
    const wanted = comparable(objectsIn(readFileSync(join(folder, `${overlay}.yaml`), 'utf8')));
    const { objects, stderr } = helm(values, namespace);
    expect(objects.length, stderr).toBeGreaterThan(10);
    const made = comparable(objects);
    expect(Object.keys(made).sort()).toEqual(Object.keys(wanted).sort());
    for (const [name, object] of Object.entries(made)) expect(object, name).toEqual(wanted[name]);
  });

  it.each([
    ['a mode that is both', { mode: '"both"' }, /mode/],
    ['two modes', { mode: '["cronjob","serve"]' }, /mode/],
    ['replicas that are no number', { mode: '"serve"', 'serve.replicas': '"two"' }, /replicas/],
    ['a port that is none', { 'networkPolicy.apiServerPorts': '["https"]' }, /apiServerPorts/],
    ['a port above the last', { 'networkPolicy.noticePorts': '[70000]' }, /noticePorts/],
    ['a Secret without a name', { 'notices.secret': '""' }, /secret/],
    ['a value that nobody knows', { schedules: 'false' }, /schedules/],
    ['a namespace with a capital', { namespaces: '["Team-A"]' }, /namespaces/],
    ['a namespace without a name', { namespaces: '[""]' }, /namespaces/],
    ['replicas below one', { mode: '"serve"', 'serve.replicas': '-1' }, /replicas/],
    ['half a replica', { mode: '"serve"', 'serve.replicas': '1.5' }, /replicas/],
    ['a part that is left out', { serve: 'null' }, /'serve'/],
    ['a part that is a word', { networkPolicy: '"yes"' }, /networkPolicy/],
    ['a switch that is a word', { 'rbac.adopt': '"no"' }, /adopt/],
    ['a rate that is no number', { 'config.POWER_CALLS_PER_SECOND': '"fast"' }, /POWER_CALLS_PER_SECOND/],
    ['a rate below one', { 'config.POWER_CALLS_PER_SECOND': '"-5"' }, /POWER_CALLS_PER_SECOND/],
    ['a variable that is no text', { 'config.REQUIRE_AGENT': 'true' }, /REQUIRE_AGENT/],
    ['namespaces as a variable', { 'config.WATCH_NAMESPACES': '"a"' }, /WATCH_NAMESPACES: expected none: namespaces/],
    ['a secret as a variable', { 'config.WEBHOOK_URL': '"https://x"' }, /notices.secret/],
    ['an image with two tags', { 'image.repository': '"x/y:1"' }, /repository/],
    ['a tag with a space', { 'image.tag': '"a b"' }, /tag/],
    ['memory that is no quantity', { 'resources.limits.memory': '"much"' }, /memory/],
    ['a CPU below nothing', { 'resources.limits.cpu': '-1' }, /cpu/],
    ['an address that is none', { 'networkPolicy.apiServerCidrs': '["300.1.1.1/24"]' }, /apiServerCidrs/],
    ['a network longer than an address', { 'networkPolicy.apiServerCidrs': '["192.0.2.0/33"]' }, /apiServerCidrs/],
    ['a Secret whose name is too long', { 'serve.tlsSecret': `"${'x'.repeat(254)}"` }, /tlsSecret/],
    ['an interval without a unit', { mode: '"serve"', 'serviceMonitor.interval': '"30"' }, /interval/],
    ['a ServiceMonitor of CronJobs', { 'serviceMonitor.enabled': 'true' }, /mode=serve/],
    ['examples for two namespaces', { namespaces: '["a","b"]' }, /fleetSchedules/],
  ])('refuses %s', (_what, values, says) => {
    const { status, stderr } = helm(values as Values);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(says);
  });

  it.each<[string, Values]>([
    ['an address of IPv6', { 'networkPolicy.apiServerCidrs': '["2001:db8::/32"]' }],
    ['no limit of the CPU', { 'resources.limits.cpu': 'null' }],
    ['a Secret with dots in its name', { 'notices.secret': '"team.notices"' }],
    ['a registry with a port', { 'image.repository': '"registry.example:5000/a/b"' }],
    ['a proxy', { 'config.HTTPS_PROXY': '"http://proxy:3128"' }],
  ])('takes %s', (_what, values) => {
    const { status, stderr } = helm(values);
    expect(status, stderr).toBe(0);
  });

  it('takes names that YAML would read as numbers or as nothing for the names that they are', () => {
    for (const name of ['123', '1e3', 'null', 'true', '0x1f']) {
      const set = { namespaces: `["${name}"]`, 'notices.secret': `"${name}"`, mode: '"serve"' };
      const { objects, stderr } = helm({ ...set, 'serviceMonitor.enabled': 'true' }, name);
      expect(objects.length, stderr).toBeGreaterThan(10);
      for (const { metadata, ...object } of objects.filter(({ kind }) => !kind.startsWith('Cluster')))
        expect(metadata.namespace, `${object.kind} ${metadata.name}`).toBe(name);
      expect(JSON.stringify(objects)).toContain(`"secretKeyRef":{"name":"${name}"`);
    }
  });

  it('twice in one cluster, for a team each, has no object that is of both', () => {
    const [one, other] = ['team-a', 'team-b'].map((team) =>
      helm({ mode: '"serve"', namespaces: `["${team}"]` }, team).objects.map(nameOf),
    );
    expect(one!.length).toBeGreaterThan(10);
    expect(one!.filter((name) => other!.includes(name))).toEqual([]);
  });

  it('with two namespaces has a Role and its binding in each, and nothing of the cluster', () => {
    const { objects } = helm({ namespaces: '["a","b"]', fleetSchedules: 'false' }, 'tools');
    expect(objects.filter(({ kind }) => /^Cluster|^CustomResource/.test(kind))).toEqual([]);
    const names = objects.map(nameOf);
    for (const space of ['a', 'b'])
      expect(names).toEqual(expect.arrayContaining([`Role ${space}/wukong-stop`, `RoleBinding ${space}/wukong-stop`]));
    expect(names).toContain('ServiceAccount tools/wukong-stop');
    expect(names).toContain('CronJob tools/wukong-reconcile');
  });

  it('serves over the certificate of OpenShift, with the secret of webhooks, and is scraped', () => {
    const { objects } = helm({
      ...{ mode: '"serve"', openshift: 'true', 'serve.webhookSecret': '"hook"', 'serviceMonitor.enabled': 'true' },
      ...{ 'serviceMonitor.labels': '{"release":"prometheus"}', fleetSchedules: 'false' },
    });
    const text = JSON.stringify(objects);
    expect(objects.filter(({ kind }) => kind === 'CronJob')).toEqual([]);
    expect(text).toContain('"service.beta.openshift.io/serving-cert-secret-name":"wukong-lifecycle-tls"');
    expect(text).toContain('--webhook-secret=/etc/wukong/webhook/secret');
    expect(text).toContain('"scheme":"HTTPS"');
    expect(objects.find(({ kind }) => kind === 'ServiceMonitor')).toMatchObject({
      metadata: { labels: { release: 'prometheus' } },
    });
  });

  it('reads the address of notices from the Secret that is named, and lets the pods reach it', () => {
    const { objects } = helm({
      ...{ 'notices.secret': '"pager"', 'networkPolicy.noticePorts': '[8443]' },
      ...{ 'networkPolicy.apiServerPorts': '[6443]', 'networkPolicy.apiServerCidrs': '["192.0.2.10/32"]' },
    });
    const jobs = objects.filter(({ kind }) => kind === 'CronJob');
    for (const job of jobs) expect(JSON.stringify(job)).toContain('"secretKeyRef":{"name":"pager","key":"WEBHOOK_URL"');
    const { spec } = objects.find(({ kind }) => kind === 'NetworkPolicy') as Rendered & { spec: { egress: object[] } };
    expect(spec.egress.slice(0, 2)).toEqual([
      { ports: [{ port: 6443, protocol: 'TCP' }], to: [{ ipBlock: { cidr: '192.0.2.10/32' } }] },
      { ports: [{ port: 8443, protocol: 'TCP' }] },
    ]);
  });

  it('asks for no uid anywhere, so that OpenShift gives one of its own', () => {
    for (const mode of ['"cronjob"', '"serve"'])
      expect(JSON.stringify(helm({ mode }).objects)).not.toMatch(/runAsUser|runAsGroup|fsGroup/);
  });
});
