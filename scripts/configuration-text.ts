// What docs/configuration.md says beside its tables. A test reads every block of YAML in it: each must be a configuration without mistakes.

/** Tables of keys, made of the schemas. */
export interface Tables {
  readonly monitors: string;
  readonly defaults: string;
  readonly egress: string;
  readonly agents: string;
  readonly tls: string;
  readonly retention: string;
  readonly deadman: string;
  readonly sensors: string;
  readonly sensorOptions: string;
  readonly rooms: string;
  readonly policies: string;
  readonly notifiers: string;
  readonly windows: string;
  readonly quietHours: string;
}

export function configurationText(tables: Tables): string {
  return [introduction, variables, secrets, sections(tables), ...Object.values(examples)].join('\n');
}

const introduction = `# Configuration

Made by \`npm run docs\` out of the schemas that read it: change them there, and the text in \`scripts/configuration-text.ts\`.

\`watchkeeper run FILE\` reads it in a terminal, \`watchkeeper serve --config FILE\` on a server; \`watchkeeper validate FILE\` says every
mistake with its file, line and column, what was expected and what was found, and ends with 3 if there is one. Read as a user of the
server, \`validate\` sees the same variables, secrets and TLS files as the server.

\`\`\`yaml
monitors:
  - name: front page
    type: http
    target: https://www.example.org/
    interval: 30s
\`\`\`

## Files

- \`FILE\` is YAML 1.2 or JSON in UTF-8; a directory, of which every \`*.yaml\`, \`*.yml\` and \`*.json\` is read in the order of their names;
  \`-\` for standard input, or another pipe.
- \`include:\` names further files, directories, or files by a pattern like \`sites/*.yaml\`, one or a list. Each is a configuration of its
  own form. Monitors, hosts, agents, sensors and rooms of all files are put together; \`egress\`, \`tls\` and \`retention\` may stand in one of them.
- Relative paths (\`include:\`, \`tls:\`, \`\${file:…}\`) begin at the folder of the file that names them.
- At most 1,000 files, 16 MiB in all, included at most 10 deep; at most 100,000 monitors.

YAML's anchors (\`&usual\`), aliases (\`*usual\`) and merge keys (\`<<\`) work. Keys at the top that begin with \`x-\` are not read: they are a
place for what is taken from by an alias. Any other key that is not known is a mistake.

\`\`\`yaml
x-usual: &usual { type: tcp, interval: 1m }
monitors:
  - { <<: *usual, name: ssh, target: 'gate.example.org:22' }
  - { <<: *usual, name: mail, target: 'mail.example.org:25', interval: 5m }
\`\`\`

A duration is \`500ms\`, \`3s\`, \`5m\`, \`2h\`, \`7d\`; a bare number is seconds. A switch is \`yes\` or \`no\`, \`true\` or \`false\`, \`on\` or \`off\`. One
value stands for a list of one. Where a text is wanted, a number is the text that was written.

## Mistakes, start and reload

SIGHUP has \`serve\` and \`run\` read their files again. Start and reload judge alike:

- A monitor, a room, or an entry of \`sensors:\`, with a mistake is left out, and the rest runs. \`/healthz\` of a server says so until it is mended.
- Any other mistake (no YAML, an unknown key at the top, a wrong \`egress\`, \`tls\`, \`retention\`, \`agents\`, \`defaults\` or \`include\`) is one of
  the whole: a start ends with 3, a reload leaves the previous configuration in force.

\`retention:\`, \`publicUrl:\`, \`trustedProxies:\`, and whether there is \`tls:\` at all, change when the server is started again; everything else changes at once.
`;

const variables = `## Variables

| written | is |
|---|---|
| \`\${NAME}\` | the value of the variable \`NAME\` in the environment of the program; one that is not set is a mistake |
| \`\${NAME:-default}\` | the same, or \`default\` where it is not set or empty |
| \`\${file:/run/secrets/x}\` | the text of a file (at most 64 KiB), without the line break at its end |
| \`$\${\` | \`\${\` itself; \`$\` alone and \`$NAME\` are plain text |

They are read in every value of every section, not in keys, and their values are not read again. Anything else that begins with \`\${\` is a
mistake. Monitors that are made through the HTTP interface are read without variables, and one that has \`\${\` is refused: whoever may make
a monitor may not read the server's secrets by it.
`;

