import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { test } from 'node:test';
import type { Outcome } from '../../core/outcome.ts';
import { testCertificates } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { httpServer, type HttpTestServer } from '../../testing/http-server.ts';
import { stand } from '../../testing/stand.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { checkContract } from '../check.contract.ts';
import { domain } from './domain.ts';
import bootstrap from './rdap-servers.json' with { type: 'json' };
import { serverFor, serversOf } from './servers.ts';

const dayMs = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * dayMs).toISOString();

/** An answer as the registries give it (RFC 9083, appendix and section 5.3). */
const registration = (more: object = {}) => ({
  rdapConformance: ['rdap_level_0'],
  objectClassName: 'domain',
  handle: '2336799_DOMAIN_COM-VRSN',
  ldhName: 'EXAMPLE.TEST',
  status: ['client transfer prohibited', 'active'],
  events: [
    { eventAction: 'registration', eventDate: '1995-08-14T04:00:00Z' },
    { eventAction: 'expiration', eventDate: inDays(200.5) },
    { eventAction: 'last update of RDAP database', eventDate: '2026-11-28T00:00:00Z' },
  ],
  entities: [
    { objectClassName: 'entity', roles: ['technical'], handle: 'TECH' },
    {
      objectClassName: 'entity',
      roles: ['registrar'],
      handle: '376',
      vcardArray: [
        'vcard',
        [
          ['version', {}, 'text', '4.0'],
          ['fn', {}, 'text', 'Example Registrar, Inc.'],
        ],
      ],
    },
  ],
  nameservers: [{ ldhName: 'B.NS.TEST.' }, { ldhName: 'a.ns.test' }],
  ...more,
});

const answering =
  (
    body: unknown,
    { status = 200, type = 'application/rdap+json', ...headers }: Record<string, unknown> = {},
  ): RequestListener =>
  (_, response) =>
    response
      .writeHead(Number(status), { 'content-type': String(type), ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body));

const registry = (body: unknown, head?: Record<string, unknown>): Promise<HttpTestServer> =>
  httpServer(answering(body, head));

const baseOf = ({ origin }: HttpTestServer): string => `${origin}/rdap/`;

function check(options: object): Promise<Outcome> {
  return domain.run(domain.options.parse({ name: 'example.test', ...options }), testContext());
}

async function checkWith(body: unknown, options: object = {}, head?: Record<string, unknown>): Promise<Outcome> {
  await using server = await registry(body, head);
  return await check({ server: baseOf(server), ...options });
}

checkContract(domain, {
  answering: async () => {
    const server = await registry(registration());
    return stand({ name: 'example.test', server: baseOf(server) }, () => server[Symbol.asyncDispose]());
  },
  silent: async () => {
    const server = await tcpServer((socket) => socket.resume());
    const options = { name: 'example.test', server: `http://127.0.0.1:${server.port}/` };
    return stand(options, () => server[Symbol.asyncDispose]());
  },
});

test('a registered domain is up until its day, with registrar, statuses and name servers', async () => {
  await using server = await registry(registration());
  const outcome = await check({ server: baseOf(server) });
  assert.equal(outcome.status, 'up', outcome.message);
  assert.match(
    outcome.message,
    /^example\.test is registered until \d{4}-\d\d-\d\d, 200\.5 days left, by "Example Registrar, Inc\."\.$/,
  );
  const { registrar, statuses, nameservers, registered } = outcome.detail;
  assert.deepEqual(
    { registrar, statuses, nameservers, registered },
    {
      registrar: 'Example Registrar, Inc.',
      statuses: ['client transfer prohibited', 'active'],
      nameservers: ['b.ns.test', 'a.ns.test'],
      registered: '1995-08-14T04:00:00.000Z',
    },
  );
  assert.equal(outcome.detail['oddities'], undefined);
  const [request] = server.requests;
  assert.equal(request?.url, '/rdap/domain/example.test');
  assert.match(request.headers.accept ?? '', /^application\/rdap\+json/);
});

const ending = (days: number) => registration({ events: [{ eventAction: 'expiration', eventDate: inDays(days) }] });

test('days left have a threshold for degraded and one for down; a day that is over is down', async () => {
  const cases: readonly (readonly [days: number, status: string, message: RegExp, limits?: object])[] = [
    [31, 'up', /31\.0 days left/],
    [29.5, 'degraded', /29\.5 days left \(degraded from 30 days\)/],
    [6.5, 'down', /6\.5 days left \(down from 7 days\)/],
    [-1.5, 'down', /^The registration of example\.test expired on \d{4}-\d\d-\d\d \(down from 7 days\)\.$/],
    [6.5, 'degraded', /degraded from/, { down: { days: 0 } }],
    [6.5, 'up', /6\.5 days left/, { down: { days: 0 }, degraded: { days: 0 } }],
    [100, 'down', /down from 120 days/, { down: { days: 120 } }],
  ];
  for (const [days, status, message, limits = {}] of cases) {
    const outcome = await checkWith(ending(days), limits);
    assert.equal(outcome.status, status, outcome.message);
    assert.match(outcome.message, message);
  }
});

