/** Commands that read their files again at SIGHUP. */
const rereading: ReadonlySet<string | undefined> = new Set(['serve', 'start', 'agent', 'run']);

let isAsked = false;
let listener = (): void => {
  isAsked = true;
};

/** Until the command is ready a SIGHUP is remembered: without a handler it would end the process (SF9). */
export function rememberHangup(command: string | undefined): void {
  if (rereading.has(command)) process.on('SIGHUP', () => listener());
}

/** Calls back at each SIGHUP, and at once if one came before. */
export function onHangup(callback: () => void): void {
  listener = callback;
  if (isAsked) callback();
  isAsked = false;
}
