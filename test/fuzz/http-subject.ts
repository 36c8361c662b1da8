import type { Socket } from 'node:net';
import { Connection } from '../../src/http/connection.ts';
import type { Exchange, RequestHandler } from '../../src/http/exchange.ts';
import { Front } from '../../src/http/front.ts';
import { METHODS } from '../../src/model/method.ts';
import type { HttpSpec } from '../../src/model/snapshot.ts';

export interface Understood {
  /** All of it as one string: method, target, fields, body and whether the connection stays. */
  readonly text: string;
  readonly keepAlive: boolean;
}

export interface Observation {
  readonly requests: readonly Understood[];
  /** Status of the refusal after them, 0: none. */
  readonly refusal: number;
  /** A request's head was taken and its body is incomplete. */
  readonly inBody: boolean;
  /** The connection takes no further request: refused, or closed as asked. */
  readonly closed: boolean;
}

export const limits: HttpSpec = {
  maxHeadBytes: 16_384,
  maxHeaders: 64,
  maxTargetBytes: 8192,
  timeoutMs: 30_000,
  maxConnections: 100,
  tls: null,
};
export const MAX_BODY = 1_000_000;

/** A socket whose client takes everything at once. */
class EagerSocket {
  writableLength = 0;
  ended = false;
  /** What was written, when somebody wants to know. */
  written: Buffer[] | null = null;
  write(bytes: Buffer): boolean {
    this.written?.push(Buffer.from(bytes));
    return true;
  }
  end(): void {
    this.ended = true;
  }
  pause(): void {}
  resume(): void {}
  destroy(): void {}
  isPaused(): boolean {
    return false;
  }
}

/** Feeds bytes to a real Connection, cut where the caller says, and notes what comes out. */
export class Subject implements RequestHandler {
  readonly #front = new Front(this, limits);
  readonly #socket = new EagerSocket();
  #requests: Understood[] = [];
  #inBody = false;

  /** `cuts` are ascending offsets within the bytes. */
  observe(bytes: Buffer, cuts: readonly number[]): Observation {
    this.#requests = [];
    this.#inBody = false;
    this.#socket.ended = false;
    const rejected = this.#front.stats.rejected;
    const connection = new Connection(this.#socket as unknown as Socket, this.#front, false);
    const shared = this.#front.readBuffer;
    let start = 0;
    for (let i = 0; i <= cuts.length; i++) {
      const end = i < cuts.length ? cuts[i] : bytes.length;
      if (end > start || (i === 0 && cuts.length === 0)) {
        bytes.copy(shared, 0, start, end);
        connection.receive(shared, end - start);
        shared.fill(0xaa, 0, end - start); // the next read overwrites it: nobody may still look
      }
      start = end;
    }
    const refused = this.#front.stats.rejected > rejected;
    const refusal = refused ? connection.exchange.status : 0;
    const inBody = this.#inBody;
    connection.closed();
    return { requests: this.#requests, refusal, inBody, closed: this.#socket.ended };
  }

  /** The same, with all that was sent. */
  answersTo(bytes: Buffer, cuts: readonly number[]): string {
    const written: Buffer[] = [];
    this.#socket.written = written;
    this.observe(bytes, cuts);
    this.#socket.written = null;
    return Buffer.concat(written).toString('latin1');
  }

  onHead(): number {
    this.#inBody = true;
    return MAX_BODY;
  }

  onRequest(exchange: Exchange): void {
    this.#inBody = false;
    this.#requests.push(understood(exchange));
    exchange.begin(200);
    exchange.end(null, 0, 0);
  }

  onAborted(): void {}
}

function understood(exchange: Exchange): Understood {
  const { head, bytes } = exchange;
  let text = `${METHODS[head.method]} ${bytes.toString('latin1', head.pathStart, head.pathEnd)}?`;
  text += `${bytes.toString('latin1', head.queryStart, head.queryEnd)} 1.${head.minorVersion} ${exchange.keepAlive}\n`;
  for (let row = 0; row < head.headerCount; row++) {
    text += `${bytes.toString('latin1', head.nameStart(row), head.nameEnd(row))}:`;
    text += `${bytes.toString('latin1', head.valueStart(row), head.valueEnd(row))}\n`;
  }
  text += `\n${exchange.body.toString('latin1', exchange.bodyStart, exchange.bodyEnd)}`;
  return { text, keepAlive: exchange.keepAlive };
}
