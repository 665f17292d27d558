import type { Status } from './model.ts';

export interface WallWords {
  readonly seats: number;
  readonly there: number;
  readonly look: number;
  readonly policy: string;
  readonly until: string;
}

const many = (count: number, one: string, more: string): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : more}`;
const numbers = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight', 'Nine', 'Ten'];

/** Every text of the dashboard; another language is another table of this type. */
export const en = {
  now: 'Now',
  monitors: 'Monitors',
  agents: 'Agents',
  notices: 'Notices',
  signIn: 'Sign in',
  signOut: 'Sign out',
  setUp: 'Make your account',
  setUpHint: 'It is the first account of this server, and may do everything. At least 12 characters.',
  signInHint: 'No account yet? The server printed a link for the first one when it started.',
  name: 'Name',
  password: 'Password',
  loading: 'Loading …',
  status: { up: 'Up', degraded: 'Degraded', down: 'Down', unknown: 'Unknown', paused: 'Paused' } satisfies Record<
    Status | 'paused',
    string
  >,
  agentStatus: {
    online: 'Online',
    reconnecting: 'Reconnecting',
    offline: 'Offline',
    impaired: 'Impaired',
    revoked: 'Revoked',
  } as Readonly<Record<string, string>>,
  headline: (wrong: number): string => {
    if (wrong === 0) return 'All is well.';
    return `${numbers[wrong] ?? wrong.toLocaleString('en')} ${wrong === 1 ? 'thing is' : 'things are'} wrong.`;
  },
  nothingYet: 'Nothing is watched yet.',
  nothingYetHint: 'Add a monitor to the configuration and have the server read it again, or from a terminal:',
  seenFrom: (up: number, all: number, places: number): string =>
    `${up.toLocaleString('en')} of ${many(all, 'monitor is', 'monitors are')} up, seen from ${many(places, 'place', 'places')}.`,
  monitorsAre: (all: number, wrong: number): string =>
    `${all.toLocaleString('en')}, ${wrong === 0 ? 'all well' : `${wrong} not well`}`,
  agentsAre: (all: number, away: number): string =>
    `${many(all, 'place', 'places')}, ${away === 0 ? 'all there' : `${away} away or impaired`}`,
  since: (time: string): string => `since ${time}`,
  longer: 'since before the server started',
  everyInterval: (interval: string): string => `every ${interval}`,
  sayDown: (down: number, all: number): string => `${down} of ${many(all, 'place says', 'places say')} so`,
  ageNow: 'now',
  filter: 'Name, target, state:down, type:dns, agent:berlin …',
  all: (count: number): string => `all ${count.toLocaleString('en')}`,
  noneFound: 'No monitor fits this filter.',
  clear: 'Clear the filter',
  voices: 'What each place says',
  runNow: 'Run now',
  running: 'Running …',
  pause: 'Pause',
  resume: 'Resume',
  copied: 'Copied',
  asCommand: 'As a command',
  answerTime: 'Answer time',
  history: 'History',
  range: { '1h': '1 h', '24h': '24 h', '7d': '7 d', '90d': '90 d' } as Readonly<Record<string, string>>,
  noResults: 'No results in this time.',
  slot: (parts: readonly string[]): string => parts.join(', '),
  agent: 'Agent',
  tasks: 'Tasks',
  waiting: 'Waiting',
  lag: 'Lag',
  clock: 'Clock',
  version: 'Version',
  noAgents: 'No agent has joined yet.',
  noAgentsHint: 'Run this on the server; it prints the line for the other machine:',
  lately: 'Lately',
  nothingHappened: 'Nothing has changed since this page was opened.',
  went: (monitor: string, state: string, agent: string): string => `${monitor} is ${state.toLowerCase()} from ${agent}`,
  stale: (time: string): string => `The server has not been heard since ${time}. What is shown here is as of then.`,
  noSuchMonitor: 'There is no such monitor.',
  acknowledge: 'I have seen it',
  acknowledgedBy: (name: string): string => `seen by ${name}`,
  noNotices: 'No notices.',
  times: (count: number): string => `${count} ×`,
  incidents: 'Incidents',
  openIncidents: (count: number): string =>
    count === 0 ? 'none goes on' : `${count.toLocaleString('en')} ${count === 1 ? 'goes' : 'go'} on`,
  ended: 'Over',
  verdict: { target: 'the target', path: 'the path', observer: 'the observer' } as Readonly<Record<string, string>>,
  hasIt: (name: string): string => `${name} has it`,
  take: 'I have it',
  whoWasTold: 'Who was told',
  heldBack: (reason: string): string => `held back: ${reason}`,
  timeline: 'Timeline',
  rooms: 'Rooms',
  noRooms: 'There are no rooms yet: rooms: in the configuration names them, with their seats and policies.',
  seats: (count: number): string => many(count, 'seat', 'seats'),
  sessionGoesOn: 'A session goes on',
  noSession: 'No session now',
  startSession: 'Start the session',
  endSession: 'End the session',
  reallyEnd: 'Really end it?',
  policy: 'Policy',
  hours: 'For so many hours',
  notHere: 'Not here',
  wall: ({ seats, there, look, policy, until }: WallWords): string =>
    `${many(seats, 'seat', 'seats')}, ${there} there, ${look === 0 ? 'none needs a look' : `${look} need a look`} · ${policy}, ends ${until}`,
  main: 'Main',
  skip: 'Skip to the content',
};

export type Texts = typeof en;
