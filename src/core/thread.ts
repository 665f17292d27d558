/** What the owner of a thread hears of it. */
export interface ThreadEvents<Reply> {
  onMessage(reply: Reply): void;
  /** The thread broke; `onExit` follows. */
  onError(error: unknown): void;
  onExit(): void;
}

/** A thread as its owner sees it: requests go in and replies come out, each in order. */
export interface Thread<Request, Reply> {
  /** Called once, before any event can come. */
  listen(events: ThreadEvents<Reply>): void;
  /** `transfer` are the buffers in the request that are moved instead of copied. */
  post(request: Request, transfer?: readonly ArrayBuffer[]): void;
}

/** The same thread as its body sees it. */
export interface ThreadPort<Request, Reply> {
  /** Called once, before any request can come. */
  listen(onRequest: (request: Request) => void): void;
  post(reply: Reply): void;
  /** The thread ends once what was posted has left. */
  close(): void;
}
