import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testCertificates, type TestCertificate } from '../../src/testing/certificates.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { acceptsTcp, startDaemon, temporaryFolder } from './daemon.ts';

/** The servers nginx runs, each on a free port of its own. */
export const nginxServers = [
  'plain',
  'good',
  'expired',
  'wrongName',
  'selfSigned',
  'incompleteChain',
  'clientCertificate',
  'http2',
] as const;
export type NginxServer = (typeof nginxServers)[number];

export interface Nginx extends AsyncDisposable {
  readonly ports: Readonly<Record<NginxServer, number>>;
  /** `https://localhost:port`, or `http://127.0.0.1:port` for `plain`. */
  url(server: NginxServer, path?: string): string;
}

/** A real nginx in the foreground of a temporary folder, run as whoever we are. */
export async function startNginx(): Promise<Nginx> {
  const folder = await temporaryFolder('nginx');
  const ports = Object.fromEntries(
    await Promise.all(nginxServers.map(async (server) => [server, await closedPort()] as const)),
    // Every server's name is a key.
  ) as Record<NginxServer, number>;
  const config = join(folder.path, 'nginx.conf');
  await writeFile(config, await configuration(ports));
  const nginx = await startDaemon(['nginx', '-p', folder.path, '-c', config, '-e', join(folder.path, 'error.log')], {
    ready: () => acceptsTcp(ports.plain),
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  return {
    ports,
    url: (server, path = '/') =>
      server === 'plain' ? `http://127.0.0.1:${ports.plain}${path}` : `https://localhost:${ports[server]}${path}`,
    async [Symbol.asyncDispose]() {
      await nginx[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function configuration(ports: Readonly<Record<NginxServer, number>>): Promise<string> {
  const { good, expired, wrongName, selfSigned, incompleteChain, ca } = await testCertificates();
  const secured = (server: NginxServer, certificate: TestCertificate, more = ''): string => `
  server {
    listen 127.0.0.1:${ports[server]} ssl ${server === 'http2' ? 'http2' : ''};
    ssl_certificate ${certificate.certificatePath};
    ssl_certificate_key ${certificate.keyPath};
    ${more}
    ${locations}
  }`;
  return `
daemon off;
master_process off;
pid nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  ssl_protocols TLSv1.2 TLSv1.3;
  gzip on;
  gzip_min_length 1;
  gzip_types application/json;
  server {
    listen 127.0.0.1:${ports.plain};
    ${locations}
  }
  ${secured('good', good)}
  ${secured('expired', expired)}
  ${secured('wrongName', wrongName)}
  ${secured('selfSigned', selfSigned)}
  ${secured('incompleteChain', incompleteChain)}
  ${secured('clientCertificate', good, `ssl_client_certificate ${ca.certificatePath}; ssl_verify_client on;`)}
  ${secured('http2', good)}
}
`;
}

const locations = `
    location / { return 200 "hello from nginx\\n"; }
    location /json { default_type application/json; return 200 '{"status":"ok","queue":7,"workers":[{"name":"a"},{"name":"b"}]}'; }
    location /moved { return 301 /; }
    location /forbidden { return 403; }`;
