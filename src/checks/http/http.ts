import { defineCheck, type CheckContext, type Measurement } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import { assertBelow } from '../../core/limits.ts';
import { metricOf } from '../../core/metrics.ts';
import { Oddities } from '../../core/oddities.ts';
import { failed, up, type Outcome } from '../../core/outcome.ts';
import { quoted } from '../../core/quoted.ts';
import { formatEndpoint, urlOfTarget } from '../../core/target.ts';
import { textOf } from '../../net/http/charset.ts';
import { decodeContent } from '../../net/http/content-coding.ts';
import { assertNotExpiring } from '../../net/tls/report.ts';
import { statusOf, type HttpResponse } from '../../net/http/http.ts';
import { accessToken, type AccessToken } from './access-token.ts';
import { CookieJar } from './cookies.ts';
import { visit } from './hop.ts';
import { bodyMismatch, headMismatch, readsBody, type BodyText } from './mismatch.ts';
import { clientOf } from './oauth2-options.ts';
import { options as schema, type HttpOptions } from './options.ts';
import { planOf, withAuthorization, type RequestHop } from './plan.ts';
import { assertTargetAnswered } from './proxy.ts';
import { redirected } from './redirect.ts';

export const http = defineCheck({
  type: 'http',
  title: 'HTTP',
  titleOf: ({ url }) => (/^https:/i.test(url) ? 'HTTPS' : 'HTTP'),
  summary: 'Asks for a URL and checks the answer: status, headers, body, certificate and time.',
  options: schema,
  metrics: [
    metricOf.resolve,
    metricOf.connect,
    metricOf.tls,
    metricOf.firstByte,
    metricOf.transfer,
    { name: 'tokenMs', unit: 'ms', meaning: 'getting the access token, before the target was asked' },
    { name: 'statusCode', unit: 'count', meaning: 'status code of the final answer' },
    { name: 'redirects', unit: 'count', meaning: 'redirects followed' },
    { name: 'headerBytes', unit: 'bytes', meaning: 'header of the final answer' },
    { name: 'bodyBytes', unit: 'bytes', meaning: 'body of the final answer as transferred' },
    { name: 'certificateDaysLeft', unit: 'days', meaning: 'until the first certificate expires, over all redirects' },
  ],
  defaultTimeoutMs: 10_000,
  asks: ['url'],
  targetSyntax: 'URL',
  fromTarget: (target, word) => ({ url: urlOfTarget(target, word === 'https' ? 'https' : 'http') }),
  targetOf: ({ url }) => url,
  destinationOf(options) {
    const { firstHop, proxy, dial } = planOf(options);
    return proxy ? undefined : { ...firstHop.origin, ...dial };
  },
  async run(options, context, measurement) {
    const oddities = new Oddities(measurement);
    const { hop, response } = await askWithToken(options, { ...context, measurement, oddities });
    if (context.wantsFullDetail) noteHeaders(measurement, response);
    return await judge(response, options, { peer: formatEndpoint(hop.origin), measurement, oddities });
  },
});

interface Visiting extends CheckContext {
  readonly measurement: Measurement;
  readonly oddities: Oddities;
}

const unauthorized = 401;

/** Asks with an access token, where one is configured. One from an earlier run that is refused now is fetched anew, once. */
async function askWithToken(options: HttpOptions, visiting: Visiting): Promise<Arrival> {
  const client = clientOf(options.oauth2);
  if (!client) return await followRedirects(options, visiting);
  const token = await accessToken(client, { ...visiting, options });
  const arrival = await followRedirects(options, visiting, token);
  if (!token.isKept || arrival.response.status !== unauthorized) return arrival;
  token.forget();
  // Only the second answer counts, so only it is measured.
  visiting.measurement.metrics = {};
  return await followRedirects(options, visiting, await accessToken(client, { ...visiting, options }));
}

interface Arrival {
  readonly hop: RequestHop;
  readonly response: HttpResponse;
}

