import { describe, expect, it } from 'vitest';

import type { Call } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { refusalAnswer } from '../../shared/entry/http.ts';
import { newAccess } from '../../shared/entry/serveAccess.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { s, t0 } from './machines.ts';

const audience = 'wukong-lifecycle';
const anna = { username: 'anna', uid: 'a', groups: ['team'], extra: { scopes: ['x'] } };
const holds = { authenticated: true, audiences: ['other', audience], user: anna };
type Spec = Record<string, unknown>;

/** Callers whom the API server answers so. */
function callers(status: (spec: Spec) => object | Promise<object> = () => holds, secret?: string) {
  const clock = new VirtualClock(t0);
  const asked: { path: string; spec: Spec; limits: unknown }[] = [];
  const call = async ({ path, body }: Call, limits: unknown) => {
    const { spec } = body as { spec: Spec };
    asked.push({ path, spec, limits });
    return { status: 201, warnings: [], body: { status: await status(spec) } };
  };
  const access = newAccess({ clock, transport: { call } } as unknown as World, { audience, secret });
  const who = (authorization?: string, address = 'address', isEvent = false) =>
    access.who(authorization, address, isEvent);
  /** The status that it is refused with; 200 where it is not. */
  const asks = (...args: Parameters<typeof who>) =>
    who(...args).then(
      () => 200,
      (thrown: unknown) => refusalAnswer(thrown).statusCode,
    );
  const often = async (count: number, ...args: Parameters<typeof who>) => {
    const came: unknown[] = [];
    for (let i = 0; i < count; i++) came.push(await asks(...args));
    return came;
  };
  return { clock, access, asked, who, asks, often };
}
const refused = (work: Promise<unknown>) =>
  work.then(
    () => 'nobody is refused',
    (thrown: Error) => {
      const { statusCode, headers, body = '' } = refusalAnswer(thrown);
      const { reason } = JSON.parse(body) as { reason: string };
      return { statusCode, reason, message: thrown.message, asks: headers?.['www-authenticate'] };
    },
  );
const unauthenticated = (why: string) => ({
  ...{ statusCode: 401, reason: 'Unauthenticated', asks: 'Bearer' },
  message: `${why}: expected Authorization: Bearer with one for the audience ${audience}`,
});

describe('who calls', () => {
  it('is who the API server says that the token is of, within ten seconds', async () => {
    const { who, asked } = callers();
    expect(await who('bearer   a.token')).toEqual(anna);
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    expect(asked).toEqual([
      { path, spec: { token: 'a.token', audiences: [audience] }, limits: { deadline: t0 + 10 * s } },
    ]);
  });

  it.each([undefined, '', 'Basic x', 'Bearer', 'Bearer one two', 'x Bearer one'])(
    'is nobody by the header %s, and the API server is not asked',
    async (header) => {
      const { who, asked } = callers();
      const why = header === undefined ? 'no token' : 'Authorization is not one word behind Bearer';
      expect(await refused(who(header))).toEqual(unauthenticated(why));
      expect(asked).toEqual([]);
    },
  );

  it.each<[object, string]>([
    [{}, 'the token does not hold'],
    [{ ...holds, authenticated: false }, 'the token does not hold'],
    [{ ...holds, user: undefined }, 'the token does not hold'],
    [{ ...holds, audiences: undefined }, 'the token does not hold'],
    [{ ...holds, audiences: ['other'] }, 'the token does not hold'],
    [{ error: 'x'.repeat(300) }, `the token does not hold (${'x'.repeat(200)})`],
  ])('is nobody by a review that says %j', async (status, why) => {
    expect(await refused(callers(() => status).who('Bearer x'))).toEqual(unauthenticated(why));
  });

  it('is not known where the API server does not say it', async () => {
    const away = (code: 'Denied' | 'Unreachable') =>
      callers(() => Promise.reject(new LifecycleError(code, 'no'))).who('Bearer x');
    await expect(away('Unreachable')).rejects.toMatchObject({
      code: 'Unreachable',
      message: 'this server cannot review callers: no',
    });
    await expect(away('Denied')).rejects.toMatchObject({
      ...{ code: 'Unreachable' },
      message: 'this server cannot review callers: no; its account needs the ClusterRole system:auth-delegator',
    });
  });

  it('is the webhook by the shared secret, for events alone', async () => {
    const { who, asked } = callers(() => ({}), 'secret');
    const webhook = { username: 'wukong-lifecycle:webhook', groups: ['system:authenticated'] };
    expect(await who('Bearer secret', 'address', true)).toEqual(webhook);
    expect(asked).toEqual([]);
    for (const [token, isEvent] of [
      ['secret', false],
      ['other', true],
    ] as const)
      expect(await refused(who(`Bearer ${token}`, 'address', isEvent))).toMatchObject({ statusCode: 401 });
    expect(await refused(callers(() => ({})).who('Bearer x', 'address', true))).toMatchObject({ statusCode: 401 });
    const { access } = callers(() => ({}), 'secret');
    expect(await refused(access.who('Bearer secret', 'address'))).toMatchObject({ statusCode: 401 });
  });
});

