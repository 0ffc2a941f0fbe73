import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

export interface Asked {
  program: string;
  words: string[];
  /** Of standard input, where a word is `-`. */
  input: string;
  kubeconfig: string;
}
export interface Done {
  code: number;
  out: string;
  err: string;
}

/** Sends what it was called with to this process, and says what is answered. Needs bash and nothing else. */
const shim = (port: number) => `#!/usr/bin/env bash
input=
for word in "$@"; do if [ "$word" = - ]; then input=$(cat); fi; done
exec 3<> /dev/tcp/127.0.0.1/${port}
printf '%s\\0' $(($# + 4)) "\${0##*/}" "\${KUBECONFIG-}" "$input" "$@" >&3
IFS= read -r -d '' code <&3
IFS= read -r -d '' out <&3
IFS= read -r -d '' err <&3
printf '%s' "$out"
printf '%s' "$err" >&2
exit "$code"
`;

/**
 * Runs a script of bash in `folder`, in which these programs are answered by `answer`, in this process: a `wukong` of
 * its own for each line would take a second of it.
 */
export async function runScript(
  script: string,
  { folder, programs, env }: { folder: string; programs: string[]; env: Record<string, string> },
  answer: (asked: Asked) => Promise<Done>,
): Promise<Done> {
  const server = createServer((socket) => serve(socket, answer));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const bin = join(folder, '.bin');
  const file = join(bin, 'shim');
  writeFileSync(file, shim((server.address() as AddressInfo).port));
  chmodSync(file, 0o755);
  for (const program of programs) symlinkSync('shim', join(bin, program));
  const bash = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    env: { HOME: folder, LC_ALL: 'C.UTF-8', ...env, PATH: `${bin}:${process.env['PATH']}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  bash.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  bash.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = (await once(bash, 'close')) as [number | null];
  server.close();
  return { code: code ?? 1, out, err };
}

function serve(socket: Socket, answer: (asked: Asked) => Promise<Done>): void {
  let text = '';
  socket.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    const [count = '', program = '', kubeconfig = '', input = '', ...words] = text.split('\0').slice(0, -1);
    if (!text.endsWith('\0') || words.length + 4 !== Number(count)) return;
    answer({ program, kubeconfig, input, words }).then(
      ({ code, out, err }) => socket.end(`${code}\0${out}\0${err}\0`),
      (thrown: Error) => socket.end(`1\0\0${thrown.stack ?? thrown.message}\n\0`),
    );
  });
  socket.on('error', () => socket.destroy());
}
