import { dialOptionsOfUrl } from '../../core/dial-options.ts';
import type { DialOptions, Endpoint } from '../../core/network.ts';
import { endpointOfUrl, parseUrl } from '../../core/target.ts';
import { authorizationOf } from './authorization.ts';
import type { HttpOptions } from './options.ts';
import { proxyOf, type Proxy } from './proxy.ts';

/** One request on the way to the final answer; its headers, body and TLS options are what this origin may see. */
export interface RequestHop {
  readonly url: URL;
  /** Host and port of the URL. */
  readonly origin: Endpoint;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly tls: HttpOptions['tls'];
}

/** The part of a run that depends on the options alone. */
export interface Plan {
  readonly firstHop: RequestHop;
  readonly proxy: Proxy | undefined;
  readonly dial: Omit<DialOptions, 'signal'>;
}

const ownHeaders = { 'user-agent': 'watchkeeper', accept: '*/*' } as const;
const plans = new WeakMap<HttpOptions, Plan>();

/** Made once for all runs with these options: to read a URL takes as long as to judge an answer. */
export function planOf(options: HttpOptions): Plan {
  return plans.getOrInsertComputed(options, makePlan);
}

function makePlan(options: HttpOptions): Plan {
  const { method, headers, auth, body, tls } = options;
  const { url } = parseUrl(options.url);
  return {
    firstHop: {
      url,
      origin: endpointOfUrl(url),
      method,
      headers: { ...ownHeaders, ...authorizationOf(auth), ...headers },
      body,
      tls,
    },
    proxy: proxyOf(options.proxy),
    dial: dialOptionsOfUrl(options),
  };
}

/** The same request with this authorization; a header of that name that a person configured stays. */
export function withAuthorization(hop: RequestHop, { authorization }: { readonly authorization: string }): RequestHop {
  return { ...hop, headers: { authorization, ...hop.headers } };
}
