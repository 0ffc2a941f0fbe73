import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { stateNames } from '../../shared/domain/model.ts';
import { outcomeNames } from '../../shared/domain/outcome.ts';
import { runPhases } from '../../shared/domain/run.ts';
import { type Series, series } from '../../shared/report/series.ts';

interface Gauge {
  path: string[];
  labelFromKey?: string;
  labelsFromPath?: Record<string, string[]>;
  labelName?: string;
  list?: string[];
}
interface Resource {
  metricNamePrefix: string;
  labelsFromPath: Record<string, string[]>;
  metrics: { name: string; help: string; each: { type: string; gauge?: Gauge; stateSet?: Gauge } }[];
}
const read = (file: string) => readFileSync(`infra/monitoring/${file}`, 'utf8');
const { resources } = (parse(read('resource-state.yaml')) as { spec: { resources: Resource[] } }).spec;
const table: Record<string, Series> = series;

/** Names of series in PromQL; those of a histogram by its own name. */
const namesIn = (text: string): string[] =>
  [...text.matchAll(/\bwukong_\w+/g)]
    .map(([name]) => name.replace(/_bucket$/, ''))
    .filter((name) => table[name] ?? !/^wukong_lifecycle/.test(name));

describe('the series', () => {
  it('are named as Prometheus asks for it', () => {
    for (const [name, { type, labels, help }] of Object.entries(table)) {
      expect(name).toMatch(/^wukong_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
      expect(help).toMatch(/^[A-Z].*\.$/);
      for (const label of labels) expect(label).not.toMatch(/^(le|instance|job|request|uid|message|name)$/);
    }
  });

  it('that kube-state-metrics makes are those of the table, with these labels', () => {
    const made = resources.flatMap(({ metricNamePrefix, labelsFromPath, metrics }) =>
      metrics.map(({ name, help, each }) => {
        const how = each.gauge ?? each.stateSet!;
        const more = [how.labelFromKey, how.labelName, ...Object.keys(how.labelsFromPath ?? {})].filter(Boolean);
        return [
          `${metricNamePrefix}_${name}`,
          { help, labels: [...Object.keys(labelsFromPath), ...more], type: each.type.toLowerCase() },
        ];
      }),
    );
    const wanted = Object.entries(table).filter(([, { by }]) => by === 'objects');
    expect(Object.fromEntries(made)).toEqual(
      Object.fromEntries(wanted.map(([name, { help, labels, type }]) => [name, { help, labels: [...labels], type }])),
    );
  });

  it('have a value for each word of the closed sets', () => {
    const lists = resources.flatMap(({ metrics }) => metrics.flatMap(({ each }) => each.stateSet?.list ?? []));
    expect(lists.toSorted()).toEqual([...runPhases, ...stateNames, ...outcomeNames].toSorted());
  });
});

it.each(['rules.yaml', 'dashboard.json'])('%s looks at series that there are', (file) => {
  const names = namesIn(read(file));
  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !table[name])).toEqual([]);
});

it('each alert says what happened and what to do', () => {
  const { spec } = parse(read('rules.yaml')) as {
    spec: {
      groups: { rules: { alert: string; labels: object; annotations: { summary: string; description: string } }[] }[];
    };
  };
  for (const { alert, labels, annotations } of spec.groups.flatMap(({ rules }) => rules)) {
    expect(alert).toMatch(/^Wukong[A-Z]\w+$/);
    expect(labels).toHaveProperty('severity');
    expect(annotations.description.length, alert).toBeGreaterThan(20);
    expect(read('rules.test.yaml')).toContain(`alertname: ${alert}`);
  }
});
