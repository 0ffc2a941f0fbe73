import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';

/** How an invocation ended: what the runtime client posted. */
export interface Ended {
  kind: 'response' | 'error' | 'init/error' | 'exit';
  body: unknown;
  /** `Lambda-Runtime-Function-Error-Type` */
  errorType?: string;
  /** Milliseconds that were left then. */
  leftMs: number;
}

interface Waiting {
  id: string;
  event: unknown;
  deadline: number;
  end: (ended: Ended) => void;
}

/**
 * Lambda's side of one function: the Runtime API (2018-06-01) on a port of its own, and the real runtime client as a
 * process with the bundle as its task root. A process that has ended is started again for the next event.
 */
export class Lambda {
  /** Everything that was written or posted, to be searched. */
  readonly written: string[] = [];
  readonly #queue: Waiting[] = [];
  readonly #under = new Map<string, Waiting>();
  readonly #root: string;
  readonly #env: Record<string, string>;
  #asking: ServerResponse | undefined;
  #child: ChildProcess | undefined;
  #server = createServer((request, answer) => void this.#serve(request, answer));
  #onAsk = () => {};
  #count = 0;

  constructor(root: string, env: Record<string, string>) {
    this.#root = root;
    this.#env = env;
  }

  async invoke(event: unknown, options: { limitMs?: number; id?: string } = {}): Promise<Ended> {
    if (!this.#server.listening) await new Promise<void>((ready) => this.#server.listen(0, '127.0.0.1', ready));
    const id = options.id ?? `8476a536-e9f4-11e8-9739-${String(++this.#count).padStart(12, '0')}`;
    const ended = new Promise<Ended>((end) => {
      this.#queue.push({ id, event, deadline: Date.now() + (options.limitMs ?? 60_000), end });
    });
    if (this.#child?.exitCode !== null || this.#child.signalCode !== null) this.#start();
    this.#next();
    return ended;
  }

  async close(): Promise<void> {
    this.#child?.kill('SIGKILL');
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  #start(): void {
    const { port } = this.#server.address() as AddressInfo;
    const client = resolve('test/aws/ric/node_modules/aws-lambda-ric/index.mjs');
    const child = spawn(process.execPath, [client], {
      cwd: this.#root,
      env: {
        PATH: process.env['PATH'] ?? '',
        _HANDLER: `functions/${this.#env['WHICH']}/handler.handler`,
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        LAMBDA_TASK_ROOT: this.#root,
        AWS_LAMBDA_FUNCTION_NAME: `wukong-lifecycle-example-${this.#env['WHICH']}`,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/x',
        AWS_LAMBDA_LOG_STREAM_NAME: 'x',
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'example',
        ...this.#env,
      },
    });
    this.#child = child;
    let served = false;
    this.#onAsk = () => (served = true);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => this.written.push(String(data)));
    child.on('exit', (code, signal) => {
      this.#asking = undefined;
      for (const waiting of this.#under.values()) this.#end(waiting, 'exit', { code, signal });
      if (this.#queue.length === 0) return;
      if (served) this.#start();
      else for (const waiting of this.#queue.splice(0)) this.#end(waiting, 'exit', { code, signal });
    });
  }

  /** Hands the next event to a client that asks for one. */
  #next(): void {
    const waiting = this.#asking && this.#queue.shift();
    if (!waiting || !this.#asking) return;
    this.#under.set(waiting.id, waiting);
    this.#asking.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': waiting.id,
      'lambda-runtime-deadline-ms': String(waiting.deadline),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-central-1:123456789012:function:x',
    });
    this.#asking.end(JSON.stringify(waiting.event));
    this.#asking = undefined;
  }

  async #serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace('/2018-06-01/runtime/', '');
    if (path === 'invocation/next') {
      this.#asking = answer;
      this.#onAsk();
      return this.#next();
    }
    let text = '';
    for await (const chunk of request) text += String(chunk);
    this.written.push(text);
    answer.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    const [, id = '', kind = ''] = /^invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    const waiting = this.#under.get(id) ?? [...this.#under.values()][0];
    const type = request.headers['lambda-runtime-function-error-type'];
    if (waiting) this.#end(waiting, (kind || 'init/error') as Ended['kind'], text && JSON.parse(text), String(type));
  }

  #end(waiting: Waiting, kind: Ended['kind'], body: unknown, errorType?: string): void {
    this.#under.delete(waiting.id);
    waiting.end({ kind, body, leftMs: waiting.deadline - Date.now(), ...(errorType ? { errorType } : {}) });
  }
}
