import { describe, expect, it } from 'vitest';

import { eventIn } from '../../shared/entry/cloudEvents.ts';

const stop = 'dev.novasphere.wukong.stop';
const command = { target: { namespace: 'team-a', name: 'web' } };
const attributes = { specversion: '1.0', id: 'e-1', source: '/cron', type: stop };
const structured = 'application/cloudevents+json';
const ofBody = (given: unknown, type = structured) =>
  eventIn({ 'content-type': type }, typeof given === 'string' ? given : JSON.stringify(given));
const whole = (more: object = {}) =>
  ofBody({ ...attributes, datacontenttype: 'application/json', data: command, ...more });
const inHeaders = (more: Record<string, string | string[] | undefined> = {}, body = JSON.stringify(command)) =>
  eventIn(
    {
      'ce-specversion': '1.0',
      'ce-id': 'e-1',
      'ce-source': '/cron',
      'ce-type': stop,
      'content-type': 'application/json',
      host: 'x',
      ...more,
    },
    body,
  );
const read = (more: object = {}) => ({
  action: 'stop',
  event: { 'detail-type': 'Wukong VM Stop Requested', id: '/cron#e-1', time: undefined, detail: command, ...more },
});
const problem = (work: () => unknown): string => {
  try {
    work();
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'InvalidAction' });
    return (thrown as Error).message;
  }
  throw new Error('it was taken');
};

describe('a CloudEvent that switches a VM', () => {
  it('is read as it stands in a body, or in headers, whatever JSON is said to be there', () => {
    expect(whole()).toEqual(read());
    expect(ofBody({ ...attributes, data: command }, 'Application/CloudEvents+JSON; charset=UTF-8')).toEqual(read());
    expect(inHeaders()).toEqual(read());
    expect(inHeaders({ 'content-type': 'application/json; charset=utf-8' })).toEqual(read());
    expect(inHeaders({ 'content-type': undefined })).toEqual(read());
    expect(whole({ data: JSON.stringify(command) })).toEqual(read());
    const data_base64 = Buffer.from(JSON.stringify(command)).toString('base64');
    expect(ofBody({ ...attributes, data_base64 })).toEqual(read());
  });

  it('starts one, or says when it was asked for', () => {
    const started = { action: 'start', event: { ...read().event, 'detail-type': 'Wukong VM Start Requested' } };
    expect(whole({ type: 'dev.novasphere.wukong.start' })).toEqual(started);
    const time = '2026-11-23T20:00:00Z';
    expect(whole({ time })).toEqual(read({ time }));
    expect(whole({ time: null })).toEqual(read({ time: null }));
    expect(inHeaders({ 'ce-time': time })).toEqual(read({ time }));
  });

  it('is named by its source and its id, which headers may have encoded, and never by another’s', () => {
    expect(whole({ source: 'a#b' })).toEqual(read({ id: 'a%23b#e-1' }));
    expect(inHeaders({ 'ce-id': 'caf%C3%A9' })).toEqual(read({ id: '/cron#café' }));
    expect(inHeaders({ 'ce-id': '100%' })).toEqual(read({ id: '/cron#100%' }));
    const id = 'x'.repeat(256 - '/cron#'.length);
    expect(whole({ id })).toEqual(read({ id: `/cron#${id}` }));
    expect(problem(() => whole({ id: `${id}x` }))).toBe('id: expected at most 256 characters together with source');
  });
});

describe('refused, with every reason, is a CloudEvent', () => {
  it('that says nothing, or something else', () => {
    const text = 'expected a text, not';
    expect(problem(() => ofBody({}))).toBe(
      `specversion: expected 1.0, not nothing; id: ${text} nothing; source: ${text} nothing; ` +
        `type: expected dev.novasphere.wukong.start or ${stop}, not nothing`,
    );
    expect(problem(() => whole({ specversion: '0.3' }))).toBe('specversion: expected 1.0, not "0.3"');
    expect(problem(() => whole({ id: '' }))).toBe(`id: ${text} ""`);
    expect(problem(() => whole({ id: 7, source: 'a\nb' }))).toBe(`id: ${text} 7; source: ${text} "a\\nb"`);
    expect(problem(() => whole({ source: 'x'.repeat(200) + '\n' }))).toBe(`source: ${text} "${'x'.repeat(99)}`);
  });

  it.each([7, 'toString', 'dev.novasphere.wukong.restart', '__proto__', [stop]])('of the type %j', (type) => {
    expect(problem(() => whole({ type }))).toBe(
      `type: expected dev.novasphere.wukong.start or ${stop}, not ${JSON.stringify(type)}`,
    );
  });

  it.each(['soon', 7, '', '1969-12-31T23:59:59Z'])('of the time %j', (time) => {
    expect(problem(() => whole({ time }))).toBe(`time: expected RFC 3339, not ${JSON.stringify(time)}`);
  });

  it('of the first instant of all is none', () => {
    expect(whole({ time: '1970-01-01T00:00:00Z' })).toEqual(read({ time: '1970-01-01T00:00:00Z' }));
  });

  it('that comes in a batch, or is none', () => {
    expect(problem(() => ofBody([], 'application/cloudevents-batch+json; charset=utf-8'))).toBe(
      `event: expected ${structured}, not application/cloudevents-batch+json: one event, no batch`,
    );
    expect(problem(() => ofBody([], `application/cloudevents-${'x'.repeat(100)}`))).toBe(
      `event: expected ${structured}, not application/cloudevents-${'x'.repeat(76)}: one event, no batch`,
    );
    const binding = `event: expected a CloudEvent: headers ce-specversion, ce-id, ce-source and ce-type, or content-type ${structured}`;
    expect(problem(() => eventIn({ 'content-type': 'application/json' }, '{}'))).toBe(binding);
    expect(problem(() => eventIn({}, '{}'))).toBe(binding);
    for (const body of ['{', '"text"', 'null', '[]'])
      expect(problem(() => ofBody(body))).toBe('event: expected one CloudEvent as a JSON object');
  });

  it.each(['{', ''])('whose data is %j', (body) => {
    expect(problem(() => inHeaders({}, body))).toBe('data: expected a command as JSON');
  });
});
