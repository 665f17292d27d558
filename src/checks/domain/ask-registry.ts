import type { CheckContext, Measurement } from '../../core/check.ts';
import { dialOptionsOf } from '../../core/dial-options.ts';
import { Failure } from '../../core/failure.ts';
import { Oddities } from '../../core/oddities.ts';
import { quoted } from '../../core/quoted.ts';
import { addressDetail } from '../../core/tried.ts';
import { decodeContent } from '../../net/http/content-coding.ts';
import { statusOf, type HttpResponse } from '../../net/http/http.ts';
import { redirectOf, requestOverHttp, type Requested } from '../../net/http/request.ts';
import { endpointOfUrl, formatEndpoint } from '../../core/target.ts';
import type { DomainOptions } from './options.ts';
import { readRegistration, type Registration } from './registration.ts';

const maxRedirects = 5;
const maxBodyBytes = 1_048_576;
// RFC 7480 section 4.2 names the first type; some servers send the same as plain JSON.
const headers = { 'user-agent': 'watchkeeper', accept: 'application/rdap+json, application/json;q=0.9' };

interface Asking extends CheckContext {
  readonly options: DomainOptions;
  readonly measurement: Measurement;
}

/**
 * Asks the registry about the domain (RFC 9082 section 3.1.3); undefined if it knows no such domain. A server that fails
 * says nothing about the domain. @throws {Failure} unknown, whatever its reason
 */
export async function askRegistry(server: string, asking: Asking): Promise<Registration | undefined> {
  try {
    const { url, response } = await followToAnswer(domainUrl(server, asking.options.name), asking);
    if (response.status === 404) return undefined;
    if (response.status !== 200) throw refusal(url, response);
    return await read(url, response, asking);
  } catch (error) {
    throw error instanceof Failure ? aboutTheRegistry(error) : error;
  }
}

function domainUrl(server: string, name: string): URL {
  return new URL(`domain/${name}`, server.endsWith('/') ? server : `${server}/`);
}

interface Answer {
  readonly url: URL;
  readonly response: HttpResponse;
}

async function followToAnswer(first: URL, asking: Asking): Promise<Answer> {
  const { options, measurement } = asking;
  const dial = dialOptionsOf(options);
  let url = first;
  for (let redirects = 0; ; redirects++) {
    measurement.detail['server'] = url.href.slice(0, 500);
    const got = await requestOverHttp(url, {
      ...asking,
      dial,
      tls: { ...options.tls, resume: false },
      headers,
      maxBodyBytes,
    });
    note(measurement, got);
    const next = redirectOf(got.response, url);
    if (!next) return { url, response: got.response };
    if (redirects >= maxRedirects)
      throw new Failure('too-many-redirects', `Expected at most ${maxRedirects} redirects, got one more.`);
    url = next;
  }
}

/** Over redirects the phases add up. */
function note({ metrics, detail }: Measurement, { response, connection, tlsMs }: Requested): void {
  const { resolveMs, connectMs } = connection;
  const { firstByteMs, transferMs } = response;
  Object.assign(detail, addressDetail(connection));
  for (const [name, ms] of Object.entries({ resolveMs, connectMs, tlsMs, firstByteMs, transferMs }))
    metrics[name] = (metrics[name] ?? 0) + ms;
}

function refusal(url: URL, response: HttpResponse): Failure {
  const wait = response.headers.get('retry-after');
  const advice = response.status === 429 ? ': too many questions, ask less often' : '';
  const later = wait === undefined ? '' : ` (Retry-After: ${wait.slice(0, 50)})`;
  return new Failure(
    'resolver-failed',
    `Expected 200 or 404 from ${formatEndpoint(endpointOfUrl(url))}, got ${statusOf(response)}${advice}${later}.`,
  );
}

async function read(url: URL, response: HttpResponse, { options, measurement }: Asking): Promise<Registration> {
  const peer = formatEndpoint(endpointOfUrl(url));
  const { bytes, isWhole } = await decodeContent(response, { peer, maxBodyBytes });
  if (!isWhole) throw new Failure('too-large', `Expected an answer of at most ${maxBodyBytes} bytes from ${peer}.`);
  const type = response.headers.get('content-type') ?? 'none';
  if (!/^application\/rdap\+json\b/i.test(type))
    new Oddities(measurement).note(`The answer is of type ${quoted(type, 100)}, not application/rdap+json (RFC 7480).`);
  const registration = readRegistration(parseJson(bytes));
  if (!registration)
    throw new Failure(
      'protocol',
      `Expected a domain in JSON from ${peer}, got ${quoted(bytes.toString('utf8', 0, 200))}.`,
    );
  const { name = options.name } = registration;
  if (name === options.name) return registration;
  throw new Failure('protocol', `Asked ${peer} for ${options.name}, got an answer about ${quoted(name)}.`);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** A registry that cannot be asked is not the domain's fault: nothing is known of it. */
function aboutTheRegistry(failure: Failure): Failure {
  if (failure.source === 'agent') return failure;
  const { reason, message, cause } = failure;
  const { detail, metrics } = failure.toOutcome();
  return new Failure(reason, message, { cause, detail, metrics, as: { status: 'unknown', source: 'resolver' } });
}
