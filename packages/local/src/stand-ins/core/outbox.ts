/** Where the changes at a stand-in leave their messages: on the way to its webhooks, and onto the disk. */
export interface Outbox<Message> {
  /** Sends a message, or gives it to whoever intercepts, and keeps what has changed. */
  put(message: Message): void;
  /** Holds back the messages that changes cause, and gives them to the caller instead. */
  intercept<T>(change: () => T): { result: T; messages: Message[] };
  /** Keeps everything as it is now; settles when that is done. */
  save(): Promise<void>;
  /** Settles when everything so far is kept. */
  saved(): Promise<void>;
}

/**
 * @param send queues a message
 * @param save writes the whole state; called once at a time
 */
export function createOutbox<Message>(
  send: (message: Message) => unknown,
  save: () => Promise<void>,
): Outbox<Message> {
  let held: Message[] | undefined;
  let saving = Promise.resolve();
  let next: Promise<void> | undefined;
  // A save that has not begun keeps what changes meanwhile too: the whole state is copied for each.
  const saveNext = (): Promise<void> => {
    next ??= saving.then(() => {
      next = undefined;
      return save();
    });
    saving = next;
    return next;
  };
  return {
    put(message) {
      if (held === undefined) send(message);
      else held.push(message);
      void saveNext();
    },
    intercept(change) {
      const messages: Message[] = [];
      held = messages;
      try {
        return { result: change(), messages };
      } finally {
        held = undefined;
      }
    },
    save: saveNext,
    saved: () => saving,
  };
}
