// One call of a function in a process of its own, which the suite may kill: node process.ts MODULE FUNCTION EVENT
import type { Context } from 'aws-lambda';

import type { Functions } from './ground.ts';
import type { FunctionName } from './stage.ts';

const [module = '', name = '', event = '{}'] = process.argv.slice(2);
const { connect, lambda, silentLog: log, silentMetrics: metrics, ...functions } = (await import(module)) as Functions;
const handle = lambda<unknown>(name, functions[name as FunctionName], () =>
  connect({ env: process.env, log, metrics }),
);
const context = { awsRequestId: `process-${process.pid}`, getRemainingTimeInMillis: () => 600_000 } as Context;
console.log(JSON.stringify(await handle(JSON.parse(event), context)));
process.exit(0);
