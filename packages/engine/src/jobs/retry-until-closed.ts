const AGAIN_MS = 1000;

/**
 * Writes an outcome, with retries: an event whose outcome is not written would stay locked as long as the engine
 * runs. Ends without success only when the engine closes.
 */
export async function retryUntilClosed(
  write: () => Promise<void>,
  onError: (error: unknown) => void,
  isClosed: () => boolean,
): Promise<void> {
  for (;;) {
    try {
      await write();
      return;
    } catch (error) {
      onError(error);
      if (isClosed()) return;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
