/** Events that are scheduled once. */
import { z } from 'zod';
import { deleteScheduled, scheduleOnce } from '../../events/scheduled-store.ts';
import { header, json, object } from '../../metadata/kit.ts';
import { retryConf } from '../../metadata/types.ts';
import { type Commands, command, SUCCESS } from '../command.ts';

export const scheduledEventCommands: Commands = {
  create_scheduled_event: command(
    object({
      webhook: z.string(),
      schedule_at: z.iso.datetime({ offset: true, local: true }),
      payload: json.optional(),
      headers: z.array(header).default([]),
      retry_conf: retryConf.optional(),
      comment: z.string().optional(),
    }),
    async (args, { builder }) => ({
      message: 'success',
      event_id: await scheduleOnce(builder.metadataPool, {
        ...args,
        retryConf: args.retry_conf,
        scheduleAt: args.schedule_at,
      }),
    }),
  ),
  delete_scheduled_event: command(
    object({ type: z.enum(['one_off', 'cron']), event_id: z.string() }),
    async ({ type, event_id: id }, { builder }) => {
      await deleteScheduled(builder.metadataPool, type === 'cron' ? 'cron' : 'once', id);
      return SUCCESS;
    },
  ),
};
