import type { GuestLogs } from '../control/guest-logs.ts';
import type { FromThread, RequestTrace } from '../model/protocol.ts';
import type { Log } from '../observability/log.ts';

export interface Listeners {
  readonly log: Log['logger'];
  readonly guestLogs: GuestLogs;
  readonly logRequests: boolean;
  readonly onRequest: ((trace: RequestTrace) => void) | undefined;
  /** A token named a key that the key set does not have. */
  readonly unknownKey: (kid: string) => void;
}

/** Hands what the data-plane threads say to whoever it is for. */
export function threadMessages(listeners: Listeners): (message: FromThread) => void {
  const { log } = listeners;
  return (message) => {
    switch (message.type) {
      case 'guest-log':
        return listeners.guestLogs.append(message.lines);
      case 'trace':
        return message.requests.forEach((trace) => {
          listeners.onRequest?.(trace);
          if (listeners.logRequests) log.info(trace, 'request');
        });
      case 'decisions':
        return message.records.forEach((record) => log.info(record, 'decision'));
      case 'unknown-key':
        return listeners.unknownKey(message.kid);
      case 'warning':
        return log.warn(message.message);
      default:
    }
  };
}
