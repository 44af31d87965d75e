import { createDeliveryQueue, type DeliveryQueue, type DeliveryQueueOptions } from './delivery-queue.ts';

export interface WebhookSender<Message> extends DeliveryQueue<Message> {
  /** One attempt, now, with headers of the caller's making beside or instead of the right ones. */
  post(message: Message, headers?: Record<string, string>): Promise<Response>;
}

export interface WebhookSenderOptions<Message> extends Omit<DeliveryQueueOptions<Message>, 'attempt'> {
  /** The provider's own body and headers, its signature among them, as of now. */
  request(message: Message): { headers: Record<string, string>; body: string };
}

/** Delivers messages by `POST`, as JSON. A redirect is not followed: a wrong address shows, and no secret leaves. */
export function createWebhookSender<Message>(options: WebhookSenderOptions<Message>): WebhookSender<Message> {
  const { endpoint, request } = options;

  async function post(
    message: Message,
    headers: Record<string, string> = {},
    signal: AbortSignal | null = null,
  ): Promise<Response> {
    const url = endpoint.url();
    if (url === undefined) throw new Error('The webhook endpoint is not known yet: call deliverTo first.');
    const own = request(message);
    return fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...own.headers, ...headers },
      body: own.body,
      signal,
    });
  }

  const queue = createDeliveryQueue({
    ...options,
    async attempt(message, signal) {
      const response = await post(message, {}, signal);
      await response.arrayBuffer();
      return response.status;
    },
  });
  return { ...queue, post: (message, headers) => post(message, headers) };
}
