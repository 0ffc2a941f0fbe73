// For .ci/monitoring.sh: the groups of infra/monitoring/rules.yaml as Prometheus itself reads them.
import { readFileSync } from 'node:fs';

import { parse, stringify } from 'yaml';

const { spec } = parse(readFileSync('infra/monitoring/rules.yaml', 'utf8')) as { spec: object };
process.stdout.write(stringify(spec));