describe('how often one may call', () => {
  const [ok, nobody, often429] = [200, 401, 429];
  const many = <T>(of: T, count = 50) => Array.from({ length: count }, () => of);

  it('is fifty times at once, and ten times a second from then on, for each address without a token', async () => {
    const { often, clock, who, asks } = callers();
    expect(await often(51)).toEqual([...many(nobody), often429]);
    expect(await refused(who())).toMatchObject({
      statusCode: 429,
      reason: 'TooManyRequests',
      message: 'address asks more than 10 times a second: ask again later',
    });
    expect(await asks(undefined, 'elsewhere')).toBe(nobody);
    clock.advance(99);
    expect(await asks()).toBe(often429);
    clock.advance(1);
    expect(await often(2)).toEqual([nobody, often429]);
    clock.advance(3_600 * s);
    expect(await often(51)).toEqual([...many(nobody), often429]);
  });

  it('is that for each whose token holds, wherever they ask from, and their address is not used up', async () => {
    const { often, asks, asked } = callers(({ token }) => ({ ...holds, user: { username: token } }));
    expect(await often(25, 'Bearer one', 'here')).toEqual(many(ok, 25));
    expect(await often(26, 'Bearer one', 'there')).toEqual([...many(ok, 25), often429]);
    expect(await often(50, 'Bearer two', 'here')).toEqual(many(ok));
    expect(await asks('Bearer two', 'here')).toBe(often429);
    expect(asked).toHaveLength(102);
  });

  it('is no more for who guesses and has a token that holds', async () => {
    const { often, asks } = callers();
    await often(10);
    expect(await asks('Bearer x')).toBe(ok);
    expect(await often(41)).toEqual([...many(nobody, 40), often429]);
  });

  it('is that for the webhook', async () => {
    const { often } = callers(() => ({}), 'secret');
    expect(await often(51, 'Bearer secret', 'address', true)).toEqual([...many(ok), often429]);
  });

  it('is remembered of the newest ten thousand', async () => {
    let end: (status: object) => void = () => {};
    const { often, asks, who } = callers(() => new Promise((resolve) => (end = resolve)));
    const slow = who('Bearer x', 'slow');
    await often(50, undefined, 'victim');
    for (let i = 0; i < 9_999; i++) await asks(undefined, `${i}`);
    expect(await asks(undefined, 'victim')).toBe(often429);
    await asks(undefined, 'another');
    expect(await asks(undefined, 'victim')).toBe(nobody);
    end(holds);
    await slow;
    expect((await often(52, undefined, 'slow')).at(-1), 'what is given back late is no more than that').toBe(often429);
  });
});

describe('what a caller may', () => {
  const allowed = { allowed: true };
  it('is what the API server says of all that is known of them', async () => {
    const { access, asked } = callers(() => allowed);
    await access.may(anna, 'update', { namespace: 'team-a', name: 'web' }, 'stop');
    await access.may({ username: 'bob' }, 'list', {});
    const { username: user, ...who } = anna;
    const wukongs = { group: 'vm.novasphere.dev', resource: 'wukongs' };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const limits = { deadline: t0 + 10 * s };
    expect(asked).toEqual([
      {
        path,
        limits,
        spec: {
          user,
          ...who,
          resourceAttributes: { ...wukongs, subresource: 'stop', verb: 'update', namespace: 'team-a', name: 'web' },
        },
      },
      { path, limits, spec: { user: 'bob', resourceAttributes: { ...wukongs, subresource: '', verb: 'list' } } },
    ]);
  });

  it.each<[object, string | undefined, object, string]>([
    [{ namespace: 'team-a', name: 'web' }, 'stop', {}, 'wukongs/stop of vm.novasphere.dev in team-a on web'],
    [{ namespace: 'team-a' }, undefined, {}, 'wukongs of vm.novasphere.dev in team-a'],
    [{}, undefined, { reason: 'no role' }, 'wukongs of vm.novasphere.dev in all namespaces (no role)'],
  ])('is refused with the right that is missing: %j', async (place, sub, more, says) => {
    const { access } = callers(() => ({ allowed: false, ...more }));
    await expect(access.may(anna, 'update', place, sub)).rejects.toMatchObject({
      code: 'Denied',
      message: `anna may not update ${says}`,
    });
  });
});
