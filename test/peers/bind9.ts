import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { testCertificates } from '../../src/testing/certificates.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { acceptsTcp, startDaemon, temporaryFolder } from './daemon.ts';

const run = promisify(execFile);

export interface Bind9 extends AsyncDisposable {
  /** Serves the signed zone `example.test`, by every transport. */
  readonly authoritative: { readonly port: number; readonly tlsPort: number; readonly httpsPort: number };
  /** Asks the authoritative one, and validates `example.test`. */
  readonly resolver: { readonly port: number };
}

/** One record of each type that the codec knows, and what some tests need. */
const zoneText = `$TTL 300
@ SOA ns hostmaster 2026112101 7200 3600 1209600 60
@ NS ns
ns A 127.0.0.1
a A 192.0.2.1
a A 192.0.2.2
aaaa AAAA 2001:db8::1
aaaa AAAA 2001:db8:0:0:1::
alias CNAME a
mx MX 10 mail.example.net.
mx MX 20 mail.other.test.
txt TXT "v=spf1 -all" "two; \\"quoted\\" words" "\\195\\164"
hinfo HINFO "PDP-11" "UNIX"
rp RP admin txt
srv SRV 10 60 5060 sip.example.net.
naptr NAPTR 100 10 "S" "SIP+D2U" "!^.*$!sip:info@example.test!" _sip._udp.example.net.
dname DNAME elsewhere.test.
ds DS 60485 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
ds NS ns
sshfp SSHFP 4 2 A87F1B687AC0E57D2A081A2F2826723342D90ED5C5BFB0E2FE9D5A1E8C2A3B4C
tlsa TLSA 3 1 1 0B9FA5A59EED715C26C1020C711B4F6EC42D58B0015E14337A39DAD301C5AFC3
smimea SMIMEA 3 0 0 ABCD
openpgpkey OPENPGPKEY AQIDBA==
csync CSYNC 66 3 A NS AAAA
zonemd ZONEMD 2018031500 1 240 FEBE3D4CE2EC2FFA4BA99D46CD69D6D2
svcb SVCB 1 svc.example.net. alpn="h2,h3" port=8443 ipv4hint=192.0.2.1,192.0.2.2
https HTTPS 1 . alpn="h3" ipv6hint=2001:db8::1
caa CAA 128 issue "ca.example.net; policy=ev"
uri URI 10 1 "https://example.test/path"
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
loc LOC 42 21 54 N 71 06 18 W -24m 30m
loc LOC 0 N 0 W 42849672.95m 90000000.00m 0.50m
cert CERT PKIX 12345 RSASHA256 AQIDBA==
cert CERT 65280 1 250 AQIDBA==
cert CERT PGP 0 0 AQIDBA==
afsdb AFSDB 1 afs.example.net.
apl APL 1:192.168.32.0/21 !1:192.168.38.0/28 2:ff00::/8 1:0.0.0.0/0
dhcid DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=
hip HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs1.example.net. rvs2.example.net.
hip HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdx
eui48 EUI48 00-00-5E-00-53-2a
eui64 EUI64 00-00-5E-EF-10-00-00-2a
ipseckey IPSECKEY 10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
ipseckey IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
ipseckey IPSECKEY 10 2 2 2001:db8::1 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
ipseckey IPSECKEY 10 3 2 gateway.example.net. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
kx KX 10 kx.example.net.
x25 X25 311061700956
isdn ISDN "150862028003217" "004"
isdn ISDN "150862028003217"
rt RT 10 relay.example.net.
px PX 50 ab.net2.it. O-ab.PRMD-net2.ADMDb.C-it.
gpos GPOS -32.6882 116.8652 10.0
nid NID 10 0014:4fff:ff20:ee64
l32 L32 10 10.1.2.0
l64 L64 10 2001:0DB8:1140:1000
lp LP 10 l64-subnet1.example.net.
mb MB a.example.net.
mg MG a.example.net.
mr MR a.example.net.
minfo MINFO a.example.net. b.example.net.
nsap NSAP 0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00
nsap-ptr NSAP-PTR foo.example.net.
wks WKS 10.0.0.1 6 21 23 80
key KEY 512 255 1 AQMFD5raczCJHViKtLYhWGz8hMY9UGRuniJDBzC7w0aR
rkey RKEY 0 0 1 AQMFD5raczCJHViKtLYhWGz8hMY9UGRuniJDBzC7w0aR
dlv DLV 60485 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
ta TA 60485 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
ninfo NINFO "foo" "bar"
avc AVC "app-name:WOLFIE"
sink SINK 8 0 0 AQIDBA==
talink TALINK a.example.net. b.example.net.
amtrelay AMTRELAY 10 0 0 .
amtrelay AMTRELAY 10 1 1 203.0.113.15
amtrelay AMTRELAY 10 0 2 2001:db8::15
amtrelay AMTRELAY 10 1 3 relay.example.net.
doa DOA 0 1 2 "" aHR0cHM6Ly93d3cuaXNjLm9yZy8=
eid EID 1289AB
nimloc NIMLOC 1289AB
resinfo TYPE261 \\# 9 08716e616d656d696e
odd TYPE65280 \\# 3 ABCDEF
with\\.dot TXT "a name with a dot in a label"
*.wild A 192.0.2.4
${Array.from({ length: 100 }, (_, index) => `big A 10.0.0.${index}`).join('\n')}
`;

