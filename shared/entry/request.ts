import { invalid } from '../domain/command.ts';
import { longestRequestId } from '../domain/commandFields.ts';
import { httpSource } from '../domain/requestId.ts';

/** What an HTTP API (payload format 2.0) sends, as far as it is read. */
export interface HttpRequest {
  version: '2.0';
  rawPath: string;
  headers?: Record<string, string | undefined>;
  pathParameters?: Record<string, string | undefined>;
  queryStringParameters?: Record<string, string | undefined>;
  body?: string;
  isBase64Encoded?: boolean;
  requestContext: {
    requestId?: string;
    http: { method: string; path: string };
    authorizer?: { iam?: { userArn?: string | null } };
  };
}

export const isHttp = (event: unknown): event is HttpRequest => {
  const { version, requestContext } = (event ?? {}) as Partial<HttpRequest>;
  return version === '2.0' && typeof requestContext?.http?.method === 'string';
};

/**
 * The command of `POST /namespaces/{namespace}/wukongs/{name}/start|stop`: the path names the target, `?cluster=` the
 * cluster, `Idempotency-Key` the request, IAM who asks; the body, which may be empty, has the rest.
 * @throws LifecycleError InvalidAction for a body that is no object, or that says what is said elsewhere.
 */
export function commandIn(request: HttpRequest): {
  command: Record<string, unknown>;
  requestId: string | undefined;
  source: string;
} {
  const body = bodyOf(request);
  const { cluster, ...unknown } = request.queryStringParameters ?? {};
  const key = request.headers?.['idempotency-key'];
  const caller = textOr(request.requestContext.authorizer?.iam?.userArn);
  const wrong = Object.keys(unknown).map((name) => `?${name.slice(0, 64)}: unknown: expected cluster, or nothing`);
  if (body['target'] !== undefined) wrong.push('target: expected none, as the path names it');
  if (cluster !== undefined && body['cluster'] !== undefined)
    wrong.push('cluster: expected in the query or the body, not both');
  if (key !== undefined && body['requestId'] !== undefined)
    wrong.push('requestId: expected none, as Idempotency-Key is given');
  if (wrong.length > 0) throw invalid(wrong);
  const { namespace, name } = request.pathParameters ?? {};
  return {
    command: {
      ...body,
      target: { namespace, name },
      ...(textOr(request.rawPath)?.endsWith('/restart') ? { restart: true } : {}),
      ...(cluster === undefined ? {} : { cluster }),
      ...(key === undefined ? {} : { requestId: key }),
      // Whoever signed the request; nobody can ask in another's name.
      ...(caller === undefined ? {} : { requestedBy: caller.slice(0, 256) }),
    },
    requestId: textOr(request.requestContext.requestId)?.slice(0, longestRequestId),
    source: httpSource(caller),
  };
}

/** What `GET /namespaces/{namespace}/wukongs[/{name}]` asks for. */
export const queryIn = ({ pathParameters, queryStringParameters }: HttpRequest): Record<string, unknown> => ({
  ...queryStringParameters,
  ...pathParameters,
});

/** A direct call may look like a request of an API and not be one: what should be text need not be. */
const textOr = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function bodyOf({ body, isBase64Encoded }: HttpRequest): Record<string, unknown> {
  if (body != null && typeof body !== 'string') throw invalid(['body: expected text']);
  const text = (isBase64Encoded ? Buffer.from(body ?? '', 'base64').toString('utf8') : (body ?? '')).trim();
  if (text === '') return {};
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as Record<string, unknown>;
  } catch {
    // said below
  }
  throw invalid(['body: expected a JSON object, or nothing']);
}
