import { type Child, describeExit } from './processes.ts';

/**
 * Waits until a URL answers with a 2xx.
 *
 * @param child the program that is to answer: its end ends the wait
 * @throws with what the child last printed, if it ends or takes longer than the time given
 */
export async function untilAnswers(url: string, child: Child, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (child.hasExited()) throw new Error(describeExit(child, await child.exited));
    if (await answers(url)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(
    `${child.name} does not answer at ${url} after ${timeoutMs / 1000} s; it last printed:\n${child.tail()}`,
  );
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
