import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Document, parseDocument, type YAMLMap } from 'yaml';

const file = (name: string) => join(import.meta.dirname, `${name}.vm.novasphere.dev.yaml`);
const schema = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema'];

const names = {
  kind: 'ClusterWukongSchedule',
  listKind: 'ClusterWukongScheduleList',
  plural: 'clusterwukongschedules',
  singular: 'clusterwukongschedule',
  shortNames: ['cwks'],
};

const more = {
  enforceOverNamespaces: {
    description:
      'EnforceOverNamespaces true rules Wukongs that WukongSchedules of their namespaces select too, in the place of those; false leaves these Wukongs to them.',
    type: 'boolean',
    default: false,
  },
};

const filled = (field: string) =>
  `(has(self.${field}) && ((has(self.${field}.matchLabels) && size(self.${field}.matchLabels) > 0) || (has(self.${field}.matchExpressions) && size(self.${field}.matchExpressions) > 0)))`;
const chosen = {
  rule: `${filled('selector')} || ${filled('namespaceSelector')}`,
  message: 'expected namespaceSelector, selector, or both: without them it means every VM',
  fieldPath: '.namespaceSelector',
};

const counts = {
  namespaces: {
    description: 'Namespaces says how many it selects in each, the first hundred by name.',
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: {
      description: 'The count of one namespace.',
      type: 'object',
      required: ['name', 'matched', 'ruled'],
      properties: {
        name: { description: "Name is the namespace's.", type: 'string' },
        matched: { description: 'Matched is how many Wukongs it selects there.', type: 'integer', format: 'int64' },
        ruled: {
          description: 'Ruled is how many of them follow it; the others follow a schedule of the namespace.',
          type: 'integer',
          format: 'int64',
        },
      },
    },
  },
  omittedNamespaces: {
    description: 'OmittedNamespaces is how many namespaces are not named.',
    type: 'integer',
    format: 'int64',
  },
};

/** The CRD of ClusterWukongSchedules: that of WukongSchedules, and what a whole cluster needs beside it. */
export function clusterCrd(): string {
  const crd = parseDocument(readFileSync(file('wukongschedules'), 'utf8'));
  crd.setIn(['metadata', 'name'], 'clusterwukongschedules.vm.novasphere.dev');
  crd.setIn(['spec', 'names'], crd.createNode(names));
  crd.setIn(['spec', 'scope'], 'Cluster');
  const describe = (path: string[], text: string) => crd.setIn([...schema, ...path, 'description'], text);
  describe([], 'ClusterWukongSchedule switches the VMs of Wukongs in many namespaces on and off by the clock.');
  const fields = [...schema, 'properties', 'spec', 'properties'];
  const selector = crd.getIn([...fields, 'selector'], true) as YAMLMap;
  const ofNamespaces = selector.clone() as YAMLMap;
  set(crd, ofNamespaces, 'NamespaceSelector chooses namespaces by their labels; without it all are chosen.');
  set(crd, selector, 'Selector chooses Wukongs by their labels; without it all of the namespaces that are chosen.');
  add(crd, fields, { ...more }, [['namespaceSelector', ofNamespaces]]);
  crd.deleteIn([...schema, 'properties', 'spec', 'required']);
  // An empty one chooses all; together they may not.
  for (const one of ['selector', 'namespaceSelector']) crd.deleteIn([...fields, one, 'x-kubernetes-validations']);
  crd.setIn([...schema, 'properties', 'spec', 'x-kubernetes-validations', 0], crd.createNode(chosen));
  add(crd, [...schema, 'properties', 'status', 'properties'], counts);
  return crd.toString({ lineWidth: 120, indentSeq: false });
}

const set = (crd: Document, map: YAMLMap, text: string) => map.set('description', crd.createNode(text));

function add(crd: Document, path: (string | number)[], nodes: object, ready: [string, YAMLMap][] = []): void {
  for (const [name, node] of [...ready, ...Object.entries(nodes)]) crd.setIn([...path, name], crd.createNode(node));
}

if (import.meta.main) writeFileSync(file('clusterwukongschedules'), clusterCrd());
