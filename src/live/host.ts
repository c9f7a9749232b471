import type { Rows, SqlFailure } from '../model.ts';

/** A committed state that any number of servers can begin from: the bytes of a data directory, or the name of a database kept as a template. */
export type Snapshot = Uint8Array<ArrayBuffer> | { readonly template: string };

/** What a statement is sent with. */
export interface Sending {
  /** The lines of a COPY … FROM STDIN. */
  readonly data?: string;
  /** Milliseconds it may take; the host's own limit by default. */
  readonly limit?: number;
}

/** A throwaway server (or database) with one session. */
export interface Server {
  /**
   * Runs one statement. A refusal is an answer. So are: a statement that may not be sent (`MVL01`, `notSent`), one that took too long (57014),
   * and a call to a server that has ended (57P01); `alive` is false from the last two on.
   */
  run(sql: string, sending?: Sending): Promise<Rows | SqlFailure>;
  /** The committed state; undefined when it cannot be had (the server has ended, or a transaction is open where that matters). */
  dump(): Promise<Snapshot | undefined>;
  close(): Promise<void>;
  readonly alive: boolean;
  /** The wanted extensions that this server does not have. */
  readonly missing: readonly string[];
}

export interface ServerOptions {
  /** Milliseconds a statement may take before it is ended; 10,000 by default. */
  readonly statementTimeout?: number;
  readonly extensions?: readonly string[];
  /** Start from this state instead of the pristine one. */
  readonly from?: Snapshot;
}

/** Where throwaway servers come from. */
export interface Host {
  /** PostgreSQL's major version. */
  readonly major: number;
  /** What a report calls it. */
  readonly name: string;
  /** Roles belong to all databases at once, as on a real server: a copy has them already when its history makes them. */
  readonly sharesRoles: boolean;
  /** Rejects with one line when there is no server to be had. */
  open(options: ServerOptions): Promise<Server>;
  /** Starts a server in the pristine state, so that the next one that is asked for is at hand. Resolves when it is under way, and never rejects. */
  warm?(options: ServerOptions): Promise<void>;
  /** Ends what was started and never asked for. */
  cool?(): Promise<void>;
}