const secrets = `## Secrets

What is secret is shown as \`***\`, in the HTTP interface, events, metrics, tables, results and messages, on agents too:

- options that hold one: passwords, tokens, keys, headers (all but harmless ones such as \`accept\`), a proxy's password;
- passwords in URLs, and parameters of URLs whose names tell: \`key\`, \`token\`, \`api_key\`, \`signature\`, …;
- what \`\${file:…}\` and variables with a telling name (\`API_TOKEN\`, \`DB_PASSWORD\`) put anywhere into a monitor;
- what other variables put into options, but for host, port and path of the target.

Texts of less than four characters are hidden in their place and not searched for in others. Who changes a monitor through the interface
may send \`***\` back: the secret stays.
`;

function sections({
  monitors,
  defaults,
  egress,
  agents,
  tls,
  retention,
  deadman,
  sensors,
  sensorOptions,
  rooms,
  policies,
  notifiers,
  windows,
  quietHours,
}: Tables): string {
  return `## monitors

A list; each has a check type with its options ([checks.md](checks.md)).

${monitors}

## hosts

A mapping from hosts to their checks, in place of or beside \`monitors\`; a file may also be that mapping alone. Each check makes a monitor
\`HOST TYPE\`. A host takes \`services\` (a list of check types) or \`checks\` (a mapping from check types to options), and \`interval\`, \`timeout\`,
\`agents\` and \`paused\`, which a check may say for itself; or a list of such entries.

\`\`\`yaml
hosts:
  www.example.org: { services: [HTTP, ICMP], interval: 60 }
  ns.example.org:
    interval: 30s
    checks:
      dns: { record: MX }
      tcp: { port: 443, timeout: 2s }
  gate.example.org: ICMP
\`\`\`

## defaults

What monitors and hosts of this file, and of those that it includes, take where they say nothing themselves: under the name of a check type
for monitors of that type, before what stands for all. What a target says wins over default options.

\`\`\`yaml
defaults:
  interval: 1m
  http: { timeout: 5s, options: { headers: { user-agent: watch }, degraded: { latency: 800ms } } }
monitors:
  - { type: http, target: 'https://www.example.org/' }
\`\`\`

${defaults}
| \`http\`, \`icmp\`, … | mapping | | \`icmp: { interval: 10s }\` | The same keys, and \`options\`, for monitors of this check type |

## include

One name or a list: \`include: [sites/*.yaml, common.yaml]\`. A name is that of a file, of a directory, or a pattern with \`*\` and \`?\` in its
last part; a name that leads to no file, and a file that is read twice, are mistakes.

## egress

What checks of \`run\`, and of a server's local agent, may reach. Link-local addresses, metadata services of clouds, multicast and reserved
ranges are denied unless allowed. Other agents read it from a file of their own: \`watchkeeper agent --egress FILE\`; SIGHUP reads that again.

${egress}

## sensors

Only on a server: what agents collect on their own machines. A list; each entry has at least one of the sensors
${['usb', 'mounts', 'traffic'].map((sensor) => `\`${sensor}\``).join(', ')}, with its options or nothing. [lab.md](lab.md) tells how a room is watched.

${sensors}

${sensorOptions}
## rooms

