// Wrong fields in the words of apimachinery's field.Error.
import type { FieldError } from './refusal.ts';

export const missing = (field: string, message = ''): FieldError => ({
  field,
  message: `Required value${message ? `: ${message}` : ''}`,
  reason: 'FieldValueRequired',
});

export const forbidden = (field: string, message: string): FieldError => ({
  field,
  message: `Forbidden: ${message}`,
  reason: 'FieldValueForbidden',
});

export const wrong = (field: string, value: unknown, message: string): FieldError => ({
  field,
  message: `Invalid value: ${JSON.stringify(value)}: ${message}`,
});

export const unsupported = (field: string, value: unknown, values: string[]): FieldError => ({
  field,
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${values.map((one) => `"${one}"`).join(', ')}`,
  reason: 'FieldValueNotSupported',
});