/** Starts an authoritative server and a validating resolver in front of it. */
export async function startBind9(): Promise<Bind9> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = stack.use(await temporaryFolder('bind9')).path;
    const anchor = await signZone(folder);
    const ports = await freePorts();
    await Promise.all([mkdir(join(folder, 'authoritative')), mkdir(join(folder, 'resolver'))]);
    await writeFile(join(folder, 'authoritative.conf'), await authoritativeConfig(folder, ports));
    await writeFile(join(folder, 'resolver.conf'), resolverConfig(folder, ports, anchor));
    stack.use(await startNamed(join(folder, 'authoritative.conf'), ports.port));
    stack.use(await startNamed(join(folder, 'resolver.conf'), ports.resolverPort));
    const { port, tlsPort, httpsPort, resolverPort } = ports;
    const running = stack.move();
    return {
      authoritative: { port, tlsPort, httpsPort },
      resolver: { port: resolverPort },
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

type Ports = Readonly<Record<'port' | 'tlsPort' | 'httpsPort' | 'resolverPort', number>>;

async function freePorts(): Promise<Ports> {
  const ports = new Set<number>();
  while (ports.size < 4) ports.add(await freePort());
  const [port = 0, tlsPort = 0, httpsPort = 0, resolverPort = 0] = ports;
  return { port, tlsPort, httpsPort, resolverPort };
}

/** A loopback port that is free for TCP and for UDP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await closedPort();
    const socket = createSocket('udp4').bind(port, '127.0.0.1');
    const isFree = await once(socket, 'listening').then(
      () => true,
      () => false,
    );
    if (isFree) socket.close();
    if (isFree) return port;
  }
}

/** Signs the zone, and returns the trust anchor for it. */
async function signZone(folder: string): Promise<string> {
  await writeFile(join(folder, 'example.test.zone'), zoneText);
  const key = ['-a', 'ECDSAP256SHA256', '-K', folder];
  await run('dnssec-keygen', [...key, '-f', 'KSK', 'example.test']);
  await run('dnssec-keygen', [...key, 'example.test']);
  const signing = ['-S', '-3', 'ABCD', '-K', folder, '-o', 'example.test', '-f', 'example.test.signed'];
  await run('dnssec-signzone', [...signing, 'example.test.zone'], { cwd: folder });
  const keys = (await readdir(folder)).filter((name) => name.endsWith('.key'));
  const texts = await Promise.all(keys.map((name) => readFile(join(folder, name), 'utf8')));
  const [, data = ''] = /^example\.test\. IN DNSKEY (257 .*)$/m.exec(texts.join('\n')) ?? [];
  const [flags, protocol, algorithm, ...digits] = data.split(' ');
  return `example.test. static-key ${flags} ${protocol} ${algorithm} "${digits.join('')}";`;
}

async function authoritativeConfig(folder: string, { port, tlsPort, httpsPort }: Ports): Promise<string> {
  const { good } = await testCertificates();
  return `
tls good { cert-file "${good.certificatePath}"; key-file "${good.keyPath}"; };
options {
  directory "${folder}/authoritative";
  pid-file none;
  session-keyfile none;
  listen-on port ${port} { 127.0.0.1; };
  listen-on port ${tlsPort} tls good { 127.0.0.1; };
  listen-on port ${httpsPort} tls good http default { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  minimal-responses yes;
};
controls { };
zone "example.test" { type primary; file "${folder}/example.test.signed"; };
`;
}

function resolverConfig(folder: string, { port, resolverPort }: Ports, anchor: string): string {
  return `
options {
  directory "${folder}/resolver";
  pid-file none;
  session-keyfile none;
  listen-on port ${resolverPort} { 127.0.0.1; };
  listen-on-v6 { none; };
  dnssec-validation yes;
};
controls { };
trust-anchors { ${anchor} };
zone "example.test" { type forward; forward only; forwarders { 127.0.0.1 port ${port}; }; };
`;
}

function startNamed(config: string, port: number): ReturnType<typeof startDaemon> {
  const command = ['/usr/sbin/named', '-g', '-n', '1', '-c', config] as const;
  return startDaemon([...command], { ready: () => serves(port) });
}

/** It listens before it has loaded its zones. */
async function serves(port: number): Promise<boolean> {
  if (!(await acceptsTcp(port))) return false;
  const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(port), '+short', '+time=1', 'example.test', 'SOA']);
  return stdout.startsWith('ns.example.test.');
}