test('a domain on hold, or about to be lost, is down, however many days are left', async () => {
  for (const status of ['client hold', 'server hold', 'redemption period', 'pending delete', 'clientHold']) {
    const outcome = await checkWith(registration({ status: ['active', status] }));
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'assertion'], status);
    assert.match(
      outcome.message,
      /^example\.test has the status (?:client|server|redemption|pending) (?:hold|period|delete)\.$/,
    );
  }
  const own = { down: { statuses: ['clientTransferProhibited'] } };
  assert.equal((await checkWith(registration(), own)).status, 'down');
  assert.equal((await checkWith(registration({ status: ['client hold'] }), own)).status, 'up');
});

test('registrar, statuses and name servers are compared with what is expected', async () => {
  const cases: readonly (readonly [expect: object, message: RegExp | undefined])[] = [
    [{ registrar: 'Example' }, undefined],
    [{ registrar: 'Other' }, /^Expected a registrar of example\.test with "Other", got "Example Registrar, Inc\."\.$/],
    [{ statuses: ['clientTransferProhibited'] }, undefined],
    [
      { statuses: ['server lock'] },
      /^Expected the status server lock of example\.test, got client transfer prohibited, active/,
    ],
    [{ nameservers: ['A.ns.test', 'b.ns.test'] }, undefined],
    [{ nameservers: ['a.ns.test.', 'b.ns.test.'] }, undefined],
    [
      { nameservers: ['a.ns.test'] },
      /^Expected the name servers a\.ns\.test of example\.test, got a\.ns\.test, b\.ns\.test\.$/,
    ],
  ];
  for (const [expect, message] of cases) {
    const outcome = await checkWith(registration(), { expect });
    assert.equal(outcome.reason, message ? 'assertion' : undefined, outcome.message);
    if (message) assert.match(outcome.message, message);
  }
});

test('a domain that the registry does not know is not registered', async () => {
  const outcome = await checkWith({ errorCode: 404 }, {}, { status: 404 });
  assert.deepEqual([outcome.status, outcome.reason], ['down', 'name-not-found']);
  assert.equal(outcome.message, 'example.test is not registered.');
  const host = await checkWith({ errorCode: 404 }, { name: 'www.example.test' }, { status: 404 });
  assert.match(host.message, /or it is a host in one: give the registered domain/);
});

test('a registry that fails says nothing about the domain: unknown, never down', async () => {
  const cases: readonly (readonly [body: unknown, head: Record<string, unknown>, reason: string, message: RegExp])[] = [
    [
      {},
      { status: 429, 'retry-after': '60' },
      'resolver-failed',
      /got 429 Too Many Requests: too many questions.*Retry-After: 60/,
    ],
    [{}, { status: 500 }, 'resolver-failed', /^Expected 200 or 404 from 127\.0\.0\.1:\d+, got 500/],
    ['<html>', { type: 'text/html' }, 'protocol', /^Expected a domain in JSON from 127\.0\.0\.1:\d+, got "<html>"\.$/],
    ['', {}, 'protocol', /^Expected a domain in JSON/],
    ['[]', {}, 'protocol', /^Expected a domain in JSON/],
    [{ objectClassName: 'nameserver' }, {}, 'protocol', /^Expected a domain in JSON/],
    [
      registration({ ldhName: 'other.test' }),
      {},
      'protocol',
      /^Asked 127.* for example\.test, got an answer about "other\.test"/,
    ],
    [registration({ events: [] }), {}, 'unsupported', /does not tell when example\.test expires/],
    [registration({ events: [{ eventAction: 'expiration', eventDate: 'soon' }] }), {}, 'unsupported', /does not tell/],
    ['['.repeat(1_000_000), {}, 'protocol', /^Expected a domain in JSON/],
    [`"${'x'.repeat(2_000_000)}"`, {}, 'too-large', /at most 1048576 bytes/],
  ];
  for (const [body, head, reason, message] of cases) {
    const outcome = await checkWith(body, {}, head);
    assert.deepEqual(
      [outcome.status, outcome.reason, outcome.source],
      ['unknown', reason, 'resolver'],
      outcome.message,
    );
    assert.match(outcome.message, message);
  }
  const refused = await check({ server: `http://127.0.0.1:${await closedPort()}/` });
  assert.deepEqual([refused.status, refused.reason, refused.source], ['unknown', 'refused', 'resolver']);
});

