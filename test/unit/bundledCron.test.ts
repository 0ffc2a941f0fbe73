import { pathToFileURL } from 'node:url';

import { expect, test } from 'vitest';

import { bundle } from '../../infra/aws/bundle/bundle.ts';
import { parseCron } from '../../shared/time/cron.ts';

test('a function reads crons as the command line does, though its bundle leaves out what cron-parser steps by', async () => {
  const file = await bundle({ code: "export { parseCron } from './shared/time/cron.ts';" });
  const bundled = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { parseCron: typeof parseCron };
  for (const text of ['0 8 * * 1-5', '*/15 8-10 1,15 JAN MON', '0 8 L * *', '0 8 * * FRI#L,MON#1', '0 0 29 2 *'])
    expect(bundled.parseCron(text)).toEqual(parseCron(text));
  expect(() => bundled.parseCron('0 0 31 2 *')).toThrow('never happens');
  expect(() => bundled.parseCron('0 8 * * 0,7')).toThrow('names a value twice');
}, 30_000);
