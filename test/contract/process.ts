// One call of a function in a process of its own, which the suite may kill: node process.ts FUNCTION EVENT
import type { Context } from 'aws-lambda';

const [name = '', event = '{}'] = process.argv.slice(2);
const { handler } = (await import(`../../functions/${name}/handler.ts`)) as {
  handler: (event: unknown, context: Context) => Promise<unknown>;
};
const context = { awsRequestId: `process-${process.pid}`, getRemainingTimeInMillis: () => 600_000 } as Context;
console.log(JSON.stringify(await handler(JSON.parse(event), context)));
process.exit(0);
