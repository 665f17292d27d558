import { stateOf, type Monitor } from './model.ts';

/** One condition; all must hold. */
type Condition = (monitor: Monitor) => boolean;

const fields: Readonly<Record<string, (wanted: readonly string[]) => Condition>> = {
  state: (wanted) => (monitor) => wanted.includes(stateOf(monitor)),
  type: (wanted) => (monitor) => wanted.includes(monitor.type),
  agent: (wanted) => (monitor) => monitor.voices.some(({ agent }) => wanted.includes(agent.name.toLowerCase())),
};

/** What a person wrote into the box: free words, and `state:down,degraded type:dns agent:berlin`; `-` before one turns it round. */
export function conditionOf(text: string): Condition {
  const conditions = text.toLowerCase().split(/\s+/).filter(Boolean).map(wordCondition);
  return (monitor) => conditions.every((holds) => holds(monitor));
}

function wordCondition(word: string): Condition {
  if (word.startsWith('-') && word.length > 1) {
    const holds = wordCondition(word.slice(1));
    return (monitor) => !holds(monitor);
  }
  const colon = word.indexOf(':');
  const field = colon > 0 ? fields[word.slice(0, colon)] : undefined;
  if (field) return field(word.slice(colon + 1).split(','));
  return ({ text }) => text.includes(word);
}
