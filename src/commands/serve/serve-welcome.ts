import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { publicKeyPin } from '../operate/server-line.ts';
import { version } from '../installation.ts';

interface Welcome {
  readonly url: string;
  readonly folder: string;
  /** Whether the folder was named, and must be named again to reach this server. */
  readonly isNamed: boolean;
  /** Whoever has it may make the first account; absent once there is one. */
  readonly setUpKey: string | undefined;
  /** PEM, where the server speaks TLS. */
  readonly certificate: string | undefined;
}

/** What a person needs who has just started a server, a line each. */
export function welcomeLines({ url, folder, isNamed, setUpKey, certificate }: Welcome): readonly string[] {
  const which = isNamed ? ` --data ${folder}` : '';
  const pin = certificate && publicKeyPin(new X509Certificate(certificate));
  const remote = `watchkeeper console --server ${url} --token-file FILE${pin ? ` --pin ${pin}` : ''}`;
  return [
    `Watchkeeper ${version()} serves ${url}; its data is in ${folder}.`,
    `In a browser:     ${whereInBrowser(url, setUpKey)}`,
    `Operate it:       watchkeeper console${which}`,
    `Join a machine:   watchkeeper invite${which}   prints the line to run there`,
    `From elsewhere:   ${remote}   with ${join(folder, 'api-token')}`,
  ];
}

/** What a person opens in a browser; while there is no account, with the key that makes the first. */
export function whereInBrowser(url: string, setUpKey: string | undefined): string {
  return setUpKey === undefined ? `${url}/` : `${url}/#setup=${setUpKey}   makes the first account, once`;
}