Only on a server: rooms whose machines are watched while a session lasts, such as an exam, and not otherwise. \`watchkeeper session start ROOM\`
begins one, under one of the policies of the room. Rooms are also made through the HTTP interface (\`/api/v1/rooms\`).

${rooms}
| \`policies\` | list | required | | What a session may be: see below |

A policy names who collects, what for, and what is allowed. It may name sensors (\`usb\`, \`mounts\`, \`traffic\`) with options as under
\`sensors:\`; all three, unless it names any.

${policies}

\`\`\`yaml
rooms:
  - name: lab 101
    seats: ['101-*']
    devices: [046d:c31c]                  # the keyboards of the room
    policies:
      - name: exam
        by: Physics department
        purpose: Exam of 2 December
        peers: [192.0.2.10]
        otherPeers: alarm                 # nothing but these hosts
      - { name: practice, by: Physics department, otherDevices: notice }
\`\`\`

## notifiers

Only on a server: ways to tell people, each with a name of its own. [notifiers.md](notifiers.md) has the options of each kind;
\`watchkeeper notify test NAME\` sends a problem and its recovery. Notifiers stand in files alone: none is made through the HTTP interface.

${notifiers}

\`quietHours:\` takes

${quietHours}

\`\`\`yaml
notifiers:
  - name: ops-chat
    kind: slack
    options: { webhookUrl: 'https://hooks.slack.example/services/T0/B0/x' }   # better from a file
    fallback: phone
  - name: phone
    kind: ntfy
    options: { topic: our-alerts }
    severity: critical
  - name: office
    kind: email
    options: { host: mail.example, from: wk@example.org, to: [office@example.org] }
    quietHours: { from: '18:00', to: '08:00', zone: Europe/Berlin }
monitors:
  - { type: http, target: 'https://www.example.org/' }
\`\`\`

## maintenance

Only on a server: a list of times in which people are not told of some monitors. States go on all the same, and are true; whatever is
still wrong at the end of such a time is told then, with its true beginning. A maintenance is left out of the availability. It comes
once (\`from\` and \`until\`), or again and again by the wall clock of a zone.

${windows}

\`\`\`yaml
maintenance:
  - { name: Friday deploy, monitors: [web-*], zone: Europe/Berlin, days: [fri], start: '22:00', end: '01:00' }
monitors:
  - { type: http, target: 'https://www.example.org/' }
\`\`\`

## silences

As maintenance, with the same keys, but the availability counts.

\`\`\`yaml
silences:
  - { name: move of the office, from: 2026-12-02T18:00:00+01:00, until: 2026-12-03T06:00:00+01:00 }
monitors:
  - { type: http, target: 'https://www.example.org/' }
\`\`\`

## agents

Only on a server: a list of agents that listen (\`watchkeeper agent --listen\`), and that the server calls. Agents that call the server
(\`--join\`) need no entry.

${agents}

## tls

Only on a server: its certificate. Without it a server that listens beyond loopback makes one of its own, which agents trust by the key in
their token. SIGHUP shows a renewed certificate to new connections.

${tls}

## retention

Only on a server: how long data is kept, from 1 day to 100 years.

${retention}

## publicUrl

\`publicUrl: https://watch.example\`: where agents and people reach this server, if not where it listens. \`invite\` prints it. A server
only; [proxies.md](proxies.md) shows what stands in front.

## trustedProxies

\`trustedProxies: [10.0.0.5, 10.1.0.0/16]\`: addresses and ranges of the proxies in front of this server. What they say of a client in
\`X-Forwarded-For\` is believed, and nobody else's word is. A server only.

## deadman

Only on a server: a URL outside that is asked for as long as results come, are kept, and messages leave. When this server, its machine or
its network is gone nobody can be told by it: whoever owns the URL raises the alarm. Any service for heartbeats takes it, also a heartbeat
monitor of another Watchkeeper.

${deadman}

## Task lists of older tools

A list of tasks with \`name\`, \`host\`, \`port\`, \`service\` and \`interval\` (seconds), alone, under \`tasks\` or among \`monitors\`, is read with a note that
shows how to write it as a monitor.

\`\`\`json
[{ "name": "web", "host": "www.example.org", "port": 80, "service": "HTTP", "interval": 60 }]
\`\`\`
`;
}

const examples = {
  home: `## Example: at home

\`\`\`yaml
defaults: { interval: 1m }
hosts:
  192.168.1.1: ICMP
  nas.home.arpa: { checks: { tcp: { port: 445 }, http: { timeout: 5s } } }
monitors:
  - { name: internet, type: icmp, target: 9.9.9.9, interval: 10s }
  - { name: name server, type: dns, target: example.org, options: { server: 192.168.1.1 } }
  - { name: certificate, type: certificate, target: 'www.example.org:443', interval: 6h }
\`\`\`
`,
  company: `## Example: a company with three sites

\`\`\`yaml
# watchkeeper.yaml, beside sites/berlin.yaml and others, which have defaults: { agents: [berlin] } of their own
defaults:
  interval: 30s
  http: { options: { degraded: { latency: 1s }, tls: { expiryDays: 21 } } }
monitors:
  - name: shop
    type: http
    target: https://shop.example.org/health
    agents: [berlin, paris, oslo]
    options: { headers: { authorization: 'Bearer \${SHOP_TOKEN:-none}' }, jsonPath: ['$.status == "ok"'] }
  - { name: relay, type: smtp, target: mail.example.org, interval: 5m }
egress: { deny: [10.99.0.0/16] }
retention: { results: 90d }
\`\`\`
`,
  exam: `## Example: an exam room

\`watchkeeper session start 101 --until 12:00\` begins the exam, and the watching.

\`\`\`yaml
monitors:
  - { name: exam server, type: http, target: 'https://exam.example.org/', interval: 5s, agents: [seat-01, seat-02] }
rooms:
  - name: '101'
    seats: [seat-*]
    places: { seat-01: 'row 1, door', seat-02: row 1 }
    policies:
      - name: exam
        by: Physics department, room 101
        purpose: Exam of 2 December
        peers: [192.0.2.10]
        otherPeers: alarm
\`\`\`
`,
};
