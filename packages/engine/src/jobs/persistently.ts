const AGAIN_MS = 1000;

/**
 * Writes an outcome, again and again if need be: an event whose outcome is not written would hang in our
 * hands for as long as we live. Ends without success only when the engine closes.
 */
export async function persistently(
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
