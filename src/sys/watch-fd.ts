import { dlopen, getCurrentEventLoop, getRawPointer } from 'node:ffi';
import { SystemError } from './libc.ts';

const UV_POLL = 8;
/** `prioritized`: the contents of a file of /proc or /sys have changed. */
export const fdEvents = { readable: 1, writable: 2, prioritized: 8 } as const;

const signatures = {
  uv_handle_size: { arguments: ['int32'], return: 'uint64' },
  uv_poll_init: { arguments: ['pointer', 'buffer', 'int32'], return: 'int32' },
  uv_poll_start: { arguments: ['buffer', 'int32', 'pointer'], return: 'int32' },
  uv_close: { arguments: ['buffer', 'pointer'], return: 'void' },
} as const;

interface Watch {
  /** libuv's handle; the map below keeps it referenced until libuv has released it. */
  readonly handle: Buffer;
  readonly events: number;
  readonly onReady: (readyMs: number) => void;
  closed: boolean;
}

const watches = new Map<bigint, Watch>();

function load() {
  const { lib, functions } = dlopen(null, signatures);
  const onEvent = lib.registerCallback(
    { arguments: ['pointer', 'int32', 'int32'], return: 'void' },
    // libuv calls this outside of Node's callback scope, where promises and nextTick would not run: hand over.
    // A pointer that C passes is a bigint; the types say what JavaScript may pass.
    (handle, status) => void setImmediate(dispatch, handle as bigint, status, performance.now()),
  );
  const onClosed = lib.registerCallback(
    { arguments: ['pointer'], return: 'void' },
    (handle) => void watches.delete(handle as bigint),
  );
  return { uv: functions, onEvent, onClosed };
}

let loaded: ReturnType<typeof load> | undefined;

function dispatch(handle: bigint, status: number, readyMs: number): void {
  const watch = watches.get(handle);
  if (!watch || watch.closed) return;
  watch.onReady(readyMs);
  // libuv reports a pending socket error as EBADF and stops; the owner has just read that error, so go on.
  if (status < 0) start(watch);
}

function start(watch: Watch): void {
  // Closing the last of several may happen inside onReady.
  if (watch.closed || !loaded) return;
  const status = loaded.uv.uv_poll_start(watch.handle, watch.events, loaded.onEvent);
  if (status < 0) throw new SystemError(`libuv ${status}`, 'uv_poll_start');
}

/**
 * Calls back on the event loop whenever `fd` is ready (level-triggered: until it is drained), with the monotonic time at
 * which the loop noticed; for `prioritized` also once soon after the start, as changes until then are not told. Keeps the
 * process alive. Returns the function that ends it; call that before closing `fd`.
 */
export function watchFd(fd: number, events: number, onReady: (readyMs: number) => void): () => void {
  loaded ??= load();
  const handle = Buffer.alloc(Number(loaded.uv.uv_handle_size(UV_POLL)));
  const status = loaded.uv.uv_poll_init(getCurrentEventLoop(), handle, fd);
  if (status < 0) throw new SystemError(`libuv ${status}`, 'uv_poll_init');
  const watch: Watch = { handle, events, onReady, closed: false };
  const pointer = getRawPointer(handle);
  watches.set(pointer, watch);
  start(watch);
  // The loop first asks the kernel when it next waits, and that takes back the news of a change from before. The second
  // immediate comes behind that, wherever in a turn this is.
  if (events & fdEvents.prioritized) setImmediate(() => setImmediate(dispatch, pointer, 0, performance.now()));
  return () => {
    if (watch.closed || !loaded) return;
    watch.closed = true;
    loaded.uv.uv_close(handle, loaded.onClosed);
  };
}
