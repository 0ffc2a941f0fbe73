import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { SQSBatchResponse } from 'aws-lambda';

import type { World } from '../cluster/world.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import { tellingMs } from '../report/report.ts';
import type { Clock } from '../time/clock.ts';
import type { Limits } from '../time/wait.ts';
import { isRecord, type QueueRecord } from './trigger.ts';

export interface Batch {
  Records: QueueRecord[];
}

export const isBatch = (event: unknown): event is Batch => {
  const { Records } = (event ?? {}) as Partial<Batch>;
  return Array.isArray(Records) && Records.length > 0 && Records.every(isRecord);
};

/**
 * Handles each message of a batch on its own, all at once. Those that failed are named, so that the queue delivers them
 * again, and in the end moves them to its dead letters; the others are done with. One that finds no end in time failed
 * too: delivered again it is the same request. So does one that is not over at `lastWordAt`, when the invocation must end.
 */
export async function eachRecord(
  batch: Batch,
  { world, limits, until = Infinity }: { world: World; limits: Limits; until?: number },
  handle: (record: QueueRecord) => Promise<unknown>,
): Promise<SQSBatchResponse> {
  // Before the invocation's own end: what answers then knows nothing of messages, and the queue would drop them all.
  const deadline = Math.min(limits.deadline + tellingMs, until);
  const one = async (record: QueueRecord) => {
    try {
      await inTime(world.clock, deadline, handle(record));
    } catch (thrown) {
      const { code, message } = asLifecycleError(thrown);
      world.log.error(`message ${record.messageId} was not carried out: ${message}`, { reason: code });
      throw thrown;
    }
  };
  const processor = new BatchProcessor(EventType.SQS);
  return processPartialResponse(batch, one, processor, { throwOnFullBatchFailure: false });
}

function inTime<T>(clock: Clock, deadline: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new LifecycleError('TimedOut', 'no end in time'));
    const cancel = clock.after(Math.max(0, deadline - clock.now()), late);
    work.then(resolve, reject).finally(cancel);
  });
}
