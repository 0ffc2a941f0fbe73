import { expect } from 'vitest';

import { type Client, type Reply, type Sending, story } from './client.ts';

export const wukongs = '/apis/vm.novasphere.dev/v1alpha1/namespaces/dev/wukongs';
export const web = `${wukongs}/web`;
export const maps = '/api/v1/namespaces/dev/configmaps';
export const wukong = { apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'Wukong' };
export const spec = { cpu: 1, memory: '1Gi' };

/** A story on a cluster where the Wukong `web` stands in `dev`. */
export const dev = (tell: Parameters<typeof story>[1]) =>
  story({}, async (stage) => {
    stage.sim.createWukong({ namespace: 'dev', name: 'web' });
    await tell(stage);
  });

/** Status and message of an answer; its text where it is no Status. */
export const said = ({ status, body, text }: Reply): [number, string] => [
  status,
  (body as { message?: string } | null)?.message ?? text,
];

export type Row = [method: string, path: string, sending: Sending, status: number, message?: RegExp];

/** Every row is sent, and answered so. */
export async function answered(send: Client['send'], rows: Row[]): Promise<void> {
  for (const [method, path, sending, status, message = /^/] of rows) {
    const what = `${method} ${path} ${JSON.stringify(sending)}`;
    const answer = said(await send(method, path, sending));
    expect(answer[0], `${what}: ${answer[1]}`).toBe(status);
    expect(answer[1], what).toMatch(message);
  }
}
