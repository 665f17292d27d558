import { apprise } from './apprise/apprise.ts';
import { command } from './command/command.ts';
import { discord } from './discord/discord.ts';
import { email } from './email/email.ts';
import { googlechat } from './googlechat/googlechat.ts';
import { gotify } from './gotify/gotify.ts';
import { matrix } from './matrix/matrix.ts';
import { mattermost } from './mattermost/mattermost.ts';
import type { NotifierType } from './notifier.ts';
import { ntfy } from './ntfy/ntfy.ts';
import { pagerduty } from './pagerduty/pagerduty.ts';
import { pushover } from './pushover/pushover.ts';
import { signal } from './signal/signal.ts';
import { slack } from './slack/slack.ts';
import { teams } from './teams/teams.ts';
import { telegram } from './telegram/telegram.ts';
import { twilio } from './twilio/twilio.ts';
import { webhook } from './webhook/webhook.ts';

/** Every way to tell people. Configuration and documentation derive from this list. */
export const notifierTypes: readonly NotifierType[] = [
  apprise,
  command,
  discord,
  email,
  googlechat,
  gotify,
  matrix,
  mattermost,
  ntfy,
  pagerduty,
  pushover,
  signal,
  slack,
  teams,
  telegram,
  twilio,
  webhook,
];

const byKind: ReadonlyMap<string, NotifierType> = new Map(notifierTypes.map((type) => [type.kind, type]));

/** The kind of a word as people write it; undefined if there is none. */
export function findNotifierType(word: string): NotifierType | undefined {
  return byKind.get(word.toLowerCase());
}
