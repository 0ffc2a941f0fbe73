import { missing, wrong } from './fielderror.ts';
import { at, clone, equal, type Thing } from './object.ts';
import type { FieldError } from './refusal.ts';

const textOf = (event: Thing, field: string): string => String(event[field] ?? '');
const qualified = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const limits = [
  ['reportingInstance', 'reportingInstance', 128],
  ['action', 'action', 128],
  ['reason', 'reason', 128],
  ['message', 'message', 1024],
] as const;

/** What an Event breaks of the rules that hold in both groups (Kubernetes' legacyValidateEvent). */
export function eventFaults(event: Thing): FieldError[] {
  const { namespace = '' } = event.metadata;
  const home = String(at(event, 'involvedObject', 'namespace') ?? '');
  const elsewhere = [wrong('involvedObject.namespace', home, 'does not match event.namespace')];
  if (event['eventTime'] == null)
    return (home === '' ? namespace === '' || namespace === 'default' : home === namespace) ? [] : elsewhere;
  const errors = home === '' && !['default', 'kube-system'].includes(namespace) ? elsewhere : [];
  const controller = textOf(event, 'reportingComponent');
  if (controller === '') errors.push(missing('reportingController'));
  else if (!qualified.test(controller))
    errors.push(wrong('reportingController', controller, 'name part must consist of alphanumeric characters'));
  for (const [field, name, most] of limits) {
    if (textOf(event, field) === '' && field !== 'message') errors.push(missing(name));
    if (Buffer.byteLength(textOf(event, field)) > most)
      errors.push(wrong(name, '', `can have at most ${most} characters`));
  }
  return errors;
}

/** What events.k8s.io/v1 demands of a new Event beside that. */
export function newEventFaults(event: Thing): FieldError[] {
  const errors = seriesFaults(event);
  const { generateName } = event.metadata;
  if (generateName?.endsWith('.')) errors.push(wrong('metadata.generateName', generateName, badPrefix));
  if (event['eventTime'] == null) errors.push(missing('eventTime'));
  const type = textOf(event, 'type');
  if (type !== 'Normal' && type !== 'Warning') errors.push(wrong('type', '', `has invalid value: ${type}`));
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count'])
    if (event[field]) errors.push(wrong(field, '', 'needs to be unset'));
  if (at(event, 'source', 'component') || at(event, 'source', 'host'))
    errors.push(wrong('source', '', 'needs to be unset'));
  return errors;
}

const badPrefix =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const fixed =
  'involvedObject reason message source firstTimestamp lastTimestamp count type eventTime action related reportingComponent reportingInstance';

/** What events.k8s.io/v1 lets nobody change: all but how often it was seen. */
export function changedEventFaults(event: Thing, old: Thing): FieldError[] {
  const changed = fixed.split(' ').filter((field) => !equal(event[field] ?? null, old[field] ?? null));
  return [
    ...(equal(event['series'], old['series']) ? [] : seriesFaults(event)),
    ...changed.map((field) => wrong(field, event[field] ?? null, 'field is immutable')),
  ];
}

function seriesFaults({ series }: Thing): FieldError[] {
  if (series == null) return [];
  const count = at(series, 'count');
  return [
    ...(typeof count === 'number' && count >= 2 ? [] : [wrong('series.count', '', 'should be at least 2')]),
    ...(at(series, 'lastObservedTime') ? [] : [missing('series.lastObservedTime')]),
  ];
}

/** An Event of events.k8s.io/v1 as it is stored, which is core/v1. */
export function coreEvent(event: Thing): Thing {
  const { regarding, note, reportingController, deprecatedSource, deprecatedCount, ...rest } = event;
  const { deprecatedFirstTimestamp, deprecatedLastTimestamp, ...others } = rest;
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
