import type { Fields } from './object.ts';

/** An answer of the API server that is not a success. `plain` ones are text, not a Status. */
export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;
  readonly details: Fields | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly plain: boolean;
  readonly continueToken: string | undefined;

  constructor(
    status: number,
    reason: string,
    message: string,
    more: { details?: Fields; retryAfterSeconds?: number; plain?: boolean; continueToken?: string } = {},
  ) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.details = more.details;
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.plain = more.plain ?? false;
    this.continueToken = more.continueToken;
  }

  /** The `Status` object that the API answers. */
  body(): Fields {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.continueToken ? { continue: this.continueToken } : {},
      status: 'Failure',
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.status,
    };
  }
}

interface Named {
  group: string;
  plural: string;
  kind: string;
}

export const qualified = ({ group, plural }: { group: string; plural: string }): string =>
  group ? `${plural}.${group}` : plural;

const detailsOf = (resource: Named, name: string): Fields => ({
  name,
  ...(resource.group ? { group: resource.group } : {}),
  kind: resource.plural,
});

export const notFound = (resource: Named, name: string): Refusal =>
  new Refusal(404, 'NotFound', `${qualified(resource)} "${name}" not found`, { details: detailsOf(resource, name) });

/** What is not served at all has no Status: the router answers, in plain text. */
export const noSuchPath = (): Refusal => new Refusal(404, 'NotFound', '404 page not found\n', { plain: true });

/** The same below a group of built-in kinds, whose routes answer themselves. */
export const noSuchResource = (): Refusal =>
  new Refusal(404, 'NotFound', 'the server could not find the requested resource', { details: {} });

export const methodNotAllowed = (): Refusal =>
  new Refusal(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {
    details: {},
  });

export const alreadyExists = (resource: Named, name: string): Refusal =>
  new Refusal(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, {
    details: detailsOf(resource, name),
  });

export const conflict = (resource: Named, name: string, why: string): Refusal =>
  new Refusal(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`, {
    details: detailsOf(resource, name),
  });

export const modified = (resource: Named, name: string): Refusal =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

/** One wrong field, in the words of apimachinery's field.Error. */
export interface FieldError {
  field: string;
  message: string;
  reason?:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueDuplicate';
}

export function invalid(resource: Named, name: string, errors: FieldError[]): Refusal {
  const kind = resource.group ? `${resource.kind}.${resource.group}` : resource.kind;
  const said = errors.map(({ field, message }) => `${field}: ${message}`);
  const text = said.length === 1 ? said[0] : `[${said.join(', ')}]`;
  const causes = errors.map(({ field, message, reason = 'FieldValueInvalid' }) => ({ reason, message, field }));
  return new Refusal(422, 'Invalid', `${kind} "${name}" is invalid: ${text}`, {
    details: { name, ...(resource.group ? { group: resource.group } : {}), kind: resource.kind, causes },
  });
}

export const badRequest = (message: string): Refusal => new Refusal(400, 'BadRequest', message);

export const otherName = (said: string, name: string): Refusal =>
  badRequest(`the name of the object (${said}) does not match the name on the URL (${name})`);

export const internalError = (message: string): Refusal =>
  new Refusal(500, 'InternalError', `Internal error occurred: ${message}`, { details: { causes: [{ message }] } });

export const unsupportedType = (accepted: string[]): Refusal =>
  new Refusal(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

/** A JSON patch whose `test` failed. virt-api makes something else of it, so it can be told apart. */
export class PatchTestFailed extends Refusal {
  constructor() {
    super(422, 'Invalid', 'the server rejected our request due to an error in our request', { details: {} });
  }
}

export const expired = (message: string, continueToken?: string): Refusal =>
  new Refusal(410, 'Expired', message, { continueToken });
