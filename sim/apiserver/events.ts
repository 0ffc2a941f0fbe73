import { sixDigits } from './admission.ts';
import { clone, type Thing } from './object.ts';
import { type FieldError, invalid } from './refusal.ts';

const named = { group: 'events.k8s.io', plural: 'events', kind: 'Event' };
const required = ['eventTime', 'reportingController', 'reportingInstance', 'action', 'reason'];

/** An Event of events.k8s.io/v1 as it is sent. @throws Refusal 422 where it lacks what that version demands. */
export function checkedEvent(event: Thing): Thing {
  const { eventTime } = event;
  if (typeof eventTime === 'string' && !sixDigits.test(eventTime)) return event; // not even read: 400, when it is admitted
  const errors: FieldError[] = required
    .filter((field) => event[field] === undefined || event[field] === null || event[field] === '')
    .map((field) => ({ field, message: 'Required value', reason: 'FieldValueRequired' }));
  if (event['type'] !== 'Normal' && event['type'] !== 'Warning')
    errors.push({ field: 'type', message: `Invalid value: ${JSON.stringify(event['type'] ?? '')}: has invalid value` });
  const { note } = event;
  if (typeof note === 'string' && Buffer.byteLength(note) > 1024)
    errors.push({ field: 'message', message: 'Invalid value: "": can have at most 1024 characters' });
  if (errors.length > 0) throw invalid(named, event.metadata.name ?? '', errors);
  return event;
}

/** An Event of events.k8s.io/v1 as it is stored, which is core/v1. */
export function coreEvent(event: Thing): Thing {
  const { regarding, note, reportingController, deprecatedSource, deprecatedCount, ...rest } = event;
  const { deprecatedFirstTimestamp, deprecatedLastTimestamp, ...others } = rest;
  if (typeof event.metadata.generateName === 'string' && event.metadata.generateName.endsWith('.'))
    throw invalid(named, '', [
      {
        field: 'metadata.generateName',
        message: `Invalid value: ${JSON.stringify(event.metadata.generateName)}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
      },
    ]);
  return {
    ...others,
    apiVersion: 'v1',
    kind: 'Event',
    involvedObject: regarding ?? {},
    ...(note === undefined ? {} : { message: note }),
    ...(reportingController === undefined ? {} : { reportingComponent: reportingController }),
    ...(deprecatedSource === undefined ? {} : { source: deprecatedSource }),
    ...(deprecatedCount === undefined ? {} : { count: deprecatedCount }),
    ...(deprecatedFirstTimestamp === undefined ? {} : { firstTimestamp: deprecatedFirstTimestamp }),
    ...(deprecatedLastTimestamp === undefined ? {} : { lastTimestamp: deprecatedLastTimestamp }),
  } as Thing;
}

/** A stored Event as events.k8s.io/v1 shows it. */
export function newEvent(event: Thing): Thing {
  const { involvedObject, message, reportingComponent, source, count, firstTimestamp, lastTimestamp, ...rest } = event;
  return clone({
    ...rest,
    apiVersion: 'events.k8s.io/v1',
    regarding: involvedObject,
    ...(message === undefined ? {} : { note: message }),
    ...(reportingComponent === undefined ? {} : { reportingController: reportingComponent }),
    ...(source === undefined ? {} : { deprecatedSource: source }),
    ...(count === undefined ? {} : { deprecatedCount: count }),
    ...(firstTimestamp === undefined ? {} : { deprecatedFirstTimestamp: firstTimestamp }),
    ...(lastTimestamp === undefined ? {} : { deprecatedLastTimestamp: lastTimestamp }),
  }) as Thing;
}
