import { showBytes } from '../../core/bytes.ts';
import { defineCheck, type Measurement } from '../../core/check.ts';
import { dialOptionsOf } from '../../core/dial-options.ts';
import { Failure } from '../../core/failure.ts';
import { assertFast } from '../../core/limits.ts';
import { failed, up, type Outcome } from '../../core/outcome.ts';
import { assertNotExpiring } from '../../net/tls/report.ts';
import { statusOf, type HttpResponse } from '../../net/http/http.ts';
import { authorizationOf } from './authorization.ts';
import { visit, type Hop } from './hop.ts';
import { disappointment } from './judge.ts';
import { options as schema, type HttpOptions } from './options.ts';
import { endpointOf } from './origin.ts';
import { proxyOf } from './proxy.ts';
import { redirected } from './redirect.ts';

export const http = defineCheck({
  type: 'http',
  title: 'HTTP',
  summary: 'Asks for a URL and checks the answer: status, headers, body, certificate and time.',
  options: schema,
  metrics: [
    { name: 'resolveMs', unit: 'ms', meaning: 'looking the name up' },
    { name: 'connectMs', unit: 'ms', meaning: 'TCP handshake' },
    { name: 'tlsMs', unit: 'ms', meaning: 'TLS handshake' },
    { name: 'firstByteMs', unit: 'ms', meaning: 'request sent to first byte of the answer' },
    { name: 'transferMs', unit: 'ms', meaning: 'first byte of the answer to the last' },
    { name: 'statusCode', unit: 'count', meaning: 'status code of the final answer' },
    { name: 'redirects', unit: 'count', meaning: 'redirects followed' },
    { name: 'headerBytes', unit: 'bytes', meaning: 'header of the final answer' },
    { name: 'bodyBytes', unit: 'bytes', meaning: 'body of the final answer as transferred' },
    { name: 'certificateDaysLeft', unit: 'days', meaning: 'until the first certificate expires, over all redirects' },
  ],
  defaultTimeoutMs: 10_000,
  asks: ['url'],
  targetSyntax: 'URL',
  fromTarget: (target, word) => ({ url: /^https?:|:\/\//i.test(target) ? target : `${word}://${target}` }),
  targetOf: ({ url }) => url,
  destinationOf: (options) =>
    options.proxy === undefined ? { ...endpointOf(new URL(options.url)), ...dialOptionsOf(options) } : undefined,
  async run(options, context, measurement) {
    const startedMs = context.clock.monotonic();
    const proxy = proxyOf(options.proxy);
    let hop = firstHop(options);
    measurement.detail['url'] = options.url;
    const redirects: string[] = [];
    for (;;) {
      const response = await visit(hop, { ...context, options, proxy, measurement });
      noteResponse(measurement, response);
      const next = options.maxRedirects > 0 ? redirected(hop, response) : undefined;
      if (!next) {
        measurement.latencyMs = context.clock.monotonic() - startedMs;
        return judge(response, options, measurement);
      }
      if (redirects.length >= options.maxRedirects) throw tooManyRedirects(options, next.url);
      redirects.push(next.url.href.slice(0, maxShownUrlLength));
      measurement.metrics['redirects'] = redirects.length;
      Object.assign(measurement.detail, { redirects, finalUrl: redirects.at(-1) });
      hop = next;
    }
  },
});

const maxShownUrlLength = 500;
const ownHeaders = { 'user-agent': 'watchkeeper', accept: '*/*' } as const;

function firstHop({ url, method, headers, auth, body, tls }: HttpOptions): Hop {
  return {
    url: new URL(url),
    method,
    headers: { ...ownHeaders, ...authorizationOf(auth), ...headers },
    body,
    tls,
  };
}

function tooManyRedirects({ maxRedirects }: HttpOptions, next: URL): Failure {
  const limit = `Expected at most ${maxRedirects} redirects`;
  return new Failure('too-many-redirects', `${limit}, got one more, to ${next.href.slice(0, maxShownUrlLength)}.`);
}

function noteResponse({ metrics, detail }: Measurement, response: HttpResponse): void {
  metrics['statusCode'] = response.status;
  metrics['headerBytes'] = response.headerBytes;
  metrics['bodyBytes'] = response.bodyBytes;
  detail['httpVersion'] = response.version;
  detail['statusText'] = statusOf(response);
}

function judge(response: HttpResponse, options: HttpOptions, measurement: Measurement): Outcome {
  const mismatch = disappointment(response, options);
  if (mismatch !== undefined) {
    measurement.detail['body'] = showBytes(response.body);
    return failed('assertion', `${mismatch}.`, measurement);
  }
  assertNotExpiring(measurement, options.tls);
  assertFast('The answer', measurement.latencyMs ?? 0, options);
  return up(statusOf(response), measurement);
}
