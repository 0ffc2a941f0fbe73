// Makes of a CRD what it was before a field was added, with its rules: `node older.ts FILE`.
import { readFileSync, writeFileSync } from 'node:fs';

import { parse, stringify } from 'yaml';

interface Spec {
  properties: Record<string, unknown>;
  'x-kubernetes-validations': { rule: string }[];
}
interface Crd {
  spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Spec } } } }[] };
}

const added = 'jitterSeconds';
const file = process.argv[2] ?? '';
const crd = parse(readFileSync(file, 'utf8')) as Crd;
for (const { schema } of crd.spec.versions) {
  const { spec } = schema.openAPIV3Schema.properties;
  delete spec.properties[added];
  spec['x-kubernetes-validations'] = spec['x-kubernetes-validations'].filter(({ rule }) => !rule.includes(added));
}
writeFileSync(file, stringify(crd));
