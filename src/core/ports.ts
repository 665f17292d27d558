/** The TCP port of the server where none is written. */
export const defaultServerPort = 7411;

/** The TCP and UDP port of the echo responder where none is written; the older tools used it too. */
export const defaultEchoPort = 12_345;
