// Deletions that are not carried out, and what keeps as it is.
import { test } from 'vitest';

import { answered, dev, maps, web, wukongs } from './answered.ts';

const merge = 'application/merge-patch+json';

test('a deletion of unknown kind deletes nothing, and what is going takes no new finalizer', () =>
  dev(async ({ send }) => {
    const by = (body: unknown) => ({ body, type: merge });
    await answered(send, [
      [
        'DELETE',
        `${web}?propagationPolicy=Now`,
        {},
        422,
        /^DeleteOptions.*propagationPolicy: Unsupported value: "Now"/,
      ],
      ['DELETE', web, { body: { propagationPolicy: 'Now' } }, 422],
      ['DELETE', web, { body: { dryRun: ['Some'] } }, 422, /dryRun: Unsupported value/],
      ['DELETE', `${web}?dryRun=Some`, {}, 422],
      ['DELETE', wukongs, { body: { dryRun: ['Some'] } }, 422],
      ['DELETE', web, { body: { preconditions: { uid: 'other' } } }, 409, /UID in precondition: other/],
      ['DELETE', web, { body: { preconditions: { resourceVersion: '1' } } }, 409, /ResourceVersion in precondition/],
      ['DELETE', web, { body: { dryRun: ['All'] } }, 200],
      ['PATCH', web, by({ metadata: { finalizers: ['a/b'] } }), 200],
      ['DELETE', web, {}, 200],
      ['PATCH', web, by({ metadata: { finalizers: ['a/b', 'c/d'] } }), 422, /no new finalizers can be added .*"c\/d"/],
      ['PATCH', web, by({ metadata: { annotations: { a: 'b' } } }), 200],
      ['PATCH', web, by({ metadata: { finalizers: null } }), 200],
      ['GET', web, {}, 404],
    ]);
  }));

test('a ConfigMap holds texts by names of files, and stays as it is once it is immutable', () =>
  dev(async ({ send }) => {
    const made = (data: unknown, more = {}) => ({ body: { metadata: { name: 'm' }, data, ...more } });
    await answered(send, [
      [
        'POST',
        maps,
        made({ year: 2026 }),
        400,
        /cannot unmarshal number into Go struct field ConfigMap\.data of type string/,
      ],
      ['POST', maps, made({ on: true }), 400, /cannot unmarshal bool/],
      ['POST', maps, made({ 'a b': 'c' }), 422, /data\[a b\]: Invalid value: "a b": a valid config key/],
      ['POST', maps, made({ 'a.ics': '' }, { immutable: true }), 201],
      [
        'PATCH',
        `${maps}/m`,
        { body: { data: { b: 'c' } }, type: merge },
        422,
        /data: Forbidden: field is immutable when/,
      ],
      ['PATCH', `${maps}/m`, { body: { metadata: { labels: { a: 'b' } } }, type: merge }, 200],
    ]);
  }));
