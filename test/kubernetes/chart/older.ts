// Makes of a CRD what it was before a field was added: `node older.ts FILE`.
import { readFileSync, writeFileSync } from 'node:fs';

import { parse, stringify } from 'yaml';

interface Crd {
  spec: {
    versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: Record<string, unknown> } } } } }[];
  };
}

const file = process.argv[2] ?? '';
const crd = parse(readFileSync(file, 'utf8')) as Crd;
for (const { schema } of crd.spec.versions) delete schema.openAPIV3Schema.properties.spec.properties['jitterSeconds'];
writeFileSync(file, stringify(crd));