/** Asks for the URL, and on from hop to hop with the cookies set on the way. Returns the final answer. */
async function followRedirects(options: HttpOptions, visiting: Visiting, token?: AccessToken): Promise<Arrival> {
  const { measurement, oddities, clock } = visiting;
  const startedMs = clock.monotonic();
  const { firstHop, ...plan } = planOf(options);
  const { proxy } = plan;
  const cookies = new CookieJar();
  const redirects: string[] = [];
  let hop = token ? withAuthorization(firstHop, token) : firstHop;
  measurement.detail['url'] = options.url;
  for (;;) {
    const response = await visit(hop, { ...visiting, ...plan, options, cookies });
    noteResponse(measurement, response);
    for (const text of response.oddities) oddities.note(text);
    const next = options.maxRedirects > 0 ? redirected(hop, response, oddities) : undefined;
    if (!next) {
      if (proxy) assertTargetAnswered(response, { url: hop.url, proxy, options });
      measurement.latencyMs = clock.monotonic() - startedMs;
      return { hop, response };
    }
    if (redirects.length >= options.maxRedirects) throw tooManyRedirects(options, next.url);
    cookies.store(hop.url, response.fields, clock.now());
    redirects.push(next.url.href.slice(0, maxShownUrlLength));
    measurement.metrics['redirects'] = redirects.length;
    Object.assign(measurement.detail, { redirects, finalUrl: redirects.at(-1) });
    hop = next;
  }
}

const maxShownUrlLength = 500;

function tooManyRedirects({ maxRedirects }: HttpOptions, next: URL): Failure {
  const limit = `Expected at most ${maxRedirects} redirects`;
  return new Failure('too-many-redirects', `${limit}, got one more, to ${next.href.slice(0, maxShownUrlLength)}.`);
}

function noteResponse({ metrics, detail }: Measurement, response: HttpResponse): void {
  metrics['statusCode'] = response.status;
  metrics['headerBytes'] = response.headerBytes;
  metrics['bodyBytes'] = response.body.length;
  detail['httpVersion'] = response.version;
  detail['statusText'] = statusOf(response);
}

const maxShownHeaders = 100;
const maxShownHeaderLength = 1000;

/** The response's header fields by name, for people; long ones are cut. */
function noteHeaders({ detail }: Measurement, { headers }: HttpResponse): void {
  const shown = [...headers].slice(0, maxShownHeaders);
  detail['headers'] = Object.fromEntries(
    shown.map(([name, value]) => [name, value.slice(0, maxShownHeaderLength).toWellFormed()]),
  );
}

interface Judging {
  readonly peer: string;
  readonly measurement: Measurement;
  readonly oddities: Oddities;
}

/** Status and headers first: only a body that an option reads is decoded. */
async function judge(response: HttpResponse, options: HttpOptions, judging: Judging): Promise<Outcome> {
  const { measurement, oddities } = judging;
  const head = headMismatch(response, options);
  if (head !== undefined) {
    noteHeaders(measurement, response);
    return mismatched(head, await textIfReadable(response, options, judging), measurement);
  }
  if (readsBody(options)) {
    const body = await readBody(response, options, judging);
    const mismatch = bodyMismatch(body, options);
    if (mismatch !== undefined) return mismatched(mismatch, body.text, measurement);
  }
  oddities.assertNone(options);
  assertNotExpiring(measurement, options.tls);
  for (const status of ['down', 'degraded'] as const)
    assertBelow([['The answer took', measurement.latencyMs ?? 0, options[status].latency]], status);
  return up(statusOf(response), measurement);
}

/** The body of an answer with a wrong status: it may say why. If it cannot be decoded, it is left out. */
async function textIfReadable(response: HttpResponse, options: HttpOptions, judging: Judging): Promise<string> {
  try {
    return (await readBody(response, options, judging)).text;
  } catch (error) {
    if (error instanceof Failure) return '';
    throw error;
  }
}

async function readBody(
  response: HttpResponse,
  { maxBodyBytes }: HttpOptions,
  { peer, oddities }: Judging,
): Promise<BodyText> {
  const { bytes, isWhole, oddities: found } = await decodeContent(response, { peer, maxBodyBytes });
  for (const text of found) oddities.note(text);
  return { text: textOf(bytes, response.headers), isWhole };
}

function mismatched(mismatch: string, body: string, measurement: Measurement): Outcome {
  if (body !== '') measurement.detail['body'] = quoted(body).slice(1, -1);
  return failed('assertion', `${mismatch}.`, measurement);
}
