import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { getState } from '../../functions/getState/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { BusEntry } from '../../shared/cluster/world.ts';
import { connect } from '../../shared/entry/connect.ts';
import { lambda } from '../../shared/entry/entry.ts';
import { jsonLog } from '../../shared/report/log.ts';
import { emfMetrics } from '../../shared/report/metrics.ts';
import { redact } from '../../shared/report/plain.ts';
import { type Sim, startSim } from '../../sim/sim.ts';

const token = 'very-secret-token-0123456789';
let sim: Sim;
let folder: string;
let written: string[];

beforeEach(async () => {
  sim = await startSim();
  sim.addToken(token, 'wukong', 'admin');
  const guest = { 'boot-seconds': '0.1', 'shutdown-seconds': '0.1' };
  sim.createWukong({ namespace: 'team-a', name: 'web', runStrategy: 'Always', guest });
  folder = mkdtempSync(join(tmpdir(), 'wukong-secrets-'));
  written = [];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((chunk) => (written.push(String(chunk)), true));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await sim.close();
  rmSync(folder, { recursive: true });
});

/** Runs both functions as Lambda would, with everything on, and returns all that could be seen of it. */
async function everything(kubeconfig: string): Promise<{ said: string; answers: unknown[] }> {
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, kubeconfig);
  const put: BusEntry[] = [];
  const open = async () => {
    const log = jsonLog({ logLevel: 'DEBUG' }, 'stopVm');
    const world = await connect({ env: { KUBECONFIG: file }, log, metrics: emfMetrics('stopVm') });
    return { ...world, bus: { put: async (entries: BusEntry[]) => void put.push(...entries) } };
  };
  const context = { awsRequestId: 'invocation-1', getRemainingTimeInMillis: () => 14_000 } as Context;
  const answers: unknown[] = [];
  for (const handler of [lambda('stopVm', stopVm, open), lambda('getState', getState, open)]) {
    const event = { namespace: 'team-a', name: 'web' };
    const input = answers.length === 0 ? { target: event } : event;
    answers.push(await (handler as never as (event: unknown, context: Context) => Promise<unknown>)(input, context));
  }
  const onObjects = [sim.list('events'), sim.list('wukongs')];
  return { said: written.join('') + JSON.stringify([answers, put, onObjects]), answers };
}

const user = (text: string) => sim.kubeconfig(token).replace(/user:\n {6}token: .*/, `user:\n      ${text}`);

describe('a token is in nothing that is written', () => {
  it('when all goes well', async () => {
    const { said, answers } = await everything(sim.kubeconfig(token));
    expect(answers).toMatchObject([{ counts: { Stopped: 1 } }, { states: [{ state: 'Stopped' }] }]);
    expect(said).not.toContain(token);
  });

  it('when it is not accepted any more', async () => {
    sim.expireToken(token);
    const { said, answers } = await everything(sim.kubeconfig(token));
    expect(answers).toMatchObject([{ counts: { Failed: 1 } }, { reason: 'Denied' }]);
    expect(said).not.toContain(token);
  });

  it('when nobody is there', async () => {
    const { said, answers } = await everything(sim.kubeconfig(token).replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1'));
    expect(answers).toMatchObject([{ counts: { Failed: 1 } }, { reason: 'Unreachable' }]);
    expect(said).not.toContain(token);
  });

  it('when the kubeconfig is broken', async () => {
    const { said, answers } = await everything(`${sim.kubeconfig(token)}\n  : [${token}`);
    expect(answers).toMatchObject([{ reason: 'Unreachable' }, { reason: 'Unreachable' }]);
    expect(said).not.toContain(token);
  });

  it('when the program that should print it in JSON prints it bare', async () => {
    const exec = `exec: { apiVersion: client.authentication.k8s.io/v1, command: echo, args: [${token}] }`;
    const { said, answers } = await everything(user(exec));
    expect(answers).toMatchObject([{ reason: 'Denied' }, { reason: 'Denied' }]);
    expect(said).not.toContain(token.slice(0, 8));
  });
});

it.each([
  'Authorization: Bearer abc.def-123',
  'k8s-aws-v1.aHR0cHM6Ly9zdHM',
  'https://sts.amazonaws.com/?X-Amz-Signature=0123abc&X-Amz-Security-Token=xyz',
  'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln',
])('%s is taken out of a message', (text) => {
  expect(redact(text)).toContain('[secret]');
  expect(redact(text)).not.toMatch(/abc|aHR0|0123|xyz|c2ln/);
});