test('without days asked for, a registry that tells no date is no matter', async () => {
  const limits = { degraded: { days: 0 }, down: { days: 0 } };
  const outcome = await checkWith(registration({ events: undefined }), limits);
  assert.equal(outcome.message, 'example.test is registered, by "Example Registrar, Inc.".');
});

test('entries of any other kind are passed over', async () => {
  const outcome = await checkWith(
    registration({
      status: [7, 'active', null],
      entities: [null, { roles: 'registrar' }, { roles: ['registrar'], handle: 'R-1', vcardArray: ['vcard', 'none'] }],
      nameservers: [{}, { ldhName: 5 }],
    }),
  );
  assert.equal(outcome.status, 'up', outcome.message);
  assert.deepEqual([outcome.detail['statuses'], outcome.detail['registrar']], [['active'], 'R-1']);
});

test('an answer of another type is noted, and down where the check is strict', async () => {
  const head = { type: 'application/json' };
  const noted = await checkWith(registration(), {}, head);
  assert.equal(noted.status, 'up');
  assert.match(JSON.stringify(noted.detail['oddities']), /application\/json.*not application\/rdap\+json/);
  assert.equal((await checkWith(registration(), { strict: true }, head)).reason, 'protocol');
});

test('redirects are followed, over https too, but not from https to http', async () => {
  const { ca, good } = await testCertificates();
  const tls = { cert: good.certificate, key: good.key };
  await using answer = await httpServer(answering(registration()), tls);
  const to = (location: string): RequestListener => answering('', { status: 302, location });
  await using first = await httpServer(to(`${answer.origin}/x/domain/example.test`));
  const trusted = { tls: { ca: ca.certificate } };
  const outcome = await check({ server: first.origin, ...trusted });
  assert.equal(outcome.status, 'up', outcome.message);
  assert.equal(outcome.detail['server'], `${answer.origin}/x/domain/example.test`);
  assert.ok((outcome.metrics['tlsMs'] ?? 0) > 0);
  assert.equal((await check({ server: answer.origin })).reason, 'tls-untrusted');
  await using plain = await registry(registration());
  await using downgrading = await httpServer(to(`${plain.origin}/domain/example.test`), tls);
  const refused = await check({ server: downgrading.origin, ...trusted });
  assert.equal(refused.reason, 'protocol');
  assert.match(refused.message, /^Expected a redirect to an https URL, got "http:/);
  await using loop = await httpServer(to('/again'));
  assert.equal((await check({ server: loop.origin })).reason, 'too-many-redirects');
  assert.equal(loop.requests.length, 6, 'the first and five redirects');
});

const parse = (name: string) => domain.options.safeParse({ name });

test('a name is taken as it is registered, in any script, and typing errors are found', () => {
  assert.equal(parse('Bücher.Example.').data?.name, 'xn--bcher-kva.example');
  for (const wrong of ['example', '192.0.2.1', '::1', 'https://example.org', 'a b.example', ''])
    assert.ok(!parse(wrong).success, wrong);
});

test('the RDAP server is the one that IANA lists; the entry with the most labels counts', async () => {
  const servers = serversOf(bootstrap);
  assert.equal(serverFor('example.com', servers), 'https://rdap.verisign.com/com/v1/');
  assert.equal(serverFor('example.org', servers), 'https://rdap.publicinterestregistry.org/rdap/');
  const nested = serversOf({
    publication: '',
    services: [
      [['test'], ['http://a.test/', 'https://b.test/']],
      [['co.test'], ['https://c.test/']],
      [['old'], ['http://d.test/']],
      [['none'], []],
    ],
  });
  assert.equal(serverFor('example.test', nested), 'https://b.test/');
  assert.equal(serverFor('example.co.test', nested), 'https://c.test/');
  assert.equal(serverFor('nocotest', nested), undefined);
  assert.equal(serverFor('a.old', nested), 'http://d.test/');
  assert.equal(serverFor('a.none', nested), undefined);
  const { reason, status, message } = await check({});
  assert.deepEqual([status, reason], ['unknown', 'unsupported']);
  assert.match(message, /^No RDAP server for \.test stands in the list of \d{4}-\d\d-\d\d; give its URL as server\.$/);
});

test('the list of servers is a bootstrap file (RFC 9224 section 3)', () => {
  assert.equal(bootstrap.version, '1.0');
  assert.ok(Number.isFinite(Date.parse(bootstrap.publication)));
  const domains = bootstrap.services.flatMap(([names = []]) => names);
  assert.equal(new Set(domains).size, domains.length);
  for (const [names = [], urls = []] of bootstrap.services) {
    for (const name of names) assert.match(name, /^[a-z\d-]+$/);
    for (const url of urls) assert.match(url, /^https?:\/\/[^?#]+\/$/);
  }
});
