import { execFile, type ExecFileException } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

export const dockerfile = readFileSync('infra/container/Dockerfile', 'utf8')
  .split('\n')
  .map((line) => line.trim());
export const lastStage = dockerfile.slice(dockerfile.findLastIndex((line) => line.startsWith('FROM ')));
/** What the last stage copies from this folder: sources and, last, the target. */
export const copies = lastStage
  .filter((line) => /^COPY (?!--from)/.test(line))
  .map((line) => line.split(/\s+/).slice(1))
  .map((words) => ({ from: words.slice(0, -1), to: words.at(-1) ?? '' }));

const listIn = (instruction: string): string[] => {
  const line = lastStage.find((one) => one.startsWith(`${instruction} `)) ?? `${instruction} []`;
  return JSON.parse(line.slice(instruction.length)) as string[];
};
export const entryPoint = listIn('ENTRYPOINT');
export const defaultArguments = listIn('CMD');

/** A folder as /app is in the image's last stage: the files that it copies, and the packages of production alone. */
export function assemble(): string {
  const app = mkdtempSync(join(tmpdir(), 'wukong-image-'));
  for (const { from, to } of copies)
    for (const source of from) cpSync(source, join(app, to.endsWith('/') ? join(to, source) : to), { recursive: true });
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
  };
  for (const [path, { dev, optional, devOptional }] of Object.entries(lock.packages)) {
    if (!/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || dev || optional || devOptional || !existsSync(path)) continue;
    mkdirSync(join(app, dirname(path)), { recursive: true });
    symlinkSync(join(process.cwd(), path), join(app, path), 'dir');
  }
  return app;
}

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Starts what the image starts, in the assembled folder, with nothing else in its environment. */
export function start(app: string, args: string[], env: Record<string, string>): Promise<Ended> {
  const program = join(app, relative('/app', entryPoint[1] ?? ''));
  return new Promise((resolve) => {
    const options = { cwd: app, env: { PATH: '', NODE_ENV: 'production', ...env } };
    execFile(process.execPath, [program, ...args], options, (error: ExecFileException | null, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });
}
