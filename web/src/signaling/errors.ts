/** What a request can fail with; callers decide by class and code, never by text. */

/** The server answered, and said no. `code` follows HTTP's meanings. */
export class RequestError extends Error {
  constructor(
    readonly method: string,
    readonly code: number,
    readonly reason: string,
  ) {
    super(`${method}: ${code} ${reason}`);
    this.name = 'RequestError';
  }
}

/** The server closed the connection for good, for example because this peer joined again elsewhere. */
export class Dismissed extends Error {
  constructor(readonly reason: string) {
    super(`dismissed: ${reason}`);
    this.name = 'Dismissed';
  }
}

/** No answer in time. */
export class RequestTimeout extends Error {
  constructor(readonly method: string) {
    super(`${method}: no answer in time`);
    this.name = 'RequestTimeout';
  }
}

/** The socket is not open, or went away before the answer. */
export class ConnectionLost extends Error {
  constructor(readonly method: string) {
    super(`${method}: connection lost`);
    this.name = 'ConnectionLost';
  }
}
